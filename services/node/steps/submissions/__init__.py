"""Lists on their way: blinded, evaluated by the others, verified, and finalized to tokens (PROTOCOL.md 3.4 to 3.6)."""
