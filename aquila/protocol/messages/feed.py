"""The unsigned messages between a party and the matcher (PROTOCOL.md 9.3, 9.8 and 10.5): feed, consignments, proofs."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from aquila.audit.entries import LARGEST_ENTRY
from aquila.protocol.messages import base

LARGEST_CONTENT = 1 << 16
"""Characters of the bytes that come with an event."""


class EventKind(StrEnum):
    """The kind of an event: a signed statement, or bytes that can be fetched now."""

    STATEMENT = "statement"
    BLINDED = "blinded"
    EVALUATION = "evaluation"


class Event(base.Message):
    """One entry of the matcher's feed of a round; ids ascend. A statement carries its DSSE envelope as text."""

    event_id: base.Positive
    kind: EventKind
    envelope: str | None = None
    submission_id: base.Identifier | None = None
    index: base.Count | None = None
    party: base.PartyCode | None = None
    content: Annotated[str, Field(max_length=LARGEST_CONTENT)] | None = base.optional()
    """The bytes themselves in base64, where they are few and the feed comes with a long poll (9.6)."""


class Events(base.Message):
    """A page of the feed."""

    events: tuple[Event, ...]
    time: base.Seconds
    """The matcher's clock, for a person to compare; never used for deadlines."""


class RoundEntry(base.Message):
    """A round in a list."""

    round_id: base.Identifier
    phase: base.Text
    area: base.Text
    category: base.Text
    participants: tuple[base.PartyCode, ...]


class Rounds(base.Message):
    """All rounds that the caller may know of, newest first."""

    rounds: tuple[RoundEntry, ...]
    news: dict[base.Identifier, int] = Field(default_factory=dict)
    """For a party, by round: the newest event about a withdrawal that concerns it. It follows no round that is over,
    and reads its feed again when this is beyond what it has read."""
    state: base.Digest | None = base.optional()
    """For a party that waits for news (9.6): names all of this, and what the matcher believes to be due."""


class LongPollAnswer(Rounds):
    """The answer of a long poll, with what its caller would ask for next, where it wants that (9.6)."""

    feeds: dict[base.Identifier, Events] | None = base.optional()
    """The next page of the feed, by round."""
    log: Annotated[str, Field(max_length=1 << 17)] | None = base.optional()
    """The matcher's newest checkpoint, with a proof since the one that the caller saw last."""


MOST_PARTS = 100
_LARGEST_ENVELOPE = 1 << 23
_LARGEST_CONTENT = 1 << 19
_LARGEST_PROBLEM = 1 << 16


class StatementPart(base.Message):
    """A statement: its DSSE envelope as text."""

    part: Literal["statement"] = "statement"
    envelope: Annotated[str, Field(max_length=_LARGEST_ENVELOPE)]


class BytesPart(base.Message):
    """A chunk, an evaluation or tokens of the caller, whose statement came before, or in an earlier part."""

    part: Literal["blinded", "evaluation", "tokens"]
    submission_id: base.Identifier
    index: base.Count
    counterpart: base.PartyCode | None = base.optional()
    """Of tokens, for whom their column is."""
    content: Annotated[str, Field(max_length=_LARGEST_CONTENT)]
    """The bytes in base64."""


class Consignment(base.Message):
    """Parts that are taken one after the other, as if each had come by itself."""

    parts: Annotated[tuple[StatementPart | BytesPart, ...], Field(min_length=1, max_length=MOST_PARTS)]


class ConsignmentAnswer(base.Message):
    """The result of a consignment."""

    taken: base.Count
    """How many parts were taken, from the first one on; the same again counts."""
    problem: Annotated[str, Field(max_length=_LARGEST_PROBLEM)] | None = None
    """Why the next part was refused, as a problem document in JSON; None where it was not looked at."""


MOST_HEADS = 200
MOST_STATEMENTS = 500
MOST_ENTRIES = 200
_MOST_HASHES = 64

Hashes = Annotated[tuple[base.Digest, ...], Field(max_length=_MOST_HASHES)]


class ProofRequest(base.Message):
    """The proofs that are requested of a log."""

    old: base.Count
    """How many entries it had when the caller saw it last."""
    heads: Annotated[tuple[base.Positive, ...], Field(max_length=MOST_HEADS)]
    """Sizes at which others saw it: that it only grew since is to be proved for each."""
    statements: Annotated[tuple[base.Digest, ...], Field(max_length=MOST_STATEMENTS)]
    """Digests of statements that it must hold: that it does is to be proved for each."""
    entries_from: base.Count | None
    """From which entry on those are wanted that name the caller; None for none of them."""


class HeadProof(base.Message):
    """That a log only grew since it had `size` entries, up to the checkpoint of the same answer."""

    size: base.Positive
    hashes: Hashes


class StatementProof(base.Message):
    """That a log holds the entry of a statement, under the checkpoint of the same answer.

    Whoever has the statement makes its entry from time and salt (PROTOCOL.md 10.2), and the leaf from that.
    """

    digest: base.Digest
    index: base.Count
    time: base.Seconds
    salt: base.Identifier | None
    hashes: Hashes


class EntryProof(base.Message):
    """An entry that names the caller, and that the log holds it under the checkpoint of the same answer."""

    index: base.Count
    content: Annotated[str, Field(max_length=LARGEST_ENTRY)]
    hashes: Hashes


class Proofs(base.Message):
    """A log's newest checkpoint with the proof since `old` (the body of C2SP tlog-witness), and proofs up to it.

    A size that the checkpoint does not reach has no proof; nor has a statement that the log does not hold, or that is
    not for the caller's eyes. `entries` are those that name the caller, before the index `entries_to`.
    """

    update: Annotated[str, Field(max_length=1 << 17)]
    heads: Annotated[tuple[HeadProof, ...], Field(max_length=MOST_HEADS)]
    statements: Annotated[tuple[StatementProof, ...], Field(max_length=MOST_STATEMENTS)]
    entries: Annotated[tuple[EntryProof, ...], Field(max_length=MOST_ENTRIES)]
    entries_to: base.Count | None
