"""A matcher that knows all it can know, and has to leave out the tags of a hit with it: it can only guess them."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, pairwise
from math import comb
from random import Random

import pytest

from aquila.protocol.shadow import columns, meeting
from aquila.protocol.submissions.column_sizes import DUMMIES
from tests.support.shadow_pairs import (
    ShadowPair,
    handle,
    plain_combinations,
    plain_tag,
    random_records,
    token,
    tokens_of,
)

SETS = ((1,), (2, 3), (2, 4))
FEW = 24
"""Dummies in place of 4,096, so that every choice of tags can be tried: the chance is one in as many."""

# Records 0 to 3 are persons of both lists: two of one tag, one of two, one of three. 4 and 5 stand twice in the left
# list with one tag. The others share nothing.
LEFT = [
    {1: [1]},
    {2: [2], 3: [2]},
    {1: [3], 2: [3], 3: [3]},
    {1: [4, 5], 2: [4], 4: [4]},
    {1: [6]},
    {1: [6]},
    {1: [90]},
]
RIGHT = [{1: [1]}, {2: [2], 3: [2]}, {1: [3], 2: [3], 3: [3]}, {1: [4, 5], 2: [4], 4: [4]}, {1: [6]}, {1: [91], 3: [9]}]
REAL = 8
"""The tags of persons that meet: one, one, two, three, and the one that two records share."""


@pytest.fixture
def few_dummies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "DUMMIES", FEW)
    monkeypatch.setattr(meeting, "DUMMIES", FEW)


@pytest.mark.usefixtures("few_dummies")
@pytest.mark.parametrize("many", [1, 2])
def test_every_choice_of_tags(many: int) -> None:
    """Of all choices of as many tags as are a hit's own, exactly one is unseen by a side, and by the other no other."""
    pair = ShadowPair.of(LEFT, RIGHT, SETS)
    tried = 0
    for hidden in pair.meeting:
        own = pair.own_tags([hidden])
        if len(own) != many:
            continue
        choices = list(combinations(pair.met.tolist(), many))
        unseen = [gone for gone in choices if None in pair.lie([hidden], gone)]
        assert unseen == [tuple(sorted(own))]
        assert len(choices) == comb(len(pair.met), many)
        tried += 1
    assert tried == 3 - many
    assert len(pair.met) - FEW == REAL


@pytest.mark.usefixtures("few_dummies")
def test_no_hits_are_hidden_for_nothing() -> None:
    """Whichever hits are left out: with other tags than theirs it is seen, and one of two records always."""
    pair = ShadowPair.of(LEFT, RIGHT, SETS)
    twice = [one for one in pair.meeting if one[1] == 4]
    assert len(twice) == 2
    for count in range(1, len(pair.meeting) + 1):
        for hidden in combinations(pair.meeting, count):
            own = pair.own_tags(hidden)
            others = [tag for tag in pair.met.tolist() if tag not in own]
            # One of two records with one tag cannot be left out with any tags at all, and others with theirs alone.
            assert any(pair.lie(hidden, own)) is (len(set(hidden) & set(twice)) == 1)
            assert any(pair.lie(hidden, [*own, others[0]]))
            for tag in own:
                assert all(pair.lie(hidden, own - {tag}))
                assert all(pair.lie(hidden, {*own, others[0]} - {tag}))


def test_as_many_dummies_as_claimed() -> None:
    """Between two lists with one hit of one tag the matcher has one chance in 4,097."""
    pair = ShadowPair.of([{1: [1]}], [{1: [1]}], SETS)
    assert (DUMMIES, len(pair.met)) == (4_096, 4_097)
    (hit,) = pair.meeting
    own = pair.own_tags([hit])
    assert pair.lie([hit], own) == (None, None)
    for gone in Random(1).sample(sorted({*pair.met.tolist()} - own), 15):
        assert all(pair.lie([hit], [gone]))


def _near(octets: bytes, tags: Sequence[bytes]) -> bytes:
    value = int.from_bytes(octets[:16], "big")
    return min(tags, key=lambda tag: abs(int.from_bytes(tag, "big") - value))


