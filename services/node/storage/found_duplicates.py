"""The result of a search for duplicates in a stored list, as the node keeps it in memory until the list changes."""

from __future__ import annotations

from dataclasses import dataclass

from aquila.matching.own_list import DuplicatePair


@dataclass(frozen=True, slots=True)
class FoundDuplicates:
    """The result of a search in a stored list, without any identifier or value of a record.

    Attributes:
        records: How many records were compared.
        pairs: The surest, by the positions of their records in the list.
        left_out: How many other pairs there are.
        groups: How many groups of records the pairs make.
        crowded: By rule, values that so many records share that they were not compared.
    """

    records: int
    pairs: tuple[DuplicatePair, ...]
    left_out: int
    groups: int
    crowded: dict[str, int]
