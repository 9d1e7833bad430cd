"""What a round costs: microseconds per element and core of each step, measured on this machine."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from aquila.crypto import dleq, oprf
from aquila.crypto.backend import load_group
from aquila.crypto.keys import SecretBytes
from aquila.crypto.oprf import TOKEN_BYTES
from aquila.crypto.shares import new_share
from aquila.matching.join import TokenTable
from aquila.protocol.submission import blinds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aquila.crypto.group import Group

INPUT_BYTES = 32
_MICROSECONDS = 1e6
_CONTEXT = b"aquila bench"
_FREQUENCY_LIMIT = 8
_HANDLE_BYTES = 16
STEPS = 7


@dataclass(frozen=True, slots=True)
class Step:
    """One measured step.

    Attributes:
        name: The step.
        backend: What computes it.
        median, least, most: Microseconds per element and core, over the repeats.
    """

    name: str
    backend: str
    median: float
    least: float
    most: float

    def document(self) -> dict[str, object]:
        """Return the step for JSON."""
        spread = {"median": self.median, "least": self.least, "most": self.most}
        return {"step": self.name, "backend": self.backend, "microseconds_per_element_per_core": spread}


@dataclass(slots=True)
class Bench:
    """All steps over one batch.

    Args:
        size: Elements of the batch.
        repeats: How often each step is measured.
        threads: Cores that a batch may use; 1 measures a core and does not divide by several.
    """

    size: int
    repeats: int
    threads: int = 1
    group: Group = field(init=False)

    def __post_init__(self) -> None:
        self.group = load_group(self.threads)

    def run(self) -> Iterator[Step]:
        """Measure the steps in the order of a round (PROTOCOL.md 3.4 to 3.7), each on the results of those before."""
        group, size, fresh = self.group, self.size, os.urandom(dleq.FRESH_BYTES)
        seed, share, inputs = SecretBytes(os.urandom(32)), new_share(group, os.urandom), os.urandom(INPUT_BYTES * size)
        hashed, step = self._measure("hash to group", lambda: oprf.hash_inputs(group, inputs, INPUT_BYTES))
        yield step
        blinded, step = self._measure("blind", lambda: group.multiply_each(hashed, blinds_of(group, seed, range(size))))
        yield step
        evaluated, step = self._measure("evaluate", lambda: oprf.evaluate(group, blinded, share))
        yield step
        pairs = _CONTEXT, blinded, evaluated
        proof, step = self._measure("prove", lambda: dleq.prove_chunk(group, share, *pairs, fresh))
        yield step
        yield self._measure("verify", lambda: dleq.verify_chunk(group, share.public_key, *pairs, proof))[1]
        blinds = blinds_of(group, seed, range(size))
        yield self._measure("finalize", lambda: oprf.finalize(group, inputs, INPUT_BYTES, blinds, evaluated))[1]
        yield self._join()

    def _join(self) -> Step:
        """Measure laying down and joining two lists whose tokens half agree, per token row."""
        tokens = [os.urandom(TOKEN_BYTES) for _ in range(self.size // 2)]
        lists = [
            b"".join(_row(token if place % 2 else os.urandom(TOKEN_BYTES)) for place, token in enumerate(tokens))
            for _ in "ab"
        ]

        def join() -> None:
            scratch = tempfile.TemporaryDirectory(prefix="aquila-")
            with scratch as folder, TokenTable(Path(folder), threads=self.threads) as table:
                for number, rows in enumerate(lists):
                    table.add(number, rows)
                table.join([(0, 1)], _FREQUENCY_LIMIT)
                list(table.pairs())

        return self._measure("join", join, "duckdb", 2 * len(tokens))[1]

    def _measure(
        self, name: str, work: Callable[[], bytes | None], backend: str = "", elements: int = 0
    ) -> tuple[bytes, Step]:
        """Run a step several times; return its result and the step."""
        spent, result = [], work()  # the first run warms caches and is not counted
        for _ in range(self.repeats):
            started = time.perf_counter()
            work()
            spent.append((time.perf_counter() - started) * _MICROSECONDS * self.threads / (elements or self.size))
        step = Step(
            name, backend or self.group.name, *(round(value, 2) for value in (median(spent), min(spent), max(spent)))
        )
        return result or b"", step


def _row(token: bytes) -> bytes:
    """Return a token row of a record of its own under rule 1 (PROTOCOL.md 3.6)."""
    return os.urandom(_HANDLE_BYTES) + b"\x01" + token
