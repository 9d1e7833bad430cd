"""Use cases of rounds at the matcher."""
