"""Entries left out of a copy of a log: it holds the hash of their leaf alone (PROTOCOL.md 10.9).

The file says which entries these are and how many of each round that is in the copy. It is the owner's word: an auditor
says what was not checked because of it, and takes an entry that is listed for neither erased nor right.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from aquila.errors import AuditError

LEFT_OUT_FILE = "left_out.json"

_Index = Annotated[int, Field(ge=0, le=2**40)]
_RoundId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    entries: list[tuple[_Index, _Index]]
    rounds: dict[_RoundId, Annotated[int, Field(ge=1)]]


@dataclass(frozen=True, slots=True)
class LeftOutEntries:
    """The entries that a copy lacks.

    Attributes:
        entries: The ranges of their indices, each from a first one up to an end, ascending.
        rounds: How many of each round that is in the copy otherwise.
    """

    entries: tuple[tuple[int, int], ...] = ()
    rounds: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, indices: Iterable[int], rounds: Counter[str]) -> LeftOutEntries:
        """Return the entries that are left out, from ascending indices."""
        return cls(tuple(_ranges(indices)), rounds)

    @property
    def count(self) -> int:
        """Return the number of entries."""
        return sum(end - first for first, end in self.entries)

    def indices(self) -> Iterator[int]:
        """Yield their indices, ascending."""
        for first, end in self.entries:
            yield from range(first, end)

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        return json.dumps({"entries": self.entries, "rounds": self.rounds}, sort_keys=True).encode() + b"\n"


def read_left_out(content: bytes, size: int) -> LeftOutEntries:
    """Read the file for a log of a number of entries.

    Raises:
        AuditError: It is none, or its ranges are not ascending and within the log.
    """
    try:
        found = _File.model_validate_json(content)
    except ValidationError:
        raise AuditError("left_out_file_unreadable", file=LEFT_OUT_FILE) from None
    edges = [edge for of in found.entries for edge in of]
    if any(low >= high for low, high in found.entries) or any(a > b for a, b in pairwise([0, *edges, size])):
        raise AuditError("left_out_entries_malformed", file=LEFT_OUT_FILE)
    return LeftOutEntries(tuple(found.entries), Counter(found.rounds))


def _ranges(indices: Iterable[int]) -> Iterator[tuple[int, int]]:
    first = end = -1
    for index in indices:
        if index != end:
            if end >= 0:
                yield first, end
            first = index
        end = index + 1
    if end >= 0:
        yield first, end
