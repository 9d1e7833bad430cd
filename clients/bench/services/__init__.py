"""Rounds among real services on this machine, and what they cost beside the same round as a rehearsal."""
