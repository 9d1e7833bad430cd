"""`aquila bench`: what the steps of a round cost on this machine."""

import json
from pathlib import Path
from typing import Annotated

import typer

from aquila.errors import InputError
from clients.cli.options import BackendChoice, Json
from clients.cli.output.screen import Screen, numbered, write_result

_REPEATS = 5


def bench(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the tables go, as Markdown and JSON.")] = Path(
        "bench"
    ),
    backend: BackendChoice = "auto",
    as_json: Json = False,
) -> None:
    """Measure each step of a round per element, on every backend of this machine: half a minute."""
    from clients.bench import Bench, Results, backends, this_machine

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError("out_folder_not_made", folder=out, fault=error.strerror) from None
    screen, results = Screen(as_json), Results(this_machine(backend))
    with screen.progress() as watch:
        for one in backends() if backend == "auto" else [backend]:
            results.steps += Bench(one, _REPEATS).run()
            watch("steps", one, 1, 1)
    write_result(out / "bench.md", results.page())
    write_result(out / "bench.json", json.dumps(results.document(), ensure_ascii=False, indent=2) + "\n")
    screen.result(results.document(), results.page(), f"{numbered(2, 'file')} in {out}: bench.md and bench.json.")
