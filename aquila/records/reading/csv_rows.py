"""Rows of a CSV list, cut into batches and read batch by batch.

Fields that hold several values part these by `;` and are quoted where the separator is `;` too. A row whose quotes do
not close is refused alone: reading goes on at the next line. Batches end with a row, so each is read by itself, in
any process, and gives what reading the whole file would give.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from aquila.records.fields import refuse
from aquila.records.reading.bounded_lines import BATCH_LINES, Batch, Line, LineSource
from aquila.records.reading.columns import cell_reader
from aquila.records.reading.csv_plan import CsvPlan
from aquila.records.rows import RefusedRow, RowColumns
from aquila.sentences import Sentence

_MOST_FURTHER = 50  # lines of one row, so that a quote that never closes refuses one row and not the rest of the file
_QUOTE = b'"'
_UNREADABLE = Sentence.of("row_is_no_csv")


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
    reason: Sentence | None = None


def cut_csv(plan: CsvPlan, source: LineSource, most: int = BATCH_LINES) -> Iterator[Batch]:
    """Cut the lines below the header into batches that begin and end with a row; blank lines before the first go.

    Args:
        plan: The header.
        source: The lines from the second on.
        most: About how many lines a batch has.
    """
    number, is_head = 2, True
    while contents := source.read_lines(most):
        contents = _end_with_row(plan, number, contents, source)
        batch = Batch(number, tuple(contents), is_head)
        number += len(contents)
        if is_head and all(line.is_blank for line in batch.lines(plan.encoding)):
            continue
        yield batch
        is_head = False


def read_csv_batch(plan: CsvPlan, batch: Batch) -> RowColumns:
    """Read the rows of a batch; what is wrong with the header comes with the list's first row."""
    columns = _part_columns(plan, batch)
    if columns is None:
        rows = _read_careful(plan, batch)
    else:
        rows = cell_reader(plan.columns, day_first=plan.day_first).read(
            range(batch.first, batch.first + len(batch.contents)), columns
        )
    if batch.findings:
        found = defaultdict(list)
        for finding in batch.findings:
            found[finding.line].append(finding)
        for at in [at for at, line in enumerate(rows.lines) if line in found]:
            rows.insert_findings(at, tuple(found[rows.lines[at]]))
    if batch.is_head and plan.findings:
        rows.insert_findings(0, plan.findings)
    return rows


def column_cells(plan: CsvPlan, batch: Batch, place: int) -> Iterable[tuple[int, str]]:
    """Return the cells of one column of a batch with their lines, without rows that will be refused."""
    columns = _part_columns(plan, batch)
    if columns is not None:
        return enumerate(columns[place], batch.first)
    rows = _part_rows(batch.lines(plan.encoding), plan.separator)
    return [(row.line.number, row.cells[place]) for row in rows if row.cells and len(row.cells) == len(plan.columns)]


def _part_columns(plan: CsvPlan, batch: Batch) -> list[list[str]] | None:
    """Part lines into the cells of each column, or return None where one has a quote or other fields than the header.

    Without quotes a line is a row, and every separator parts two cells of it.
    """
    separator, width = plan.separator, len(plan.columns)
    parted, mark = width - 1, separator.encode()
    if {content.count(mark) for content in batch.contents} != {parted}:
        return None
    text = batch.sound_text(plan.encoding)
    if text is None or '"' in text:
        return None
    text = text.replace("\r\n", "\n").removesuffix("\n")
    cells = text.replace("\n", separator).split(separator)
    if "\r" in text or len(cells) != width * len(batch.contents):  # another end of a line, or none
        return None
    return [cells[place::width] for place in range(width)]


def _read_careful(plan: CsvPlan, batch: Batch) -> RowColumns:
    """Read the rows of a batch of any lines."""
    texts = batch.sound_texts(plan.encoding)
    parted = None if texts is None else _part_lines(texts, plan.separator)
    if texts is None or parted is None:
        return _read_apart(plan, batch.lines(plan.encoding))
    return _read_lines(plan, batch.first, texts, parted)


