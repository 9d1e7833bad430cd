"""A node's check that the tags which met are exactly those of the reported pairs (PROTOCOL.md 3.7.13)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from aquila.crypto.keys import SecretBytes
from aquila.matching.certainty import GradingBasis, Level
from aquila.matching.grading import grade_lists
from aquila.matching.join import MatchedPair
from aquila.matching.learning import ListPair, learn
from aquila.protocol.messages import BelowPair, CheckFault, Hit, HitReport, MetTags
from aquila.protocol.rounds.round_state import RoundState
from aquila.protocol.shadow.columns import ascending, dummies, met_digest, tags_of
from aquila.protocol.shadow.meeting import ColumnTerms, column_terms, meets_a_set
from aquila.protocol.shadow.token_rows import Combinations, RecordRows, TokenRows, each_once, numbered, numbered_rows
from aquila.protocol.submissions.submission import HANDLE_BYTES
from aquila.records.rules import RuleTable

_MOST_RECORDS = 1 << 31  # a number of a combination and one of a record are one of 64 bits
_RECORDS_OF_A_DOUBT, _MOST_DOUBTED = 2_000, 10
"""Two honest bases also differ in pairs of strangers: in one for each so many records, and in so many at most."""

_SHARE_DOUBTED = {Level.LOW: 0.02, Level.MEDIUM: 0.12, Level.HIGH: 0.25}
"""By the least level of a hit, the share of hits that an honest basis and the own one may differ in, by measurement."""


FAULTS = {
    CheckFault.COLUMNS: "check_columns",
    CheckFault.TAGS: "check_tags",
    CheckFault.PAIRS: "check_pairs",
    CheckFault.LEVELS: "check_levels",
    CheckFault.EARLIER: "check_earlier",
}
"""The sentence of each fault."""


class ReportedPair(NamedTuple):
    """A pair of records of a report, as its reader sees it."""

    handle: bytes
    """The own record's, 16 bytes."""
    other: bytes
    """The other record's."""
    places: bytes
    """Of the own tokens that met, a byte each."""
    is_hit: bool
    """Whether it is a hit, or below the minimum."""


@dataclass(frozen=True, slots=True)
class ToldPairs:
    """What a report tells, as far as its check needs it."""

    pairs: Sequence[ReportedPair]
    """Every hit, and every other pair that meets a set."""
    met: MetTags | None
    """The tags that met; none where their columns did not fit."""

    @classmethod
    def of(cls, pages: Iterable[HitReport]) -> ToldPairs:
        """Return what a report tells from its pages, at least one, or from the one message that it is."""
        pairs: list[ReportedPair] = []
        met: MetTags | None = None
        for page in pages:
            met = page.basis.met
            pairs += [_reported(hit, is_hit=True) for hit in page.hits]
            pairs += [_reported(one, is_hit=False) for one in page.below]
        return cls(pairs, met)

    @property
    def below(self) -> int:
        """How many pairs are no hits."""
        return sum(not pair.is_hit for pair in self.pairs)


@dataclass(frozen=True, slots=True, repr=False)
class OwnSide:
    """The knowledge of a node about its list and another before a report."""

    table: RuleTable
    """The round's rule table."""
    rows: RecordRows
    """All token rows of the own list."""
    columns: ColumnTerms
    """The terms of the two columns."""
    sizes: tuple[int, int]
    """Records of the own list and of the other, dummies included."""
    minimum: Level
    """The least level of a hit."""


def own_side(round_: RoundState, table: RuleTable, rows: RecordRows, own: str, counterpart: str) -> OwnSide:
    """Return what a party knows of its list and a counterpart's, whose statements of tokens are there.

    Args:
        round_: The record.
        table: The round's rule table.
        rows: All token rows of the own list.
        own: The party.
        counterpart: The other one.
    """
    lists = [round_.submissions[round_.list_of(party) or ""] for party in (own, counterpart)]
    sizes = lists[0].records, lists[1].records
    return OwnSide(table, rows, column_terms(round_, table, own, counterpart), sizes, round_.manifest.minimum_certainty)


