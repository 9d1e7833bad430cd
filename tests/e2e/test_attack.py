"""Strangers attack the matcher and a node at once while they play a round: the hits of the rehearsal, and `/health`.

The attacks are those of `strangers.py`, the questions those of `health_watch.py`; each runs as processes of its own.
`AQUILA_ATTACK_SECONDS` (20) is how long they go on; rounds with lists of `AQUILA_ATTACK_RECORDS` (700) records
are played one after another until then.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clients.cli.demo.population import FIELDS, populate
from tests.support.process_world import Service, World, paired_hits, rehearsed_hits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = pytest.mark.e2e

SECONDS = float(os.environ.get("AQUILA_ATTACK_SECONDS", "20"))
LONGEST = SECONDS + 1_200  # no attacker and no watcher outlives the test
ROUND_SECONDS = 600  # a round under attack, on a machine that does something else as well
ANSWER_SECONDS = 1.0
RECORDS = int(os.environ.get("AQUILA_ATTACK_RECORDS", "700"))  # in each list
HERE = Path(__file__).parents[1] / "support"


@dataclass
class Seen:
    """What a program printed when it ended."""

    programs: list[subprocess.Popen[bytes]] = field(default_factory=list)
    printed: list[Any] = field(default_factory=list)


@contextmanager
def running(name: str, *arguments: Sequence[object]) -> Iterator[Seen]:
    """Run a program of `tests/support` once for each line of arguments, and end all of them."""
    seen = Seen()
    with ExitStack() as stack:
        for words in arguments:
            command = [sys.executable, str(HERE / name), *map(str, words), str(LONGEST)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE)
            stack.callback(process.kill)
            seen.programs.append(process)
        yield seen
        for process in seen.programs:
            process.terminate()
        for process in seen.programs:
            printed, _ = process.communicate(timeout=120)
            seen.printed.append(json.loads(printed))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Three lists of invented persons, some of whom are in several."""
    written = {}
    for code, rows in populate(RECORDS).rows.items():
        written[code] = tmp_path / f"{code}.csv"
        with written[code].open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, FIELDS)
            writer.writeheader()
            writer.writerows(rows[:-1])  # the last cannot be used
    return written


@pytest.fixture
def world(tmp_path: Path, files: dict[str, Path]) -> Iterator[World]:
    """A matcher and three nodes."""
    (tmp_path / "world").mkdir()
    made = World(tmp_path / "world")
    try:
        made.make(sorted(files))
        yield made
    finally:
        made.stop()


def test_a_round_goes_on_while_strangers_attack(world: World, files: dict[str, Path], tmp_path: Path) -> None:
    """The hits are the rehearsal's to the last byte, and whoever asks for health is answered within a second.

    Seconds in which other processes have the processors do not count: the attackers, three nodes with their workers,
    and whatever else the machine does share two cores.
    """
    expected = as_bytes(rehearsed_hits(files, tmp_path))
    assert expected
    imports = {node.name: world.import_list(node, files[node.name]) for node in world.nodes}
    attacked = [world.matcher, world.nodes[0]]
    with running("health_watch.py", *([service.port, pid(service)] for service in attacked)) as watched:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            round_id = begin(world)
            with running("strangers.py", *([service.port] for service in attacked)) as attackers:
                for node in world.nodes:
                    world.submit(node, round_id, imports[node.name])
                while not world.has_hits(round_id) and time.monotonic() < until:
                    time.sleep(1)
                assert [program.poll() for program in attackers.programs] == [None, None], "they attack all the time"
            world.until(lambda round_id=round_id: world.has_hits(round_id), ROUND_SECONDS)
            assert as_bytes(paired_hits(world, round_id)) == expected
            for seen in attackers.printed:
                check_refused(seen)
            world.close(round_id)
    for answers in watched.printed:
        assert {status for status, _, _ in answers} == {204}
        late = [(seconds, waited) for _, seconds, waited in answers if seconds - waited > ANSWER_SECONDS]
        assert late == [], f"of {len(answers)} answers, in seconds, with those without a processor"


def begin(world: World) -> str:
    """Propose a round without planted hits, which a rehearsal has not, and let everyone consent."""
    round_id = world.propose(chunk_elements=1_024, canaries=0)
    world.consent(round_id)
    return round_id


def pid(service: Service) -> int:
    """Return the number of a service's process."""
    assert service.process is not None
    return service.process.pid


def as_bytes(hits: set[tuple[str, ...]]) -> bytes:
    """Return the hits as a file: parties, records and level, a line for each."""
    return "".join(",".join(hit) + "\n" for hit in sorted(hits)).encode()


def check_refused(seen: dict[str, dict[str, int]]) -> None:
    """Check that each attack was tried, and got nothing but what a stranger may get.

    Args:
        seen: How often each attack got each status; 0 where the connection ended without an answer.
    """
    may = {
        "watch_rounds": {"303"},
        "send_a_large_body": {"413"},
        "send_without_end": {"303", "404"},  # a matcher has no such page
        "sign_in": {"401", "503"},
        "send_half_heads": set(),
        "send_half_bodies": set(),
        "name_a_foreign_host": {"421"},
    }
    assert set(seen) == set(may)
    for attack, statuses in seen.items():
        assert set(statuses) <= may[attack] | {"0"}, attack
    answered = {attack for attack, statuses in seen.items() if set(statuses) & may[attack]}
    assert answered >= {"watch_rounds", "sign_in", "name_a_foreign_host", "send_a_large_body"}
