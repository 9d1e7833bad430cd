"""Suggestions: `aquila node suggest-round` and `suggestions`, `aquila matcher suggestions` and `set-aside`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from clients.cli.options import Ca, HomePath, Json, NamesChecked, TokenFile, Url
from clients.cli.output.screen import Screen

if TYPE_CHECKING:
    from aquila.interface.proposal import Suggestions

SuggestionId = Annotated[
    str, typer.Argument(metavar="SUGGESTION", help="The suggestion's id, or at least its first 4 digits.")
]


def suggest(
    home: HomePath,
    party: Annotated[list[str], typer.Option(metavar="CODE", help="Who should take part, once for each.")],
    area: Annotated[str, typer.Option(help="The area, such as counter-terrorism.")],
    legal_basis: Annotated[str, typer.Option(help="The legal basis of the round.")],
    purpose: Annotated[str, typer.Option(help="What the round is for.")],
    category: Annotated[str, typer.Option(help="The category of persons.")],
    queries: Annotated[bool, typer.Option("--queries", help="Queries beside lists.")] = False,
    names_checked: NamesChecked = False,
    minimum: Annotated[str, typer.Option(metavar="LEVEL", help="The least certainty: low, medium or high.")] = "low",
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Suggest a round to the secretariat, which proposes one or sets the suggestion aside with a reason."""
    from aquila.protocol.messages.suggestions import Suggestion
    from clients.cli.connect import connect

    given = {
        "participants": sorted(party), "area": area, "legal_basis": legal_basis, "purpose": purpose,
        "category": category, "mode": "lists_and_queries" if queries else "lists", "minimum_certainty": minimum,
    }  # fmt: skip
    wanted = Suggestion.model_validate(given)
    with connect(home, url, token_file, ca) as reached:
        view = reached.node().suggest(wanted, names_checked=names_checked)
    said = f"Suggestion {view.suggestion_id[:8]} goes to the secretariat; `aquila node suggestions` tells its answer."
    Screen(as_json).result(view.model_dump(mode="json"), said)


def own_suggestions(
    home: HomePath, url: Url = None, token_file: TokenFile = None, ca: Ca = None, as_json: Json = False
) -> None:
    """List this party's suggestions of rounds, with what became of them."""
    from clients.cli.connect import connect

    with connect(home, url, token_file, ca) as reached:
        _show(Screen(as_json), reached.node().suggestions())


def suggestions(
    home: HomePath, url: Url = None, token_file: TokenFile = None, ca: Ca = None, as_json: Json = False
) -> None:
    """List the parties' suggestions of rounds; `aquila round propose --suggestion` proposes one."""
    from clients.cli.connect import connect

    with connect(home, url, token_file, ca) as reached:
        _show(Screen(as_json), reached.matcher().suggestions())


def set_aside(
    suggestion: SuggestionId,
    home: HomePath,
    reason: Annotated[str, typer.Option(help="Why; the party reads it.")],
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Set a party's suggestion of a round aside."""
    from clients.cli.connect import connect, resolve_id

    with connect(home, url, token_file, ca) as reached:
        known = [one.suggestion_id for one in reached.matcher().suggestions().suggestions]
        view = reached.matcher().set_aside(resolve_id("suggestion", suggestion, known), reason)
    said = f"Suggestion {view.suggestion_id[:8]} of {view.party} is set aside; its node hears of it."
    Screen(as_json).result(view.model_dump(mode="json"), said)


def _show(screen: Screen, found: Suggestions) -> None:
    """Show suggestions, each with what became of it."""
    from clients.cli.output.round_views import SHORT
    from clients.cli.output.screen import Table, moment

    rows = [
        (
            one.suggestion_id[:SHORT], one.party, ", ".join(one.terms.participants), one.terms.area,
            one.terms.category, one.state.value.replace("_", " "), moment(one.made_at),
            one.round_id[:SHORT] if one.round_id else one.reason.text if one.reason else "-",
        )
        for one in found.suggestions
    ]  # fmt: skip
    columns = ("suggestion", "of", "parties", "area", "category", "stands at", "since", "round or reason")
    shown = Table("Suggestions of rounds", columns, rows) if rows else "There is no suggestion."
    screen.result(found.model_dump(mode="json"), shown)
