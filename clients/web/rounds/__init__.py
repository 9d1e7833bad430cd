"""Rounds on pages: the form of a proposal, and the progress of a round."""
