"""Two lists of token rows with shadow columns, an honest matcher between them, and lies that it can tell.

Tags and checks are defined here once more, record by record as PROTOCOL.md 3.7.12 and 3.7.13 say them.
"""

from __future__ import annotations

import hmac
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from itertools import permutations, product
from typing import TYPE_CHECKING

import numpy as np

from aquila.crypto.keys import SecretBytes
from aquila.protocol.encoding import framed
from aquila.protocol.messages import CheckFault, MetTags
from aquila.protocol.shadow.checks import ReportedPair, ToldPairs, check_tags
from aquila.protocol.shadow.columns import Column, make_column, met_digest
from aquila.protocol.shadow.meeting import ColumnTerms, due_tags, masks_of, meets_a_set, met_tags
from aquila.protocol.shadow.token_rows import RecordRows, TokenRows, numbered
from aquila.protocol.submissions.column_sizes import DUMMIES, TAG_BYTES
from aquila.protocol.submissions.submission import TOKEN_ROW
from aquila.records.rules import mask_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    Sets = tuple[tuple[int, ...], ...]
    Records = Sequence[Mapping[int, Collection[int]]]

KEY = bytes(range(32))


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


def tokens_of(record: Mapping[int, Collection[int]]) -> list[tuple[bytes, int]]:
    """Return the tokens of a record in ascending order, each with its rule."""
    return sorted((token(rule, value), rule) for rule, values in record.items() for value in set(values))


def plain_combinations(tokens: Collection[tuple[bytes, int]], sets: Sets) -> set[tuple[int, tuple[bytes, ...]]]:
    """Return the combinations of some tokens, each with the number of its set."""
    by_rule: dict[int, list[bytes]] = defaultdict(list)
    for one, rule in tokens:
        by_rule[rule].append(one)
    return {
        (number, chosen) for number, rules in enumerate(sets) for chosen in product(*(by_rule[rule] for rule in rules))
    }


def plain_tag(number: int, chosen: tuple[bytes, ...], key: bytes = KEY) -> bytes:
    """Return the tag of a combination."""
    return hmac.digest(key, framed("aquila/2 shadow", bytes([number]), *chosen), "sha256")[:TAG_BYTES]


def plain_dummies() -> set[bytes]:
    """Return the tags of no record."""
    messages = (framed("aquila/2 shadow dummy", number.to_bytes(4, "big")) for number in range(DUMMIES))
    return {hmac.digest(KEY, message, "sha256")[:TAG_BYTES] for message in messages}


def plain_strangers(records: Records, limit: int) -> Counter[int]:
    """Count the pairs of different records that meet under each mask of rules, both ways."""
    bearers = Counter(one for record in records for one in {name for name, _ in tokens_of(record)})
    kept = [{(name, rule) for name, rule in tokens_of(record) if bearers[name] <= limit} for record in records]
    masks = (mask_of({rule for _, rule in one & other}) for one, other in permutations(kept, 2))
    return Counter(mask for mask in masks if mask)


