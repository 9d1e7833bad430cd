"""Strangers attack the matcher and a node at once while they play a round: the hits of the rehearsal, and `/health`.

The attacks are those of `strangers.py`, or that of `flood.py`, the questions those of `health_watch.py`; each runs as a
process of its own. `AQUILA_ATTACK_ROUNDS` (1) rounds with lists of `AQUILA_ATTACK_RECORDS` (100) records are played.
Nothing is judged by a clock: a busy machine makes the test slower, and what it counts stays the same. Seconds until an
answer about health are those that the service takes, not those in which others have the processors.
"""

import csv
import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from clients.cli.demo.population import FIELDS, populate
from services.kit.settings import LimitSettings
from tests.support.loaded_program import LOADED
from tests.support.process_world import Service, World, free_port, paired_hits, rehearsed_hits

pytestmark = [pytest.mark.e2e, pytest.mark.attack]

ROUNDS = int(os.environ.get("AQUILA_ATTACK_ROUNDS", "1"))
RECORDS = int(os.environ.get("AQUILA_ATTACK_RECORDS", "100"))  # in each list
QUESTIONS = 100  # about health, while strangers come and go
LOOK_SECONDS = 5.0
HANGS = 3_600  # seconds after which a round does not end any more
HERE = Path(__file__).parents[1] / "support"
USUAL_SECONDS = 1.0
"""Of the event loop until health is answered, and unused ones: nineteen of twenty answers take no more."""
MOST_SECONDS = {"loop": 5.0, "threads": 25.0, "unused": 5.0}
"""No answer takes more. Other threads hash passwords meanwhile, each for as long as the event loop waits to run."""
REFUSALS = {
    "watch_rounds": {"303"},
    "send_a_large_body": {"413"},
    "send_without_end": {"303", "404"},  # a matcher has no such page
    "send_a_chunk_for_every_byte": {"411"},
    "send_calls_ahead": {"404"},
    "sign_in": {"401", "503"},
    "send_half_heads": set(),
    "send_half_bodies": set(),
    "name_a_foreign_host": {"421"},
}
"""What a stranger may get of each attack; where nothing is answered, the connection just ends."""


