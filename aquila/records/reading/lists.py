"""Lists of persons from files, in bounded memory, by one process or by several.

Two formats: CSV with the columns of `person.FIELDS`, and FollowTheMoney JSON lines. `open_list` reads what concerns
the whole file and cuts the rest into batches of raw lines; `read_batch` turns one into rows and may run in any
process; `WholeList` checks, in the order of the file, what no batch shows by itself. `read_records` is the three in a
row. Of a list of any length only a number per accepted record id is kept.

    raw = open_list(stream, "csv")
    whole = WholeList(raw.plan)
    for batch in raw.batches:                     # small, and to be pickled
        rows = read_batch(raw.plan, batch)        # elsewhere
        for row in whole.watch(rows): ...         # here, in order
    whole.end()
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal

from aquila.errors import InputError
from aquila.records.reading.bounded_lines import BATCH_LINES, Batch, LineSource
from aquila.records.reading.csv_plan import CsvPlan, read_header
from aquila.records.reading.csv_rows import cut_csv, read_csv_batch
from aquila.records.reading.ftm_rows import FtmPlan, cut_ftm, read_ftm_batch
from aquila.records.rows import AcceptedRow, Finding, ReadReport, RefusedRow, Row, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "AcceptedRow",
    "Batch",
    "Finding",
    "Format",
    "Plan",
    "RawList",
    "ReadReport",
    "RefusedRow",
    "Row",
    "Severity",
    "WholeList",
    "open_list",
    "read_batch",
    "read_csv",
    "read_ftm",
    "read_records",
]

Format = Literal["csv", "ftm"]
Plan = CsvPlan | FtmPlan
"""What a process must know of a file to read a batch of it; small, hashable, and to be pickled."""


@dataclass(frozen=True, slots=True)
class RawList:
    """A file that was opened as a list.

    Attributes:
        plan: How its batches are read.
        batches: Its lines in their order; each batch is a whole number of rows. To be gone through once.
    """

    plan: Plan
    batches: Iterator[Batch]


def open_list(stream: BinaryIO, format: Format = "csv", lines: int = BATCH_LINES) -> RawList:  # noqa: A002 - the word users know
    """Read the header of a list and cut the rest into batches while it is read.

    Args:
        stream: The file; only its `readline` is used.
        format: csv or ftm.
        lines: About how many lines a batch has.

    Raises:
        InputError: An unknown format, or a file that is no list: empty, no header, not UTF-8.
    """
    source = LineSource(stream)
    if format == "csv":
        plan = read_header(source.next())
        return RawList(plan, cut_csv(plan, source, lines))
    if format == "ftm":
        return RawList(FtmPlan(), cut_ftm(source, lines))
    raise InputError("this format of lists is unknown", hint="use csv or ftm")


def read_batch(plan: Plan, batch: Batch) -> list[Row]:
    """Read the rows of a batch, in their order. Nothing is raised about its content: rows are refused."""
    return read_csv_batch(plan, batch) if isinstance(plan, CsvPlan) else read_ftm_batch(batch)


class WholeList:
    """Findings that only a whole list shows: a record id that comes twice, and a list without any record.

    The batches of a list are given to it in their order. Of each accepted record a number of 64 bits is kept; two ids
    have the same one by chance in 3 of 100 million lists of a million records.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._seen: set[int] = set()
        self._is_empty = True

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass the rows of a batch on, and refuse records whose id an earlier record of the list has."""
        for row in rows:
            self._is_empty = False
            if isinstance(row, RefusedRow):
                yield row
                continue
            number = hash(row.record.record_id)
            if number in self._seen:
                reason = "is the id of an earlier record; give every record an id of its own"
                finding = Finding(row.line, "record_id", reason, Severity.REFUSAL)
                yield RefusedRow(row.line, row.record.record_id, (*row.warnings, finding))
            else:
                self._seen.add(number)
                yield row

    def admit(self, record_ids: Sequence[str], refused: int = 0) -> bool:
        """Take the ids of a batch whose rows are in another process, if none of them comes twice.

        Args:
            record_ids: The ids of the batch's accepted records.
            refused: How many rows of the batch were refused.

        Returns:
            Whether they were taken. If not, one comes twice, nothing was taken, and `watch` over the batch's rows,
            read again, says which is refused.
        """
        numbers = set(map(hash, record_ids))
        if len(numbers) < len(record_ids) or not self._seen.isdisjoint(numbers):
            return False
        self._seen |= numbers
        self._is_empty = self._is_empty and not record_ids and not refused
        return True

    def end(self) -> None:
        """Signal that no batch follows.

        Raises:
            InputError: There was no row at all.
        """
        if not self._is_empty:
            return
        if isinstance(self._plan, CsvPlan):
            raise InputError("the list has a header and no record", hint="export the list again and look at the file")
        raise InputError("the list holds no Person entity", hint="export Person entities as JSON lines")


def read_csv(stream: BinaryIO) -> Iterator[Row]:
    """Read a CSV list.

    Raises:
        InputError: The file as a whole cannot be read: empty, no header, not UTF-8, no record.
    """
    return _read_whole(stream, "csv")


def read_ftm(stream: BinaryIO) -> Iterator[Row]:
    """Read the Person entities of FollowTheMoney JSON lines; other entities are passed over.

    Raises:
        InputError: The file holds no Person at all.
    """
    return _read_whole(stream, "ftm")


def read_records(stream: BinaryIO, format: Format = "csv") -> Iterator[Row]:  # noqa: A002 - the word users know
    """Read a list of either format.

    Raises:
        InputError: An unknown format, or a file that cannot be read as a whole.
    """
    if format == "csv":
        return read_csv(stream)
    if format == "ftm":
        return read_ftm(stream)
    raise InputError("this format of lists is unknown", hint="use csv or ftm")


def _read_whole(stream: BinaryIO, form: Format) -> Iterator[Row]:
    raw = open_list(stream, form)
    whole = WholeList(raw.plan)
    for batch in raw.batches:
        yield from whole.watch(read_batch(raw.plan, batch))
    whole.end()
