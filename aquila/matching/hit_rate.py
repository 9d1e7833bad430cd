"""Test whether a query hits a list far more often than the sizes explain (PROTOCOL.md 3.7.14).

Whoever goes through a population finds many on a list. The number of hits that persons explain is about the share of
common persons times the smaller of query and list; it is compared with the tail of a Poisson distribution, which is
wider than the binomial one of so many draws.
"""

from __future__ import annotations

from math import exp, lgamma, log

from aquila.errors import InputError

LEAST_HITS = 12
"""Fewer hits raise no alarm, whatever the sizes: a query of a case may be right in all of its persons."""

MOST_LIKELY = 1e-6
"""How likely so many hits may be at least, if the sizes explain them."""

_MILLION = 1_000_000
_ENOUGH = 1e-12


def expected_hits(common_per_million: int, query_records: int, list_records: int) -> float:
    """Return how many hits persons explain.

    Args:
        common_per_million: The share of common persons, of the smaller of the two.
        query_records: Records of the query, padded.
        list_records: Records of the list, padded.

    Raises:
        InputError: A size or the share is not positive.
    """
    if min(common_per_million, query_records, list_records) < 1:
        raise InputError("expectation_needs_records_and_share")
    return common_per_million / _MILLION * min(query_records, list_records)


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
