"""The results of a run and the machine that they belong to, as a Markdown page and as a JSON document."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import psutil

from aquila import __version__
from aquila.crypto.backend import Backend, load_group, usable_cores
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


_PROCESSORS = Path("/proc/cpuinfo")
_LIBRARIES = ("numpy", "duckdb", "cryptography")


@dataclass(frozen=True, slots=True)
class Machine:
    """Properties of the machine on which a figure depends besides the code.

    Attributes:
        processor: The processor's model; where its maker hides it, what it says of itself.
        cores: How many this process may use.
        memory_bytes: Of the whole machine.
        load: Processes that wanted a core when the run began, over the last minute; much more than none is noise.
        backend: The group backend in use.
        reason: Why it is.
        versions: Of Aquila and of the libraries that do the work.
    """

    processor: str
    cores: int
    memory_bytes: int
    system: str
    python: str
    load: float
    backend: str
    reason: str
    versions: dict[str, str]

    def document(self) -> dict[str, object]:
        """Return it for JSON."""
        return asdict(self)


def this_machine(backend: Backend = "auto") -> Machine:
    """Describe the machine that this runs on, with one of its backends.

    Raises:
        InputError: The backend cannot be used here.
    """
    group = load_group(1, backend)
    return Machine(
        processor=processor_model(_PROCESSORS),
        cores=usable_cores(),
        memory_bytes=psutil.virtual_memory().total,
        system=platform.platform(),
        python=platform.python_version(),
        load=round(os.getloadavg()[0], 2),
        backend=group.name,
        reason=group.reason,
        versions={"aquila": __version__} | {name: version(name) for name in _LIBRARIES},
    )


def processor_model(processors: Path) -> str:
    """Return the model of the first processor that Linux lists, with family and model number; else what Python knows.

    The numbers tell machines apart whose names were made alike by whoever rents them out.
    """
    try:
        first = processors.read_text("utf-8").split("\n\n", 1)[0]
    except OSError:
        return platform.processor() or platform.machine()
    known = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in first.splitlines())}
    numbers = ", ".join(f"{name} {known[name]}" for name in ("cpu family", "model", "stepping") if name in known)
    return f"{known.get('model name') or platform.machine()} ({numbers})" if numbers else platform.machine()
