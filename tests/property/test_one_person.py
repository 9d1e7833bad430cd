"""Properties of rows of one person, and of what stands in for them, by the words of PROTOCOL.md 3.4.7."""

from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aquila.records.entropy import TRAIT
from aquila.records.one_person import chosen_bearers, persons_of

names = st.sampled_from([(0, 0), (1, 2), (2, 1), (1, 1), (3, 1)])


@given(st.lists(st.tuples(names, st.integers(-1, 2)), max_size=25))
def test_rows_of_one_person_are_those_that_the_definition_names(rows: list[tuple[tuple[int, int], int]]) -> None:
    numbers = persons_of(np.array([(*name, born) for name, born in rows], dtype=TRAIT)).tolist()
    known = [(frozenset(name), born) for name, born in rows]
    for place, (name, born) in enumerate(known):
        a = known.count((name, born))
        b = sum(other == name for other, _ in known)
        c = sum(other == born for _, other in known)
        evident = 0 not in name and born != 0 and 8 * b * (c - a) <= a * (len(rows) - a)
        same = {n for n, one in enumerate(known) if evident and one == (name, born)} | {place}
        assert {n for n, number in enumerate(numbers) if number == numbers[place]} == same


def plainly_chosen(bearers: list[int], persons: list[int], inputs: list[int], limit: int) -> set[int]:
    """Return the records that send a value, one after the other."""
    waiting = defaultdict(list)
    for record in sorted(bearers, key=lambda record: (-inputs[record], record)):
        waiting[persons[record]].append(record)
    sent: list[int] = []
    while len(waiting) <= limit and len(sent) < min(limit, len(bearers)):
        turn = [records.pop(0) for records in waiting.values() if records]
        sent += sorted(turn, key=lambda record: (-inputs[record], record))
    return set(sent[:limit])


@given(st.data(), st.integers(1, 12), st.integers(1, 4))
def test_what_few_persons_share_is_on_as_many_records_as_the_limit_says(
    data: st.DataObject, records: int, limit: int
) -> None:
    persons = data.draw(st.lists(st.integers(0, 3), min_size=records, max_size=records))
    inputs = data.draw(st.lists(st.integers(1, 3), min_size=records, max_size=records))
    bearers = data.draw(st.lists(st.sets(st.integers(0, records - 1), min_size=1), max_size=4))
    entries = data.draw(st.permutations([(value, record) for value, some in enumerate(bearers) for record in some]))
    values, of_records = np.array(entries, dtype=np.int64).reshape(-1, 2).T
    sent = chosen_bearers(
        values.astype(np.uint64), of_records, np.array(persons), np.array(inputs, dtype=np.uint16), limit
    )
    found = {(value, record) for (value, record), is_sent in zip(entries, sent.tolist(), strict=True) if is_sent}
    expected = [plainly_chosen(list(some), persons, inputs, limit) for some in bearers]
    assert found == {(value, record) for value, some in enumerate(expected) for record in some}
