"""Queries of a few persons at a node: what an officer asks, and what is known of each person at each party.

Nothing here is signed. Persons are the party's own, and go to its own people alone, in bodies and never in an address.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from aquila.followup.lifecycle import Stage
from aquila.interface.hits import QueryReason
from aquila.interface.progress import Awaited
from aquila.interface.records import OwnFields
from aquila.interface.rounds import AnswerState, JustificationInput
from aquila.interface.sentence import SentenceView
from aquila.matching.certainty import Level
from aquila.protocol.messages.base import Count, Identifier, Message, PartyCode, Seconds, Text

MOST_PERSONS = 20
"""Persons of one query that are typed, pasted, or taken from a stored list."""

_Typed = Annotated[str, Field(max_length=500, repr=False)]


class QueryPerson(Message):
    """A person as it is typed: texts as the columns of a list hold them; an empty one is not known.

    Attributes:
        record_id: The party's own number of the person; the node gives one where there is none.
    """

    record_id: _Typed = ""
    given_names: _Typed = ""
    family_names: _Typed = ""
    full_name: _Typed = ""
    aliases: _Typed = ""
    date_of_birth: _Typed = ""
    sex: _Typed = ""
    place_of_birth: _Typed = ""
    country_of_birth: _Typed = ""
    nationality: _Typed = ""
    document_numbers: _Typed = ""
    national_numbers: _Typed = ""
    phones: _Typed = ""
    emails: _Typed = ""


PERSON_FIELDS = tuple(QueryPerson.model_fields)
"""The names of the fields of a person of a query, which are columns of a list."""


class QueryRequest(Message):
    """An officer's wish to ask for a few persons in a round: those that are typed, or those of a stored list."""

    round_id: Identifier
    persons: Annotated[tuple[QueryPerson, ...], Field(max_length=MOST_PERSONS)] = ()
    import_id: Identifier | None = None
    justification: JustificationInput


class QueryTemplate(Message):
    """Texts for the justification of a query, to be filled in and changed.

    Attributes:
        name: What it is for, in English.
    """

    name: Text
    purpose: Text
    category: Text


class QueryRound(Message):
    """A round that takes a query of this party now, with its own texts, which a justification may take over."""

    round_id: Identifier
    area: Text
    legal_basis: Text
    purpose: Text
    category: Text
    participants: tuple[PartyCode, ...]
    until: Seconds


class QueryEntry(Message):
    """A query of this party that two persons wanted.

    Attributes:
        name: The list of its persons.
        persons: How many of them are asked for; none once they are deleted.
        state: How far it is at this node: `wished`, `preparing`, `submitted`, `finalized`, `tokens_sent`, `failed`.
        answer: Whether its report is here.
        reason: Why it is asked; None once its three years are over.
        officer: The pseudonymous id of who asked.
        officer_name: The name of that person's account, or nothing.
    """

    submission_id: Identifier
    round_id: Identifier
    area: Text
    name: str
    persons: Count
    asked_at: Seconds
    state: Text
    answer: AnswerState
    reason: QueryReason | None
    officer: str = ""
    officer_name: str = ""


class Queries(Message):
    """The queries of this party, the newest first, and the rounds and templates for another one.

    Attributes:
        most_persons: Persons of one query at most.
    """

    rounds: tuple[QueryRound, ...]
    templates: tuple[QueryTemplate, ...]
    queries: tuple[QueryEntry, ...]
    most_persons: Count


class QueriedPartyState(StrEnum):
    """The state of the answer of one party to a query: those of `AnswerState`, and of parties that answer nothing."""

    ANSWERED = "answered"
    AWAITED = "awaited"
    ON_HOLD = "on_hold"
    REFUSED = "refused"
    NOT_COMPARED = "not_compared"
    LEFT_OUT = "left_out"
    NEVER = "never"
    ERASED = "erased"


class QueriedParty(Message):
    """A party of the round, and what is known of its answer.

    Attributes:
        state: As of `PartyAnswer`: at an answered party a person without a hit is a no-hit. `not_compared`: the round
            does not compare the two parties. `left_out`: the round goes on without it.
        since: When this node learned so, or None where nothing happened yet.
        awaited: Of an awaited answer, the step of this party that is known to be missing; `nothing` where the rest is
            not shown to the asker.
    """

    party: PartyCode
    state: QueriedPartyState
    since: Seconds | None = None
    awaited: Awaited = Awaited.NOTHING


class QueryHit(Message):
    """A hit of a query.

    Attributes:
        stage: Where it is in its life; a withdrawn one is no hit any more.
        exchange: Whether both sides have verified it.
    """

    hit_id: Identifier
    party: PartyCode
    certainty: Level
    stage: Stage
    exchange: Literal["unconfirmed", "confirmed", "refuted"]


class QueriedPerson(Message):
    """A person of a query with its hits; at an answered party without a hit it is a no-hit.

    Attributes:
        compared: Whether the person's data gave anything that can be compared.
    """

    record_id: Annotated[str, Field(repr=False)]
    record: OwnFields
    compared: bool
    hits: tuple[QueryHit, ...]


class QueryAnswer(Message):
    """The answer to a query: persons by parties.

    Attributes:
        minimum_certainty: The least certainty that the round reports.
        closes_at: Until when the round can answer; seconds since 1970.
        seen_at: When this was put together; seconds since 1970.
        left: Persons whose record was erased since.
        problems: What stops the round, or makes its hits untrustworthy, in sentences.
    """

    entry: QueryEntry
    parties: tuple[QueriedParty, ...]
    persons: tuple[QueriedPerson, ...]
    minimum_certainty: Level
    closes_at: Seconds
    seen_at: Seconds
    left: Count
    problems: tuple[SentenceView, ...]
