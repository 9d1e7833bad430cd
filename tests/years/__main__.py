"""Services after years: `python -m tests.years make FOLDER` and `python -m tests.years check [FOLDER]`.

`check` makes homes where the folder has none, measures on them what a start, rest, every page and every call by which
people read cost, and ends with status 1 and a table where something is above its bound.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.years.answer_costs import answer_costs, cost_table
from tests.years.bounds import Figure, over_bounds, table_of
from tests.years.homes import DATABASES, Homes, homes_on
from tests.years.large_homes import make_homes
from tests.years.measures import idle_figures, start_figures

PARTS = ("services", "answers")


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.years", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make", help="make homes of a matcher and three nodes with many rounds")
    check = commands.add_parser("check", help="measure services on such homes, and compare with the bounds")
    make.add_argument("folder", type=Path)
    check.add_argument("folder", type=Path, nargs="?", help="a temporary one if not given")
    for command in (make, check):
        command.add_argument("--open", type=int, default=50, help="rounds that wait for consents or lists")
        command.add_argument("--closed", type=int, default=1_000, help="rounds that are over")
        command.add_argument("--statements", type=int, default=100, help="signed statements of each of these")
        command.add_argument("--hits", type=int, default=10_000, help="hits of one node in one more round")
    check.add_argument("--database", choices=DATABASES, action="append", help="those to measure on; both if not given")
    check.add_argument("--part", choices=PARTS, action="append", help="what to measure; both if not given")
    check.add_argument("--settle", type=int, default=300, help="seconds to wait between the start and rest")
    check.add_argument("--seconds", type=int, default=150, help="seconds to watch services at rest")
    given = parser.parse_args()
    if given.command == "make":
        _make(given.folder, given)
        return
    with tempfile.TemporaryDirectory(prefix="aquila-years-") as temporary:
        folder = given.folder or Path(temporary) / "homes"
        if not folder.exists():
            _make(folder, given)
        figures = [figure for name in given.database or DATABASES for figure in _figures(name, folder, given)]
    over = over_bounds(figures)
    _tell(f"\n{len(figures)} figures, {len(over)} above their bounds")
    if over:
        _tell(*table_of(over))
        sys.exit(1)


def _make(folder: Path, given: argparse.Namespace) -> None:
    folder.mkdir(parents=True)
    asyncio.run(make_homes(folder, given.open, given.closed, given.statements, given.hits))


def _figures(database: str, folder: Path, given: argparse.Namespace) -> Iterator[Figure]:
    """Measure on one database, and report it."""
    parts = given.part or PARTS
    with homes_on(database, folder) as homes:
        _tell(f"\nOn {database}:\n")
        if "services" in parts:
            with homes.services() as services:
                figures = [*start_figures(homes, services), *idle_figures(homes, services, given.settle, given.seconds)]
            _tell(*table_of(figures))
            yield from figures
        if "answers" in parts:
            yield from asyncio.run(_answers(homes))


async def _answers(homes: Homes) -> list[Figure]:
    """Measure all pages and calls, and report them."""
    costs = [cost async for cost in answer_costs(homes)]
    _tell("", *cost_table(costs))
    return [cost.figure(homes.database) for cost in costs]


def _tell(*lines: str) -> None:
    print("\n".join(lines), flush=True)


if __name__ == "__main__":
    main()
