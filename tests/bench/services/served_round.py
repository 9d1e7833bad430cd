"""One round of lists among real services, from the import of lists to the last confirmation of a hit."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from aquila.protocol.messages import ClassCounts, Kind, Mode
from aquila.protocol.submissions.caps import PER_RECORD
from aquila.records.rules import InputClass
from clients.local_services.processes import DemoProcesses
from tests.bench.records import write_list
from tests.bench.services.log_tail import LogTail
from tests.bench.services.usage import ProcessUsage, UsageWatch
from tests.bench.services.world import BenchServices

Watch = Callable[[str, str, int, int], None]
_CAP = 200_000  # elements of the class full that a party may declare by default
_PATIENCE_SECONDS = 4 * 3_600.0
IMPORTED = "all lists are imported"
"""The end of the first part of a round, which an officer does before: it is measured by itself."""

_PREPARED, _CONFIRMED = "hits_prepared", "hits_confirmed"


class FoundHit(NamedTuple):
    """A hit as both sides know it, the party that comes first first."""

    party_a: str
    record_id_a: str
    party_b: str
    record_id_b: str
    certainty: str


class RoundPart(NamedTuple):
    """A part of a round: its seconds, and the processor seconds of all services with their workers."""

    seconds: float
    processor_seconds: float


@dataclass(frozen=True, slots=True)
class ServedRound:
    """The cost of a round among services.

    Attributes:
        peak_memory: The most bytes that all processes held together; pages they share count for each.
        sides: Sides of hits that were confirmed: two for each hit.
    """

    lists: tuple[int, ...]
    parts: dict[str, RoundPart]
    services: dict[str, ProcessUsage]
    peak_memory: int
    sides: int

    @property
    def seconds(self) -> float:
        """From the first consent to the last confirmation."""
        return round(sum(part.seconds for end, part in self.parts.items() if end != IMPORTED), 2)

    @property
    def processor_seconds(self) -> float:
        """Of all services with their workers, from the first consent to the last confirmation."""
        return round(sum(part.processor_seconds for end, part in self.parts.items() if end != IMPORTED), 2)


@dataclass(slots=True)
class _Exchange:
    """The state of the exchange of notes at one node, by its log."""

    tail: LogTail
    prepared: int | None = None
    confirmed: int = 0

    def look(self) -> None:
        """Read the new lines of the log."""
        counts = self.tail.counts_of(_PREPARED, _CONFIRMED)
        if _PREPARED in counts:
            self.prepared = (self.prepared or 0) + counts[_PREPARED]
        self.confirmed += counts.get(_CONFIRMED, 0)

    @property
    def is_done(self) -> bool:
        """Return whether the counterparts confirmed every hit that was reported."""
        return self.confirmed == self.prepared


def list_file(folder: Path, code: str, records: int) -> Path:
    """Return the file of an invented list, which is written if it is not there."""
    path = folder / f"{code}-{records}.csv"
    if not path.exists():
        write_list(path, code, records)
    return path


def play(
    stage: DemoProcesses, folder: Path, lists: Sequence[int], watch: Watch, *, compare: bool
) -> tuple[ServedRound, list[FoundHit]]:
    """Start services, and play one round of lists with default rules and padding.

    Args:
        lists: How many records each party has.
        watch: Is told of progress: phase, party, done and all.
        compare: Whether to ask every node for its hits at the end, which is not measured.

    Returns:
        What it took, and the hits if they were asked for.
    """
    services = BenchServices(stage, len(lists), patience_seconds=_PATIENCE_SECONDS)
    paths = {code: list_file(folder, code, records) for code, records in zip(services.parties, lists, strict=True)}
    try:
        services.open()
        services.propose(Mode.LISTS, _caps(dict(zip(paths, lists, strict=True))))
        exchanges = {code: _Exchange(LogTail(services.processes[code].log)) for code in services.parties}
        with UsageWatch({name: process.pid for name, process in services.processes.items()}) as usage:
            parts = _play(services, paths, exchanges, usage, watch)
        sides = sum(one.confirmed for one in exchanges.values())
        played = ServedRound(tuple(lists), parts, usage.usage(), usage.peak_together, sides)
        return played, _hits_of(services) if compare else []
    finally:
        services.close()


def _caps(lists: dict[str, int]) -> dict[str, ClassCounts]:
    """Return the caps of the parties whose lists are too long for the default ones."""
    return {
        code: _needed(records)
        for code, records in lists.items()
        if PER_RECORD[InputClass.FULL] * records * 5 // 4 > _CAP
    }


def _needed(records: int) -> ClassCounts:
    return ClassCounts.by(lambda kind: PER_RECORD[kind] * records)


def _play(
    services: BenchServices, paths: dict[str, Path], exchanges: dict[str, _Exchange], usage: UsageWatch, watch: Watch
) -> dict[str, RoundPart]:
    parts, last = dict[str, RoundPart](), (time.perf_counter(), usage.look())

    def ended(end: str) -> None:
        nonlocal last
        now = time.perf_counter(), usage.look()
        parts[end] = RoundPart(*(round(after - before, 2) for after, before in zip(now, last, strict=True)))
        last = now
        watch(end, "services", 1, 1)

    with ThreadPoolExecutor(len(paths)) as officers:
        imports = dict(zip(paths, officers.map(services.bring, paths, paths.values()), strict=True))
        ended(IMPORTED)
        services.consent()
        ended("the round is open")
        for _ in officers.map(lambda code: services.submit(code, imports[code], Kind.LIST), paths):
            pass
        ended("all lists are submitted")
    services.until(partial(_have, exchanges, "reported", lambda one: one.prepared is not None, watch), "the reports")
    ended("all hits are reported")
    services.until(partial(_have, exchanges, "confirmed", lambda one: one.is_done, watch), "the confirmations")
    ended("all hits are confirmed")
    return parts


def _have(exchanges: dict[str, _Exchange], phase: str, reached: Callable[[_Exchange], bool], watch: Watch) -> bool:
    """Return whether all nodes have come so far; the progress shows which have."""
    for code, exchange in exchanges.items():
        exchange.look()
        watch(phase, code, int(reached(exchange)), 1)
    return all(map(reached, exchanges.values()))


def _hits_of(services: BenchServices) -> list[FoundHit]:
    """Return the hits as the nodes show them to their analysts, both sides joined by the hit's id."""
    sides: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for code in services.parties:
        for hit in services.node(code, "analyst").hits(services.round_id).hits:
            sides.setdefault((hit.hit_id, hit.certainty.value), []).append((code, hit.record_id))
    # A side without its other one, which would be a fault, stands on both sides and is equal to no other hit.
    return sorted(FoundHit(*min(both), *max(both), level) for (_, level), both in sides.items())
