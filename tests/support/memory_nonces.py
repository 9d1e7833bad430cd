"""Nonces that are kept in memory."""

import threading

from aquila.errors import ReplayError
from aquila.sentences import quoted


class MemoryNonces:
    """Nonces of one process, forgotten with it."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def spend(self, key_id: str, nonce: str, keep_until: int, now: int) -> None:
        """Use a nonce; see `services.kit.http.signatures.Nonces`."""
        with self._lock:
            self._kept = {known: until for known, until in self._kept.items() if until >= now}
            if (key_id, nonce) in self._kept:
                raise ReplayError(quoted("the call was seen before"), matcher_time=now)
            self._kept[key_id, nonce] = keep_until
