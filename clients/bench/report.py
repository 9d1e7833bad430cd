"""The results of a run, as one Markdown page and as one JSON document with the same figures."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from aquila.records.rules import BUILT_IN
from clients.bench.fit import exponent, fit_line
from clients.bench.projection import REGION, cost_of, region, round_seconds
from clients.bench.steps import EVALUATE, PROVE, VERIFY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clients.bench.hardware import Machine
    from clients.bench.joining import Join
    from clients.bench.records import RecordStep
    from clients.bench.rounds import PlayedRound
    from clients.bench.steps import MeasuredStep

_MIB = 1 << 20
_NOTHING = "-"
_COMPARED = "libsodium"
_VERIFIED = "verified evaluation: evaluate, prove and verify"


@dataclass(slots=True)
class Results:
    """Results of a run; parts that were not requested stay empty.

    Attributes:
        sizes: Rounds of one number of parties, over the length of lists.
        parties: Rounds of one length of lists, over the number of parties.
        alone: Rounds that were asked for by size.
    """

    machine: Machine
    steps: list[MeasuredStep] = field(default_factory=list)
    records: list[RecordStep] = field(default_factory=list)
    join: Join | None = None
    sizes: list[PlayedRound] = field(default_factory=list)
    parties: list[PlayedRound] = field(default_factory=list)
    alone: list[PlayedRound] = field(default_factory=list)

    def document(self) -> dict[str, object]:
        """Return everything for JSON."""
        return {
            "machine": self.machine.document(),
            "steps": [
                {"step": step.operation.name, "backend": step.backend, "reached": step.operation.reached}
                | {"microseconds_per_element": step.spread.document()}
                for step in self.steps
            ],
            "records": [
                {"step": step.name, "inputs_per_record": step.inputs, "microseconds_per_record": step.spread.document()}
                for step in self.records
            ],
            "join": asdict(self.join) | {"seconds": self.join.seconds} if self.join else None,
            "cost": {rules: asdict(cost) for rules in BUILT_IN if (cost := cost_of(self.steps, self.records, rules))},
            "growth": {"over_sizes": over_sizes(self.sizes), "over_parties": over_parties(self.parties)},
            "rounds": [played.document() for played in (*self.sizes, *self.parties, *self.alone)],
        }

    def page(self) -> str:
        """Return everything as Markdown."""
        sections = [
            ("Machine", machine_table(self.machine)),
            ("Microseconds per element on one core", _steps(self.steps) if self.steps else ""),
            ("Microseconds per record on one core", _records(self.records) if self.records else ""),
            ("Join of tokens", _join(self.join) if self.join else ""),
            ("Growth over the length of lists", _rounds(self.sizes) + _sentence(over_sizes(self.sizes))),
            ("Growth over the number of parties", _rounds(self.parties) + _sentence(over_parties(self.parties))),
            ("Rounds", _rounds(self.alone)),
            ("Rounds by their steps alone", _compared_rounds(self)),
            (f"{REGION.parties} parties of {REGION.records:,} records with {REGION.inputs} inputs", _region(self)),
        ]
        written = [f"## {title}\n\n{content}" for title, content in sections if content]
        return "\n".join(["# What a round costs\n", *written])


def over_sizes(rounds: Sequence[PlayedRound]) -> dict[str, float]:
    """Return the powers of the length of lists with which seconds grow; nothing without two lengths."""
    if len(rounds) < 2:  # noqa: PLR2004  # growth needs two points
        return {}
    return {
        "power of processor seconds": exponent([(one.records, one.processor_seconds) for one in rounds]),
        "power of seconds, the start of the command included": exponent([(one.records, one.seconds) for one in rounds]),
    }


def over_parties(rounds: Sequence[PlayedRound]) -> dict[str, float]:
    """Return the line that one party's processor seconds follow over the number of parties, and how well."""
    if len(rounds) < 2:  # noqa: PLR2004  # a line needs two points
        return {}
    line = fit_line([(one.parties, one.processor_seconds / one.parties) for one in rounds])
    return {
        "processor seconds of a party without others": line.start,
        "processor seconds of a party for each participant": line.slope,
        "share of the variance that this line explains": line.explained,
    }


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; numbers are aligned right."""
    cells = [[_cell(value) for value in row] for row in rows]
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: object) -> str:
    if value is None:
        return _NOTHING
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def machine_table(machine: Machine) -> str:
    """Return the table of a machine's properties."""
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    rows = [
        ("processor", machine.processor),
        ("cores in use", machine.cores),
        ("memory", f"{machine.memory_bytes / 2**30:.1f} GiB"),
        ("system", machine.system),
        ("Python", machine.python),
        ("versions", versions),
        ("backend", f"{machine.backend}: {machine.reason}"),
        ("load before the run", machine.load),
    ]
    return table(("what", "value"), rows).replace("---:", "---")


