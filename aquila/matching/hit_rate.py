"""Test whether queries hit a list far more often than the persons asked for explain (PROTOCOL.md 3.7.14).

Whoever goes through a population finds many on a list. Padding hides how many persons a query is about, so the fewest
count that its size allows: dummies explain no hit. One hit is expected of each query, which is a third of the persons
of a query of three; of a large query the share of common persons. The number of hits is compared with the tail of a
Poisson distribution, which is wider than a binomial one for the same number of draws. So one hit for each query never
raises the alarm; asking very many queries does by itself.
"""

from math import exp, lgamma, log

from aquila.errors import InputError

LEAST_HITS = 12
"""Fewer hits raise no alarm, whatever the sizes: a query of a case may be right in all of its persons."""

MOST_LIKELY = 1e-6
"""How likely so many hits may be at least, if the sizes explain them."""

MOST_QUERIES, MOST_PERSONS = 10, 100
"""How many queries one party asks in a day, and about how many persons at least, on average over the window."""

EXPECTED_HITS = 1.0
"""Of a query, at least: an officer asks for persons of a case because they may be known elsewhere."""

_MILLION = 1_000_000
_ENOUGH = 1e-12


def fewest_persons(query_records: int, multiple: int) -> int:
    """Return how many persons a query asks for at least, whose records were padded to a multiple."""
    return max(1, query_records - multiple + 1)


def expected_hits(common_per_million: int, persons: int, list_records: int) -> float:
    """Return how many hits persons explain.

    Args:
        common_per_million: The share of common persons, of the smaller of the two.
        persons: How many the query asks for at least.
        list_records: Records of the list, padded.

    Raises:
        InputError: A size or the share is not positive.
    """
    if min(common_per_million, persons, list_records) < 1:
        raise InputError("expectation_needs_records_and_share")
    return max(EXPECTED_HITS, common_per_million / _MILLION * min(persons, list_records))


def is_alarming(hits: int, expected: float) -> bool:
    """Return whether a number of hits is far above what is expected."""
    return hits >= LEAST_HITS and hits > expected and poisson_tail(hits, expected) < MOST_LIKELY


def poisson_tail(hits: int, expected: float) -> float:
    """Return the probability of at least this many, if fewer, or not many more, are expected."""
    term = exp(hits * log(expected) - expected - lgamma(hits + 1))
    total, number = 0.0, hits
    while term > _ENOUGH * total and term > 0:
        total += term
        number += 1
        term *= expected / number
    return min(1.0, total)
