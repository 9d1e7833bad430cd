"""The latency of queries: from the approval to the asker's confirmed hits."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import fmean, median

from aquila.csv_files import ListWriter
from aquila.errors import ExecutorError
from aquila.interface.queries import QueriedPartyState
from aquila.protocol.messages import Kind
from aquila.sentences import quoted
from clients.sdk import QueryClient
from tests.bench.queries.idling import processor_seconds
from tests.bench.records import COLUMNS, query_rows
from tests.bench.services.log_tail import LogTail
from tests.bench.services.world import BenchServices

_LOOK_SECONDS = 0.01
_QUIET_SECONDS = 0.5
_PATIENCE_SECONDS = 120.0
_CONFIRMED = b'"event":"hits_confirmed"'


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds of queries, one after the other."""

    persons: int
    hits: tuple[int, ...]
    seconds: tuple[float, ...]
    processor_seconds: tuple[float, ...]
    """Of each query, of all services together; the calls to ask and to look are among them."""
    by_service: Mapping[str, float]
    """Processor seconds of one query at each service."""

    @property
    def median(self) -> float:
        return round(median(self.seconds), 2)

    @property
    def worst(self) -> float:
        return max(self.seconds)

    @property
    def processor_mean(self) -> float:
        return round(fmean(self.processor_seconds), 2)

    def document(self) -> dict[str, object]:
        return asdict(self) | {"median": self.median, "worst": self.worst}


def measure_queries(services: BenchServices, count: int, persons: int, first: int = 0) -> Latency:
    """Ask queries one after the other, each as soon as the one before is answered."""
    seconds, hits, used = [], [], [_processor_seconds(services)]
    for number in range(first, first + count):
        path = services.stage.folder / f"query-{number}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = ListWriter(file)
            for row in (COLUMNS, *query_rows(services.asker, persons, number, services.records)):
                writer.write(row)
        found, spent = _ask(services, services.bring(services.asker, path))
        seconds.append(spent)
        hits.append(found)
        used.append(_processor_seconds(services))
    each = tuple(round(sum(after.values()) - sum(before.values()), 2) for before, after in pairwise(used))
    by_service = {name: round((used[-1][name] - began) / count, 2) for name, began in used[0].items()}
    return Latency(persons, tuple(hits), tuple(seconds), each, by_service)


def _processor_seconds(services: BenchServices) -> dict[str, float]:
    """Return what each service that runs has used of the processor until now."""
    return {name: processor_seconds(one) for name, one in services.processes.items() if name not in services.stopped}


def _ask(services: BenchServices, import_id: str) -> tuple[int, float]:
    """Ask one query; return its number of hits, and the seconds until all of them were confirmed."""
    asker = services.asker
    query, approve = services.approval_of(asker, import_id, Kind.QUERY)
    log = LogTail(services.processes[asker].log)
    started = time.perf_counter()
    approve()
    came, looked = None, 0.0
    while (now := time.perf_counter() - started) < _PATIENCE_SECONDS:
        if log.count(_CONFIRMED):
            came = now
        # A look costs the node too, so it is taken when nothing more seems to come.
        elif came is not None and now > max(came, looked) + _QUIET_SECONDS:
            found = _confirmed(services, query)
            if found is not None:
                return found, round(came, 3)
            looked = now  # an answer without a hit may come after the last confirmation
        time.sleep(_LOOK_SECONDS)
    raise ExecutorError(quoted(f"a query was not answered within {round(_PATIENCE_SECONDS)} seconds"))


def _confirmed(services: BenchServices, query: str) -> int | None:
    """Return the number of the query's hits where every node that runs has answered, and all of them are confirmed."""
    found = QueryClient(services.staff[services.asker].connections["officer"]).progress(query)
    answered = {answer.party for answer in found.parties if answer.state is QueriedPartyState.ANSWERED}
    due = {*services.parties} - {services.asker, *services.stopped}
    return found.hits if answered == due and found.hits and not found.unconfirmed else None
