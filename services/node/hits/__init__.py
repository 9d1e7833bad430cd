"""Hits at a node: what a round has answered, and what it has not."""
