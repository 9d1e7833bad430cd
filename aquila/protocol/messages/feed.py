"""The matcher's unsigned messages to a party: the feed of a round, and the list of rounds (PROTOCOL.md 9.3)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from aquila.protocol.messages.base import (
    Count,
    Digest,
    Identifier,
    Message,
    PartyCode,
    Positive,
    Seconds,
    Text,
    optional,
)

LARGEST_CONTENT = 1 << 16
"""Characters of the bytes that come with an event."""


class EventKind(StrEnum):
    """The kind of an event: a signed statement, or bytes that can be fetched now."""

    STATEMENT = "statement"
    BLINDED = "blinded"
    EVALUATION = "evaluation"


class Event(Message):
    """One entry of the matcher's feed of a round; ids ascend. A statement carries its DSSE envelope as text.

    Attributes:
        content: The bytes themselves in base64, where they are few and the feed comes with a long poll (9.6).
    """

    event_id: Positive
    kind: EventKind
    envelope: str | None = None
    submission_id: Identifier | None = None
    index: Count | None = None
    party: PartyCode | None = None
    content: Annotated[str, Field(max_length=LARGEST_CONTENT)] | None = optional()


class Events(Message):
    """A page of the feed, with what the matcher believes to be due.

    Attributes:
        ready: Submissions whose evaluations are all there, and for lists everyone's: tokens may be sent.
        late: Parties that missed a deadline; the others may sign an amendment that leaves them out.
        time: The matcher's clock, for a person to compare; never used for deadlines.
    """

    events: tuple[Event, ...]
    ready: tuple[Identifier, ...]
    late: tuple[PartyCode, ...]
    time: Seconds


class RoundEntry(Message):
    """A round in a list."""

    round_id: Identifier
    phase: Text
    area: Text
    category: Text
    participants: tuple[PartyCode, ...]


class Rounds(Message):
    """All rounds that the caller may know of, newest first.

    Attributes:
        news: For a party, by round: the newest event about a withdrawal that concerns it. It follows no round that is
            over, and reads its feed again when this is beyond what it has read.
        state: For a party that waits for news (9.6): names all of this, and what the matcher believes to be due.
    """

    rounds: tuple[RoundEntry, ...]
    news: dict[Identifier, int] = Field(default_factory=dict)
    state: Digest | None = optional()


class LongPollAnswer(Rounds):
    """The answer of a long poll, with what its caller would ask for next, where it wants that (9.6).

    Attributes:
        feeds: The next page of the feed, by round.
        log: The matcher's newest checkpoint, with a proof since the one that the caller saw last.
    """

    feeds: dict[Identifier, Events] | None = optional()
    log: Annotated[str, Field(max_length=1 << 17)] | None = optional()
