"""`aquila demo`, a whole round as real processes, and `aquila node train`, a practice with invented persons."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from aquila.errors import AquilaError
from clients.cli.options import Json
from clients.cli.output.screen import Screen, Table
from clients.cli.services.node import app

if TYPE_CHECKING:
    from clients.cli.demo.population import DemoHomes
    from clients.local_services.processes import DemoProcesses

_LOOK_SECONDS = 1.0
_TERMS = "participants=RS participants=SI area=demo legal_basis=demo purpose=demo category=demo"


def demo(
    size: Annotated[int, typer.Option(min=100, help="How many persons each list has.")] = 1_000,
    seed: Annotated[int, typer.Option(help="Other seeds invent other persons.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running until Ctrl-C.")] = False,
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Where homes and lists go.")] = Path(".demo"),
    as_json: Json = False,
) -> None:
    """Play one round of three parties with invented lists: a matcher and three nodes as real processes on loopback.

    It takes about a minute. All processes are stopped at the end, on Ctrl-C, and when something fails.
    """
    from clients.cli.demo.population import populate
    from clients.cli.demo.scenario import DemoScenario
    from clients.local_services.processes import staged

    screen = Screen(as_json)
    with staged(folder) as stage:
        story = DemoScenario(screen, stage, populate(size, seed), keep=keep)
        try:
            made = story.play_all()
        except AquilaError:
            _show_logs(screen, stage)
            raise
        screen.narrate("", *(_pages(stage) if keep else ()), *_next_steps(made, keep=keep))
        if as_json:
            screen.result(story.document)
        if keep:
            _wait(screen, stage)


def _show_logs(screen: Screen, stage: DemoProcesses) -> None:
    for process in stage.ended() or stage.processes:
        screen.show(f"The last lines of {process.name}, from {process.home.path}:", *process.last_lines())


def _pages(stage: DemoProcesses) -> list[str | Table]:
    from clients.local_services.accounts import PASSWORD, SECRETS, logins_of

    rows = [(process.name, f"{process.url}/", ", ".join(logins_of(process))) for process in stage.processes]
    code = f"aquila code {stage.folder / SECRETS}/<home>-<login>"
    return [
        Table("Pages, for a browser", ("who", "address", "accounts"), rows),
        f"Everyone's password is: {PASSWORD}",
        f"The authenticator's code: {code}, such as si-analyst; each counts once.",
        "",
    ]


def _next_steps(made: DemoHomes, *, keep: bool) -> list[str]:
    from clients.local_services.accounts import PASSWORD, SECRETS

    party, matcher = made.homes["SI"], made.homes["matcher"]
    if keep:
        secrets = party.parent / SECRETS
        return [
            "Everything keeps running. In another terminal, for example as Slovenia's analyst:",
            f"  aquila code {secrets / 'si-analyst'}                      the authenticator's present code",
            f"  aquila login analyst --home {party}                 the password is: {PASSWORD}",
            f"  aquila call get_round_hits round_id=latest --home {party}",
            "or let the secretariat's two officers propose another round:",
            f"  aquila login secretariat-1 --home {matcher}         with {secrets / 'matcher-secretariat-1'}",
            f"  aquila login secretariat-2 --home {matcher}         with {secrets / 'matcher-secretariat-2'}",
            f"  aquila --as secretariat-1 call post_round {_TERMS} --home {matcher}",
            "and let the other one read it, and approve the digest that stands there:",
            f"  aquila --as secretariat-2 call get_approval approval_id=latest --home {matcher}",
            f"  aquila --as secretariat-2 call post_approve approval_id=latest digest=DIGEST --home {matcher}",
            "Ctrl-C stops everything.",
        ]
    return [
        "What to try next:",
        "  make demo KEEP=1                                   the same, left running for your own commands",
        f"  aquila records check {made.list_file('RS')}                 what is wrong with a list, line by line",
        f"  aquila rehearse --party RS={made.list_file('RS')} --party SI={made.list_file('SI')} --out hits.csv",
        "                                                     the same round in one process, on your own files too",
        f"All processes are stopped. Homes and logs are in {party.parent} until the next demo.",
    ]


def _wait(screen: Screen, stage: DemoProcesses) -> None:
    """Wait for Ctrl-C, or for a process that ends by itself."""
    try:
        while not stage.ended():
            time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        screen.note("Stopping.")
        return
    _show_logs(screen, stage)


_HOUR = 3_600


@app.command()
def train(
    party: Annotated[Literal["AL", "RS", "SI"], typer.Option(help="The party whose people you play.")] = "SI",
    hours: Annotated[float, typer.Option(min=0.01, max=10, help="Hours after which the practice ends by itself.")] = 8,
    seed: Annotated[int, typer.Option(help="Other seeds invent other persons.")] = 1,
    as_json: Json = False,
) -> None:
    """Practise a round and a query in your own pages, with invented persons, until Ctrl-C; then all of it is deleted.

    It needs no node and touches none: matcher, nodes, keys and lists are made for it and lie in a temporary folder.
    """
    from clients.cli.demo.population import populate
    from clients.cli.demo.practice import SIZE, play, practice_of

    screen, until = Screen(as_json), time.monotonic() + hours * _HOUR
    screen.note("Practice. Invented persons. Nothing here is real. It starts in about a minute.")
    try:
        with practice_of(party, populate(SIZE, seed)) as practice:
            screen.result({"address": practice.address})
            screen.narrate(
                f"Open in a browser on this machine: {practice.address}",
                "The page says what to do next. Ctrl-C ends the practice and deletes all of it.",
            )
            play(practice, until)
    except KeyboardInterrupt:
        screen.note("The practice is over, and all of it is deleted.")
