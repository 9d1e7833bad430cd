"""Rounds among real services on this machine, and their cost next to that of the same round as a rehearsal."""
