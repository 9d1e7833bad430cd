"""`aquila round`: propose, consent, submit, watch, read hits, end. Each command speaks to the service of `--home`."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from aquila.errors import InputError
from aquila.interface.queries import ChosenPersons
from aquila.interface.rounds import ConsentRequest, JustificationInput, RoundProposal, SubmissionRequest
from aquila.protocol.messages import Kind
from aquila.protocol.rounds.round_state import Phase
from clients.cli.connect import ConnectedService, resolve_id
from clients.cli.exit_codes import ExitCode
from clients.cli.options import Minimum, NamesChecked, RoundId
from clients.cli.output import round_views
from clients.cli.output.registry_views import show_asked
from clients.cli.output.screen import Screen
from clients.cli.services.speaking import speaking
from clients.sdk import NodeClient, QueryClient

app = typer.Typer()
_PADDED = {"inputs_per_record": (8, 16, 24, 32), "records_multiple": 100}
_UNPADDED = {"inputs_per_record": (), "records_multiple": 1}
Until = Literal["open", "matching", "reporting", "closed"]


@app.command("list")
@speaking
def list_rounds(reached: ConnectedService, screen: Screen) -> None:
    """List the rounds that the node or matcher knows of, newest first."""
    rounds = reached.client.rounds()
    round_views.warn_of_contact(reached, screen)
    views = [round_views.rounds_table(rounds)] if rounds.rounds else ["There is no round yet."]
    screen.result(rounds.model_dump(mode="json"), *views)


@app.command()
@speaking
def show(reached: ConnectedService, screen: Screen, round_id: RoundId) -> None:
    """Show a round: its terms, who did what, and what stops it."""
    chosen = reached.round_id(round_id)
    view = reached.client.round(chosen)
    round_views.warn_of_contact(reached, screen)
    round_views.warn_of_declared(reached, screen, chosen)
    screen.result(view.model_dump(mode="json"), *round_views.round_tables(view))


@app.command()
@speaking
def propose(
    reached: ConnectedService,
    screen: Screen,
    party: Annotated[list[str] | None, typer.Option(metavar="CODE", help="A participant, once for each.")] = None,
    title: Annotated[
        str, typer.Option(help="What people call the round; by default the month and the category of persons.")
    ] = "",
    area: Annotated[str, typer.Option(help="The area, such as counter-terrorism.")] = "",
    legal_basis: Annotated[str, typer.Option(help="The legal basis of the round.")] = "",
    purpose: Annotated[str, typer.Option(help="What the round is for.")] = "",
    category: Annotated[str, typer.Option(help="The category of persons.")] = "",
    pair: Annotated[
        list[str] | None, typer.Option(metavar="A-B", help="A pair that may be matched, once for each; by default all.")
    ] = None,
    rules: Annotated[str, typer.Option(help="The match rules by name.")] = "",
    minimum: Annotated[Minimum | None, typer.Option(help="The least certainty that is a hit.")] = None,
    queries: Annotated[bool, typer.Option("--queries", help="Allow queries as well as lists.")] = False,
    padding: Annotated[Literal["none", "default"] | None, typer.Option(help="Whether sizes are hidden.")] = None,
    like: Annotated[
        str, typer.Option(metavar="ROUND", help="An earlier round, whose terms count where nothing else is said.")
    ] = "",
    template: Annotated[
        str,
        typer.Option(metavar="ID", help="A template of the registry, whose terms count where nothing else is said."),
    ] = "",
    terms: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML with any terms (caps, window, ...); options go before it.")
    ] = None,
) -> None:
    """Ask for a new round; a second officer of the secretariat approves it (secretariat)."""
    given: dict[str, Any] = {
        "participants": sorted(party or ()),
        "pairs": sorted(tuple(sorted(text.split("-"))) for text in pair or ()),
        "title": title,
        "area": area,
        "legal_basis": legal_basis,
        "purpose": purpose,
        "category": category,
        "rules": rules,
        "minimum_certainty": minimum,
        "mode": "lists_and_queries" if queries else "",
        "padding": padding and (_PADDED if padding == "default" else _UNPADDED),
    }
    given = {name: value for name, value in given.items() if value}
    if like and template:
        raise InputError("terms_of_two")
    draft = _draft(reached, like, template, given)
    show_asked(screen, reached.matcher().propose(_proposal(terms, draft, given)))


@app.command()
@speaking
def consent(
    reached: ConnectedService,
    screen: Screen,
    round_id: RoundId,
    records: Annotated[
        int | None,
        typer.Option(
            min=0, max=1_000_000_000, help="The most records of the list; by default a quarter more than the longest."
        ),
    ] = None,
    queries: Annotated[
        int | None, typer.Option(min=0, max=1_000_000_000, help="The most queries of a few persons; by default 100.")
    ] = None,
) -> None:
    """Ask for a consent to a round: once approved, the node makes fresh keys for it and signs (party).

    Nobody evaluates more for this party in the round than the consent declares.
    """
    wanted, chosen = ConsentRequest(records=records, queries=queries), reached.round_id(round_id)
    show_asked(screen, reached.node().consent(chosen, wanted))
    round_views.warn_of_declared(reached, screen, chosen)


@app.command()
@speaking
def submit(
    reached: ConnectedService,
    screen: Screen,
    round_id: RoundId,
    legal_basis: Annotated[str, typer.Option(help="The legal basis of this submission.")],
    purpose: Annotated[str, typer.Option(help="What it is for.")],
    case_reference: Annotated[str, typer.Option("--case", help="The case or file reference.")],
    category: Annotated[str, typer.Option(help="The category of persons in it.")],
    import_id: Annotated[
        str, typer.Option("--import", metavar="IMPORT", help="The import's id, its beginning, or `latest`.")
    ] = "latest",
    kind: Annotated[Literal["list", "query"], typer.Option(help="A list that the party holds, or a query.")] = "list",
    names_checked: NamesChecked = False,
) -> None:
    """Ask for the submission of an import in a round, with its justification (party)."""
    justification = JustificationInput(
        legal_basis=legal_basis, purpose=purpose, case_reference=case_reference, category=category
    )
    node, in_round = reached.node(), reached.round_id(round_id)
    lists = sorted(node.imports().imports, key=lambda entry: entry.for_query)  # the persons of queries come last
    taken = resolve_id("import", import_id, [entry.import_id for entry in lists])
    if kind == Kind.QUERY.value:
        screen.show(*round_views.asked_views(QueryClient(reached.connection).check(ChosenPersons(import_id=taken))))
    request = SubmissionRequest(import_id=taken, kind=Kind(kind), justification=justification)
    show_asked(screen, node.submit(in_round, request, names_checked=names_checked))


@app.command()
@speaking
def watch(
    reached: ConnectedService,
    screen: Screen,
    round_id: RoundId,
    until: Annotated[Until, typer.Option(help="The phase to wait for.")] = "reporting",
) -> int:
    """Follow a round until it reaches a phase. Ends with 1 if the round was aborted instead."""
    with screen.progress() as told:
        chosen = reached.round_id(round_id)
        view = round_views.follow_round(lambda: reached.client.round(chosen), told, Phase(until))
    screen.result(view.model_dump(mode="json"), round_views.entry_line(view.entry))
    return ExitCode.REFUSED if view.entry.phase == Phase.ABORTED else ExitCode.DONE


@app.command()
@speaking
def hits(
    reached: ConnectedService,
    screen: Screen,
    round_id: RoundId,
    limit: Annotated[int, typer.Option(min=1, help="How many hits to show.")] = 50,
) -> int:
    """Show the hits of a round with the party's own records; nothing of the other side is known (party).

    Ends with 6 if an own list or query is not answered: a record without a hit is then not a no-hit.
    """
    found = reached.node().hits(reached.round_id(round_id))
    round_views.warn_of_contact(reached, screen)
    screen.result(found.model_dump(mode="json"), *round_views.hits_views(found, limit))
    return ExitCode.DONE if found.complete else ExitCode.UNANSWERED


@app.command()
@speaking
def close(reached: ConnectedService, screen: Screen, round_id: RoundId) -> None:
    """Close a round: at the matcher for everyone, at a node for this party. Keys and tokens are destroyed."""
    chosen = reached.round_id(round_id)
    reached.client.close(chosen)
    _asked(screen, chosen, "Round {} is being closed; its keys and tokens are destroyed.")


@app.command()
@speaking
def abort(
    reached: ConnectedService,
    screen: Screen,
    round_id: RoundId,
    reason: Annotated[str, typer.Option(help="Why; it is signed and logged.")],
    names_checked: NamesChecked = False,
) -> None:
    """Abort a round: a party leaves at once; the secretariat asks, for everyone. Keys and tokens are destroyed."""
    chosen = reached.round_id(round_id)
    if isinstance(reached.client, NodeClient):
        reached.client.abort(chosen, reason, names_checked=names_checked)
        _asked(screen, chosen, "Round {} is being aborted; its keys and tokens are destroyed.")
    else:
        show_asked(screen, reached.client.abort(chosen, reason))


def _asked(screen: Screen, round_id: str, sentence: str) -> None:
    follow = f"Follow it with `aquila round show {round_id[:8]}`."
    screen.result({"round_id": round_id}, sentence.format(round_id[:8]), follow)


def _draft(reached: ConnectedService, like: str, template: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the terms of an earlier round or of a template for the parties that are given, for all of it by default.

    Raises:
        InputError: They compare no two of these parties, and no pair is given: a proposal without pairs is for all.
    """
    chosen = {"like": reached.round_id(like)} if like else {"template": template}
    found = reached.matcher().proposal_defaults(**chosen).draft if like or template else None
    if found is None:
        return {}
    there = set(given.get("participants") or found.participants)
    kept = {
        "caps": tuple(cap for cap in found.caps if cap.party in there),
        "pairs": tuple(pair for pair in found.pairs if there.issuperset(pair)),
    }
    if found.pairs and not kept["pairs"] and "pairs" not in given:
        raise InputError("terms_compare_no_pair", parties=", ".join(sorted(there)))
    return found.model_copy(update=kept).model_dump(mode="json")


def _proposal(terms: Path | None, draft: dict[str, Any], given: dict[str, Any]) -> RoundProposal:
    """Return the proposal of a draft, with a file of terms over it, and the options over both.

    Raises:
        InputError: The file cannot be read.
        ValidationError: A term is missing or unusable.
    """
    try:
        content = tomllib.loads(terms.read_text(encoding="utf-8")) if terms else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError("terms_unreadable", file=terms, fault=error) from None
    return RoundProposal.model_validate_json(json.dumps({**draft, **content, **given}, default=str))