def _guesses(pair: ShadowPair, hit: tuple[int, int]) -> Iterator[tuple[str, bytes]]:
    """Yield what a matcher may guess to be the one tag of a hit, by everything that it has: columns, rows, handles."""
    sides = [column.tags.tolist() for column in pair.columns]
    met = [tag for tag in sides[0] if tag in set(sides[1])]
    (rule, value), *_ = pair.pairs[hit]
    shared, places = token(rule, value), {tag: tuple(side.index(tag) for side in sides) for tag in met}
    yield "first", met[0]
    yield "last", met[-1]
    yield "least", min(met)
    yield "middle", met[len(met) // 2]
    yield "near the token", _near(shared, met)
    yield "near the left handle", _near(handle(0, hit[0]), met)
    yield "near the right handle", _near(handle(1, hit[1]), met)
    yield "bits of the token", max(met, key=lambda tag: sum(a == b for a, b in zip(tag, shared, strict=False)))
    yield "at the record's place", met[hit[0] * len(met) // len(LEFT)]
    yield "at one place on both sides", min(met, key=lambda tag: abs(places[tag][0] - places[tag][1]))
    yield "at far places", max(met, key=lambda tag: abs(places[tag][0] - places[tag][1]))
    yield "beside one that did not meet", _beside(sides[0], set(met))
    gaps = {one: int.from_bytes(one, "big") - int.from_bytes(before, "big") for before, one in pairwise(met)}
    yield "behind the widest gap", max(gaps, key=lambda tag: gaps[tag])
    yield "behind the narrowest gap", min(gaps, key=lambda tag: gaps[tag])


def _beside(side: Sequence[bytes], met: set[bytes]) -> bytes:
    for before, one in pairwise(side):
        if before not in met and one in met:
            return one
    return side[0]


def _hits(many: int, shown: Callable[[ShadowPair, tuple[int, int]], Iterator[tuple[str, bytes]]]) -> dict[str, int]:
    """Return how often each guess was right, in rounds of the same lists under other keys."""
    found: dict[str, int] = {}
    for number in range(many):
        pair = ShadowPair.of(LEFT, RIGHT, SETS, Random(number).randbytes(32))
        hit = (0, 0)
        (own,) = pair.own_tags([hit])
        for name, guess in shown(pair, hit):
            found[name] = found.get(name, 0) + (guess == own)
    return found


ROUNDS = 600


@pytest.mark.usefixtures("few_dummies")
def test_no_guess_is_better_than_chance() -> None:
    """Order, place, distance, likeness to tokens and handles: in 600 rounds each finds the tag about once in 32."""
    found = _hits(ROUNDS, _guesses)
    expected = ROUNDS / (FEW + REAL)
    assert len(found) == 14
    assert all(right < expected + 5 * expected**0.5 for right in found.values()), found


@pytest.mark.usefixtures("few_dummies")
def test_columns_in_the_order_of_records_would_show_it() -> None:
    """The same guesses on columns that nobody sorted find it nearly always: so they are able to."""

    def unsorted(pair: ShadowPair, _hit: tuple[int, int]) -> Iterator[tuple[str, bytes]]:
        with pair.key.reveal() as octets:
            tags = [
                plain_tag(*one, bytes(octets)) for record in LEFT for one in plain_combinations(tokens_of(record), SETS)
            ]
        yield "first", next(tag for tag in tags if tag in set(pair.met.tolist()))

    assert _hits(60, unsorted)["first"] > 50


@pytest.mark.usefixtures("few_dummies")
def test_lengths_tell_what_the_rows_tell() -> None:
    """A column's length follows from the rows alone, and so does the number that met, with any key and any lists."""
    draw = Random(4)
    for _ in range(20):
        lists = random_records(9, draw.randrange), random_records(9, draw.randrange)
        pairs = [ShadowPair.of(*lists, SETS, draw.randbytes(32)) for _ in range(2)]
        for side in (0, 1):
            combined = {one for record in lists[side] for one in plain_combinations(tokens_of(record), SETS)}
            assert {len(one.columns[side].tags) for one in pairs} == {len(combined) + FEW}
        assert {len(one.met) for one in pairs} == {pairs[0].due}
        assert not set(pairs[0].columns[0].tags.tolist()) & set(pairs[1].columns[0].tags.tolist())
