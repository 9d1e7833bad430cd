"""Values that too many of a party's own records share are not sent.

An equal token inside one list tells the matcher how often a value occurs. A value that occurs in more than `limit`
records of one list is held back under its rule, and a rule may set a lower limit itself; the node tells its officer
how many were. Counting takes 8 bytes per input: a first pass notes digests, a second asks.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from aquila.records.rules import RuleTable

InputT = TypeVar("InputT", bound=tuple[int, bytes])

DEFAULT_LIMIT = 8
_DIGEST_BYTES = 7  # and one byte for the rule: together one 64-bit integer
_ENTRY_BYTES = 8
_CHUNK = 1 << 20  # entries collected before they become an array


class FrequencyLimit:
    """Counts in how many records each input occurs: `note` each record, then `held_back`.

    Digests of 7 bytes may collide; among a million values of one rule that holds one back needlessly in about one
    list of 100,000.
    """

    def __init__(self, table: RuleTable, limit: int = DEFAULT_LIMIT) -> None:
        self._limits = np.full(256, limit, dtype=np.int64)
        for rule in table.rules:
            self._limits[rule.number] = min(limit, rule.most_records or limit)
        self._chunks: list[NDArray[np.uint64]] = []
        self._pending = bytearray()

    def note(self, inputs: Iterable[tuple[int, bytes]]) -> None:
        """Count the inputs of one record; each must be there once, as `record_inputs` gives them."""
        for rule, value in inputs:
            self._pending += _entry(rule, value)
        if len(self._pending) >= _CHUNK * _ENTRY_BYTES:
            self._flush()

    def held_back(self) -> HeldBack:
        """The inputs that occur in more records than their rule allows, of all noted so far."""
        self._flush()
        if not self._chunks:
            return HeldBack(frozenset())
        entries, counts = np.unique(np.concatenate(self._chunks), return_counts=True)
        frequent = entries[counts > self._limits[entries >> np.uint64(8 * _DIGEST_BYTES)]]
        return HeldBack(frozenset(frequent.tolist()))

    def _flush(self) -> None:
        """Turn what is pending into an array."""
        if self._pending:
            self._chunks.append(np.frombuffer(bytes(self._pending), dtype=">u8").astype(np.uint64))
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

    def keep(self, inputs: Iterable[InputT], *, count: bool = True) -> tuple[InputT, ...]:
        """The inputs of one record that may be sent, in their order; a dummy's copy is not counted."""
        kept = []
        for item in inputs:
            if int.from_bytes(_entry(*item), "big") in self._frequent:
                if count:
                    self.by_rule[item[0]] += 1
            else:
                kept.append(item)
        return tuple(kept)


def _entry(rule: int, value: bytes) -> bytes:
    """One input in 8 bytes: its rule, then a digest of its value."""
    return bytes((rule,)) + hashlib.blake2b(value, digest_size=_DIGEST_BYTES).digest()
