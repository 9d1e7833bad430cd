"""Deadlines that are days away end at an hour of a working day, in the machine's zone."""

import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from aquila.protocol.messages import Window
from services.matcher.rounds.deadlines import DAY, lengths_of, window_after, window_like
from services.matcher.settings import WindowSettings

WINTER, SUMMER = timezone(timedelta(hours=1)), timezone(timedelta(hours=2))


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the machine be in Ljubljana."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(day: str, hour: int, zone: timezone) -> int:
    return int(datetime.fromisoformat(day).replace(hour=hour, tzinfo=zone).timestamp())


def test_days_end_at_the_hour() -> None:
    """A round proposed on a Tuesday at 00:37 has no deadline at night."""
    now = int(datetime(2026, 12, 1, 0, 37, tzinfo=UTC).timestamp())
    window = window_after(now, lengths_of(WindowSettings()), 16)
    assert list(window.model_dump().values()) == [
        at(day, 16, WINTER) for day in ("2026-12-08", "2026-12-15", "2026-12-22", "2027-01-05")
    ]


@pytest.mark.parametrize(("days", "day"), [(2, "2026-12-04"), (4, "2026-12-07"), (5, "2026-12-07"), (6, "2026-12-08")])
def test_weekends_are_skipped(days: int, day: str) -> None:
    """From a Wednesday on; those that follow are counted from the deadline that was moved."""
    now = at("2026-12-02", 9, WINTER)
    window = window_after(now, [days * DAY, DAY, DAY, 0], 12)
    assert window.consent_by == at(day, 12, WINTER)
    following = [datetime.fromtimestamp(moment, WINTER) for moment in window.model_dump().values()]
    assert all(moment.weekday() < 5 and moment.hour == 12 for moment in following)


def test_holidays_are_skipped() -> None:
    """A deadline on a holiday, or on a weekend before one, is on the next working day; a copy is as many days long."""
    holidays = [date(2027, 1, 1), date(2027, 1, 2), date(2027, 1, 4), date(2027, 2, 8)]
    now = at("2026-12-31", 9, WINTER)
    for days in (1, 2, 4):
        assert window_after(now, [days * DAY, 0, 0, 0], 16, holidays).consent_by == at("2027-01-05", 16, WINTER)
    earlier = window_after(now, [DAY, 2 * DAY, 0, 0], 16, holidays)
    assert earlier.submit_by == at("2027-01-07", 16, WINTER)
    later = at("2027-02-05", 9, WINTER)  # a Friday before a Monday without work
    copy = window_like(earlier, now, later, holidays)
    assert (copy.consent_by, copy.submit_by) == (at("2027-02-09", 16, WINTER), at("2027-02-11", 16, WINTER))
    assert WindowSettings.model_validate(tomllib.loads("holidays = [2027-01-01]")).holidays == (holidays[0],)


def test_the_hour_is_that_of_the_day_when_clocks_change() -> None:
    window = window_after(at("2026-03-27", 9, WINTER), [3 * DAY, 0, 0, 0], 16)
    assert window.consent_by == at("2026-03-30", 16, SUMMER)


def test_less_than_a_day_is_exact() -> None:
    window = window_after(1_000, [10, 20, 30, 40], 16)
    assert list(window.model_dump().values()) == [1_010, 1_030, 1_060, 1_100]


def test_copies_of_copies_grow_no_longer() -> None:
    """From any day of the week a copy has as many working days as the first round, over the change to summer time."""
    now = at("2027-02-27", 9, WINTER)
    first = window_after(now, lengths_of(WindowSettings()), 16)
    copy, at_first = first, now
    for days in (3, 8, 13, 6):
        copy, at_first = window_like(copy, at_first, at_first + days * DAY), at_first + days * DAY
    assert datetime.fromtimestamp(at_first, SUMMER).date().isoformat() == "2027-03-29"  # a Monday
    assert list(copy.model_dump().values()) == [
        at(day, 16, SUMMER) for day in ("2027-04-05", "2027-04-12", "2027-04-19", "2027-05-03")
    ]


def test_a_copy_keeps_hours_and_short_times() -> None:
    """A day is a day where it has 23 hours, a deadline on a Sunday counts as one on Monday, and minutes are exact."""
    saturday = at("2027-03-27", 18, WINTER)
    earlier = Window(
        consent_by=at("2027-03-28", 18, SUMMER),
        submit_by=at("2027-03-30", 9, SUMMER),
        evaluate_by=at("2027-03-30", 9, SUMMER) + 600,
        closes_at=at("2027-03-31", 9, SUMMER),
    )
    copy = window_like(earlier, saturday, at("2027-06-03", 11, SUMMER))
    assert list(copy.model_dump().values()) == [
        at("2027-06-04", 18, SUMMER),
        at("2027-06-07", 9, SUMMER),
        at("2027-06-07", 9, SUMMER) + 600,
        at("2027-06-08", 9, SUMMER),
    ]
