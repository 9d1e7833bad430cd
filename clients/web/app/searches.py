"""Names that lists are searched for: kept in memory for their session, so that an address holds a random key instead.

A name would otherwise stand in the browser's history. Nothing of it is written anywhere, and a restart forgets it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_KEPT_SECONDS = 3_600
_MOST = 1_000


@dataclass(slots=True)
class _Search:
    session: str = field(repr=False)
    name: str = field(repr=False)
    until: float


class Searches:
    """The names that are kept, each for an hour after it was used last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, _Search] = {}

    def keep(self, session: str, name: str) -> str:
        """Keep a name and return its key; the one that was used longest ago goes where there are too many."""
        now = self._clock()
        self._kept = {key: one for key, one in self._kept.items() if one.until > now}
        if len(self._kept) >= _MOST:
            self._kept.pop(min(self._kept, key=lambda key: self._kept[key].until))
        key = secrets.token_hex(16)
        self._kept[key] = _Search(session, name, now + _KEPT_SECONDS)
        return key

    def find(self, session: str, key: str) -> str | None:
        """Return a session's name, or None where it is not kept any more."""
        found, now = self._kept.get(key), self._clock()
        if found is None or found.session != session or found.until <= now:
            return None
        found.until = now + _KEPT_SECONDS
        return found.name
