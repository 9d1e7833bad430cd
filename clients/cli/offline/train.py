"""`aquila node train`: practise a round and a query with invented persons, in a world of its own."""

from __future__ import annotations

import time
from typing import Annotated, Literal

import typer

from clients.cli.options import Json
from clients.cli.output.screen import Screen
from clients.cli.services.node import app

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
