"""The statements that the matcher signs in a round (PROTOCOL.md 3.3, 3.7 and 3.9)."""

from __future__ import annotations

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
    added_later,
    ascending,
)

Places = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2}){0,256}$")]
PerMillion = Annotated[int, Field(ge=1, le=1_000_000)]


class ConsentReference(Message):
    """A consent by its party and the digest of its payload."""

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


class Hit(Message):
    """One pair of records that met, as one side sees it: no data of the other side.

    Attributes:
        handle: The own record's.
        counterpart_handle: The other record's, which only serves to seal notes.
        second: Whether one of the two records has a partner in the other list that is more certain.
        met: Which tokens met: their places, a byte each, among all tokens of the own handle in ascending order. The
            other side has its own places of the same tokens. Whoever lacks the tokens learns nothing from it.
    """

    hit_id: Identifier
    handle: Identifier
    counterpart: PartyCode
    counterpart_handle: Identifier | None = added_later()
    certainty: Level
    families: tuple[Text, ...]
    second: bool | None = added_later()
    met: Places | None = added_later()


class ChanceHits(Message):
    """The number of hits of each level expected by chance, in thousandths of a hit."""

    high: Count
    medium: Count
    low: Count


class LearnedWeight(Message):
    """The difference of a weight to the table's: of a part, of names, or of missing evidence (PROTOCOL.md 7.3)."""

    of: Text
    centibits: Annotated[int, Field(ge=-100_000, le=100_000)]


class Basis(Message):
    """On what a counterpart's hits were graded (PROTOCOL.md 7.3, 7.4).

    Its records, padded; the learned share of common persons and of persons that stand in a list twice; how many
    records have a certain partner; how many of the hits chance alone is expected to have made; and the weights that
    these two lists moved.
    """

    counterpart: PartyCode
    records: Positive
    common_per_million: PerMillion
    duplicates_per_million: PerMillion | None = added_later()
    settled: Count | None = added_later()
    chance_hits: ChanceHits | None = added_later()
    learned: tuple[LearnedWeight, ...] | None = added_later()


class HitReport(Message):
    """The hits of one party for the lists (no submission id) or for one query (PROTOCOL.md 3.7)."""

    payload_type: ClassVar[str] = "application/vnd.aquila.hits+json"

    round_id: Identifier
    binding: Digest
    party: PartyCode
    submission_id: Identifier | None
    bases: tuple[Basis, ...]
    learned: tuple[LearnedWeight, ...] | None = added_later()
    hits: tuple[Hit, ...]

    @property
    def can_be_verified(self) -> bool:
        """Return whether it holds the data from which notes are made and levels verified; first versions do not."""
        bases = all(
            None not in {basis.duplicates_per_million, basis.settled, basis.chance_hits} for basis in self.bases
        )
        hits = all(None not in {hit.counterpart_handle, hit.second, hit.met} for hit in self.hits)
        return self.learned is not None and bases and hits


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
