"""Options that several commands share, each explained once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else there.")]

Rules = Annotated[
    str, typer.Option("--rules", metavar="NAME|FILE", help="Match rules: default, exact, or a TOML file of your own.")
]

Lists = Annotated[
    list[str],
    typer.Option(
        "--party",
        metavar="CODE=FILE",
        help="A party and its list, once for each party: CSV, or FollowTheMoney (.jsonl, .json, .ftm).",
    ),
]

Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the hits go, as CSV.")]

Report = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="Where counts, times and findings go, as JSON.")
]

ListFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The list: CSV, or FollowTheMoney (.jsonl, .json, .ftm).")
]
