"""The answer to a query as a table, person by party, and standing queries with what they found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila.interface.queries import SkipReason
from clients.cli.output.round_views import SHORT
from clients.cli.output.screen import Table, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aquila.interface.queries import (
        QueriedParty,
        QueriedPerson,
        QueryAnswer,
        StandingQueries,
        StandingQueryEntry,
        StandingQueryView,
    )


def query_views(answer: QueryAnswer) -> list[Table | str]:
    """Return the answer person by party, and the meaning of a no-hit in a sentence."""
    rows = [
        (person.record_id, *(_cell(person, party) for party in answer.parties))
        for person in answer.persons
    ]  # fmt: skip
    shown: list[Table | str] = [
        Table(f"Query {answer.entry.submission_id[:SHORT]}", ("person", *(one.party for one in answer.parties)), rows)
    ]
    shown += [f"{one.party} is awaited: {one.awaited.value}." for one in answer.parties if one.state.value == "awaited"]
    shown += [problem.text for problem in answer.problems]
    shown.append(
        f"A no-hit says that no record of the list reaches {answer.minimum_certainty.value}. It clears nobody."
    )
    return shown


def standing_queries(found: StandingQueries) -> Table | str:
    """Return the standing queries, with what each found in which round."""
    rows = [
        (
            one.standing_id[:SHORT], one.reason.case_reference, one.persons, one.state.value, moment(one.until),
            "; ".join(f"{asked.round_id[:SHORT]}: {asked.hits} hits, {asked.first_hits} new" for asked in one.rounds),
            _needs(one),
        )
        for one in found.queries
    ]  # fmt: skip
    columns = ("watch", "case", "persons", "state", "until", "found", "needs you")
    return Table("Standing queries", columns, rows) if rows else "There is no standing query."


def standing_query(view: StandingQueryView) -> list[Table | str]:
    """Return a standing query with its persons and rounds."""
    entry = view.entry
    persons = [(one.record_id, ", ".join(_words(one.record))) for one in view.persons]
    rounds = [
        (asked.submission_id[:SHORT], asked.round_id[:SHORT], asked.answer.value, asked.hits, asked.first_hits,
         asked.new_hits)
        for asked in entry.rounds
    ]  # fmt: skip
    columns = ("query", "round", "answer", "hits", "not there before", "not taken up")
    title = f"Standing query {entry.standing_id[:SHORT]}, {entry.reason.case_reference}"
    shown: list[Table | str] = [
        f"{title}: {entry.state.value}, until {moment(entry.until)}.",
        Table("Persons", ("person", "record"), persons),
        Table("Asked in", columns, rounds) if rounds else "It was asked in no round yet.",
    ]
    shown += [f"Not asked in round {one.round_id[:SHORT]}: {_WHY[one.reason]}." for one in entry.unasked]
    return shown


def _needs(entry: StandingQueryEntry) -> str:
    needs = [f"round {one.round_id[:SHORT]}: {one.reason.value}" for one in entry.unasked]
    return "; ".join([*needs, *(["ends soon"] if entry.reminds else [])])


def _words(record: Mapping[str, str | list[str]]) -> list[str]:
    """Return names and date of birth of a person."""
    found = [record[name] for name in ("given_names", "family_names", "full_name", "date_of_birth") if name in record]
    return [text if isinstance(text, str) else " ".join(text) for text in found]


_WHY = {
    SkipReason.TERMS: "its terms are others than those that were approved; `aquila query ask` asks in it",
    SkipReason.PARTIES: "it has a party that was not among those approved; `aquila query ask` asks in it",
    SkipReason.PERSONS: "the persons are not those that were approved; `aquila query prolong` asks for them again",
    SkipReason.LATER: "a record was erased, and an earlier round still uses the list",
}


def _cell(person: QueriedPerson, party: QueriedParty) -> str:
    hits = [hit for hit in person.hits if hit.party == party.party]
    if hits:
        return ", ".join(
            "withdrawn" if hit.stage.value == "withdrawn" else f"hit, {hit.certainty.value}, {hit.exchange}"
            for hit in hits
        )
    if party.state.value == "answered":
        return "no-hit" if person.compared else "not compared"
    return party.state.value.replace("_", " ")
