"""The parts of the soak: each plays rounds in a world of its own for a while, checks them, and returns its figures."""

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from tests.soak.judging import never_made
from tests.support.faults import KILLS, Fault, FaultProgram
from tests.support.faulty_rounds import FaultyRounds, write_lists, write_query
from tests.support.loaded_program import LOADED, load
from tests.support.memory_growth import LEAST_ROUNDS, WARM_UP_ROUNDS, WARM_UP_SECONDS, check_flat, own_kibibytes
from tests.support.moved_clocks import faketime_library, loading
from tests.support.postgres_databases import PostgresDatabases, running_postgres
from tests.support.process_world import THIS, Program

Tell: TypeAlias = Callable[[str], None]
_PERSONS = 20  # of a query
_ONE_WORKER = "workers = 1\n"  # a thread of the service itself
_MANY_ROUNDS = 100  # of short lists, in a day
_CONNECTIONS = 50  # of a service to its database, at most
_LONGEST = 3.0  # times what a part lasts, while it misses something


@dataclass(frozen=True)
class Size:
    """The size of one part, and how long it lasts at least."""

    seconds: float
    seed: int
    nodes: int
    records: int
    chunk_elements: int
    faults_a_round: int
    needed_kills: int = 0


@dataclass(frozen=True)
class Conditions:
    kinds: Collection[Fault] = tuple(Fault)
    longest_pause: float = 2.0
    longest_freeze: float = 40.0  # longer than a caller waits for an answer
    program: Program = THIS
    more_settings: str = ""
    clocks: bool = False
    small_disk: bool = False
    calm_first: bool = True
    caps_factor: int = 1

    def goes_on(self, rounds: int, passed: float, size: Size, faults: FaultProgram) -> bool:
        """Return whether a part plays one more round under faults."""
        if rounds < 1 + self.calm_first:
            return True
        return passed < size.seconds or (passed < _LONGEST * size.seconds and is_missing(size, faults))


def play_faults(
    folder: Path, size: Size, tell: Tell, *, database: str, small_disk: bool, loaded: bool, calm_first: bool
) -> dict[str, Any]:
    """Play rounds under all kinds of faults, on SQLite or PostgreSQL.

    Args:
        tell: Takes a line about each round.
        small_disk: Whether the folder is on a file system that can be filled.
        loaded: Whether services are forked as in `play_kills`; then clocks go wrong only where no other part came
            before this one.
        calm_first: Whether the first round has no faults; else its query is compared with nothing.
    """
    conditions = Conditions(clocks=True, small_disk=small_disk, calm_first=calm_first)
    if loaded:
        library = faketime_library()
        clocks = library is not None and load(loading(library))
        conditions = replace(conditions, clocks=clocks, program=LOADED, more_settings=_ONE_WORKER)
    return _play(folder, size, tell, conditions, database)


def play_kills(folder: Path, size: Size, tell: Tell, *, calm_first: bool = True) -> dict[str, Any]:
    """Play rounds in which processes are killed one after another, as fast as they can be started again.

    They are forked from a process that has loaded the program, and work in threads of their own: so a start takes a
    tenth of the time.
    """
    conditions = Conditions(
        KILLS,
        longest_pause=0.5,
        program=LOADED,
        more_settings=_ONE_WORKER,
        calm_first=calm_first,
        caps_factor=_MANY_ROUNDS,
    )
    return _play(folder, size, tell, conditions)


def play_memory(folder: Path, size: Size, tell: Tell, program: Program = THIS) -> dict[str, Any]:
    """Play rounds without faults, in which the memory of all services has to stay as it was after the first ones."""
    files, query = _lists(folder, size)
    first: dict[str, int] = {}
    samples: dict[str, list[int]] = {}
    with FaultyRounds(
        folder,
        files,
        size.seed,
        query=query,
        chunk_elements=size.chunk_elements,
        caps_factor=_MANY_ROUNDS,
        program=program,
        kinds=(),
    ) as played:
        began, warm_up, passed = time.monotonic(), 0, 0.0
        while played.rounds <= warm_up + LEAST_ROUNDS or passed < size.seconds:
            played.play(lambda: True)
            passed = time.monotonic() - began
            sizes = {name: own_kibibytes(service.family()) for name, service in played.world.services.items()}
            first = first or sizes
            if played.rounds <= WARM_UP_ROUNDS or passed < WARM_UP_SECONDS:
                warm_up = played.rounds
            else:
                for name, kibibytes in sizes.items():
                    samples.setdefault(name, []).append(kibibytes)
            tell(f"memory: {played.rounds} rounds in {passed:.0f} s, {sizes} KiB")
        played.finish()
        figures = _figures(played, size, began) | {"warm_up_rounds": warm_up}
    mebibytes = {
        name: [kibibytes >> 10 for kibibytes in (first[name], *taken[:: len(taken) - 1])]
        for name, taken in samples.items()
    }
    return figures | {"own_mebibytes": mebibytes, "growth_kibibytes_a_round": check_flat(samples)}


