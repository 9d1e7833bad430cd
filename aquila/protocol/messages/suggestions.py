"""A party suggests a round to the secretariat (PROTOCOL.md 9.4). It binds nobody: a note, no statement."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from aquila.matching.certainty import Level
from aquila.protocol.messages.base import MAX_PARTIES, Identifier, Message, PartyCode, Text
from aquila.protocol.messages.manifest import Mode

MOST_WAITING = 10
"""How many suggestions of one party wait at most, and so how many a node sends."""

LARGEST_SUGGESTION = 16_384
"""Bytes of a suggestion's canonical JSON: more than all its fields at their largest."""


class Suggestion(Message):
    """An officer's wish for a comparison: with which parties, of which lists, and on which grounds."""

    participants: Annotated[tuple[PartyCode, ...], Field(min_length=2, max_length=MAX_PARTIES)]
    area: Text
    legal_basis: Text
    purpose: Text
    category: Text
    mode: Mode = Mode.LISTS
    minimum_certainty: Level = Level.LOW


class SuggestionState(StrEnum):
    """The state of a suggestion.

    `written` and `refused` are the node's alone: it has not been sent yet, or the matcher does not take it.
    """

    WRITTEN = "written"
    WAITING = "waiting"
    PROPOSED = "proposed"
    SET_ASIDE = "set_aside"
    REFUSED = "refused"


class SuggestionAnswer(Message):
    """The answer to a suggestion.

    Attributes:
        reason: Why it was set aside; empty otherwise.
        round_id: The round that was proposed from it.
    """

    suggestion_id: Identifier
    state: SuggestionState
    reason: str
    round_id: Identifier | None
