"""Submissions on their way: blinded, evaluated by the others, verified, and finalized (PROTOCOL.md 3.4 to 3.6)."""
