"""What is told at once, and what with the day's work."""

import pytest

from aquila.interface.attention import WaitingCounts
from services.kit.serving.notifications.driver import _is_newly_urgent, _told
from services.kit.serving.notifications.waiting import WaitingWork


@pytest.mark.parametrize("name", ["alarms", "faults", "due_hits", "urgent_hits", "standing_hits"])
def test_it_is_told_at_once_and_once(name: str) -> None:
    """An alarm, a critical fault, and hits that became urgent, or that a standing or urgent query brought."""
    before = _told(WaitingWork(WaitingCounts()))
    now = _told(WaitingWork(WaitingCounts.model_validate({name: 1}), newest_urgent=1))
    assert _is_newly_urgent(before, now)
    assert not _is_newly_urgent(now, now)


@pytest.mark.parametrize("name", ["requests", "rounds", "new_hits", "deliveries", "standing_queries"])
def test_it_waits_for_the_days_work(name: str) -> None:
    before, now = (_told(WaitingWork(WaitingCounts.model_validate({name: count}))) for count in (0, 1))
    assert not _is_newly_urgent(before, now)
