"""Rows of a CSV list, cut into batches and read batch by batch.

Fields that hold several values part these by `;` and are quoted where the separator is `;` too. A row whose quotes do
not close is refused alone: reading goes on at the next line. Batches end with a row, so each is read by itself, in
any process, and gives what reading the whole file would give.
"""

from __future__ import annotations

import csv
from itertools import islice, takewhile
from typing import TYPE_CHECKING, NamedTuple

from aquila.records.columns import cell_reader, part_cell
from aquila.records.fields import read_row, refuse
from aquila.records.lines import BATCH_LINES, Batch, Line, LineSource
from aquila.records.rows import Accepted, Finding, Refused, Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aquila.records.csv_plan import CsvPlan

_MOST_FURTHER = 50  # lines of one row, so that a quote that never closes refuses one row and not the rest of the file
_QUOTE = b'"'
_UNREADABLE = "is no well-formed CSV; look for a quote that is not closed or not doubled, or a bare line end"


class _Parted(NamedTuple):
    """One row, parted into its fields.

    Attributes:
        line: The line on which it begins.
        end: The place in the batch after its last line.
        cells: Its fields; None where `reason` says why there are none.
    """

    line: Line
    end: int
    cells: list[str] | None
    reason: str = ""


def cut_csv(plan: CsvPlan, source: LineSource, most: int = BATCH_LINES) -> Iterator[Batch]:
    """Cut the lines below the header into batches that begin and end with a row; blank lines before the first go.

    Args:
        plan: The header.
        source: The lines from the second on.
        most: About how many lines a batch has.
    """
    number, is_head = 2, True
    while contents := source.take(most):
        contents = _end_with_row(plan, number, contents, source)
        batch = Batch(number, tuple(contents), is_head)
        number += len(contents)
        if is_head and all(line.is_blank for line in batch.lines()):
            continue
        yield batch
        is_head = False


def read_csv_batch(plan: CsvPlan, batch: Batch) -> list[Row]:
    """Read the rows of a batch; what is wrong with the header comes with the list's first row."""
    texts = batch.sound_texts()
    parted = None if texts is None else _part_lines(texts, plan.separator)
    if texts is None or parted is None:
        rows = list(_read_apart(plan, batch.lines()))
    else:
        rows = list(_read_lines(plan, batch.first, texts, parted))
    if batch.is_head:
        rows[0] = _with_findings(rows[0], plan.findings)
    return rows


def _end_with_row(plan: CsvPlan, number: int, contents: list[bytes], source: LineSource) -> list[bytes]:
    """Let a batch end where its last row ends: take the further lines of that row from the source."""
    if not any(_QUOTE in content for content in contents):
        return contents
    texts = Batch(number, tuple(contents)).sound_texts()
    if texts is not None and _part_lines(texts, plan.separator) is not None:
        return contents
    every = contents + source.take(_MOST_FURTHER)
    parted = _part_rows(Batch(number, tuple(every)).lines(), plan.separator)
    end = next(row.end for row in parted if row.end >= len(contents))
    source.give_back(every[end:])
    return every[:end]


def _part_lines(texts: list[str], separator: str) -> list[list[str]] | None:
    """Part lines into fields where each is a row of its own, or return None where one is not, or is no CSV."""
    try:
        parted = list(csv.reader(texts, delimiter=separator, strict=True))
    except csv.Error:
        return None
    return parted if len(parted) == len(texts) else None


def _part_rows(lines: Sequence[Line], separator: str) -> Iterator[_Parted]:
    """Part rows into fields one by one, taking further lines while a quote is open; blank lines are rows here."""
    place = 0
    while place < len(lines):
        row = _part_row(lines, place, separator)
        yield row
        place = row.end


def _part_row(lines: Sequence[Line], place: int, separator: str) -> _Parted:
    """Part the row that begins at a place; one that cannot be parted ends with its first line."""
    line = lines[place]
    if line.fault:
        return _Parted(line, place + 1, None, line.fault)
    # A line with a fault ends the search for the closing quote, and so does the end of the batch.
    row = takewhile(lambda further: not further.fault, islice(lines, place, place + 1 + _MOST_FURTHER))
    reader = csv.reader((further.text for further in row), delimiter=separator, strict=True)
    try:
        cells = next(reader)
    except csv.Error:
        return _Parted(line, place + 1, None, _UNREADABLE)
    return _Parted(line, place + reader.line_num, cells)


def _read_lines(plan: CsvPlan, first: int, texts: list[str], parted: list[list[str]]) -> Iterator[Row]:
    """Read rows that take one line each."""
    width, fields = len(plan.columns), cell_reader(plan.columns)
    for number, cells in enumerate(parted, first):
        record = fields.read_sound(cells) if len(cells) == width else None
        if record is not None:
            yield Accepted(number, record)
        elif texts[number - first].strip():
            yield _read_cells(plan, number, cells)


def _read_apart(plan: CsvPlan, lines: Sequence[Line]) -> Iterator[Row]:
    """Read rows of which some take several lines or cannot be parted."""
    for row in _part_rows(lines, plan.separator):
        if row.cells is None and not row.line.is_blank:
            yield refuse(row.line.number, row.reason)
        elif row.cells is not None and not row.line.is_blank:
            yield _read_cells(plan, row.line.number, row.cells)


def _read_cells(plan: CsvPlan, number: int, cells: list[str]) -> Row:
    """Read the fields of one row, and say what is wrong with them."""
    if len(cells) != len(plan.columns):
        much = "more" if len(cells) > len(plan.columns) else "fewer"
        reason = f"has {much} fields than the first line; quote fields that hold the separator"
        return refuse(number, reason)
    texts = {name: part_cell(name, cell) for name, cell in zip(plan.columns, cells, strict=True) if name and cell}
    return read_row(number, texts)


def _with_findings(row: Row, findings: tuple[Finding, ...]) -> Row:
    """The row with findings put before its own."""
    if isinstance(row, Accepted):
        return Accepted(row.line, row.record, findings + row.warnings)
    return Refused(row.line, row.record_id, findings + row.findings)
