"""The results of a run, as one Markdown page and as one JSON document with the same figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from clients.bench.hardware import Machine
from clients.bench.records import RecordStep
from clients.bench.steps import EVALUATE, PROVE, VERIFY, MeasuredStep

_NOTHING = "-"
_COMPARED = "libsodium"
_VERIFIED = "verified evaluation: evaluate, prove and verify"


@dataclass(slots=True)
class Results:
    """Results of a run."""

    machine: Machine
    steps: list[MeasuredStep] = field(default_factory=list)
    records: list[RecordStep] = field(default_factory=list)

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
        }

    def page(self) -> str:
        """Return everything as Markdown."""
        written = [f"## {title}\n\n{content}" for title, content in self.sections() if content]
        return "\n".join(["# What a round costs\n", *written])

    def sections(self) -> list[tuple[str, str]]:
        """Return the titles and contents of the page's sections; those without a content are left out."""
        return [
            ("Machine", machine_table(self.machine)),
            ("Microseconds per element on one core", _steps(self.steps) if self.steps else ""),
            ("Microseconds per record on one core", _records(self.records) if self.records else ""),
        ]


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
