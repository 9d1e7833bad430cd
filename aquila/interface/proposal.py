"""Proposals and suggestions of rounds: the choices and defaults of a proposal, and each suggestion with its state."""

from __future__ import annotations

from aquila.interface.sentence import SentenceView
from aquila.matching.certainty import Level
from aquila.protocol.messages.base import ClassCounts, Count, Identifier, Message, PartyCode, Positive, Seconds, Text
from aquila.protocol.messages.manifest import Padding, Window
from aquila.protocol.messages.suggestions import Suggestion, SuggestionState


class ProposalDefaults(Message):
    """The values of a proposal that leaves everything open but its parties and its words.

    Attributes:
        parties: Who is registered.
        rules: The names of the match rules that there are; the first is taken.
        caps: Elements of each party by class.
        window: Deadlines, were the round proposed now.
    """

    parties: tuple[PartyCode, ...]
    rules: tuple[Text, ...]
    caps: ClassCounts
    window: Window
    padding: Padding
    minimum_certainty: Level
    frequency_limit: Positive
    canaries: Count
    retention_days: Positive


class SuggestionView(Message):
    """A suggestion with what became of it.

    Attributes:
        party: Whose it is.
        author: At the node, the pseudonymous id of who wrote it; empty at the matcher, which is not told.
        made_at: When it was written, or came.
    """

    suggestion_id: Identifier
    party: PartyCode
    author: str
    terms: Suggestion
    state: SuggestionState
    made_at: Seconds
    answered_at: Seconds | None
    reason: SentenceView | None
    round_id: Identifier | None


class Suggestions(Message):
    """Suggestions; those that wait first, then the newest.

    Attributes:
        parties: Who is registered here, and so can be named.
    """

    parties: tuple[PartyCode, ...]
    suggestions: tuple[SuggestionView, ...]
