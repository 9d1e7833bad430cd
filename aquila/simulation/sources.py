"""Sources of a party's records: a list in memory or a file, in batches that another process turns into inputs."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aquila.crypto.group import Group
from aquila.errors import InputError
from aquila.protocol.submissions.tasks import DigestedBatch, digest_columns
from aquila.records.reading.bounded_lines import Batch
from aquila.records.reading.layouts import RECOGNIZED, Layout
from aquila.records.reading.lists import Plan, WholeList, open_list, read_batch_columns
from aquila.records.rows import Finding, ReadReport, Row, RowColumns
from aquila.records.rules import RuleTable


class RowBatch(Protocol):
    """A part of a list that travels to a task."""

    def read(self) -> RowColumns:
        """Read it."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class LineBatch:
    """Lines of a file, and how they are read."""

    plan: Plan
    lines: Batch

    def read(self) -> RowColumns:
        """Read them."""
        return read_batch_columns(self.plan, self.lines)


class ListFile:
    """A list in a file.

    Args:
        path: The file.
        layout: Its layout; what it leaves open is recognized.
    """

    def __init__(self, path: Path, layout: Layout = RECOGNIZED) -> None:
        self.name = str(path)
        self._path, self._layout = path, layout
        self._whole: WholeList | None = None

    size = 100
    """Progress is told in hundredths of its bytes."""

    def batches(self) -> Iterator[tuple[int, RowBatch]]:
        """Yield the lines in batches, an empty one at last.

        Raises:
            InputError: The file cannot be read, or is no list.
        """
        done = 0
        try:
            with self._path.open("rb") as stream:
                size = max(1, os.fstat(stream.fileno()).st_size)
                raw = open_list(stream, self._layout)
                self._whole = WholeList(raw.plan)
                for lines in raw.batches:
                    done += sum(map(len, lines.contents))
                    yield min(self.size * done // size, self.size - 1), LineBatch(raw.plan, lines)
                yield self.size, LineBatch(raw.plan, Batch(0, ()))
        except OSError as error:
            raise InputError("source_unreadable", fault=error.strerror) from None

    def admit(self, record_ids: Sequence[str], refused: int) -> bool:
        """Take a batch in which no id comes twice."""
        return self._watched().admit(record_ids, refused)

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Refuse rows whose id came before."""
        return self._watched().watch(rows)

    def end(self) -> None:
        """Refuse a list without a row, and forget the ids; raises InputError if there was none."""
        self._watched().end()
        self._whole = None

    def _watched(self) -> WholeList:
        assert self._whole is not None, "batches come first"
        return self._whole


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reading:
    """A batch to read, normalize and digest."""

    batch: RowBatch
    """What there is to read."""
    binding: bytes
    """32 bytes."""
    table: RuleTable
    """The match rules."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ReadBatch:
    """The result of reading a batch of a list."""

    record_ids: tuple[str, ...]
    """Of the accepted records, in order."""
    counts: ReadReport
    """Rows accepted and refused, and warnings."""
    findings: tuple[tuple[Finding, str], ...]
    """What is wrong, each beside the record id of its row."""
    digested: DigestedBatch
    """The inputs of the records."""
    read_seconds: float
    """Processor time of reading, without normalizing."""


def read_batch(_group: Group, work: Reading) -> ReadBatch:
    """Read a batch of a list and digest its inputs; a task for any executor, which needs no group."""
    started = time.thread_time()
    rows = work.batch.read()
    return take_rows(work, rows, time.thread_time() - started)


def take_rows(work: Reading, rows: RowColumns, read_seconds: float = 0.0) -> ReadBatch:
    """Digest the inputs of some rows of a batch."""
    records = rows.accepted()
    return ReadBatch(
        tuple(records["record_id"]),
        rows.report(),
        tuple(rows.findings()),
        digest_columns(work.binding, work.table, records),
        read_seconds,
    )


@contextmanager
def named(source: ListFile) -> Iterator[None]:
    """Name the list in what is refused about it inside the block."""
    try:
        yield
    except InputError as error:
        if not source.name:
            raise
        raise InputError("list_refused", **error.fields, list=source.name, reason=error.sentence) from None
