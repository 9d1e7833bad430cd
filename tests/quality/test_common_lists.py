"""Invented lists: the same seed gives the same persons, and the truth is what it says."""

from __future__ import annotations

from tests.quality.measuring.common_lists import IN_LISTS, common_lists, unrelated_lists


def test_a_seed_gives_the_same_lists() -> None:
    one, again, other = common_lists(60, 1), common_lists(60, 1), common_lists(60, 2)
    assert one.lists == again.lists
    assert one.same == again.same
    assert one.lists != other.lists


def test_common_persons_are_in_the_lists() -> None:
    found = common_lists(200, 3)
    ids = {(party, record.record_id) for party, records in found.lists.items() for record in records}
    assert all(len(records) == 200 for records in found.lists.values())
    assert len(ids) == 5 * 200
    assert {(pair.party_a, pair.record_a) for pair in found.same} <= ids
    pairs = sum(round(share * 200) * lists * (lists - 1) // 2 for lists, share in IN_LISTS.items())
    assert len(found.same) == pairs


def test_unrelated_lists_have_no_common_person() -> None:
    found = unrelated_lists(50, 4)
    assert found.same == frozenset()
    assert {party: len(records) for party, records in found.lists.items()} == {"BA": 50, "RS": 50}
