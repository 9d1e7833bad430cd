"""Suggestions of rounds as services show them to people: each with what became of it."""

from __future__ import annotations

from aquila.protocol.messages.base import Identifier, Message, PartyCode, Seconds
from aquila.protocol.messages.suggestions import Suggestion, SuggestionState


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
    reason: str
    round_id: Identifier | None


class Suggestions(Message):
    """Suggestions; those that wait first, then the newest.

    Attributes:
        parties: Who is registered here, and so can be named.
    """

    parties: tuple[PartyCode, ...]
    suggestions: tuple[SuggestionView, ...]
