"""Costs of each step on one core, on every backend of this machine, in one run.

The first rows are the operations of the group, beside what a prototype reached on a machine of the same kind; the
others are the steps of a round (PROTOCOL.md 3.4 to 3.6) as parties take them.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import psutil

from aquila import __version__
from aquila.crypto import dleq, oprf
from aquila.crypto.backend import BACKENDS, Backend, load_group, usable_cores
from aquila.crypto.group import WIDE_BYTES, Group
from aquila.crypto.keys import SecretBytes
from aquila.crypto.shares import Share, new_share
from aquila.errors import InputError
from aquila.protocol.submissions.submission import ROW, RowTerms, blinds_of, finalize_chunk
from aquila.records.rules import InputClass

BATCH: dict[Backend, int] = {"ifma": 65_535, "avx2": 32_768, "portable": 16_384, "libsodium": 2_048}
"""Elements of a measured batch: as many as a chunk may have, and fewer where each takes longer."""

_INPUT_BYTES = 32
_CONTEXT = b"bench"
_SUBMISSION = bytes(16)
_DST = b"HashToGroup-" + oprf.context_string()


class Operation(NamedTuple):
    """A step with what the prototype reached for it, in microseconds per element; None where it had none."""

    name: str
    reached: float | None = None


HASH = Operation("hash to group, with expand_message_xmd and encode", 1.5)
MULTIPLY = Operation("decode, multiply by a secret scalar, encode", 5.3)
DECODE = Operation("decode alone, which every operation does with each operand")
DECODE_SUM_FULL = Operation("decode, multi-scalar multiplication by public scalars, per point")
DECODE_SUM_SHORT = Operation("the same, scalars of 128 bits")
SUM_FULL = Operation("multi-scalar multiplication without decoding, by difference, per point", 0.6)
SUM_SHORT = Operation("the same, scalars of 128 bits, by difference", 0.32)
BLIND = Operation("blind: hash to group, plus the blind times the generator")
EVALUATE = Operation("evaluate")
PROVE = Operation("prove")
VERIFY = Operation("verify")
FINALIZE = {others: Operation(f"finalize, {others + 1} parties") for others in (1, 4)}


@dataclass(frozen=True, slots=True)
class MeasuredStep:
    """A measured step: the operation, the backend, and what it took."""

    operation: Operation
    backend: str
    spread: TimingSpread


def backends() -> list[Backend]:
    """Return the backends of this machine, the fastest first, which is the one in use."""
    found: list[Backend] = []
    for backend in BACKENDS:
        with suppress(InputError):
            load_group(1, backend)
            found.append(backend)
    return found


@dataclass(slots=True)
class Bench:
    """All steps over one batch, on one core.

    Args:
        size: Elements of the batch; by default what suits the backend.
    """

    backend: Backend
    repeats: int
    size: int = 0
    group: Group = field(init=False)

    def __post_init__(self) -> None:
        self.group = load_group(1, self.backend)
        self.size = self.size or BATCH[self.backend]

    def run(self) -> Iterator[MeasuredStep]:
        """Measure the operations, then the steps of a round in their order, each on the results of those before."""
        inputs, share = os.urandom(_INPUT_BYTES * self.size), new_share(self.group, os.urandom)
        yield from self._operations(inputs, share)
        yield from self._round(inputs, share)

    def _operations(self, inputs: bytes, share: Share) -> Iterator[MeasuredStep]:
        # One scalar in 2^252 would be zero.
        group, scalars = self.group, self.group.reduce_each(os.urandom(WIDE_BYTES * self.size))
        left = oprf.hash_inputs(group, inputs, _INPUT_BYTES)
        short = dleq.expand_weights(os.urandom(dleq.WEIGHT_BYTES * self.size))
        yield self._step(HASH, lambda: group.hash_to_group(inputs, _INPUT_BYTES, _DST))
        yield self._step(MULTIPLY, lambda: oprf.evaluate(group, left, share))
        decode = self._step(DECODE, lambda: group.validate(left))
        full = self._step(DECODE_SUM_FULL, lambda: group.weighted_sum(left, scalars))
        with_short = self._step(DECODE_SUM_SHORT, lambda: group.weighted_sum(left, short))
        yield from (decode, full, with_short)
        # What the prototype reached was for points that were decoded before. Here nothing takes such, because points
        # come from outside; what decoding takes by itself is taken off.
        yield MeasuredStep(SUM_FULL, group.name, full.spread - decode.spread)
        yield MeasuredStep(SUM_SHORT, group.name, with_short.spread - decode.spread)

    def _round(self, inputs: bytes, share: Share) -> Iterator[MeasuredStep]:
        group, seed, numbers = self.group, SecretBytes(os.urandom(_INPUT_BYTES)), range(self.size)
        fresh = os.urandom(dleq.FRESH_BYTES)

        def blind() -> bytes:
            return oprf.blind(group, inputs, _INPUT_BYTES, blinds_of(group, seed, _SUBMISSION, numbers, inputs))

        blinded = blind()
        evaluated = oprf.evaluate(group, blinded, share)
        statement = _CONTEXT, blinded, evaluated
        proof = dleq.prove_chunk(group, share, *statement, fresh)
        yield self._step(BLIND, blind)
        yield self._step(EVALUATE, lambda: oprf.evaluate(group, blinded, share))
        yield self._step(PROVE, lambda: dleq.prove_chunk(group, share, *statement, fresh))
        yield self._step(VERIFY, lambda: dleq.verify_chunk(group, share.public_key, *statement, proof))
        rows = np.zeros(self.size, dtype=ROW)
        rows["digest"], rows["number"] = np.frombuffer(inputs, dtype=f"S{_INPUT_BYTES}"), numbers
        rows["element"] = np.frombuffer(blinded, dtype=f"S{_INPUT_BYTES}")
        column = RowTerms("AL", "SI", seed, share.public_key, evaluated, None)
        for others, operation in FINALIZE.items():
            terms = group, rows, seed, _SUBMISSION, InputClass.FULL, share, [column] * others
            yield self._step(operation, partial(finalize_chunk, *terms))

    def _step(self, operation: Operation, work: Callable[[], object]) -> MeasuredStep:
        return MeasuredStep(operation, self.group.name, measure(work, self.size, self.repeats))


_MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class TimingSpread:
    """Microseconds of processor time per element, over the repeats."""

    median: float
    least: float
    most: float

    def __sub__(self, part: TimingSpread) -> TimingSpread:
        """Return the rest without a part that was measured by itself: figure by figure, so a sum of errors too."""
        return TimingSpread(
            round(self.median - part.median, 3), round(self.least - part.least, 3), round(self.most - part.most, 3)
        )

    def document(self) -> dict[str, float]:
        return {"median": self.median, "least": self.least, "most": self.most}


def measure(work: Callable[[], object], elements: int, repeats: int) -> TimingSpread:
    """Run a step several times in this thread.

    Processor time does not count what other processes take, only how they crowd caches and memory: `least` is the
    figure of a quiet machine.

    Args:
        work: The step, over a whole batch; it starts no thread.
    """
    work()  # the first run warms caches and is not counted
    spent = []
    for _ in range(repeats):
        started = time.thread_time()
        work()
        spent.append((time.thread_time() - started) * _MICROSECONDS / elements)
    return TimingSpread(*(round(value, 3) for value in (median(spent), min(spent), max(spent))))


_NOTHING = "-"
_COMPARED = "libsodium"
_VERIFIED = "verified evaluation: evaluate, prove and verify"


@dataclass(slots=True)
class Results:
    """Results of a run."""

    machine: Machine
    steps: list[MeasuredStep] = field(default_factory=list)

    def document(self) -> dict[str, object]:
        return {
            "machine": self.machine.document(),
            "steps": [
                {"step": step.operation.name, "backend": step.backend, "reached": step.operation.reached}
                | {"microseconds_per_element": step.spread.document()}
                for step in self.steps
            ],
        }

    def page(self) -> str:
        written = [f"## {title}\n\n{content}" for title, content in self.sections() if content]
        return "\n".join(["# What a round costs\n", *written])

    def sections(self) -> list[tuple[str, str]]:
        """Return the titles and contents of the page's sections; those without a content are left out."""
        return [
            ("Machine", machine_table(self.machine)),
            ("Microseconds per element on one core", _steps(self.steps) if self.steps else ""),
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


_PROCESSORS = Path("/proc/cpuinfo")
_LIBRARIES = ("numpy", "duckdb", "cryptography")


@dataclass(frozen=True, slots=True)
class Machine:
    """Properties of the machine on which a figure depends besides the code."""

    processor: str
    """The processor's model; where its maker hides it, what it says of itself."""
    cores: int
    memory_bytes: int
    system: str
    python: str
    load: float
    """Processes that wanted a core when the run began, over the last minute; much more than none is noise."""
    backend: str
    reason: str
    versions: dict[str, str]

    def document(self) -> dict[str, object]:
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
