"""Rounds that are played while a program makes faults, and what has to hold at their end.

Every round has the hits of the rehearsal, and a query those that it has without faults. At the end the logs of all
services verify with each other, and no file of a round and no process is left behind.
"""

import contextlib
import json
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import httpx
import psutil

from aquila.csv_files import ListWriter
from aquila.protocol.submissions.caps import PER_RECORD
from tests.bench.queries.faulty_network import FaultyNetwork, NetworkFaults
from tests.bench.records import COLUMNS, PARTIES, query_rows, write_list
from tests.support.faults import Fault, FaultProgram
from tests.support.lost_machines import Safe
from tests.support.moved_clocks import MovedClocks, faketime_library
from tests.support.process_world import AT_ONCE, THIS, Hit, Program, Service, World, paired_hits, rehearsed_hits, run

ROUND_SECONDS = 1_800.0
"""After which a round that has not ended is a fault, on a machine that does much else as well."""

_SHARE_OF_STEPS = 0.3  # of the steps that people take, before how many a fault is made
_CHUNK_ELEMENTS = 64  # small, so that there are many moments at which a process can die
_POLL_SECONDS = 0.5  # each look asks all services
_RECORDS_BESIDES = 300  # for the query
_OF_ROUNDS = ("chunks/**/*", "keys/*.key")


