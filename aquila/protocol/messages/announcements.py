"""The statements that the matcher signs in a round (PROTOCOL.md 3.3, 3.7 and 3.9)."""

from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from aquila.matching.certainty import Level
from aquila.protocol.messages.base import (
    Count,
    Digest,
    Identifier,
    Message,
    PartyCode,
    Positive,
    Text,
    ascending,
    optional,
)

Places = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2}){0,256}$")]
PerMillion = Annotated[int, Field(ge=1, le=1_000_000)]


class ConsentReference(Message):
    """A consent by its party and its digest (PROTOCOL.md 2.2)."""

    party: PartyCode
    digest: Digest


class Opening(Message):
    """The matcher opens the round with these consents; they alone fix the binding (PROTOCOL.md 3.3)."""

    payload_type: ClassVar[str] = "application/vnd.aquila.opening+json"

    round_id: Identifier
    consents: Annotated[tuple[ConsentReference, ...], Field(min_length=2)]
    binding: Digest

    @model_validator(mode="after")
    def _sorted(self) -> Self:
        ascending([consent.party for consent in self.consents], "consents")
        return self


MOST_HITS_OF_A_PAGE = 20_000
"""Hits of the lists that a report tells at once; one with more comes in pages (PROTOCOL.md 3.7.17)."""


# The fields of a report and of what it holds are in the order of their names, which is that of RFC 8785: so pydantic
# writes the encoding of 2.1 by itself, of many hits ten times as fast as `canonical`.


class Hit(Message):
    """One pair of records that met, as one side sees it: no data of the other side."""

    certainty: Level
    counterpart_handle: Identifier
    """The other record's, which only serves to seal notes."""
    families: tuple[Text, ...]
    handle: Identifier
    """The own record's."""
    hit_id: Identifier
    met: Places
    """Which tokens met: their places, a byte each, among all tokens of the own handle in ascending order. The other
    side has its own places of the same tokens. Whoever lacks the tokens learns nothing from it."""
    second: bool
    """Whether one of the two records has a partner in the other list that is more certain."""


class BelowPair(Message):
    """One pair of records that meets a set of rules and is not a hit, for one side's program (PROTOCOL.md 3.7.13)."""

    counterpart_handle: Identifier
    handle: Identifier
    met: Places
    """As of a hit."""
    pair_id: Identifier
    """As the id of a hit, among which it stands in its order."""


class MetTags(Message):
    """The tags of two shadow columns that met: their number and digest, one for both sides (PROTOCOL.md 3.7.13)."""

    digest: Digest
    tags: Count


class ChanceHits(Message):
    """The number of hits of each level expected by chance, in thousandths of a hit."""

    high: Count
    low: Count
    medium: Count


class LearnedWeight(Message):
    """The difference of a weight to the table's: of a part, of names, or of missing evidence (PROTOCOL.md 7.3)."""

    centibits: Annotated[int, Field(ge=-100_000, le=100_000)]
    of: Text


class Basis(Message):
    """On what the hits of a report were graded (PROTOCOL.md 7.3, 7.4).

    The counterpart's records, padded; the learned share of common persons and of persons that stand in a list twice;
    how many records have a certain partner; how many of the hits chance alone is expected to have made; the weights
    that these two lists moved; and which tags met, or none where the columns do not fit the rows.
    """

    chance_hits: ChanceHits
    common_per_million: PerMillion
    duplicates_per_million: PerMillion
    learned: tuple[LearnedWeight, ...]
    met: MetTags | None
    records: Positive
    settled: Count

    @model_validator(mode="after")
    def _each_weight_once(self) -> Self:
        ascending([weight.of for weight in self.learned], "learned weights")
        return self


class ReportPage(Message):
    """The place of a page in its report: its number, from 0, and how many pages there are (PROTOCOL.md 3.7.17)."""

    number: Count
    pages: Annotated[int, Field(ge=2, le=2**40)]

    @property
    def is_last(self) -> bool:
        """Return whether the report is whole with this page."""
        return self.number == self.pages - 1

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.number >= self.pages:
            raise ValueError("a page must be one of its report's pages")
        return self


class HitReport(Message):
    """The hits of one party with a counterpart, of their lists (no submission id) or of a query between them.

    It is whole, or one of its pages (PROTOCOL.md 3.7).
    """

    payload_type: ClassVar[str] = "application/vnd.aquila.hits+json"

    basis: Basis
    below: tuple[BelowPair, ...]
    binding: Digest
    counterpart: PartyCode
    hits: tuple[Hit, ...]
    page: ReportPage | None = optional()
    party: PartyCode
    round_id: Identifier
    submission_id: Identifier | None

    @model_validator(mode="after")
    def _pages_are_of_lists(self) -> Self:
        if self.page is not None:
            if self.submission_id is not None or not (self.hits or self.below):
                raise ValueError("a page must have hits or other pairs, and be of the lists")
            ascending([hit.hit_id for hit in self.hits], "hits of a page")
            ascending([pair.pair_id for pair in self.below], "other pairs of a page")
        return self

    @property
    def bounds(self) -> tuple[str, str]:
        """The first and the last id of the pairs of a page."""
        ids = [hit.hit_id for hit in (*self.hits[:1], *self.hits[-1:])]
        ids += [pair.pair_id for pair in (*self.below[:1], *self.below[-1:])]
        return min(ids), max(ids)

    @property
    def is_complete(self) -> bool:
        """Return whether no page of the report follows."""
        return self.page is None or self.page.is_last

    def payload(self) -> bytes:
        """Return the canonical JSON that is signed (PROTOCOL.md 2.1)."""
        return self.model_dump_json().encode()


class Outcome(StrEnum):
    """The outcome of a round."""

    CLOSED = "closed"
    ABORTED = "aborted"


class Ending(Message):
    """The matcher ends the round (PROTOCOL.md 3.9)."""

    payload_type: ClassVar[str] = "application/vnd.aquila.ending+json"

    round_id: Identifier
    outcome: Outcome
    reason: Text
