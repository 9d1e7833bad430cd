"""Token buckets: how many calls of a party a service takes, and how many at once (PROTOCOL.md 9.5).

A bucket fills steadily up to its size, and each call takes one token; an empty one refuses with the time to wait. They
live in memory: after a start they are full. What protects from replays is durable by itself (`nonces`); the rate
bounds how many nonces there are.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from services.kit.errors import TooManyCallsError


@dataclass(frozen=True, slots=True)
class Rate:
    """The refill rate of a bucket, in tokens a second, and its capacity."""

    per_second: float
    size: int


@dataclass(slots=True)
class RateLimiter:
    """A bucket for each party. Safe in threads.

    Attributes:
        rate: That of each bucket.
        clock: Seconds, from any beginning, that never go back.
        refusal: What an empty bucket says.
    """

    rate: Rate
    clock: Callable[[], float] = time.monotonic
    refusal: str = "party_calls_too_often"
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, party: str) -> None:
        """Take a token of a party that is registered; others have no bucket, so there are never more than parties.

        Raises:
            TooManyCallsError: There is none; the field `retry_after` has the seconds until there is one.
        """
        with self._lock:
            now = self.clock()
            left, at = self._left.get(party, (float(self.rate.size), now))
            left = min(float(self.rate.size), left + (now - at) * self.rate.per_second)
            if left < 1:
                self._left[party] = left, now
                wait = math.ceil((1 - left) / self.rate.per_second)
                raise TooManyCallsError(self.refusal, party=party, retry_after=wait)
            self._left[party] = left - 1, now

    def give_back(self, party: str) -> None:
        """Put a token back that somebody else took in the party's name, by a replayed or changed call."""
        with self._lock:
            left, at = self._left[party]
            self._left[party] = min(float(self.rate.size), left + 1), at
