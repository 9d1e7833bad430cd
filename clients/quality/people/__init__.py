"""Invented persons of the region, and how different countries note one person: sets of any size with a known truth.

The words are those of the development lists in `tests/quality/region/`, counted; a person is a random pair of them
with a random date. The same seed gives the same bytes.
"""
