"""`aquila bench`: what each step costs on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from clients.cli.options import Json
from clients.cli.screen import Screen, Table


def bench(
    size: Annotated[int, typer.Option(min=2, max=65_535, help="Elements of the measured batch.")] = 8_192,
    repeats: Annotated[int, typer.Option(min=1, help="How often each step is measured.")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Cores that a batch may use.")] = 1,
    as_json: Json = False,
) -> None:
    """Measure microseconds per element and core for each step of a round."""
    from clients.bench import STEPS, Bench

    screen, measured = Screen(as_json), Bench(size, repeats, threads)
    steps = []
    with screen.progress() as watch:
        for step in measured.run():
            steps.append(step)
            watch(f"up to {step.name}", "measured", len(steps), STEPS)
    document = {
        "size": size,
        "repeats": repeats,
        "threads": threads,
        "group": {"name": measured.group.name, "reason": measured.group.reason},
        "steps": [step.document() for step in steps],
    }
    rows = [(step.name, f"{step.median:.2f}", f"{step.least:.2f}", f"{step.most:.2f}", step.backend) for step in steps]
    table = Table("Microseconds per element and core", ("step", "median", "least", "most", "backend"), rows)
    screen.result(document, table, f"Group backend: {measured.group.reason}")
