"""Two lists of token rows with shadow columns, an honest matcher between them, and lies that it can tell."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from aquila.crypto.keys import SecretBytes
from aquila.protocol.messages import MetTags
from aquila.protocol.shadow.checks import ReportedPair, ToldPair, check_tags
from aquila.protocol.shadow.columns import Column, RecordRows, make_column, met_digest
from aquila.protocol.shadow.meeting import ColumnTerms, due_tags, masks_of, meets_a_set, met_tags, shared_rows
from aquila.protocol.submissions.submission import TOKEN_ROW
from aquila.records.rules import mask_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from aquila.protocol.messages import CheckFault

    Sets = tuple[tuple[int, ...], ...]
    Records = Sequence[Mapping[int, Collection[int]]]


def handle(side: int, number: int) -> bytes:
    """Return a handle; the last byte is none that NumPy leaves out."""
    return bytes([side, *number.to_bytes(4, "big"), *bytes(10), 1])


def token(rule: int, value: int) -> bytes:
    """Return the token of a value under a rule."""
    return bytes([rule, *value.to_bytes(8, "big"), *bytes(7)])


def rows_of(side: int, records: Records) -> bytes:
    """Return the token rows of a list, in the order of their tokens."""
    found = [
        (token(rule, value), rule, handle(side, number))
        for number, record in enumerate(records)
        for rule, values in record.items()
        for value in values
    ]
    rows = np.zeros(len(found), dtype=TOKEN_ROW)
    for place, (octets, rule, named) in enumerate(sorted(found)):
        rows[place] = (named, rule, octets)
    return rows.tobytes()


@dataclass(frozen=True)
class ShadowPair:
    """Two lists, and what a matcher makes of them.

    Attributes:
        rows: The token rows of each side.
        columns: The columns that each side sent.
        sets: The rule table's sets.
        pairs: Every pair of places of records that meets under a rule, with the rules and values that met.
    """

    key: SecretBytes
    rows: tuple[RecordRows, RecordRows]
    columns: tuple[Column, Column]
    sets: Sets
    pairs: Mapping[tuple[int, int], frozenset[tuple[int, int]]]

    @classmethod
    def of(cls, left: Records, right: Records, sets: Sets) -> ShadowPair:
        """Let both sides send their rows and columns."""
        key = SecretBytes(bytes(range(32)))
        rows = RecordRows([rows_of(0, left)]), RecordRows([rows_of(1, right)])
        columns = make_column(key, rows[0], sets), make_column(key, rows[1], sets)
        pairs = {}
        for a, one in enumerate(left):
            for b, other in enumerate(right):
                shared = {(rule, v) for rule in one.keys() & other.keys() for v in set(one[rule]) & set(other[rule])}
                if shared:
                    pairs[a, b] = frozenset(shared)
        return cls(key, rows, columns, sets, pairs)

    @property
    def left_out(self) -> frozenset[int]:
        """The sets that one of the columns leaves out."""
        return frozenset({*self.columns[0].left_out, *self.columns[1].left_out})

    @property
    def met(self) -> NDArray[np.bytes_]:
        """The tags that met."""
        return met_tags(self.columns[0].tags, self.columns[1].tags)

    @property
    def due(self) -> int:
        """How many have to, by the rows."""
        places = list(self.meeting)
        shared = [(n, rule, token(rule, value)) for n, pair in enumerate(places) for rule, value in self.pairs[pair]]
        rules, tokens = bytes(rule for _, rule, _ in shared), b"".join(one for _, _, one in shared)
        return due_tags(shared_rows([n for n, _, _ in shared], rules, tokens), self.sets, self.left_out)

    @property
    def meeting(self) -> list[tuple[int, int]]:
        """The pairs that meet a set."""
        masks = masks_of(self.sets, self.left_out)
        return [pair for pair, met in self.pairs.items() if meets_a_set(mask_of({rule for rule, _ in met}), masks)]

    def told(self, side: int, pairs: Collection[tuple[int, int]] | None = None) -> ToldPair:
        """Return what a matcher tells a side; without other word, all pairs that meet a set."""
        reported = []
        for pair in self.meeting if pairs is None else pairs:
            own = handle(side, pair[side])
            rules, tokens = self.rows[side].of(own)
            names = [(rule, one.ljust(16, b"\0")) for rule, one in zip(rules.tolist(), tokens.tolist(), strict=True)]
            places = bytes(names.index((rule, token(rule, value))) for rule, value in self.pairs[pair])
            reported.append(ReportedPair(own, handle(1 - side, pair[1 - side]), bytes(sorted(places)), is_hit=True))
        return ToldPair(reported, MetTags(tags=len(self.met), digest=met_digest(self.met)))

    def tags(self, pairs: Collection[tuple[int, int]]) -> set[bytes]:
        """Return the tags that follow from some pairs; no matcher can."""
        found: set[bytes] = set()
        for pair in pairs:
            by_rule: dict[int, set[int]] = defaultdict(set)
            for rule, value in self.pairs[pair]:
                by_rule[rule].add(value)
            for made in RecordRows([rows_of(0, [by_rule])]).combinations(self.sets, self.left_out):
                found |= set(made.tags(self.key).tolist())
        return found

    def kept(self, hidden: Collection[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the pairs that meet a set, without those that are hidden."""
        return [pair for pair in self.meeting if pair not in hidden]

    def own_tags(self, hidden: Collection[tuple[int, int]]) -> set[bytes]:
        """Return the tags that a matcher has to leave out with some pairs, had it the key."""
        return self.tags(hidden) - self.tags(self.kept(hidden))

    def check(self, side: int, told: ToldPair) -> CheckFault | None:
        """Let a side check what it was told."""
        return check_tags(self.key, self.rows[side], ColumnTerms(self.sets, self.left_out), told)

    def lie(self, hidden: Collection[tuple[int, int]], gone: Collection[bytes]) -> tuple[CheckFault | None, ...]:
        """Let a matcher leave out pairs, and some of the tags that met, and both sides check it."""
        kept = self.kept(hidden)
        left = self.met[~np.isin(self.met, np.array(list(gone), dtype=self.met.dtype))] if gone else self.met
        return tuple(
            self.check(side, replace(self.told(side, kept), met=MetTags(tags=len(left), digest=met_digest(left))))
            for side in (0, 1)
        )


def random_records(count: int, draw: Callable[[int], int], values: int = 12) -> Records:
    """Return records with up to two values under each of four rules."""
    return [{rule: {draw(values) for _ in range(draw(3))} for rule in (1, 2, 3, 4)} for _ in range(count)]
