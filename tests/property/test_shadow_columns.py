"""Shadow columns of any two lists: what met follows from the reported pairs, and what is left out shows."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from aquila.protocol.messages import CheckFault
from tests.support.shadow_pairs import ShadowPair, random_records

SETS = ((1,), (2, 3), (2, 4), (1, 3, 4))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 12), st.integers(0, 12))
def test_the_honest_report_is_all(seed: int, left: int, right: int) -> None:
    """As many tags meet as the rows say, and both sides find that they follow from the pairs that meet a set."""
    draw = Random(seed).randrange
    pair = ShadowPair.of(random_records(left, draw), random_records(right, draw), SETS)
    assert pair.due == len(pair.met)
    assert pair.check(0, pair.told(0)) is None
    assert pair.check(1, pair.told(1)) is None


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_what_is_left_out_has_to_take_its_own_tags_along(seed: int, count: int) -> None:
    """Pairs are left out unseen with just the tags that are theirs alone, and only if they share none with others."""
    draw = Random(seed).randrange
    pair = ShadowPair.of(random_records(10, draw), random_records(10, draw), SETS)
    hidden = Random(seed).sample(pair.meeting, min(count, len(pair.meeting)))
    own, shared = pair.own_tags(hidden), pair.tags(hidden) & pair.tags(pair.kept(hidden))
    assert any(pair.lie(hidden, own)) == bool(shared)
    if own:
        assert all(pair.lie(hidden, ()))
        others = Random(seed).sample(sorted(set(pair.met.tolist()) - own), len(own))
        assert all(pair.lie(hidden, others))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 3))
def test_a_tag_too_many_or_too_few(seed: int, gone: int) -> None:
    """With every pair reported, tags that did not meet are missed, and so is a place that is not told."""
    draw = Random(seed).randrange
    pair = ShadowPair.of(random_records(8, draw), random_records(8, draw), SETS)
    tags = Random(seed).sample(sorted(pair.met.tolist()), gone)
    assert all(pair.lie((), tags)) == bool(gone)
    told = pair.told(0)
    for number, one in enumerate(told.pairs):
        if pair.tags([pair.meeting[number]]) - pair.tags(pair.kept([pair.meeting[number]])) and len(one.places) == 1:
            less = [*told.pairs[:number], one._replace(places=b""), *told.pairs[number + 1 :]]
            assert pair.check(0, replace(told, pairs=less)) is CheckFault.TAGS