def _end_with_row(plan: CsvPlan, number: int, contents: list[bytes], source: LineSource) -> list[bytes]:
    """Let a batch end where its last row ends: take the further lines of that row from the source."""
    if _QUOTE not in b"".join(contents):
        return contents
    texts = Batch(number, tuple(contents)).sound_texts(plan.encoding)
    if texts is not None and _part_lines(texts, plan.separator) is not None:
        return contents
    every = contents + list(islice(iter(source.next, b""), _MOST_FURTHER))
    parted = _part_rows(Batch(number, tuple(every)).lines(plan.encoding), plan.separator)
    end = next(row.end for row in parted if row.end >= len(contents))
    source.give_back(every[end:])
    return every[:end]


def _part_lines(texts: list[str], separator: str) -> list[list[str]] | None:
    """Part lines into fields if each is a row of its own, or return None if one is not, or is not CSV."""
    try:
        parted = list(csv.reader(texts, delimiter=separator, strict=True))
    except csv.Error:
        return None
    return parted if len(parted) == len(texts) else None


def _part_rows(lines: Sequence[Line], separator: str) -> Iterator[_Parted]:
    """Part rows into fields, taking further lines while a quote is open; blank lines are rows here.

    A row that cannot be parted ends with its first line, and so does a line with a fault.
    """
    begin = 0

    def texts() -> Iterator[str]:
        """The lines from here on, up to one with a fault, and no more than a row may have."""
        for place in range(begin, len(lines)):
            if lines[place].fault or place - begin > _MOST_FURTHER:
                return
            yield lines[place].text

    while begin < len(lines):
        first, reason = begin, None
        reader = csv.reader(texts(), delimiter=separator, strict=True)
        try:
            for cells in reader:
                yield _Parted(lines[begin], first + reader.line_num, cells)
                begin = first + reader.line_num
        except csv.Error:
            reason = _UNREADABLE
        if begin < len(lines):
            yield _Parted(lines[begin], begin + 1, None, reason or lines[begin].fault)
            begin += 1


def _read_lines(plan: CsvPlan, first: int, texts: list[str], parted: list[list[str]]) -> RowColumns:
    """Read rows that take one line each."""
    width = len(plan.columns)
    numbered = enumerate(parted, first)
    return _read_cells(plan, [row for row in numbered if len(row[1]) == width or texts[row[0] - first].strip()])


def _read_apart(plan: CsvPlan, lines: Sequence[Line]) -> RowColumns:
    """Read rows of which some take several lines or cannot be parted."""
    parted = [row for row in _part_rows(lines, plan.separator) if not row.line.is_blank]
    return _read_cells(plan, [(row.line.number, row.cells or row.reason or _UNREADABLE) for row in parted])


def _read_cells(plan: CsvPlan, rows: Sequence[tuple[int, list[str] | Sentence]]) -> RowColumns:
    """Read the rows that have the header's fields, and refuse the others, which have other ones or a reason."""
    width = len(plan.columns)
    sound = [(line, cells) for line, cells in rows if isinstance(cells, list) and len(cells) == width]
    columns = list(zip(*(cells for _line, cells in sound), strict=True)) or [()] * width
    reader = cell_reader(plan.columns, day_first=plan.day_first)
    found = reader.read([line for line, _cells in sound], columns)
    if len(sound) == len(rows):
        return found
    read = iter(found.rows())
    return RowColumns.of(
        [
            refuse(line, cells)
            if isinstance(cells, Sentence)
            else next(read)
            if len(cells) == width
            else _refuse_width(plan, line, cells)
            for line, cells in rows
        ]
    )


def _refuse_width(plan: CsvPlan, line: int, cells: Sequence[str]) -> RefusedRow:
    """Refuse a row whose fields are not those of the header."""
    if len(cells) > len(plan.columns):
        return refuse(line, Sentence.of("row_has_more_fields"))
    return refuse(line, Sentence.of("row_has_fewer_fields"))
