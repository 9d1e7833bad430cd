"""Values that were worked out from keys that repeat, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class KnownValues(dict[Key, Value], Generic[Key, Value]):
    """The values of keys, each worked out when it is first looked up: `known[key]`, at the cost of a dictionary.

    Where `functools.lru_cache` forgets the value that was used longest ago, this forgets all at once, and so needs no
    order: for what is looked up a million times.

    Args:
        work_out: What gives a key's value, and the same for the same key.
        most: How many values are kept.
    """

    def __init__(self, work_out: Callable[[Key], Value], most: int) -> None:
        super().__init__()
        self._work_out = work_out
        self._most = most

    def __missing__(self, key: Key) -> Value:
        value = self._work_out(key)
        if len(self) >= self._most:
            self.clear()
        self[key] = value
        return value
