"""Deadlines of a round: those that are days away end at an hour of a working day, in this machine's zone.

The pages show times in the same zone. A deadline that is less than a day away is exact, as in a rehearsal.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from aquila.protocol.messages import Window
from services.matcher.settings import WindowSettings

DAY = 86_400
_SATURDAY = 5


def window_after(now: int, lengths: Sequence[int], hour: int) -> Window:
    """Return the deadlines of a round.

    Args:
        now: When the round is proposed, in seconds since 1970.
        lengths: The seconds for consents, lists, evaluations and the end, each after the deadline before it.
        hour: At which hour deadlines end that are at least a day after the one before.
    """
    moments, at = list[int](), now
    for seconds in lengths:
        at = _working_hour(at + seconds, hour) if seconds >= DAY else at + seconds
        moments.append(at)
    return Window(**dict(zip(Window.model_fields, moments, strict=True)))


def lengths_of(settings: WindowSettings) -> tuple[int, int, int, int]:
    """Return the lengths of the settings, as `window_after` takes them."""
    return settings.consent_seconds, settings.submit_seconds, settings.evaluate_seconds, settings.close_seconds


def _working_hour(at: int, hour: int) -> int:
    """Return an hour of a moment's day, or of the next Monday where that is a Saturday or Sunday."""
    day = datetime.fromtimestamp(at, UTC).astimezone()
    day += timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= _SATURDAY else 0)
    # Without its offset, which may be another one on that day: clocks change at weekends.
    local = day.replace(hour=hour, minute=0, second=0, microsecond=0, tzinfo=None)
    return int(local.astimezone().timestamp())
