"""Costs of a record before the group is involved: reading it, and making its inputs."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from aquila.protocol.submissions.tasks import digest_records
from aquila.records.reading.lists import AcceptedRow, read_records
from aquila.records.rules import BUILT_IN, load_rules
from clients.bench.lists import write_list
from clients.bench.timing import TimingSpread, measure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aquila.records.person import Record

_RECORDS = 5_000
_REPEATS = 3
_BINDING = bytes(32)


@dataclass(frozen=True, slots=True)
class RecordStep:
    """A step, how many inputs a record gives in it, and microseconds per record."""

    name: str
    inputs: float
    spread: TimingSpread


def measure_records(folder: Path, records: int = _RECORDS) -> Iterator[RecordStep]:
    """Measure reading a list, and normalizing and digesting its records under each built-in table of rules.

    Args:
        folder: Where the invented lists go.
        records: How many.
    """
    for code, script in (("SI", "Latin"), ("RS", "Cyrillic")):
        write_list(folder / f"{code}.csv", code, records)
        content = (folder / f"{code}.csv").read_bytes()
        spread = measure(partial(_read, content), records, _REPEATS)
        yield RecordStep(f"read, {script}", 0.0, spread)
        kept = _read(content)
        for name in reversed(BUILT_IN):
            table = load_rules(name)
            inputs = len(digest_records(_BINDING, table, kept).rules) / records
            spread = measure(partial(digest_records, _BINDING, table, kept), records, _REPEATS)
            yield RecordStep(f"normalize, make and digest inputs, rules {name}, {script}", round(inputs, 2), spread)


def _read(content: bytes) -> list[Record]:
    return [row.record for row in read_records(io.BytesIO(content)) if isinstance(row, AcceptedRow)]
