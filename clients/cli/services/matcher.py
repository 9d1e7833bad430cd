"""`aquila matcher`: make the secretariat's matcher, and serve it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clients.cli.options import Ca, HomePath, Json, NewHome, TokenFile, Url
from clients.cli.output.screen import Screen
from clients.cli.services import suggestions

app = typer.Typer(help="The secretariat's matcher: make its home, serve it.")


@app.command()
def init(
    home: NewHome,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the matcher listens; 0 takes a free port.")] = 8700,
    settings: Annotated[
        Path | None,
        typer.Option("--settings", metavar="FILE", help="A settings file to begin with, instead of the least one."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the home of a matcher: settings, a new identity key, the operator's token. Starts nothing."""
    from clients.cli.services.parties import own_card, show_card
    from services.matcher.storage.home import create

    create(home, port=port, settings=settings)
    screen = Screen(as_json)
    show_card(screen, own_card(home))
    screen.note(f"Next: `aquila party register CARD... --home {home}`, then `aquila matcher serve --home {home}`.")


@app.command()
def serve(home: NewHome) -> None:
    """Serve a matcher until it is stopped (Ctrl-C or SIGTERM). One line of JSON on stdout reports when it is ready."""
    from clients.cli.services.web import front_of_home
    from clients.sdk import find_home
    from services.matcher.main import run

    found = find_home(home, "matcher")
    run(found.settings, front=front_of_home(found))


@app.command()
def status(home: HomePath, url: Url = None, token_file: TokenFile = None, ca: Ca = None, as_json: Json = False) -> None:
    """Show whether the matcher is well: rounds and who they wait for, database, disk, workers, log, certificates.

    The first line and the exit status are for monitoring programs of the Nagios kind: 0 ok, 1 warning, 2 critical,
    3 unknown.
    """
    from clients.cli.output.health_views import show_status

    show_status("matcher", home, url, token_file, ca, as_json=as_json)


@app.command()
def statistics(
    home: HomePath,
    category: Annotated[str, typer.Option(help="Of one category of persons.")] = "",
    since: Annotated[str, typer.Option(metavar="DAY", help="Lists matched from this day on, as 2026-11-25.")] = "",
    until: Annotated[str, typer.Option(metavar="DAY", help="Lists matched up to this day.")] = "",
    out: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write every number to a file, as CSV.")
    ] = None,
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Show the latest round of each category in numbers, and all rounds, each by itself; numbers are rounded."""
    from clients.cli.connect import connect
    from clients.cli.output.hit_views import statistics_views
    from clients.cli.output.screen import write_result

    with connect(home, url, token_file, ca) as reached:
        content = reached.matcher().statistics(category, since, until)
        if out is not None:
            write_result(out, reached.matcher().statistics_csv(category, since, until).decode())
    Screen(as_json).result(content.model_dump(mode="json"), *statistics_views(content))


app.command("suggestions")(suggestions.suggestions)
app.command("set-aside")(suggestions.set_aside)
