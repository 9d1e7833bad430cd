"""Queries of a few persons: what an officer asks, and what is known of each person at each party."""
