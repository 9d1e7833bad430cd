"""What commands that speak to a service have in common: the options that say where it is, and the open connection."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

from clients.cli.connect import connect
from clients.cli.options import Ca, HomePath, Json, TokenFile, Url
from clients.cli.output.screen import Screen


def speaking(run: Callable[..., int | None]) -> Callable[..., int | None]:
    """Return the command of a function that gets the service of `--home`, the screen, and the command's own options.

    The command has `--home`, `--url`, `--token-file`, `--ca` and `--json` beside its own options. What they need is
    imported when the command runs, so that help and completion answer at once.
    """

    def command(
        home: Path, url: str | None, token_file: Path | None, ca: Path | None, as_json: bool, **own: object
    ) -> int | None:
        with connect(home, url, token_file, ca) as reached:
            return run(reached, Screen(as_json), **own)

    shared = {"home": HomePath, "url": Url, "token_file": TokenFile, "ca": Ca, "as_json": Json}
    missing: dict[str, Any] = {"url": None, "token_file": None, "ca": None, "as_json": False}
    hints = get_type_hints(run, localns={"ConnectedService": object}, include_extras=True)
    own = list(inspect.signature(run).parameters.values())[2:]  # behind the service and the screen
    parameters = [
        *(one.replace(kind=one.KEYWORD_ONLY, annotation=hints[one.name]) for one in own),
        *(
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=missing.get(name, inspect.Parameter.empty),
                annotation=annotation,
            )
            for name, annotation in shared.items()
        ),
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what Typer reads
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    command.__doc__, command.__name__ = run.__doc__, run.__name__
    return command