def _play(folder: Path, size: Size, tell: Tell, conditions: Conditions, database: str = "sqlite") -> dict[str, Any]:
    files, query = _lists(folder, size)
    with ExitStack() as stack:
        urls: Mapping[str, str] = {}
        new_database: Callable[[], str] | None = None
        if database == "postgresql":
            server = stack.enter_context(running_postgres(_CONNECTIONS * (size.nodes + 1)))
            databases = stack.enter_context(PostgresDatabases(server))
            urls, new_database = {name: databases.make() for name in ("matcher", *files)}, databases.make
        played = FaultyRounds(
            folder,
            files,
            size.seed,
            urls,
            query,
            conditions.longest_pause,
            conditions.longest_freeze,
            small_disk=conditions.small_disk,
            clocks=conditions.clocks,
            chunk_elements=size.chunk_elements,
            caps_factor=conditions.caps_factor,
            kinds=conditions.kinds,
            program=conditions.program,
            more_settings=conditions.more_settings,
            new_database=new_database,
        )
        stack.enter_context(played)
        faults, began = played.faults, time.monotonic()
        tell("the services run")
        for kind, reason in played.not_made.items():
            tell(f"NOT MADE: {kind.name.lower()}, because {reason}")
        memory: dict[str, list[int]] = {}
        if conditions.calm_first:
            played.play(lambda: True)
            tell(f"a round without faults ended after {time.monotonic() - began:.0f} s")
            _note_memory(memory, played, tell)
        while conditions.goes_on(played.rounds, time.monotonic() - began, size, faults):
            most = faults.made.total() + size.faults_a_round
            played.play(lambda most=most: faults.made.total() >= most)  # type: ignore[misc]  # mypy sees no default
            made = {kind.name.lower(): count for kind, count in sorted(faults.made.items())}
            tell(f"{time.monotonic() - began:.0f} s: {played.rounds} rounds, {faults.kills} kills, {made}")
            _note_memory(memory, played, tell)
        played.finish()
        return _figures(played, size, began) | {"database": database, "mebibytes_after_rounds": memory}


def is_missing(size: Size, faults: FaultProgram) -> bool:
    return faults.kills < size.needed_kills or bool(never_made(faults.kinds, faults.made))


def _note_memory(noted: dict[str, list[int]], played: FaultyRounds, tell: Tell) -> None:
    """Note the memory of each service after a round; it is judged in the part without faults alone."""
    sizes = played.memory()
    for name, mebibytes in sizes.items():
        noted.setdefault(name, []).append(mebibytes)
    tell(f"memory: {sizes} MiB")


def _lists(folder: Path, size: Size) -> tuple[Mapping[str, Path], Path]:
    files = write_lists(folder, size.nodes, size.records, size.seed)
    return files, write_query(folder, size.records, _PERSONS, size.seed)


def _figures(played: FaultyRounds, size: Size, began: float) -> dict[str, Any]:
    faults = played.faults
    return {
        "seed": size.seed,
        "nodes": size.nodes,
        "records": size.records,
        "seconds": round(time.monotonic() - began),
        "rounds": played.rounds,
        "hits_as_expected": played.compared,
        "kills": faults.kills,
        "needed_kills": size.needed_kills,
        "killed": dict(sorted(faults.killed.items())),
        "restored": dict(sorted(faults.restored.items())),
        "faults": {kind.name.lower(): count for kind, count in sorted(faults.made.items())},
        "never_made": never_made(faults.kinds, faults.made),
        "not_made": {kind.name.lower(): reason for kind, reason in played.not_made.items()},
        "unexpected_errors": played.unexpected_errors(),
    }
