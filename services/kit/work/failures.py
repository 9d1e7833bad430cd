"""Failures of what is tried again: how long to wait each time, and which of them are worth a line in the log."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Collection

from aquila.errors import AquilaError

_FIRST_DELAY = 0.5
_SEVERAL = 3


class Failures:
    """The failures in a row of one thing that is tried again until it succeeds.

    Attributes:
        count: How many.
        error: The last one.
    """

    def __init__(self, last_delay: float) -> None:
        """Begin without any.

        Args:
            last_delay: Seconds to wait at most before the next try.
        """
        self.count = 0
        self.error: Exception | None = None
        self._last_delay = last_delay

    def add(self, error: Exception) -> bool:
        """Count a failure, and return whether it is news: another one than before, or the 1st, 2nd, 4th, 8th... time.

        A peer that is away for a day fails thousands of steps, and one reason each hour says as much.
        """
        self.count += 1
        is_news = _reason(self.error) != _reason(error) or self.count & (self.count - 1) == 0
        self.error = error
        return is_news

    def clear(self) -> None:
        """Forget them: it succeeded."""
        self.count, self.error = 0, None

    def delay(self) -> float:
        """Return the seconds to the next try: doubled each time, spread so that parties do not come in step.

        A peer that asks for a longer wait gets it, but no peer can put anything to sleep for longer than the limit. The
        waits of `services.kit.errors.RETRY_AFTER` are for callers of this service: a connection that broke is tried
        again at once.
        """
        asked = self.error.fields.get("retry_after") if isinstance(self.error, AquilaError) else None
        doubled = _FIRST_DELAY * 2.0 ** min(self.count - 1, 16)
        spread = random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, guards nothing
        return min(self._last_delay, max(doubled, float(asked if isinstance(asked, int) else 0))) * spread


class Retries:
    """Things of which each waits by itself when it has failed, so that the others go on meanwhile.

    Of one event loop; `waiting` and `failing` are safe in threads too.
    """

    def __init__(self, last_delay: float) -> None:
        """Begin with none that waits.

        Args:
            last_delay: Seconds that one waits at most.
        """
        self._last_delay = last_delay
        self._failures: dict[str, Failures] = {}
        self._times: dict[str, float] = {}

    def failed(self, name: str, error: Exception) -> bool:
        """Let one wait, longer each time, and return whether its failure is news (`Failures.add`)."""
        failures = self._failures.setdefault(name, Failures(self._last_delay))
        is_news = failures.add(error)
        self._times[name] = time.monotonic() + failures.delay()
        return is_news

    def succeeded(self, name: str) -> int:
        """Forget the failures of one, and return how many there were in a row."""
        self._times.pop(name, None)
        failures = self._failures.pop(name, None)
        return 0 if failures is None else failures.count

    def forget_others(self, names: Collection[str]) -> None:
        """Forget those that are not among these: nobody tries them again."""
        for name in self._failures.keys() - set(names):
            self.succeeded(name)

    def waiting(self) -> frozenset[str]:
        """Return those whose time has not come."""
        now = time.monotonic()
        return frozenset(name for name, at in list(self._times.items()) if at > now)

    def failing(self) -> frozenset[str]:
        """Return those that have failed three times in a row, or more often."""
        return frozenset(name for name, of in list(self._failures.items()) if of.count >= _SEVERAL)

    def seconds(self) -> float:
        """Return for how long all that wait do so; infinite where none does."""
        return max(0.0, min(self._times.values(), default=math.inf) - time.monotonic())

    def end_waits(self) -> None:
        """Let each be tried at once: somebody may have mended it."""
        self._times.clear()


def _reason(error: Exception | None) -> str:
    return error.sentence.code if isinstance(error, AquilaError) else type(error).__name__