def _reported(one: Hit | BelowPair, *, is_hit: bool) -> ReportedPair:
    handle, other, places = map(bytes.fromhex, (one.handle, one.counterpart_handle, one.met))
    return ReportedPair(handle, other, places, is_hit)


def check_pair(
    key: SecretBytes, own: OwnSide, told: ToldPairs, strangers: Callable[[], Mapping[int, int]]
) -> CheckFault | None:
    """Check that what is reported of two lists is all there is (PROTOCOL.md 3.7.13).

    Args:
        key: The pair's key of the purpose `shadow`.
        own: What the node knows of the two lists.
        told: What the report tells.
        strangers: Returns what `count_strangers` gives for the own list; called only where it is needed.
    """
    if told.met is None:
        return CheckFault.COLUMNS
    fault = check_tags(key, own.rows, own.columns, told)
    hits = len(told.pairs) - told.below
    if fault is not None or not doubts_too_many(own.minimum, told.below, hits, own.sizes):
        return fault  # were every pair below a doubted one, they would be no alarm
    pairs, masks = matched_pairs(own.rows, told.pairs), own.columns.masks
    checked = [pair.rules for pair, _ in pairs if meets_a_set(pair.rules, masks)]
    others = {mask: count for mask, count in strangers().items() if not meets_a_set(mask, masks)}
    doubted = doubted_pairs(own.table, own_basis(own.table, checked, others, own.sizes), own.minimum, pairs)
    return CheckFault.LEVELS if doubts_too_many(own.minimum, doubted, hits, own.sizes) else None


class CheckResult(Protocol):
    """What one side found of a pair, as it signed it or as it is stored."""

    @property
    def met(self) -> str | None:
        """The digest of the tags that met."""

    @property
    def below(self) -> int:
        """How many pairs were told that are no hits."""

    @property
    def fault(self) -> str | None:
        """What is wrong, if anything is."""


def agree(one: CheckResult, other: CheckResult) -> bool:
    """Return whether both sides of a pair find, of the same tags and other pairs, that nothing was left out."""
    return (one.met, one.below, one.fault, other.fault) == (other.met, other.below, None, None)


def check_tags(key: SecretBytes, rows: RecordRows, columns: ColumnTerms, told: ToldPairs) -> CheckFault | None:
    """Check that the tags that met are those of the reported pairs, and that no pair with these tags is missing.

    Args:
        key: The pair's key of the purpose `shadow`.
        rows: All token rows of the own list.
        columns: The terms of the two columns.
        told: What the report tells; which tags met is in it.
    """
    assert told.met is not None
    # (a) The tags of what the reported pairs share, and the dummies, are what met: no more and no fewer.
    every = shared_rows(rows, told.pairs).combinations(columns.sets, columns.left_out)
    due = ascending([dummies(key), *(tags_of(key, rows, found.number, found.each_once()) for found in every)])
    if not is_due(due, told.met):
        return CheckFault.TAGS
    # (b) All own records with the tokens of such a tag are reported, each with the same records of the other side.
    return None if are_whole(rows, columns, told.pairs) else CheckFault.PAIRS


def is_due(tags: NDArray[np.bytes_], met: MetTags) -> bool:
    """Return whether the tags that have to meet, which are in ascending order, are those that are told."""
    return (len(tags), met_digest(tags)) == (met.tags, met.digest)


def are_whole(
    rows: RecordRows, columns: ColumnTerms, pairs: Sequence[ReportedPair], apart: Iterable[TokenRows] = ()
) -> bool:
    """Return whether all own records with the tokens of a told tag are reported, each with the same other records.

    Args:
        rows: The own token rows.
        columns: The terms of the columns.
        pairs: The reported pairs.
        apart: The rows of own records that are not looked at; no pair is of them.
    """
    shared = shared_rows(rows, pairs)
    bearing_rows = rows.bearing(shared.tokens)
    for one in apart:
        bearing_rows = bearing_rows[~np.isin(bearing_rows.records, one.records)]
    own = rows.records_of([pair.handle for pair in pairs])
    other = numbered(np.frombuffer(b"".join([pair.other for pair in pairs]), dtype=f"V{HANDLE_BYTES}"))[1]
    told, all_own = (one.combinations(columns.sets, columns.left_out) for one in (shared, bearing_rows))
    return all(_is_whole(found, bearing, own, other) for found, bearing in zip(told, all_own, strict=True))


