"""Values that too many of a party's own records share are not sent.

An equal token inside one list tells the matcher how often a value occurs. A value that occurs in more than `limit`
records of one list is held back under its rule; the node tells its officer how many were. Counting takes 8 bytes per
input: a first pass notes digests, a second asks.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

InputT = TypeVar("InputT", bound=tuple[int, bytes])

DEFAULT_LIMIT = 8
_DIGEST_BYTES = 8
_CHUNK = 1 << 20  # digests collected before they become an array


class FrequencyLimit:
    """Counts in how many records each input occurs: `note` each record, then `held_back`.

    Digests of 8 bytes may collide; among ten million inputs that holds one back needlessly once in 300,000 lists.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.limit = limit
        self._chunks: list[NDArray[np.uint64]] = []
        self._pending = bytearray()

    def note(self, inputs: Iterable[tuple[int, bytes]]) -> None:
        """Count the inputs of one record; each must be there once, as `record_inputs` gives them."""
        for rule, value in inputs:
            self._pending += _digest(rule, value)
        if len(self._pending) >= _CHUNK * _DIGEST_BYTES:
            self._flush()

    def held_back(self) -> HeldBack:
        """The inputs that occur in more than `limit` of the records noted so far."""
        self._flush()
        if not self._chunks:
            return HeldBack(frozenset())
        digests = np.sort(np.concatenate(self._chunks))
        ends = digests[self.limit :]
        frequent = np.unique(ends[ends == digests[: len(ends)]])
        return HeldBack(frozenset(frequent.tolist()))

    def _flush(self) -> None:
        """Turn what is pending into an array."""
        if self._pending:
            self._chunks.append(np.frombuffer(bytes(self._pending), dtype="<u8"))
            self._pending.clear()


class HeldBack:
    """Leaves out the inputs that occur too often, and counts by rule how many were left out."""

    def __init__(self, frequent: frozenset[int]) -> None:
        self._frequent = frequent
        self.by_rule: Counter[int] = Counter()

    def __repr__(self) -> str:
        return f"HeldBack(values={len(self._frequent)})"

    @property
    def values(self) -> int:
        """How many different values are held back."""
        return len(self._frequent)

    def keep(self, inputs: Iterable[InputT]) -> tuple[InputT, ...]:
        """The inputs of one record that may be sent, in their order."""
        kept = []
        for item in inputs:
            if int.from_bytes(_digest(*item), "little") in self._frequent:
                self.by_rule[item[0]] += 1
            else:
                kept.append(item)
        return tuple(kept)


def _digest(rule: int, value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=_DIGEST_BYTES, salt=rule.to_bytes(1, "big")).digest()
