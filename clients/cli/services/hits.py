"""`aquila hit list`: the hits of all rounds, with what is to be done; all that is done with them is `aquila call`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from aquila.interface.hits import HitFilter
from clients.cli.connect import ConnectedService
from clients.cli.output.hit_views import page_views
from clients.cli.output.screen import Screen
from clients.cli.services.speaking import speaking

app = typer.Typer()
Stage = Literal["new", "known", "acknowledged", "decided", "follow_up", "closed", "withdrawn"]


@app.command("list")
@speaking
def list_hits(
    reached: ConnectedService,
    screen: Screen,
    round_id: Annotated[
        str, typer.Option("--round", metavar="ROUND", help="Of one round: id, beginning, latest.")
    ] = "",
    counterpart: Annotated[str, typer.Option(metavar="CODE", help="With one party.")] = "",
    certainty: Annotated[Literal["high", "medium", "low"] | None, typer.Option(help="Of one level.")] = None,
    stage: Annotated[Stage | None, typer.Option(help="Where they stand.")] = None,
    kind: Annotated[Literal["list", "query"] | None, typer.Option(help="Between lists, or of queries.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose next step is overdue.")] = False,
    older_than: Annotated[int | None, typer.Option(metavar="HOURS", min=0, help="Only those that came before.")] = None,
    offset: Annotated[int, typer.Option(min=0, help="How many to pass over.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many to show.")] = 50,
) -> None:
    """List hits with the party's own records; nothing of the other side is known."""
    wanted = {
        "round_id": reached.round_id(round_id) if round_id else None,
        "counterpart": counterpart or None,
        "certainty": certainty,
        "stage": stage,
        "kind": kind,
        "older_than_hours": older_than,
        "overdue": overdue,
        "offset": offset,
        "limit": limit,
    }
    page = reached.hits().page(HitFilter.model_validate(wanted))
    views = page_views(page) if page.hits else ["There is no such hit."]
    screen.result(page.model_dump(mode="json"), *views)
