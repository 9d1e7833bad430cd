"""Metrics in Prometheus' format, on a port of loopback alone: numbers of the report on health, and nothing else.

The three probes are answered there too. It has connections of its own, so that no stranger who floods the service's
port keeps its supervisor from an answer; and the service's event loop, so that it answers nothing while that hangs.

No metric counts hits, and no label bears anything of a person: labels are checks, phases, steps, drivers, settings,
the codes of parties, and the beginnings of rounds' random ids (`tests/contract/test_metrics.py`).
"""

from collections.abc import Iterable, Iterator
from http import HTTPStatus

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from aquila.interface.service.health import Grade, ServiceHealth
from aquila.protocol.rounds.round_state import Phase
from services.kit.http.connections import PROBES
from services.kit.serving.health.report import HealthReport
from services.kit.work import threads
from services.kit.work.threads import Pool

_DIGITS = 8  # of a round's id, as commands show it
_OPEN = (Phase.PROPOSED, Phase.OPEN, Phase.MATCHING, Phase.REPORTING)


class HealthMetrics:
    """Collects the metrics when Prometheus asks; in between nothing is done for them."""

    def __init__(self, report: HealthReport) -> None:
        self._report = report

    def collect(self) -> Iterator[Metric]:
        found = self._report.health()
        yield from _service(found)
        yield from _rounds(found)
        yield from _work(found)
        yield from _others(found)

    def describe(self) -> Iterable[Metric]:
        """Describe none beforehand: to ask the service before it serves would be too early."""
        return ()


class MetricsPort:
    """What is served there: the metrics, and the three probes of the service."""

    def __init__(self, service: ASGIApp, report: HealthReport) -> None:
        self._service = service
        self._registry = CollectorRegistry()
        self._registry.register(HealthMetrics(report))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._service(scope, receive, send)
        elif scope["path"] == "/metrics":
            text = await threads.run(Pool.READY, generate_latest, self._registry)
            await Response(text, headers={"content-type": CONTENT_TYPE_LATEST})(scope, receive, send)
        else:
            await Response(status_code=HTTPStatus.NOT_FOUND)(scope, receive, send)


def _service(found: ServiceHealth) -> Iterator[Metric]:
    info = ("service", "name", "version", "backend")
    labels = (found.service, found.name, found.version, found.backend)
    yield _gauge("info", "The service, its release and its group backend; always 1.", info, [(labels, 1)])
    yield _number("start_time_seconds", "When the service started, in seconds since 1970.", found.started_at)
    yield _number("ready", "Whether the service can do its work: 1 or 0.", int(not found.not_ready))
    grades = {(one.subject.value,): list(Grade).index(one.grade) for one in found.checks}
    yield _gauge("health", "The grade of a check: 0 ok, 1 warning, 2 critical.", ("check",), grades.items())
    days = {(one.setting,): one.days_left for one in found.certificates if one.days_left is not None}
    yield _gauge("certificate_days_left", "Days until the certificate of a setting ends.", ("setting",), days.items())
    yield _total("proofs_refused", "Proofs that were found wrong since the start.", found.proofs_refused)
    yield _total("sign_ins_refused", "Sign-ins that were refused since the start.", found.sign_ins_refused)


def _rounds(found: ServiceHealth) -> Iterator[Metric]:
    counts, ages = {(phase.value,): 0 for phase in _OPEN}, {(phase.value,): 0 for phase in _OPEN}
    for one in found.rounds:
        counts[one.phase,] = counts.get((one.phase,), 0) + 1
        ages[one.phase,] = max(ages.get((one.phase,), 0), found.at - one.began_at)
    yield _gauge("rounds", "Open rounds.", ("phase",), counts.items())
    yield _number("rounds_left_out", "Open rounds that no other number counts: there are too many.", found.left_out)
    yield _gauge("round_age_seconds", "Age of the oldest open round.", ("phase",), ages.items())
    progress = {(one.round_id[:_DIGITS],): found.at - one.progress_at for one in found.rounds}
    yield _gauge("round_progress_age_seconds", "Seconds since the newest statement.", ("round",), progress.items())
    yield _number("rounds_stuck", "Open rounds that are stuck.", sum(one.stuck for one in found.rounds))
    waits: dict[tuple[str, ...], int] = {}
    for step in (step for one in found.rounds for step in one.awaited):
        key = step.party, step.step.value
        waits[key] = max(waits.get(key, 0), found.at - step.since)
    yield _gauge("awaited_seconds", "How long the longest wait for a step has taken.", ("party", "step"), waits.items())


def _work(found: ServiceHealth) -> Iterator[Metric]:
    yield _number(
        "chunks_waiting", "Chunks to fetch, compute or send; at the matcher to be fetched.", found.chunks_waiting
    )
    yield _number(
        "statements_waiting", "Signed statements that the matcher has not taken; 0 there.", found.statements_waiting
    )
    yield _number("requests_waiting", "Requests of people that wait for a second person.", found.requests_waiting)
    yield _number("pieces_in_hand", "Pieces of heavy work, with a worker or waiting for one.", found.pieces_in_hand)
    yield _number("disk_free_bytes", "Bytes that files may still take on the disk of the home.", found.disk_free)
    yield _number("workers", "Workers; 0 before the first piece of work.", found.workers)
    yield _total("workers_lost", "How often workers were lost since the start.", found.workers_lost)
    failures = CounterMetricFamily("aquila_driver_failures", "Failed steps since the start.", labels=["driver"])
    for one in found.drivers:
        failures.add_metric([one.driver], one.failures)
    yield failures
    failing = {(one.driver,): one.failing for one in found.drivers}
    yield _gauge("driver_failing", "Failed steps in a row.", ("driver",), failing.items())
    steps = {(one.driver,): one.step_seconds for one in found.drivers}
    yield _gauge("driver_step_seconds", "Seconds that the present step has taken.", ("driver",), steps.items())


def _others(found: ServiceHealth) -> Iterator[Metric]:
    contacts = {(one.party,): found.at - one.at for one in found.contacts if one.at is not None}
    yield _gauge("contact_age_seconds", "Seconds since the last contact.", ("party",), contacts.items())
    yield _number("log_entries", "Entries of the own log.", found.log_size)
    ages = {(one.witness,): found.at - one.at for one in found.witnesses}
    yield _gauge("log_witness_age_seconds", "Seconds since a witness cosigned the own log.", ("witness",), ages.items())
    if found.clock_difference is not None:
        yield _number(
            "clock_difference_seconds", "Seconds by which the matcher's clock is ahead.", found.clock_difference
        )


def _gauge(
    name: str, text: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], int]]
) -> GaugeMetricFamily:
    made = GaugeMetricFamily(f"aquila_{name}", text, labels=labels)
    for key, value in values:
        made.add_metric(key, value)
    return made


def _number(name: str, text: str, value: int) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"aquila_{name}", text, value=value)


def _total(name: str, text: str, value: int) -> CounterMetricFamily:
    return CounterMetricFamily(f"aquila_{name}", text, value=value)
