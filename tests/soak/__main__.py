"""`python -m tests.soak`: rounds and queries under faults, in parts, and the figures of each part as JSON.

Each part has a world, a database and a seed of its own, so that a part that fails can be played again by itself. Disks
are filled where this program may mount a small file system, and clocks are moved where Debian's `faketime` is there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.faulty_rounds import FaultyRounds, write_lists, write_query
from tests.support.postgres_databases import PostgresDatabases, running_postgres

if TYPE_CHECKING:
    from collections.abc import Sequence

_DATABASES = ("sqlite", "postgresql")
_PERSONS = 20  # of a query
_PAUSE_SECONDS = 2.0
_FREEZE_SECONDS = 40.0  # longer than a caller waits for an answer
_DISK_SIZE = "2g"
_POSTGRESQL_NODES = 6  # at most: the server of the tests takes a hundred connections
_MOUNTED = "AQUILA_SOAK_MOUNTED"


@dataclass(frozen=True)
class Wanted:
    """The size of one part, and how long it lasts at least."""

    seconds: float
    nodes: int
    records: int
    chunk_elements: int
    faults_a_round: int


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=float(os.environ.get("AQUILA_SOAK_MINUTES", "60")))
    parser.add_argument("--database", choices=_DATABASES, action="append", help="one part for each; both if not given")
    parser.add_argument("--nodes", type=int, default=12)
    parser.add_argument("--records", type=int, default=5_000, help="of each list")
    parser.add_argument("--chunk", type=int, default=2_048, help="elements of a chunk")
    parser.add_argument("--faults", type=int, default=40, help="at most in one round")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the parts' folders are made; a temporary one if not given")
    given = parser.parse_args()
    _unshare_mounts()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)  # whatever ends this program, no process stays behind
    databases = given.database or _DATABASES
    seconds = 60 * given.minutes / len(databases)
    wanted = Wanted(seconds, given.nodes, given.records, given.chunk, given.faults)
    with tempfile.TemporaryDirectory(prefix="aquila-soak-") as temporary:
        for number, database in enumerate(databases):
            folder = (given.folder or Path(temporary)) / f"{number}-{database}"
            folder.mkdir(parents=True)
            figures = play(folder, database, given.seed + number, wanted, small_disk=_mount_small(folder))
            sys.stdout.write(json.dumps(figures, indent=2) + "\n")
            sys.stdout.flush()


def play(folder: Path, database: str, seed: int, wanted: Wanted, *, small_disk: bool) -> dict[str, Any]:
    """Play one part and return its figures."""
    nodes = min(wanted.nodes, _POSTGRESQL_NODES) if database == "postgresql" else wanted.nodes
    files = write_lists(folder, nodes, wanted.records, seed)
    query = write_query(folder, wanted.records, _PERSONS, seed)
    with ExitStack() as stack:
        urls = {}
        if database == "postgresql":
            databases = stack.enter_context(PostgresDatabases(stack.enter_context(running_postgres())))
            urls = {name: databases.make() for name in ("matcher", *files)}
        played = FaultyRounds(
            folder, files, seed, urls, query, _PAUSE_SECONDS, _FREEZE_SECONDS, small_disk=small_disk, clocks=True,
            chunk_elements=wanted.chunk_elements,
        )  # fmt: skip
        stack.enter_context(played)
        faults, began = played.faults, time.monotonic()
        _say(f"{database}: the services run")
        played.play(lambda: True)
        memory = [played.memory()]
        _say(f"{database}: a round without faults ended after {time.monotonic() - began:.0f} s, {memory[0]} MiB")
        while time.monotonic() - began < wanted.seconds:
            most = faults.made.total() + wanted.faults_a_round
            played.play(lambda most=most: faults.made.total() >= most)  # type: ignore[misc]  # mypy sees no default
            memory.append(played.memory())
            _say(f"{database}: {played.rounds} rounds, {faults.kills} kills, {dict(faults.made)}, {memory[-1]} MiB")
        played.finish()
        return {
            "database": database, "seed": seed, "nodes": nodes, "records": wanted.records,
            "seconds": round(time.monotonic() - began), "rounds": played.rounds, "kills": faults.kills,
            "faults": {kind.name.lower(): count for kind, count in sorted(faults.made.items())},
            "unexpected_errors": played.unexpected_errors(), "memory_mebibytes": _first_and_last(memory),
        }  # fmt: skip


def _unshare_mounts() -> None:
    """Go on with mounts of one's own, which end with this program, where it has the right to that."""
    unshare = shutil.which("unshare")
    if os.geteuid() == 0 and unshare and _MOUNTED not in os.environ:
        os.environ[_MOUNTED] = "1"
        os.execv(unshare, [unshare, "--mount", sys.executable, "-m", "tests.soak", *sys.argv[1:]])  # noqa: S606 - this program


def _mount_small(folder: Path) -> bool:
    """Put a small file system in memory on a folder, and return whether that was possible."""
    if _MOUNTED not in os.environ:
        return False
    words = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_SIZE}", "tmpfs", str(folder)]
    return subprocess.run(words, check=False).returncode == 0


def _first_and_last(memory: Sequence[dict[str, int]]) -> dict[str, list[int]]:
    """Return the memory of each service after the first and after the last round."""
    return {name: [memory[0][name], memory[-1][name]] for name in memory[0]}


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