@dataclass
class FaultyRounds:
    """A world under faults, for a `with` block.

    Attributes:
        root: An empty folder, where homes and files lie.
        database_urls: By the name of the service; SQLite in its home where there is none.
        query: Rows of a query that the first party makes in each round, as a file; None for none.
        longest_pause: Seconds between two faults at most.
        longest_freeze: Seconds for which a process is frozen at most.
        small_disk: Whether the folder is on a small file system of its own, which can be filled.
        clocks: Whether clocks go wrong; that needs the library of `moved_clocks`.
        new_database: Makes an empty database, for a machine that is restored; needed where `database_urls` has any.
        compared: How often hits were compared, those of lists and those of queries; they were equal each time.
        why: Why logs did not verify when that was tried for the last time.
    """

    root: Path
    files: Mapping[str, Path]
    seed: int
    database_urls: Mapping[str, str] = field(default_factory=dict)
    query: Path | None = None
    longest_pause: float = 0.5
    longest_freeze: float = 2.0
    small_disk: bool = False
    clocks: bool = False
    chunk_elements: int = _CHUNK_ELEMENTS
    caps_factor: int = 1
    """How many times what its list needs a party declares: its limits of a day are enough for twice as many rounds."""
    kinds: Collection[Fault] = tuple(Fault)
    program: Program = THIS
    more_settings: str = ""
    new_database: Callable[[], str] | None = None
    rounds: int = 0
    compared: int = 0
    why: str = ""

    def __enter__(self) -> Self:
        """Start a matcher and nodes, with a network between them."""
        (self.root / "world").mkdir()
        self._stack = ExitStack()
        with self._stack:
            scratch = Path(self._stack.enter_context(TemporaryDirectory()))  # never on a disk that is full
            alone = self._stack.enter_context(ThreadPoolExecutor(1))
            library, codes = faketime_library(), sorted(self.files)
            clocks = MovedClocks(self.root, library) if self.clocks and library is not None else None
            names = ("matcher", *codes)
            self.world = World(
                self.root / "world",
                self.database_urls,
                tls=True,
                callers_show=True,
                programs={
                    name: self.program if clocks is None else clocks.program(name, self.program) for name in names
                },
                more_settings=dict.fromkeys(names, self.more_settings),
                before_matcher=self._network_before,
                poll_seconds=_POLL_SECONDS,
            )
            self._stack.callback(self.world.stop)
            self.world.make(codes)
            self.faults = FaultProgram(
                self.world,
                self._network,
                self.seed,
                longest_freeze=self.longest_freeze,
                clocks=clocks,
                disk=self.root if self.small_disk else None,
                lose=self._lose,
                kinds=self.kinds,
            )
            self._safe: Safe | None = None
            self._safe_folder = scratch / "safe"
            with ThreadPoolExecutor(AT_ONCE) as pool:
                imports = pool.map(lambda one: self.world.import_list(one, self.files[one.name]), self.world.nodes)
                self._imports = dict(zip((one.name for one in self.world.nodes), imports, strict=True))
            self._of_query: set[Hit] = set()
            # It goes on while the first round is played, which takes as long.
            self._rehearsed = alone.submit(rehearsed_hits, self.files, scratch, self.program, ROUND_SECONDS)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def play(self, is_enough: Callable[[], bool]) -> None:
        """Play a round to its end, with faults while people act, and then until everyone has its hits.

        Args:
            is_enough: Asked before each fault, whether no more of them are to be made in this round.
        """
        world, self._is_enough = self.world, is_enough
        if self.rounds and not is_enough():
            self.faults.lose_one()
        round_id = world.propose(chunk_elements=self.chunk_elements, mode="lists_and_queries", caps=self._caps())
        for node in world.nodes:
            self._between_steps()
            self._wait(partial(world.knows, node, round_id))
            records = self.caps_factor * self._longest() if self.caps_factor > 1 else None
            consent = partial(world.consent, round_id, node, records=records)
            self._act(node, consent, partial(world.has_consented, node, round_id))
        for node in world.nodes:
            self._between_steps()
            self._wait(partial(world.is_open, node, round_id))
            self._submit(node, round_id, self._imports[node.name])
        self._spoil_until(partial(world.has_hits, round_id))
        hits = paired_hits(world, round_id)
        self._compare(hits, self._rehearsed.result())
        if self.query is not None:
            self._ask(round_id, self.query, hits)
        self._between_steps()
        world.ask_to_close(round_id)
        self._between_steps()
        # All is said by then, so that a machine which is lost from here on takes nothing along that a backup lacks.
        self._wait(partial(self._is_over, round_id))
        self.rounds += 1

    @property
    def not_made(self) -> dict[Fault, str]:
        """Return the kinds of faults that are wanted and cannot be made here, each with the reason."""
        return {kind: _why_not(kind) for kind in Fault if kind in set(self.kinds) - self.faults.kinds}

    def finish(self) -> None:
        """End the faults, and verify what is left: logs, files and processes."""
        self.faults.end()
        for service in self.world.services.values():
            left = [path.name for names in _OF_ROUNDS for path in service.home.glob(names) if path.is_file()]
            assert not left, f"{service.name} keeps files of rounds that are over: {left[:5]}; seed {self.seed}"
        try:
            self._wait(self._logs_verify)
        except AssertionError as error:
            raise AssertionError(f"logs do not verify; seed {self.seed}: {self.why}") from error

    def unexpected_errors(self) -> list[str]:
        """Return the places of errors in the services' logs that are not of the project's own tree of errors."""
        found = set()
        for service in self.world.services.values():
            for line in service.log.read_text(errors="replace").splitlines():
                with contextlib.suppress(ValueError):  # a process that is killed may leave half a line
                    content = json.loads(line)
                    if "trace" in content:
                        found.add(f"{content['event']}: {content['error']} at {content['trace'][-1]}")
        return sorted(found)

    def memory(self) -> dict[str, int]:
        found = {}
        for name, service in self.world.services.items():
            octets = 0
            for process in service.family():
                with contextlib.suppress(psutil.NoSuchProcess):  # a worker may end at any time
                    octets += process.memory_full_info().pss
            found[name] = octets >> 20
        return found

    def _lose(self, service: Service) -> None:
        if self._safe is None:
            self._safe = Safe(self._safe_folder, self.world, self.faults.end_at_once, self.new_database)
        self._safe.lose(service)

    def _is_over(self, round_id: str) -> bool:
        """Return whether everyone has destroyed its keys and said so, and knows that the round is closed."""
        services = self.world.services.values()
        return self.world.is_closed(round_id) and all(self.world.phase(one, round_id) == "closed" for one in services)

    def _caps(self) -> list[dict[str, object]]:
        """Return caps that the lists need, with which rounds of many parties fit on a small file system."""
        needed = self.caps_factor * (self._longest() + _RECORDS_BESIDES)
        elements = {kind: most * needed for kind, most in PER_RECORD.items()}
        return [{"party": code, "elements": elements} for code in sorted(self.files)]

    def _longest(self) -> int:
        """Return the number of records of the longest list, or a few more."""
        return max(path.read_bytes().count(b"\n") for path in self.files.values())

    def _network_before(self, port: int) -> int:
        self._network = self._stack.enter_context(FaultyNetwork(port, NetworkFaults(), self.seed))
        return self._network.port

    def _wait(self, true: Callable[[], bool]) -> None:
        """Wait until something holds; a process that ends by itself is a fault at once."""

        def holds() -> bool:
            ended = [one.name for one in self.world.services.values() if one.process and one.process.poll() is not None]
            assert not ended, f"{ended} ended; seed {self.seed}"
            return true()

        self.world.until(holds, ROUND_SECONDS)

    def _between_steps(self) -> None:
        if self.faults.perhaps(_SHARE_OF_STEPS) and not self._is_enough():
            self.faults.make_one()

    def _submit(self, node: Service, round_id: str, import_id: str, kind: str = "list") -> str:
        """Let the people of a node submit an import, and return the submission's id."""
        find = partial(self.world.submission_of, node, round_id, import_id)
        self._act(node, partial(self.world.submit, node, round_id, import_id, kind), lambda: find() is not None)
        submission = find()
        assert submission is not None
        return submission

    def _act(self, service: Service, act: Callable[[], object], is_done: Callable[[], bool]) -> None:
        """Let people act at their service; where it is killed meanwhile, they look what became of it, and go on."""
        if Fault.KILL not in self.faults.kinds or not self.faults.perhaps(_SHARE_OF_STEPS) or self._is_enough():
            act()
            return
        with ThreadPoolExecutor(1) as pool:
            acting = pool.submit(act)
            self.faults.kill_in_call(service)
            with contextlib.suppress(httpx.TransportError, AssertionError):
                acting.result()
        service.approve_all()
        if not is_done():
            act()

    def _spoil_until(self, true: Callable[[], bool]) -> None:
        """Make faults until something holds; once there are enough, wait for it."""
        while not self._is_enough():
            with contextlib.suppress(httpx.TransportError):
                if true():
                    return
            self.faults.pause(self.longest_pause)
            self.faults.make_one()
        self._wait(true)

    def _ask(self, round_id: str, query: Path, of_lists: set[Hit]) -> None:
        """Make a query, and compare its hits with those that it had the first time."""
        world, asker = self.world, self.world.nodes[0]
        imported: list[str] = []
        self._act(asker, lambda: imported.append(world.import_list(asker, query)), lambda: bool(imported))
        submission = self._submit(asker, round_id, imported[0], "query")
        self._spoil_until(partial(self._is_answered, round_id, submission))
        hits = paired_hits(world, round_id) - of_lists
        self._of_query = self._of_query or hits
        self._compare(hits, self._of_query)

    def _is_answered(self, round_id: str, submission: str) -> bool:
        """Return whether the first party's query is answered, after its owners released what they hold back.

        The same persons in round after round are far too many hits in the end.
        """
        if self.world.is_answered(self.world.nodes[0], round_id, submission):
            return True
        for node in self.world.nodes[1:]:
            node.release_reports(round_id)
        return False

    def _compare(self, found: set[Hit], expected: set[Hit]) -> None:
        missing, more = sorted(expected - found), sorted(found - expected)
        assert expected, "there are hits to be found"
        assert found == expected, f"missing {missing[:5]}, unexpected {more[:5]}; seed {self.seed}"
        self.compared += 1

    def _logs_verify(self) -> bool:
        """Return whether each log verifies together with all others; cosignatures follow a little later."""
        archives = {}
        for name, service in self.world.services.items():
            archives[name] = self.root / f"{name}.tar"
            archives[name].unlink(missing_ok=True)
            words = ("audit", "export", *service.reached_by, "--out", str(archives[name]))
            run(*words, person=self.world.person("first"), program=self.program)
        registry = str(self.world.matcher.home / "registry.toml")
        for name, archive in archives.items():
            others = [word for other in archives if other != name for word in ("--with", str(archives[other]))]
            try:
                run("audit", "verify", str(archive), *others, "--registry", registry, program=self.program)
            except AssertionError as error:
                self.why = str(error)
                return False
        return True


def _why_not(kind: Fault) -> str:
    if kind is Fault.CLOCK:
        if faketime_library() is None:
            return "Debian's package faketime is not installed"
        return "the services come from a program that was loaded without the library that moves clocks"
    assert kind is Fault.DISK, "all others can be made everywhere"
    return "no small file system could be mounted, which needs root and `unshare`"


def write_lists(folder: Path, parties: int, records: int, seed: int) -> dict[str, Path]:
    files = {code: folder / f"{code}.csv" for code in PARTIES[:parties]}
    for code, path in files.items():
        write_list(path, code, records, seed)
    return files


def write_query(folder: Path, records: int, persons: int, seed: int) -> Path:
    path = folder / "query.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = ListWriter(stream)
        writer.write(COLUMNS)
        for row in query_rows(PARTIES[0], persons, 0, records, seed):
            writer.write(row)
    return path
