"""The manifest: what a round is (PROTOCOL.md 3.1)."""

from collections.abc import Collection
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from aquila.matching.certainty import Level
from aquila.protocol.messages import base


class Mode(StrEnum):
    """The kinds of submission that a round allows."""

    LISTS = "lists"
    LISTS_AND_QUERIES = "lists_and_queries"


class Participant(base.Message):
    """A party named by the manifest, with the fingerprint of its long-term identity key."""

    party: base.PartyCode
    identity_fingerprint: base.Digest


class TableReference(base.Message):
    """A table that all parties must share, by name or version and digest."""

    name: base.Text
    digest: base.Digest


TemplateId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,38}$")]
TemplateVersion = Annotated[int, Field(ge=1, le=2**31)]


class TemplateReference(base.Message):
    """The template from which a round comes, by id, version and digest (PROTOCOL.md 11.10)."""

    template_id: TemplateId
    version: TemplateVersion
    digest: base.Digest


class PartyCap(base.Message):
    """The most elements, padding included, that one party may declare in its consent, by class."""

    party: base.PartyCode
    elements: base.ClassCounts


class Window(base.Message):
    """The round's deadlines, seconds since 1970 in UTC, each inclusive."""

    consent_by: base.Seconds
    submit_by: base.Seconds
    evaluate_by: base.Seconds
    closes_at: base.Seconds

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.consent_by <= self.submit_by <= self.evaluate_by <= self.closes_at:
            raise ValueError("the deadlines must follow each other")
        return self


class Padding(base.Message):
    """The hiding of sizes: inputs per record go up to the next size, records up to the next multiple.

    An empty tuple and a multiple of 1 mean none.
    """

    inputs_per_record: tuple[Annotated[int, Field(ge=1, le=255)], ...]
    records_multiple: Annotated[int, Field(ge=1, le=10_000_000)]

    @model_validator(mode="after")
    def _ascending_sizes(self) -> Self:
        if list(self.inputs_per_record) != sorted(set(self.inputs_per_record)):
            raise ValueError("the sizes must be distinct and in ascending order")
        return self


class Manifest(base.Message):
    """The terms of a round: proposed by the secretariat, consented to by each party (PROTOCOL.md 3.1)."""

    payload_type: ClassVar[str] = "application/vnd.aquila.manifest+json"

    protocol: Literal["aquila/2"]
    round_id: base.Identifier
    title: base.Title
    mode: Mode
    area: base.Text
    legal_basis: base.Text
    purpose: base.Text
    category: base.Text
    participants: Annotated[tuple[Participant, ...], Field(min_length=base.LEAST_PARTIES, max_length=base.MAX_PARTIES)]
    pairs: Annotated[tuple[tuple[base.PartyCode, base.PartyCode], ...], Field(min_length=1)]
    rules: TableReference
    normalizer: TableReference
    caps: tuple[PartyCap, ...]
    window: Window
    chunk_elements: Annotated[int, Field(ge=1, le=base.MAX_CHUNK_ELEMENTS)]
    padding: Padding
    minimum_certainty: Level
    frequency_limit: Annotated[int, Field(ge=1, le=1_000)]
    retention_days: Annotated[int, Field(ge=1, le=3_660)]
    indicators: TableReference | None = base.optional()
    """The table of the indicators that notes tell; where it names none, they tell none."""
    template: TemplateReference | None = base.optional()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        parties = [participant.party for participant in self.participants]
        base.ascending(parties, "participants")
        base.ascending([cap.party for cap in self.caps], "caps")
        if [cap.party for cap in self.caps] != parties:
            raise ValueError("there must be a cap for each participant")
        base.ascending(["".join(pair) for pair in self.pairs], "pairs")
        if any(left >= right or {left, right} - set(parties) for left, right in self.pairs):
            raise ValueError("a pair names two participants in ascending order")
        return self

    def fingerprint_of(self, party: str) -> str | None:
        """Return the identity fingerprint that the manifest names for a party, or None for a stranger."""
        return next((p.identity_fingerprint for p in self.participants if p.party == party), None)

    def caps_of(self, party: str) -> base.ClassCounts:
        """Return the most elements of each class that a participant may declare in its consent."""
        return next(cap.elements for cap in self.caps if cap.party == party)

    def may_match(self, left: str, right: str) -> bool:
        """Return whether the manifest allows records of these two parties to be joined (reciprocity)."""
        return (min(left, right), max(left, right)) in self.pairs

    def has_pair_among(self, parties: Collection[str]) -> bool:
        """Return whether two of some parties may be compared: among others there is no round."""
        return any(left in parties and right in parties for left, right in self.pairs)
