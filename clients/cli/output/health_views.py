"""A service's health for people and for monitoring programs.

Without `--json` the first line is for both: service, grade and the faults in short, and after a bar the numbers that
monitoring programs of the Nagios kind keep. The exit status follows their convention, not that of other commands.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from itertools import zip_longest
from pathlib import Path

import typer

from aquila.errors import AquilaError
from aquila.interface.service.health import Grade, HealthCheck, RoundHealth, ServiceHealth, Subject
from aquila.protocol.registry import MATCHER
from clients.cli.connect import connect
from clients.cli.output.screen import Screen, Table, moment, numbered
from services.kit.errors import PeerUnavailableError

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


class Status(IntEnum):
    """The exit status of a plugin of a monitoring program."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


def show_status(
    service: str, home: Path, url: str | None, token_file: Path | None, ca: Path | None, *, as_json: bool
) -> None:
    """Show the health of a service, and end with the status of a plugin; a service that does not answer is critical.

    Raises:
        Exit: Always.
    """
    screen = Screen(as_json)
    try:
        with connect(home, url, token_file, ca) as reached:
            health = (reached.node() if service == "node" else reached.matcher()).health()
    except AquilaError as error:
        status = Status.CRITICAL if isinstance(error, PeerUnavailableError) else Status.UNKNOWN
        line = f"AQUILA {service.upper()} {status.name} - {error.message}"
        screen.result(_failure_document(service, status, error), line)
        if error.hint and not as_json:
            screen.note(f"aquila: hint: {error.hint}")
        raise typer.Exit(status) from None
    screen.result(health.model_dump(mode="json"), *health_views(health))
    raise typer.Exit(status_of(health))


def status_of(health: ServiceHealth) -> Status:
    return Status[health.grade.name]


def health_views(health: ServiceHealth) -> Iterator[Table | str]:
    """Yield a report: the first line, a line for each check with a hint if it has a fault, and the open rounds."""
    yield _first_line(health)
    yield Table("", ("check", "", ""), [row for one in health.checks for row in _check_rows(one, health)])
    if health.rounds:
        rows = [row for one in health.rounds for row in _rows(one, health.at)]
        yield Table("Open rounds", ("round", "phase", "waits for", "since", "progress"), rows)
    if health.left_out:
        yield f"More open rounds: {health.left_out:,}."


def _failure_document(service: str, status: Status, error: AquilaError) -> dict[str, object]:
    return {
        "service": service,
        "grade": status.name.lower(),
        "error": {"code": error.sentence.code, "text": error.message, "hint": error.hint},
    }


def _first_line(health: ServiceHealth) -> str:
    name = "" if health.name == MATCHER else f" {health.name}"
    worst_first = sorted(health.checks, key=lambda one: -list(Grade).index(one.grade))
    faults = [sentence.text for one in worst_first for sentence in one.sentences]
    found = "; ".join(faults) if faults else _in_short(health)
    line = f"AQUILA {health.service.upper()}{name} {health.grade.name} - {found}"
    # A bar in a sentence would begin the numbers.
    return f"{line.replace('|', '/')} | {_numbers(health)}"


def _in_short(health: ServiceHealth) -> str:
    waiting = sum(bool(one.awaited) for one in health.rounds)
    return f"open rounds: {len(health.rounds) + health.left_out:,}, of them waiting for somebody: {waiting:,}"


def _numbers(health: ServiceHealth) -> str:
    """Return the numbers, as `name=value` with a unit."""
    days = [one.days_left for one in health.certificates if one.days_left is not None]
    numbers = {
        "rounds": str(len(health.rounds) + health.left_out),
        "stuck": str(sum(one.stuck for one in health.rounds)),
        "chunks": str(health.chunks_waiting),
        "disk_free": f"{health.disk_free}B",
        "log": str(health.log_size),
    }
    if days:
        numbers["certificate_days"] = str(min(days))
    return " ".join(f"{name}={value}" for name, value in numbers.items())


def _check_rows(one: HealthCheck, health: ServiceHealth) -> Iterator[tuple[str, str, str]]:
    """Yield a row for each fault of a check, and below it what to do; the figure of a check without a fault."""
    subject, grade = one.subject.value, one.grade.value
    if not one.sentences:
        figure = _FIGURES.get(one.subject)
        yield subject, grade, "" if figure is None else figure(health)
    for fault, following in zip_longest(one.sentences, one.sentences[1:]):
        yield subject, grade, fault.text
        if fault.hint and (following is None or following.hint != fault.hint):
            yield "", "", f"hint: {fault.hint}"
        subject = grade = ""


def _log_figure(health: ServiceHealth) -> str:
    seen = max((one.at for one in health.witnesses if one.size), default=None)
    witnessed = "" if seen is None else f", witnessed {_ago(health.at - seen)} ago"
    return numbered(health.log_size, "entry", "entries") + witnessed


def _matcher_figure(health: ServiceHealth) -> str:
    at = next((one.at for one in health.contacts if one.at is not None), health.at)
    return f"answered {_ago(health.at - at)} ago"


def _clock_figure(health: ServiceHealth) -> str:
    difference = health.clock_difference
    return "not compared yet" if difference is None else f"{difference:+d} s at the matcher"


def _certificates_figure(health: ServiceHealth) -> str:
    return ", ".join(f"{one.setting} {one.days_left} days" for one in health.certificates) or "none"


def _workers_figure(health: ServiceHealth) -> str:
    return f"{health.workers or 'none started yet'}, group backend {health.backend}"


def _rows(one: RoundHealth, now: int) -> Iterator[tuple[str, str, str, str, str]]:
    round_, phase = one.round_id[:8], one.phase.value
    progress = f"{_ago(now - one.progress_at)} ago" + (" (stuck)" if one.stuck else "")
    if not one.awaited:
        yield round_, phase, "nobody", "", progress
    for step in one.awaited:
        yield round_, phase, f"{step.step.value} of {step.party}", moment(step.since), progress
        round_ = phase = progress = ""


def _ago(seconds: int) -> str:
    """Return a duration in its largest unit."""
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{max(0, seconds)} s"


_FIGURES: Mapping[Subject, Callable[[ServiceHealth], str]] = {
    Subject.DATABASE: lambda _: "answers",
    Subject.ROWS: lambda _: "have valid seals",
    Subject.DRIVERS: lambda _: "make progress",
    Subject.DISK: lambda health: f"{health.disk_free >> 20:,} MiB left for files",
    Subject.WORKERS: _workers_figure,
    Subject.LOG: _log_figure,
    Subject.MATCHER: _matcher_figure,
    Subject.CLOCK: _clock_figure,
    Subject.CERTIFICATES: _certificates_figure,
    Subject.IDENTITY: lambda _: "can sign",
    Subject.ROUNDS: _in_short,
}