@dataclass(frozen=True)
class ShadowPair:
    """Two lists, and what a matcher makes of them.

    Attributes:
        records: The records of each side.
        rows: Their token rows.
        columns: The columns that each side sent.
        sets: The rule table's sets.
        pairs: Every pair of places of records that meets under a rule, with the rules and values that met.
    """

    key: SecretBytes
    records: tuple[Records, Records]
    rows: tuple[RecordRows, RecordRows]
    columns: tuple[Column, Column]
    sets: Sets
    pairs: Mapping[tuple[int, int], frozenset[tuple[int, int]]]

    @classmethod
    def of(cls, left: Records, right: Records, sets: Sets, secret: bytes = KEY) -> ShadowPair:
        """Let both sides send their rows and columns."""
        key = SecretBytes(secret)
        rows = RecordRows([rows_of(0, left)]), RecordRows([rows_of(1, right)])
        columns = make_column(key, rows[0], sets), make_column(key, rows[1], sets)
        pairs = {}
        for a, one in enumerate(left):
            for b, other in enumerate(right):
                shared = {(rule, v) for rule in one.keys() & other.keys() for v in set(one[rule]) & set(other[rule])}
                if shared:
                    pairs[a, b] = frozenset(shared)
        return cls(key, (left, right), rows, columns, sets, pairs)

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
        tokens = numbered(np.frombuffer(b"".join(one for _, _, one in shared), dtype="V16"))[1]
        rules = np.frombuffer(bytes(rule for _, rule, _ in shared), dtype=np.uint8)
        numbers = np.array([n for n, _, _ in shared], dtype=np.int64)
        terms = ColumnTerms(self.sets, self.left_out)
        return due_tags(TokenRows(len(places), numbers, rules, tokens), terms)

    @property
    def meeting(self) -> list[tuple[int, int]]:
        """The pairs that meet a set."""
        masks = masks_of(self.sets, self.left_out)
        return [pair for pair, met in self.pairs.items() if meets_a_set(mask_of({rule for rule, _ in met}), masks)]

    def told(self, side: int, pairs: Collection[tuple[int, int]] | None = None) -> ToldPairs:
        """Return what a matcher tells a side; without other word, all pairs that meet a set."""
        reported = []
        for pair in self.meeting if pairs is None else pairs:
            names = tokens_of(self.records[side][pair[side]])
            places = sorted(names.index((token(rule, value), rule)) for rule, value in self.pairs[pair])
            handles = handle(side, pair[side]), handle(1 - side, pair[1 - side])
            reported.append(ReportedPair(*handles, bytes(places), is_hit=True))
        return ToldPairs(reported, MetTags(tags=len(self.met), digest=met_digest(self.met)))

    def tags(self, pairs: Collection[tuple[int, int]]) -> set[bytes]:
        """Return the tags that follow from some pairs; no matcher can."""
        every = {
            one for pair in pairs for one in self.combinations([(token(*met), met[0]) for met in self.pairs[pair]])
        }
        with self.key.reveal() as octets:
            return {plain_tag(*one, bytes(octets)) for one in every}

    def combinations(self, tokens: Collection[tuple[bytes, int]]) -> set[tuple[int, tuple[bytes, ...]]]:
        """Return the combinations of some tokens under the sets that both columns have."""
        return {one for one in plain_combinations(tokens, self.sets) if one[0] not in self.left_out}

    def kept(self, hidden: Collection[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the pairs that meet a set, without those that are hidden."""
        return [pair for pair in self.meeting if pair not in hidden]

    def own_tags(self, hidden: Collection[tuple[int, int]]) -> set[bytes]:
        """Return the tags that a matcher has to leave out with some pairs, had it the key."""
        return self.tags(hidden) - self.tags(self.kept(hidden))

    def check(self, side: int, told: ToldPairs) -> CheckFault | None:
        """Let a side check what it was told."""
        return check_tags(self.key, self.rows[side], ColumnTerms(self.sets, self.left_out), told)

    def plain_check(self, side: int, told: ToldPairs) -> CheckFault | None:
        """Let a side check it combination by combination."""
        assert told.met is not None
        own, partners = self._own(side), self._partners(side, told)
        due = sorted(self.tags_told(side, told))
        if (len(due), met_digest(np.array(due, dtype=f"S{TAG_BYTES}"))) != (told.met.tags, told.met.digest):
            return CheckFault.TAGS
        for one, found in partners.items():
            bearers = {named for named, tokens in own.items() if one in self.combinations(tokens)}
            if bearers != found.keys() or len(set(map(frozenset, found.values()))) > 1:
                return CheckFault.PAIRS
        return None

    def tags_told(self, side: int, told: ToldPairs) -> set[bytes]:
        """Return the tags that follow from what a side is told."""
        return {*(plain_tag(*one) for one in self._partners(side, told)), *plain_dummies()}

    def _own(self, side: int) -> dict[bytes, list[tuple[bytes, int]]]:
        return {handle(side, number): tokens_of(record) for number, record in enumerate(self.records[side])}

    def _partners(self, side: int, told: ToldPairs) -> dict[tuple[int, tuple[bytes, ...]], dict[bytes, set[bytes]]]:
        """Return of each combination that is told of the own records that have it, each with its partners."""
        own = self._own(side)
        found: dict[tuple[int, tuple[bytes, ...]], dict[bytes, set[bytes]]] = defaultdict(lambda: defaultdict(set))
        for pair in told.pairs:
            tokens = own.get(pair.handle, [])
            for one in self.combinations([tokens[place] for place in pair.places if place < len(tokens)]):
                found[one][pair.handle].add(pair.other)
        return found

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
