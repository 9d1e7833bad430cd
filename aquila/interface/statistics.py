"""The matcher's published figures: statistics of rounds that ended, each by itself.

Nothing here is signed, and no count of hits, persons or outcomes is exact: see `aquila.matching.rounding`. Numbers of
different rounds are never added up, because rounds repeat lists.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from aquila.interface.log import CosignatureView
from aquila.matching.certainty import Level
from aquila.matching.rounding import BASE
from aquila.protocol.messages.base import (
    Count,
    Day,
    Digest,
    GivenText,
    Identifier,
    Message,
    PartyCode,
    Positive,
    Seconds,
)
from aquila.protocol.messages.statements import Kind
from aquila.protocol.rounds.round_state import Phase

PublishedCount: TypeAlias = Annotated[int, Field(ge=0, multiple_of=BASE)] | Literal["1-4", "<5"]
"""A multiple of 5; `1-4` for a small cell; `<5` for what is below 5 once it is perturbed or added up."""


class ListCount(Message):
    """A list or query that was matched, with its padded size."""

    party: PartyCode
    kind: Kind
    records: PublishedCount
    matched_at: Seconds


class LevelHits(Message):
    """Hits by certainty: of each level, of the two upper ones, and of all."""

    high: PublishedCount
    medium: PublishedCount
    low: PublishedCount
    high_and_medium: PublishedCount
    all: PublishedCount

    def of(self, least: Level) -> PublishedCount:
        """Return the hits of a level and of those above it."""
        return {Level.HIGH: self.high, Level.MEDIUM: self.high_and_medium, Level.LOW: self.all}[least]


class PairHits(Message):
    """Hits between two parties whose records may be matched."""

    left: PartyCode
    right: PartyCode
    hits: LevelHits


class PartyHits(Message):
    """Hits of a party with all others."""

    party: PartyCode
    hits: LevelHits


class HitTable(Message):
    """Hits of a round's lists with each other, or of its queries with the lists."""

    kind: Kind
    hits: LevelHits
    pairs: tuple[PairHits, ...]
    parties: tuple[PartyHits, ...]


class KnownCount(Message):
    """The number of persons known to a number of parties, by hits of a level and of those above it."""

    certainty: Level
    parties: Positive
    persons: PublishedCount


class OutcomeCount(Message):
    """The outcomes of the hits of a level, as each of the two parties reported them so far; without small cells."""

    certainty: Level
    confirmed: PublishedCount
    refuted: PublishedCount
    unresolved: PublishedCount
    withdrawn: PublishedCount
    open: PublishedCount
    precision: int | None
    """About how many percent of those decided were right, from the published numbers; of what is below 5, 4 are taken
    for wrong. None where too few were right."""


class PairOutcomeCount(Message):
    """The outcomes of the hits between two parties, as each reported so far; levels together, without small cells."""

    left: PartyCode
    right: PartyCode
    confirmed: PublishedCount
    refuted: PublishedCount
    precision: int | None


class RoundStatistics(Message):
    """One round in numbers."""

    round_id: Identifier
    title: str
    phase: Phase
    area: str
    category: str
    created_at: Seconds
    matched_at: Seconds | None
    """When its lists were matched with each other, or None."""
    published: bool
    """Whether its numbers of hits, persons and outcomes are published: when it has ended, since they change until
    then."""
    lists: tuple[ListCount, ...]
    hits: tuple[HitTable, ...]
    """Those of the lists, and those of the queries; nothing until they are published."""
    known: tuple[KnownCount, ...]
    outcomes: tuple[OutcomeCount, ...]
    pair_outcomes: tuple[PairOutcomeCount, ...]

    def table(self, kind: Kind) -> HitTable | None:
        """Return the hits of lists or of queries."""
        return next((one for one in self.hits if one.kind == kind), None)


class Statistics(Message):
    """Rounds in numbers, newest first, each by itself."""

    base: Positive
    """What published numbers are multiples of."""
    categories: tuple[str, ...]
    rounds: tuple[RoundStatistics, ...]
    """All that were asked for, or a part of them."""
    latest: tuple[Identifier, ...]
    """The newest round of each category whose lists were matched and whose numbers are published."""
    offset: Count = 0
    """How many newer ones are left out."""
    total: Count = 0
    """How many there are in all, of those that were asked for."""


class RoundTotals(Message):
    """The number of lists of a round, and of their hits."""

    round_id: Identifier
    title: str
    matched_at: Seconds
    lists: Count
    hits: LevelHits
    confirmed: Count
    """How often a party said of a hit that it is right, at least: the sum of what is published by level."""


class LevelPrecision(Message):
    """About how many percent of the decided hits of a level were right, in the newest round with such a figure."""

    certainty: Level
    percent: Count
    decided: Count
    """About how many hits that is of: half of what the two parties of each said."""
    least: Count
    """The true share is between `least` and `most` percent, at 95 percent confidence (Wilson's score interval)."""
    most: Count


class QueryCount(Message):
    """The number of queries of a party that were matched in a month."""

    party: PartyCode
    month: str
    """Year and month, as 2026-04."""
    queries: Positive


class RegionalPicture(Message):
    """One round of a category in numbers, next to the newest others of that category."""

    base: Positive
    """What published numbers are multiples of."""
    categories: tuple[str, ...]
    round: RoundStatistics | None
    """The round that was asked for, or the one whose lists were matched last; None before the first."""
    rounds: tuple[RoundTotals, ...]
    """The newest rounds of its category whose lists were matched and whose numbers are published."""
    precision: tuple[LevelPrecision, ...]
    """Of each level that has such a figure in any round of the category; the surest level first."""
    queries: tuple[QueryCount, ...]
    """Those of the rounds, by month and party: each of them is listed with its round."""


class ReportedRound(Message):
    """A round of a report, with the numbers of its entries in the matcher's log."""

    round_id: Identifier
    title: str
    category: str
    legal_basis: str
    purpose: str
    parties: tuple[PartyCode, ...]
    matched_at: Seconds
    proposal_entry: Count | None
    """None where the log has no such entry, as after an older backup was restored."""
    first_match_entry: Count | None
    last_match_entry: Count | None
    """The results of its pairs, of lists and queries, are among the entries from the first to the last."""
    ending_entry: Count | None


class AnnualReport(Message):
    """The published figures of some days, with what vouches for them."""

    since: Day
    until: Day
    """The days in which lists were matched, both included, in the matcher's own time zone."""
    pictures: tuple[RegionalPicture, ...]
    """That of the latest round of each category."""
    rounds: tuple[ReportedRound, ...]
    """All that the pictures name, newest first."""
    issued_at: Seconds
    matcher_fingerprint: Digest
    """SHA-256 of the key that signs."""
    log_origin: str
    log_size: Count
    log_root: Digest
    """The head of the matcher's log over its first `log_size` entries."""
    witnesses: tuple[CosignatureView, ...]
    """The newest checkpoint that each party cosigned."""


class ReportToSign(Message):
    """A report that an officer publishes."""

    digest: Digest
    """SHA-256 of its file."""
    size: Positive
    """Its bytes."""
    title: GivenText
    since: Day
    until: Day
    log_size: Count
    """Entries of the log whose head it names; a report cannot be signed before the log has a head."""


class SignedReport(Message):
    """The signature of a report."""

    envelope: str
    """The signature file, which belongs beside the report."""
