"""`aquila query`: ask for a few persons in a round or in each coming one, and read the answer person by party."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from clients.cli.exit_codes import ExitCode
from clients.cli.options import Ca, HomePath, Json, NamesChecked, RoundId, TokenFile, Url
from clients.cli.output.screen import Screen, Table

if TYPE_CHECKING:
    from aquila.interface.queries import QueryPerson
    from clients.cli.connect import ConnectedService
    from clients.sdk import QueryClient

app = typer.Typer(help="Queries of a few persons: ask, list, read the answer.")

QueryId = Annotated[
    str, typer.Argument(metavar="QUERY", help="The query's id, its beginning, or `latest` for the newest.")
]

StandingId = Annotated[
    str,
    typer.Argument(metavar="WATCH", help="The standing query's id, its beginning, or `latest` for the first listed."),
]
LegalBasis = Annotated[str, typer.Option(help="The legal basis of the query.")]
Purpose = Annotated[str, typer.Option(help="What it is for.")]
CaseReference = Annotated[str, typer.Option("--case", help="The case or file reference; no name of a person.")]
Category = Annotated[str, typer.Option(help="The category of persons in it.")]
ImportId = Annotated[
    str, typer.Option("--import", metavar="IMPORT", help="A stored list of at most 20 persons, by id or `latest`.")
]
PersonsFile = Annotated[
    typer.FileText | None,
    typer.Option("--persons", metavar="FILE", help="Lines of persons, `-` for stdin, as they are pasted in pages."),
]
Until = Annotated[str, typer.Option(metavar="DAY", help="The last day, as 2027-03-31; at most 180 days from now.")]


@app.command()
def ask(
    round_id: RoundId,
    home: HomePath,
    legal_basis: LegalBasis,
    purpose: Purpose,
    case_reference: CaseReference,
    category: Category,
    import_id: ImportId = "",
    persons: PersonsFile = None,
    names_checked: NamesChecked = False,
    urgent: Annotated[bool, typer.Option("--urgent", help="An answer is needed today.")] = False,
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Ask for 1 to 20 persons; another person of the party approves before anything is sent (party)."""
    from aquila.followup.lifecycle import Urgency
    from aquila.interface.queries import QueryRequest
    from clients.cli.connect import connect
    from clients.cli.services.approvals import show_asked
    from clients.cli.services.rounds import justification_of

    why = justification_of(legal_basis=legal_basis, purpose=purpose, case_reference=case_reference, category=category)
    typed = _typed(persons)
    with connect(home, url, token_file, ca) as reached:
        taken = _chosen_list(reached, import_id)
        wanted = QueryRequest(
            round_id=reached.round_id(round_id),
            persons=typed,
            import_id=taken,
            justification=why.model_copy(update={"urgency": Urgency.URGENT if urgent else None}),
        )
        show_asked(Screen(as_json), _client(reached).ask(wanted, names_checked=names_checked))


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


