"""Shadow columns of any two lists: what met follows from the reported pairs, and what is left out shows."""

from dataclasses import replace
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila.protocol.messages import CheckFault, MetTags
from aquila.protocol.shadow.columns import met_digest
from aquila.protocol.shadow.meeting import met_tags
from aquila.protocol.shadow.strangers import count_strangers
from aquila.protocol.shadow.token_rows import RecordRows
from tests.support.shadow_pairs import (
    ShadowPair,
    plain_combinations,
    plain_dummies,
    plain_strangers,
    plain_tag,
    random_records,
    rows_of,
    tokens_of,
)

SETS = ((1,), (2, 3), (2, 4), (1, 3, 4))


@given(st.integers(0, 2**32), st.integers(0, 12), st.integers(0, 12))
def test_the_honest_report_is_all(seed: int, left: int, right: int) -> None:
    """As many tags meet as the rows say, and both sides find that they follow from the pairs that meet a set."""
    draw = Random(seed).randrange
    pair = ShadowPair.of(random_records(left, draw), random_records(right, draw), SETS)
    assert pair.due == len(pair.met)
    assert pair.check(0, pair.told(0)) is None
    assert pair.check(1, pair.told(1)) is None


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


@settings(max_examples=10)
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


@settings(max_examples=8)
@given(st.integers(0, 2**32), st.integers(0, 12))
def test_columns_are_those_of_the_definition(seed: int, records: int) -> None:
    """The tags of a column are those that follow record by record, whatever chunks the rows came in."""
    draw = Random(seed).randrange
    pair = ShadowPair.of(random_records(records, draw), random_records(3, draw), SETS)
    for side, column in enumerate(pair.columns):
        every = [one for record in pair.records[side] for one in plain_combinations(tokens_of(record), SETS)]
        assert column.tags.tobytes() == b"".join(sorted({*(plain_tag(*one) for one in every), *plain_dummies()}))
    ours, theirs = (set(map(bytes, column.tags.view("V16").tolist())) for column in pair.columns)
    assert pair.met.tobytes() == b"".join(sorted(ours & theirs))
    shuffled = np.repeat(pair.columns[0].tags[::-1], 2)  # what a party sends against the rules
    assert met_tags(shuffled, pair.columns[1].tags).tobytes() == pair.met.tobytes()


@settings(max_examples=6)
@given(st.integers(0, 2**32))
def test_the_check_is_that_of_the_definition(seed: int) -> None:
    """Of whatever is told, each side finds what it finds by going through its records one by one."""
    random = Random(seed)
    pair = ShadowPair.of(random_records(6, random.randrange, 4), random_records(6, random.randrange, 4), SETS)
    for side in (0, 1):
        told = pair.told(side, random.sample(pair.meeting, random.randrange(len(pair.meeting) + 1)))
        pairs = list(told.pairs)
        for place in random.sample(range(len(pairs)), random.randrange(min(3, len(pairs) + 1))):
            other = random.choice(pairs)
            pairs[place] = random.choice(
                [
                    pairs[place]._replace(other=other.other),
                    pairs[place]._replace(handle=other.handle),
                    pairs[place]._replace(handle=bytes(15) + b"9"),
                    pairs[place]._replace(places=b"\0\0\5\xff"),
                ]
            )
        told = replace(told, pairs=pairs)
        assert pair.check(side, told) is pair.plain_check(side, told)
        due = sorted(pair.tags_told(side, told))
        fitting = MetTags(tags=len(due), digest=met_digest(np.array(due, dtype="S16")))
        told = replace(told, met=fitting)
        assert pair.check(side, told) is pair.plain_check(side, told) is not CheckFault.TAGS


@given(st.integers(0, 2**32), st.integers(0, 14), st.integers(0, 6), st.sampled_from([1, 5, 1 << 20]))
def test_strangers_of_a_list(seed: int, records: int, limit: int, at_once: int) -> None:
    """As many pairs of its records meet under each mask as when each is compared with each, in parts or at once."""
    found = random_records(records, Random(seed).randrange, 8)
    rows = RecordRows([rows_of(0, found)]).numbers
    assert count_strangers(rows, limit, at_once=at_once) == plain_strangers(found, limit)
