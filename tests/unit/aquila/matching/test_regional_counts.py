"""Persons by the number of parties that know them."""

from itertools import combinations
from random import Random

import pytest

from aquila.matching.regional_counts import Place, persons_by_parties

ALL = {(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)}


def at(number: int, handle: str = "a") -> Place:
    return number, handle.encode()


@pytest.mark.parametrize(
    ("hits", "expected"),
    [
        pytest.param([], {}, id="nobody"),
        pytest.param([(at(0), at(1))], {2: 1}, id="two parties"),
        pytest.param([(at(0), at(1)), (at(1), at(2)), (at(0), at(2))], {3: 1}, id="three parties"),
        pytest.param([(at(0), at(1)), (at(2), at(1))], {3: 1}, id="three, by two hits"),
        pytest.param([(at(0), at(1)), (at(2), at(3)), (at(1), at(2))], {4: 1}, id="four, in a chain"),
        pytest.param([(at(0), at(1)), (at(0, "b"), at(1))], {2: 1}, id="twice in one list is one party"),
        pytest.param([(at(0), at(1)), (at(0, "b"), at(2, "b"))], {2: 2}, id="two persons"),
    ],
)
def test_where_all_may_be_matched(hits: list[tuple[Place, Place]], expected: dict[int, int]) -> None:
    assert persons_by_parties(hits, ALL) == expected


def test_nothing_is_joined_over_a_forbidden_pair() -> None:
    hits = [(at(0), at(1)), (at(1), at(2))]
    assert persons_by_parties(hits, {(0, 1), (1, 2)}) == {2: 2}
    assert persons_by_parties([*hits, (at(0), at(2))], {(0, 1), (1, 2)}) == {2: 2}


def test_a_person_of_two_groups_is_counted_once() -> None:
    allowed = {(0, 1), (0, 2), (1, 2), (0, 3), (1, 3)}
    assert persons_by_parties([(at(0), at(1))], allowed) == {2: 1}
    assert persons_by_parties([(at(0), at(1)), (at(1), at(2))], allowed) == {3: 1}
    assert persons_by_parties([(at(0), at(1)), (at(1), at(2)), (at(1), at(3))], allowed) == {3: 2}


def test_the_order_of_hits_does_not_matter() -> None:
    random = Random(7)
    hits = [
        (at(a, str(n)), at(b, str(n))) for n in range(30) for a, b in combinations(range(4), 2) if random.random() < 0.3
    ]
    expected = persons_by_parties(hits, ALL)
    for _ in range(5):
        random.shuffle(hits)
        assert persons_by_parties([(other, one) for one, other in hits], ALL) == expected


def test_a_round_without_pairs() -> None:
    assert persons_by_parties([(at(0), at(1))], set()) == {}
