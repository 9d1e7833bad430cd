"""Labelled sets: lists of parties, and which records of two lists are one person."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

from aquila.records.person import Record


class Pair(NamedTuple):
    """Two records of two lists, the smaller party code first."""

    party_a: str
    record_a: str
    party_b: str
    record_b: str


@dataclass(frozen=True)
class LabelledSet:
    """Lists whose common persons are known."""

    name: str
    lists: Mapping[str, list[Record]]
    same: frozenset[Pair]
    judged: frozenset[Pair] | None = None

    def __repr__(self) -> str:
        return f"LabelledSet({self.name!r})"

    def only(self, fields: Iterable[str], name: str = "") -> "LabelledSet":
        """The same persons, of whom only these fields are known."""
        kept = {"record_id", *fields}
        lists = {party: [_only(record, kept) for record in records] for party, records in self.lists.items()}
        return replace(self, name=name or self.name, lists=lists)

    def among(self, parties: Iterable[str], name: str = "") -> "LabelledSet":
        chosen = set(parties)
        return replace(
            self,
            name=name or self.name,
            lists={party: records for party, records in self.lists.items() if party in chosen},
            same=frozenset(pair for pair in self.same if {pair.party_a, pair.party_b} <= chosen),
        )


def same_persons(noted: Iterable[tuple[str, str, str]]) -> frozenset[Pair]:
    """Turn persons with their records into pairs of records of two parties."""
    records = defaultdict(list)
    for person, party, record_id in noted:
        records[person].append((party, record_id))
    return frozenset(
        Pair(*one, *other)
        for found in records.values()
        for one, other in combinations(sorted(found), 2)
        if one[0] != other[0]
    )


def _only(record: Record, kept: set[str]) -> Record:
    content = json.loads(record.to_json())
    return Record.from_json(json.dumps({name: value for name, value in content.items() if name in kept}).encode())
