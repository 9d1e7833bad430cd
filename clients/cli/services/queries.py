"""`aquila query`: ask for a few persons in a round, and read the answer person by party."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from clients.cli.exit_codes import ExitCode
from clients.cli.options import Ca, HomePath, Json, RoundId, TokenFile, Url
from clients.cli.output.screen import Screen, Table

if TYPE_CHECKING:
    from clients.cli.connect import ConnectedService
    from clients.sdk import QueryClient

app = typer.Typer(help="Queries of a few persons: ask, list, read the answer.")

QueryId = Annotated[
    str, typer.Argument(metavar="QUERY", help="The query's id, its beginning, or `latest` for the newest.")
]


@app.command()
def ask(
    round_id: RoundId,
    home: HomePath,
    legal_basis: Annotated[str, typer.Option(help="The legal basis of this query.")],
    purpose: Annotated[str, typer.Option(help="What it is for.")],
    case_reference: Annotated[str, typer.Option("--case", help="The case or file reference; no name of a person.")],
    category: Annotated[str, typer.Option(help="The category of persons in it.")],
    import_id: Annotated[
        str, typer.Option("--import", metavar="IMPORT", help="A stored list of at most 20 persons, by id or `latest`.")
    ] = "",
    persons: Annotated[
        typer.FileText | None,
        typer.Option("--persons", metavar="FILE", help="Lines of persons, `-` for stdin, as they are pasted in pages."),
    ] = None,
    urgent: Annotated[bool, typer.Option("--urgent", help="An answer is needed today.")] = False,
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Ask for 1 to 20 persons; another person of the party approves before anything is sent (party)."""
    from aquila.followup.lifecycle import Urgency
    from aquila.interface.queries import QueryRequest
    from clients.cli.connect import connect, resolve_id
    from clients.cli.services.approvals import show_asked
    from clients.cli.services.rounds import justification_of
    from clients.sdk.queries import pasted_persons

    why = justification_of(legal_basis=legal_basis, purpose=purpose, case_reference=case_reference, category=category)
    typed = pasted_persons(persons.read()) if persons else ()
    with connect(home, url, token_file, ca) as reached:
        lists = [one.import_id for one in reached.node().imports().imports if not one.for_query]
        taken = resolve_id("import", import_id, lists) if import_id else None
        wanted = QueryRequest(
            round_id=reached.round_id(round_id),
            persons=typed,
            import_id=taken,
            justification=why.model_copy(update={"urgency": Urgency.URGENT if urgent else None}),
        )
        show_asked(Screen(as_json), _client(reached).ask(wanted))


@app.command("list")
def list_queries(
    home: HomePath, url: Url = None, token_file: TokenFile = None, ca: Ca = None, as_json: Json = False
) -> None:
    """List the party's queries, newest first."""
    from clients.cli.connect import connect
    from clients.cli.output.round_views import SHORT
    from clients.cli.output.screen import moment

    with connect(home, url, token_file, ca) as reached:
        found = _client(reached).queries()
    rows = [
        (
            one.submission_id[:SHORT], one.reason.case_reference if one.reason else one.name, one.persons,
            "failed" if one.state == "failed" else one.answer.value, moment(one.asked_at), one.round_id[:SHORT],
        )
        for one in found.queries
    ]  # fmt: skip
    columns = ("query", "case", "persons", "answer", "asked at", "round")
    shown = Table("Queries", columns, rows) if rows else "There is no query."
    Screen(as_json).result(found.model_dump(mode="json"), shown)


@app.command()
def show(
    query: QueryId, home: HomePath, url: Url = None, token_file: TokenFile = None, ca: Ca = None, as_json: Json = False
) -> int:
    """Show the answer to a query, person by party (party).

    Ends with 6 if not every party has answered: a person without a hit is then not a no-hit.
    """
    from aquila.interface.queries import QueriedPartyState
    from aquila.interface.rounds import AnswerState
    from clients.cli.connect import connect, resolve_id
    from clients.cli.output.query_views import query_views

    with connect(home, url, token_file, ca) as reached:
        client = _client(reached)
        known = [one.submission_id for one in client.queries().queries]
        answer = client.answer(resolve_id("query", query, known))
    Screen(as_json).result(answer.model_dump(mode="json"), *query_views(answer))
    refused = any(one.state is QueriedPartyState.REFUSED for one in answer.parties)
    complete = answer.entry.answer is AnswerState.ANSWERED and not refused
    return ExitCode.DONE if complete else ExitCode.UNANSWERED


def _client(reached: ConnectedService) -> QueryClient:
    """Return the client of a node's queries.

    Raises:
        InputError: This is the matcher's home.
    """
    from clients.sdk import QueryClient

    reached.node()
    return QueryClient(reached.connection)
