"""Costs of a record before the group is involved: reading it, and making its inputs."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from aquila.protocol.submissions.tasks import digest_records
from aquila.records.person import Record
from aquila.records.reading.lists import read_records
from aquila.records.rows import AcceptedRow
from aquila.records.rules import BUILT_IN, load_rules
from clients.bench.lists import write_list
from clients.bench.timing import TimingSpread, measure

_RECORDS = 5_000
_REPEATS = 3
_BINDING = bytes(32)

Given = TypeVar("Given")


@dataclass(frozen=True, slots=True)
class RecordStep:
    """A step, how many inputs a record gives in it, and microseconds per record."""

    name: str
    inputs: float
    spread: TimingSpread


def measure_records(folder: Path, records: int = _RECORDS) -> Iterator[RecordStep]:
    """Measure reading a list, and normalizing and digesting its records under each built-in table of rules.

    Each repeat has a list of its own, so that what is known of earlier persons is what long lists repeat.

    Args:
        folder: Where the invented lists go.
        records: How many in each.
    """
    for code, script in (("SI", "Latin"), ("RS", "Cyrillic")):
        contents = list(_contents(folder, code, records))
        spread = measure(_over(_read, contents), records, _REPEATS)
        yield RecordStep(f"read, {script}", 0.0, spread)
        lists = list(map(_read, contents))
        for name in reversed(BUILT_IN):
            table = load_rules(name)
            inputs = len(digest_records(_BINDING, table, lists[-1]).rules) / records
            spread = measure(_over(partial(digest_records, _BINDING, table), lists[:-1]), records, _REPEATS)
            yield RecordStep(f"normalize, make and digest inputs, rules {name}, {script}", round(inputs, 2), spread)


def _contents(folder: Path, code: str, records: int) -> Iterator[bytes]:
    """Write a list of a party for each repeat and for the run that is not counted, and one more."""
    for seed in range(1, _REPEATS + 3):
        write_list(folder / f"{code}.csv", code, records, seed)
        yield (folder / f"{code}.csv").read_bytes()


def _over(work: Callable[[Given], object], lists: Sequence[Given]) -> Callable[[], object]:
    """The step that works on the next list whenever it is called."""
    following = iter(lists)
    return lambda: work(next(following))


def _read(content: bytes) -> list[Record]:
    return [row.record for row in read_records(io.BytesIO(content)) if isinstance(row, AcceptedRow)]
