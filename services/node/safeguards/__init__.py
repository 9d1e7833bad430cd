"""Safeguards against fishing and against a matcher that hides hits."""
