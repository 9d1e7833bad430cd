"""Rounds on pages: the form of a proposal, and progress."""