@app.command()
def watch(
    round_id: RoundId,
    home: HomePath,
    until: Until,
    legal_basis: LegalBasis,
    purpose: Purpose,
    case_reference: CaseReference,
    category: Category,
    import_id: ImportId = "",
    persons: PersonsFile = None,
    names_checked: NamesChecked = False,
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Ask for 1 to 20 persons in each coming round of the same terms; another person approves it once (party).

    The round gives the terms: it may be over. The node asks by itself, until the day, in rounds of the same area, legal
    basis, purpose and category, and with no party that this round has not.
    """
    from aquila.interface.queries import StandingQueryRequest
    from clients.cli.connect import connect
    from clients.cli.services.approvals import show_asked
    from clients.cli.services.rounds import justification_of
    from clients.sdk.queries import end_of_day

    why = justification_of(legal_basis=legal_basis, purpose=purpose, case_reference=case_reference, category=category)
    typed, last = _typed(persons), end_of_day(until)
    with connect(home, url, token_file, ca) as reached:
        taken = _chosen_list(reached, import_id)
        wanted = StandingQueryRequest(
            round_id=reached.round_id(round_id), persons=typed, import_id=taken, justification=why, until=last
        )
        show_asked(Screen(as_json), _client(reached).watch(wanted, names_checked=names_checked))


@app.command()
def watches(
    home: HomePath, url: Url = None, token_file: TokenFile = None, ca: Ca = None, as_json: Json = False
) -> None:
    """List the party's standing queries, the active ones first, with what each found in which round (party)."""
    from clients.cli.connect import connect
    from clients.cli.output.query_views import standing_queries

    with connect(home, url, token_file, ca) as reached:
        found = _client(reached).standing()
    Screen(as_json).result(found.model_dump(mode="json"), standing_queries(found))


@app.command("show-watch")
def show_watch(
    standing: StandingId,
    home: HomePath,
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Show a standing query: its persons, what it found in which round, and rounds that need an approval (party)."""
    from clients.cli.connect import connect
    from clients.cli.output.query_views import standing_query

    with connect(home, url, token_file, ca) as reached:
        view = _client(reached).standing_query(_standing_id(reached, standing))
    Screen(as_json).result(view.model_dump(mode="json"), *standing_query(view))


@app.command()
def prolong(
    standing: StandingId,
    home: HomePath,
    until: Until,
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Ask for the persons of a standing query for longer; another person approves, and it replaces that one (party)."""
    from aquila.interface.queries import StandingQueryRequest
    from aquila.interface.rounds import JustificationInput
    from clients.cli.connect import connect
    from clients.cli.services.approvals import show_asked
    from clients.sdk.queries import end_of_day

    last = end_of_day(until)
    with connect(home, url, token_file, ca) as reached:
        client = _client(reached)
        entry = client.standing_query(_standing_id(reached, standing)).entry
        why = JustificationInput(**entry.reason.model_dump(exclude={"urgency"}))
        wanted = StandingQueryRequest(round_id=entry.round_id, import_id=entry.import_id, justification=why, until=last)
        show_asked(Screen(as_json), client.watch(wanted, names_checked=True))  # when it was asked for first


@app.command()
def withdraw(
    standing: StandingId,
    home: HomePath,
    reason: Annotated[str, typer.Option(help="Why; it stays with the standing query for three years.")],
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Withdraw a standing query: it is asked in no further round (party)."""
    from clients.cli.connect import connect

    with connect(home, url, token_file, ca) as reached:
        standing_id = _standing_id(reached, standing)
        _client(reached).withdraw(standing_id, reason)
    sentence = "The standing query is withdrawn. What was asked already stays as it is."
    Screen(as_json).result({"standing_id": standing_id, "state": "withdrawn"}, sentence)


def _standing_id(reached: ConnectedService, text: str) -> str:
    """Return the id of a standing query from its beginning, or of the newest."""
    from clients.cli.connect import resolve_id

    return resolve_id("standing query", text, [one.standing_id for one in _client(reached).standing().queries])


def _typed(file: typer.FileText | None) -> tuple[QueryPerson, ...]:
    """Return the persons of a file, none without one.

    Raises:
        InputError: They are too many, or a line cannot be read.
    """
    from aquila.errors import InputError
    from clients.sdk.queries import pasted_persons

    try:
        return pasted_persons(file.read()) if file else ()
    except UnicodeDecodeError as error:
        raise InputError("file_unreadable", file=getattr(file, "name", ""), kind=type(error).__name__) from None


def _chosen_list(reached: ConnectedService, import_id: str) -> str | None:
    """Return the list that is meant, of those that were not made for a query; None if none is named."""
    from clients.cli.connect import resolve_id

    if not import_id:
        return None
    lists = [one.import_id for one in reached.node().imports().imports if not one.for_query]
    return resolve_id("import", import_id, lists)


def _client(reached: ConnectedService) -> QueryClient:
    """Return the client of a node's queries.

    Raises:
        InputError: This is the matcher's home.
    """
    from clients.sdk import QueryClient

    reached.node()
    return QueryClient(reached.connection)
