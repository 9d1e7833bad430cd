"""Rounds at a node: statements, requests, progress and views."""
