"""Counts of the work that waits for a person."""

from aquila.interface.attention import WaitingCounts


def test_the_total_counts_every_thing_once() -> None:
    assert WaitingCounts(alarms=1, requests=2, rounds=3, hits=10, new_hits=4, high_hits=2, due_hits=3).total == 16