class Program:
    """A program of `tests/support` at a port of a service, which says what it has counted when it is asked."""

    def __init__(self, name: str, service: Service, port: int | None = None) -> None:
        assert service.process is not None
        command = [sys.executable, str(HERE / name), str(port or service.port), str(service.process.pid)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def counted(self) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@contextmanager
def running(*programs: Program) -> Iterator[Sequence[Program]]:
    with ExitStack() as stack:
        for program in programs:
            stack.callback(program.process.communicate)
            stack.callback(program.process.kill)
        yield programs


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Two lists of invented persons, some of whom are in both."""
    written = {}
    for code, rows in islice(populate(RECORDS).rows.items(), 2):
        written[code] = tmp_path / f"{code}.csv"
        with written[code].open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, FIELDS)
            writer.writeheader()
            writer.writerows(rows[:-1])  # the last cannot be used
    return written


@pytest.fixture
def world(tmp_path: Path, files: dict[str, Path]) -> Iterator[World]:
    (tmp_path / "world").mkdir()
    made = World(tmp_path / "world", program=LOADED, poll_seconds=0.5)
    try:
        made.make(sorted(files))
        yield made
    finally:
        made.stop()


def test_a_round_goes_on_while_strangers_attack(world: World, files: dict[str, Path], tmp_path: Path) -> None:
    """The hits are the rehearsal's to the last byte; health is answered within a second, and costs are bounded."""
    expected = as_bytes(rehearsed_hits(files, tmp_path))
    assert expected
    imports = {node.name: world.import_list(node, files[node.name]) for node in world.nodes}
    attacked = [world.matcher, world.nodes[0]]
    with (
        running(*(Program("health_watch.py", service) for service in attacked)) as watched,
        running(*(Program("strangers.py", service) for service in attacked)) as attackers,
    ):
        # Each attack is under way: whatever is answered has been, and connections have ended.
        world.until(lambda: all(is_under_way(attacker.counted()) for attacker in attackers), HANGS)
        for _ in range(ROUNDS):
            before = [answered(watcher) for watcher in watched]
            round_id = world.propose(chunk_elements=1_024)
            world.consent(round_id)
            for node in world.nodes:
                world.submit(node, round_id, imports[node.name])
            world.until(lambda round_id=round_id: world.has_hits(round_id), HANGS)
            after = [answered(watcher) for watcher in watched]
            assert all(first < second for first, second in zip(before, after, strict=True)), "health, during the round"
            assert as_bytes(paired_hits(world, round_id)) == expected
            for service, attacker in zip(attacked, attackers, strict=True):
                check_refused(attacker.counted())
                check_bounded(service)
            world.close(round_id)


@pytest.fixture
def matcher(tmp_path: Path) -> Iterator[Service]:
    """A matcher of nobody, with a port for its metrics."""
    made = Service("matcher", "matcher", tmp_path / "matcher", free_port(), program=LOADED)
    made.run("matcher", "init", "--home", str(made.home), "--port", str(made.port))
    with (made.home / "matcher.toml").open("a", encoding="utf-8") as settings:
        settings.write(f"\n[metrics]\nport = {free_port()}\n")
    made.start()
    try:
        yield made
    finally:
        made.kill()


def test_health_is_answered_while_strangers_come_and_go(matcher: Service) -> None:
    """Those who come faster than the service works keep no question about health from its answer, at either port."""
    own = int(tomllib.loads((matcher.home / "matcher.toml").read_text("utf-8"))["metrics"]["port"])
    asked = (Program("health_watch.py", matcher), Program("health_watch.py", matcher, own))
    with running(Program("flood.py", matcher), *asked) as [flood, *watched]:
        came = 0
        while min([answered(watcher) for watcher in watched]) < QUESTIONS:
            time.sleep(LOOK_SECONDS)
            assert came < (came := flood.counted())
        for path, status in {"/live": 204, "/ready": 204, "/metrics": 200, "/": 404}.items():
            assert httpx.get(f"http://127.0.0.1:{own}{path}", timeout=HANGS).status_code == status
        check_bounded(matcher)


def answered(watcher: Program) -> int:
    """Return how many questions about health were answered; each was, in time, and said that the service is well."""
    counted = watcher.counted()
    assert set(counted["statuses"]) == {"204"}
    answers = counted["answers"]
    late = [one for one in answers if any(one[kind] > most for kind, most in MOST_SECONDS.items())]
    assert late == [], f"of {len(answers)} answers"
    slow = [one for one in answers if max(one["loop"], one["unused"]) > USUAL_SECONDS]
    assert len(slow) <= len(answers) / 20, slow
    return len(answers)


def is_under_way(seen: Mapping[str, Mapping[str, int]]) -> bool:
    """Return whether each attack was tried to its end once, with an answer where there may be one."""
    assert set(seen) == set(REFUSALS)
    return all(set(statuses) & (REFUSALS[attack] or {"0"}) for attack, statuses in seen.items())


def check_refused(seen: Mapping[str, Mapping[str, int]]) -> None:
    """Check that no attack got anything but what a stranger may get, or an end of its connection."""
    for attack, statuses in seen.items():
        assert set(statuses) <= REFUSALS[attack] | {"0"}, attack


def check_bounded(service: Service) -> None:
    """Check that strangers hold no more connections, threads and memory than a service gives them."""
    assert service.process is not None
    process = Path(f"/proc/{service.process.pid}")
    sockets = [one for one in (process / "fd").iterdir() if is_socket(one)]
    assert len(sockets) < LimitSettings().connections + 100, service.name
    fields = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    libraries = 4 * (os.cpu_count() or 1)  # some start a thread for each processor
    assert int(fields["Threads"]) < 150 + libraries, service.name
    assert int(fields["VmHWM"].split()[0]) < 1 << 20, service.name  # KiB: a gibibyte, whatever was sent


def is_socket(descriptor: Path) -> bool:
    try:
        return str(descriptor.readlink()).startswith("socket:")
    except FileNotFoundError:  # it was closed just now
        return False


def as_bytes(hits: set[tuple[str, ...]]) -> bytes:
    """Return the hits as a file: parties, records and level, a line for each."""
    return "".join(",".join(hit) + "\n" for hit in sorted(hits)).encode()
