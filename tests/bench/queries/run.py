"""One run of the measurement of queries: latency, latency over a bad network, and idle cost."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from clients.cli.output.screen import numbered
from clients.local_services.processes import staged
from tests.bench.queries.faulty_network import FaultyNetwork, NetworkFaults
from tests.bench.queries.idling import Idling, measure_idling
from tests.bench.queries.latency import Latency, measure_queries
from tests.bench.services.world import BenchServices
from tests.bench.steps import Machine, machine_table, table

FAULTS = NetworkFaults(delay=0.1, broken_share=0.02, bytes_per_second=1_250_000)
"""200 ms there and back, two of a hundred connections broken, ten megabits a second."""


@dataclass(frozen=True, slots=True)
class QueryBenchSize:
    parties: int = 5
    records: int = 5_000
    queries: int = 20
    persons: int = 10
    stopped: int = 0
    """How many nodes are killed before half of the queries, which are then asked on loopback alone."""
    idle_seconds: int = 120
    settle_seconds: int = 120


@dataclass(slots=True)
class QueryResults:
    machine: Machine
    wanted: QueryBenchSize
    latencies: dict[str, Latency] = field(default_factory=dict)
    idling: list[Idling] = field(default_factory=list)
    broken: int = 0

    def document(self) -> dict[str, object]:
        return {
            "machine": self.machine.document(),
            "latencies": {network: latency.document() for network, latency in self.latencies.items()},
            "idling": [one.document() for one in self.idling],
            "connections_broken": self.broken,
        }

    def page(self) -> str:
        wanted = self.wanted
        latencies = table(
            ("network", "queries", "hits", "median, s", "worst, s", "processor, s", "first", "last"),
            [
                (
                    name,
                    len(one.seconds),
                    sum(one.hits),
                    one.median,
                    one.worst,
                    one.processor_mean,
                    one.processor_seconds[0],
                    one.processor_seconds[-1],
                )
                for name, one in self.latencies.items()
            ],
        )
        services = table(
            ("network", "service", "processor seconds of a query"),
            [
                (name, service, spent)
                for name, one in self.latencies.items()
                for service, spent in one.by_service.items()
            ],
        )
        idling = table(
            ("service", "seconds", "share of a core, %", "bytes written", "files changed"),
            [
                (one.service, one.seconds, round(100 * one.core_share, 3), one.bytes_written, one.files_changed)
                for one in self.idling
            ],
        )
        asked = f"{wanted.persons} persons, {wanted.parties} parties of {wanted.records:,}"
        sections = [
            ("Machine", machine_table(self.machine)),
            (f"From approval to confirmed hits: {asked}", latencies),
            ("By service", services),
            ("Idle services", idling),
        ]
        return "\n".join(["# What a query takes\n", *(f"## {title}\n\n{content}" for title, content in sections)])


def run(
    folder: Path, machine: Machine, wanted: QueryBenchSize, watch: Callable[[str, str, int, int], None]
) -> QueryResults:
    """Start services in an empty folder, and measure."""
    results = QueryResults(machine, wanted)
    with staged(folder) as stage:
        services = BenchServices(stage, wanted.parties)
        try:
            services.prepare(wanted.records)
            watch("round", f"{wanted.parties} x {wanted.records:,}", 1, 1)
            if not wanted.stopped:
                results.idling = measure_idling(services.processes, wanted.settle_seconds, wanted.idle_seconds)
                watch("idle", "services", 1, 1)
            results.latencies["loopback"] = measure_queries(services, wanted.queries, wanted.persons)
            watch("queries", "loopback", 1, 1)
            if wanted.stopped:
                services.halt(wanted.stopped)
                first, named = wanted.queries, f"loopback, {numbered(wanted.stopped, 'node')} stopped"
                results.latencies[named] = measure_queries(services, wanted.queries, wanted.persons, first)
                return results
            with FaultyNetwork(services.matcher_port, FAULTS) as network:
                services.restart(f"http://127.0.0.1:{network.port}")
                first = wanted.queries
                results.latencies[_named(FAULTS)] = measure_queries(services, wanted.queries, wanted.persons, first)
                results.broken = network.broken
            watch("queries", "with trouble", 1, 1)
        finally:
            services.close()
    return results


def _named(trouble: NetworkFaults) -> str:
    megabits = 0 if trouble.bytes_per_second is None else trouble.bytes_per_second * 8 / 1_000_000
    return f"{2_000 * trouble.delay:.0f} ms, {100 * trouble.broken_share:.0f} % broken, {megabits:.0f} Mbit/s"
