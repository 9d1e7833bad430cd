"""The answer to a query as a table, person by party."""

from __future__ import annotations

from aquila.interface.queries import QueriedParty, QueriedPerson, QueryAnswer
from clients.cli.output.round_views import SHORT
from clients.cli.output.screen import Table


def query_views(answer: QueryAnswer) -> list[Table | str]:
    """Return the answer person by party, and the meaning of a no-hit in a sentence."""
    rows = [(person.record_id, *(_cell(person, party) for party in answer.parties)) for person in answer.persons]
    shown: list[Table | str] = [
        Table(f"Query {answer.entry.submission_id[:SHORT]}", ("person", *(one.party for one in answer.parties)), rows)
    ]
    shown += [f"{one.party} is awaited: {one.awaited.value}." for one in answer.parties if one.state.value == "awaited"]
    shown += [problem.text for problem in answer.problems]
    shown.append(
        f"A no-hit says that no record of the list reaches {answer.minimum_certainty.value}. It clears nobody. "
        "Nobody checks that the matcher leaves out no hit of a query."
    )
    return shown


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