def _is_whole(found: Combinations, bearing: Combinations, own: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    """Return whether all records with a reported combination are reported, each with the same other records.

    Args:
        found: The combinations of a set that pairs share, under the pair's number.
        bearing: Those of own records, these among them.
        own: Of each pair the number of its own record.
        other: And that of the other side's record.
    """
    kinds = numbered_rows(np.concatenate([found.tokens, bearing.tokens]))[1]
    told, of_all = kinds[: len(found.tokens)], kinds[len(found.tokens) :]
    is_told = np.bincount(told, minlength=len(kinds))[of_all] > 0
    lefts, rights = (told * _MOST_RECORDS + side[found.records] for side in (own, other))
    lefts_told, rights_told = each_once(lefts), each_once(rights)
    if not np.array_equal(lefts_told, each_once((of_all * _MOST_RECORDS + bearing.records)[is_told])):
        return False
    # Each left has met each right: so many pairs are there of each kind, each once.
    pairs = told[numbered_rows(np.stack([lefts, other[found.records]], axis=1))[0]]
    lefts_of, rights_of = (np.bincount(side // _MOST_RECORDS) for side in (lefts_told, rights_told))
    return np.array_equal(np.bincount(pairs), lefts_of * rights_of)


def doubted_pairs(
    table: RuleTable, basis: GradingBasis, minimum: Level, pairs: Iterable[tuple[MatchedPair, bool]]
) -> int:
    """Return how many pairs that are reported as too weak are hits on a basis of the node's own.

    Args:
        table: The round's rule table.
        basis: What `own_basis` gave.
        minimum: The least level of a hit.
        pairs: The reported pairs, and whether each is a hit.
    """
    told = dict(pairs)
    graded = grade_lists(table, basis, told)[1]
    return sum(one.grade.level is not None and one.grade.level >= minimum and not told[one.pair] for one in graded)


def own_basis(
    table: RuleTable, masks: Iterable[int], strangers: Mapping[int, int], sizes: tuple[int, int]
) -> GradingBasis:
    """Return the basis of the node's own: the matcher has no word in it.

    It is learned from the reported pairs that meet a set, whose tags were checked, and for the others from how often
    records of the own list meet one another.

    Args:
        table: The round's rule table.
        masks: Of each reported pair that meets a set, under which rules it met.
        strangers: How many pairs of different records of the own list meet under each mask without a set, both ways.
        sizes: Records of the own list and of the other, dummies included.
    """
    own, other = sizes
    patterns = Counter(masks)
    patterns.update({mask: max(1, round(count * other / own)) for mask, count in strangers.items()})
    return learn(table, ListPair(patterns, own, other))


def matched_pairs(rows: RecordRows, pairs: Sequence[ReportedPair]) -> list[tuple[MatchedPair, bool]]:
    """Return the reported pairs with the rules that met, by the own tokens; without those that name no own token."""
    shared = shared_rows(rows, pairs)
    masks = np.zeros(len(pairs), dtype=np.uint64)
    np.bitwise_or.at(masks, shared.records, np.uint64(1) << (shared.rules - 1).astype(np.uint64))
    return [
        (MatchedPair(0, 1, pair.handle, pair.other, mask), pair.is_hit)
        for pair, mask in zip(pairs, masks.tolist(), strict=True)
        if mask
    ]


def doubts_too_many(minimum: Level, doubted: int, hits: int, sizes: tuple[int, int]) -> bool:
    """Return whether this number of doubted pairs of two lists of these sizes is an alarm."""
    strangers = min(_MOST_DOUBTED, math.sqrt(sizes[0] * sizes[1]) / _RECORDS_OF_A_DOUBT)
    return doubted > strangers + _SHARE_DOUBTED[minimum] * hits


def shared_rows(rows: RecordRows, pairs: Sequence[ReportedPair]) -> TokenRows:
    """Return the own tokens of each pair that met, under the pair's number."""
    return rows.at([pair.handle for pair in pairs], [pair.places for pair in pairs])
