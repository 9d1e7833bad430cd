"""Deadlines of a round: those that are days away end at an hour of a working day, in this machine's zone.

The pages show times in the same zone. A deadline that is less than a day away is exact, as in a rehearsal.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time
from itertools import pairwise

import numpy as np

from aquila.protocol.messages import Window
from services.matcher.settings import WindowSettings

DAY = 86_400


def window_after(now: int, lengths: Sequence[int], hour: int, holidays: Collection[date] = ()) -> Window:
    """Return the deadlines of a round.

    Args:
        now: When the round is proposed, in seconds since 1970.
        lengths: The seconds for consents, lists, evaluations and the end, each after the deadline before it.
        hour: At which hour deadlines end that are at least a day after the one before.
        holidays: Days on which none of these ends.
    """
    moments, at = list[int](), now
    for seconds in lengths:
        at += seconds
        if seconds >= DAY:
            at = _moment(_working_day(local(at).date(), 0, holidays), time(hour))
        moments.append(at)
    return Window(**dict(zip(Window.model_fields, moments, strict=True)))


def window_like(earlier: Window, proposed_at: int, now: int, holidays: Collection[date] = ()) -> Window:
    """Return deadlines as many working days apart as those of an earlier round, each at its hour; shorter ones exactly.

    A copy of a copy has the same number of working days: nothing is moved from a weekend or a holiday
    twice.
    """
    moments = [now]
    for before, after in pairwise((proposed_at, *earlier.model_dump().values())):
        moments.append(_as_long_after(moments[-1], before, after, holidays))
    return Window(**dict(zip(Window.model_fields, moments[1:], strict=True)))


def _as_long_after(at: int, before: int, after: int, holidays: Collection[date]) -> int:
    start, end, day = local(before), local(after), local(at)
    if after - before < DAY / 2 or start.date() == end.date():
        return at + max(0, after - before)
    days = int(np.busday_count(start.date(), end.date(), holidays=list(holidays)))
    return _moment(_working_day(day.date(), max(1, days), holidays), end.time())


def lengths_of(settings: WindowSettings) -> tuple[int, int, int, int]:
    """Return the lengths of the settings, as `window_after` takes them."""
    return settings.consent_seconds, settings.submit_seconds, settings.evaluate_seconds, settings.close_seconds


def local(at: int) -> datetime:
    """Return a moment in this machine's zone."""
    return datetime.fromtimestamp(at, UTC).astimezone()


def _working_day(day: date, later: int, holidays: Collection[date]) -> date:
    """Return a working day: so many after a day, or after the first working day from there on."""
    return date.fromisoformat(str(np.busday_offset(day, later, roll="forward", holidays=list(holidays))))


def _moment(day: date, hour: time) -> int:
    # Without an offset, which may be another one on that day: clocks change at weekends.
    return int(datetime.combine(day, hour).astimezone().timestamp())
