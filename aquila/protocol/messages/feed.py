"""The matcher's unsigned messages to a party: the feed of a round, and the list of rounds (PROTOCOL.md 9.3)."""

from __future__ import annotations

from enum import StrEnum

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
    added_later,
)
from aquila.protocol.messages.suggestions import SuggestionAnswer


class EventKind(StrEnum):
    """The kind of an event: a signed statement, or bytes that can be fetched now."""

    STATEMENT = "statement"
    BLINDED = "blinded"
    EVALUATION = "evaluation"


class Event(Message):
    """One entry of the matcher's feed of a round; ids ascend. A statement carries its DSSE envelope as text."""

    event_id: Positive
    kind: EventKind
    envelope: str | None = None
    submission_id: Identifier | None = None
    index: Count | None = None
    party: PartyCode | None = None


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
        answers: For a party, what became of its suggestions in the last month.
        state: For a party that waits for news (9.6): names all of this, and what the matcher believes to be due.
    """

    rounds: tuple[RoundEntry, ...]
    news: dict[Identifier, int] = Field(default_factory=dict)
    answers: tuple[SuggestionAnswer, ...] = ()
    state: Digest | None = added_later()
