"""Services after years: `python -m tests.years make|start|idle|pages FOLDER`."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from tests.years.large_homes import make_homes
from tests.years.measures import measure_idle, measure_start
from tests.years.page_costs import page_costs, table_of


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.years", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make", help="make homes of a matcher and three nodes with many rounds")
    make.add_argument("--open", type=int, default=50, help="rounds that wait for consents or lists")
    make.add_argument("--closed", type=int, default=1_000, help="rounds that are over")
    make.add_argument("--statements", type=int, default=100, help="signed statements of each of these")
    make.add_argument("--hits", type=int, default=10_000, help="hits of one node in one more round, or 0 for none")
    start = commands.add_parser("start", help="start the services on these homes, and report what that costs")
    idle = commands.add_parser("idle", help="report what the services cost while nothing happens")
    idle.add_argument("--settle", type=int, default=120, help="seconds to wait after the start")
    idle.add_argument("--seconds", type=int, default=300, help="seconds to watch")
    pages = commands.add_parser("pages", help="report what every page of the matcher and of a node costs")
    for command in (make, start, idle, pages):
        command.add_argument("folder", type=Path)
    given = parser.parse_args()
    if given.command == "make":
        given.folder.mkdir(parents=True)
        asyncio.run(make_homes(given.folder, given.open, given.closed, given.statements, given.hits))
    elif given.command == "idle":
        measure_idle(given.folder, given.settle, given.seconds)
    elif given.command == "pages":
        print("\n".join(table_of(asyncio.run(page_costs(given.folder)))))  # noqa: T201 - the report
    else:
        measure_start(given.folder)


if __name__ == "__main__":
    main()