def _steps(steps: Sequence[MeasuredStep]) -> str:
    """Return the table of steps: all backends, each compared with libsodium, and the figures of a prototype."""
    backends = list(dict.fromkeys(step.backend for step in steps))
    native = [backend for backend in backends if backend != _COMPARED] if _COMPARED in backends else []
    found: dict[str, dict[str, float]] = {}
    for step in steps:
        found.setdefault(step.operation.name, {})[step.backend] = step.spread.least
    found[_VERIFIED] = {
        backend: sum(found[of.name][backend] for of in (EVALUATE, PROVE, VERIFY)) for backend in backends
    }
    reached = {step.operation.name: step.operation.reached for step in steps}
    rows = [
        (name, *(by[one] for one in backends), *(by[_COMPARED] / by[one] for one in native), reached.get(name))
        for name, by in found.items()
    ]
    columns = ("step", *backends, *(f"{one}, times faster" for one in native), "reached")
    return table(columns, rows) + "\nEach figure is the least of the repeats, in processor time.\n"


def _records(steps: Sequence[RecordStep]) -> str:
    rows = [(step.name, step.inputs or None, step.spread.least, step.spread.median) for step in steps]
    return table(("step", "inputs per record", "least", "median"), rows)


def _join(join: Join) -> str:
    rows = [
        ("token rows", join.rows),
        ("parties", join.parties),
        ("pairs of records that met", join.pairs),
        ("seconds to lay down", join.lay_down_seconds),
        ("seconds to join, group and read back", join.join_seconds),
        ("seconds together", join.seconds),
        ("processor seconds", join.processor_seconds),
        ("microseconds per row", join.seconds * 1e6 / join.rows),
        ("peak memory of all processes, MiB", join.peak_memory // _MIB),
        ("files, MiB", join.disk // _MIB),
    ]
    return table(("what", "value"), rows)


def _rounds(rounds: Sequence[PlayedRound]) -> str:
    if not rounds:
        return ""
    columns = (
        "parties x records", "rules", "elements", "seconds", "processor seconds", "of these in the group",
        "µs per element and party", "peak memory, MiB", "disk, MiB", "sent, MiB", "calculated, MiB", "hits",
    )  # fmt: skip
    rows = [
        (
            f"{one.parties} x {one.records:,}", one.rules, one.elements, one.seconds, one.processor_seconds,
            one.group_seconds, one.per_element, one.peak_memory // _MIB, one.disk // _MIB, one.bytes_sent / _MIB,
            one.bytes_calculated / _MIB, one.hits,
        )
        for one in rounds
    ]  # fmt: skip
    phases = list(dict.fromkeys(phase for one in rounds for phase in one.phases))
    parts = [(f"{one.parties} x {one.records:,}", *(one.phases.get(phase) for phase in phases)) for one in rounds]
    return table(columns, rows) + "\nProcessor seconds by phase:\n\n" + table(("parties x records", *phases), parts)


def _compared_rounds(results: Results) -> str:
    """Return processor seconds of rounds next to those of their steps alone."""
    rows = []
    for one in (*results.sizes, *results.parties):
        cost = cost_of(results.steps, results.records, one.rules)
        if cost is not None:
            steps = round_seconds(one, cost)
            size = f"{one.parties} x {one.records:,}"
            rows.append((size, one.rules, one.processor_seconds, steps, one.processor_seconds / steps))
    columns = ("parties x records", "rules", "processor seconds", "by their steps", "ratio")
    return table(columns, rows) if rows else ""


def _region(results: Results) -> str:
    cost = cost_of(results.steps, results.records, "default")
    return table(("what", "value"), region(cost)) if cost else ""


def _sentence(figures: dict[str, float]) -> str:
    return "\n" + "".join(f"- {name}: {value}\n" for name, value in figures.items()) if figures else ""
