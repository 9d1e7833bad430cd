"""Invented persons of the region, in the spellings of several countries: for the demo, the bench and the tests.

The words are those of the development lists in `tests/quality/region/`, counted, and Slovene ones written by hand
(`SVN`, all equally frequent). No list of real persons was used: a person is a random pair of words with a random date.
The same seed gives the same bytes. `nationals` makes persons with national numbers.
"""
