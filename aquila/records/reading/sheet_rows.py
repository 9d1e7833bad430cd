"""Rows of a spreadsheet's sheet as lines of CSV, cut into batches, so that from here on a spreadsheet is a CSV list.

The first row that is not blank names the columns. A line has the number of its row. Of the cells to the right of the
columns only the next one is looked at: a row that has something there may be shifted, and is refused as in CSV.
"""

from __future__ import annotations

from collections.abc import Iterator

from aquila.errors import InputError
from aquila.records.normalize.check_digits import SCHEMES, schemes_of
from aquila.records.person import FIELDS, LIST_FIELDS
from aquila.records.reading.bounded_lines import BATCH_BYTES, BATCH_LINES, Batch
from aquila.records.reading.csv_plan import CsvPlan
from aquila.records.reading.workbooks import MOST_COLUMNS, SheetRow
from aquila.records.rows import Finding
from aquila.sentences import Sentence

SEPARATOR = ","
_LISTS = frozenset(LIST_FIELDS)
_MOST_ZEROS = 2  # that begin a national number: of a day of birth one, of a year of birth two
_RESTORED = Sentence.of("leading_zeros_restored")


def names_columns(rows: Iterator[SheetRow]) -> bool:
    """Return whether the first row that is not blank names a known column."""
    return any(text.strip().lower() in FIELDS for text in _first_filled(rows).texts)


def sheet_headings(rows: Iterator[SheetRow]) -> tuple[tuple[str, ...], int]:
    """Read the first row that is not blank, and return its texts and its number.

    Raises:
        InputError: There is none, or it has too many columns.
    """
    row = _first_filled(rows)
    if row.is_blank:
        raise InputError("list_empty")
    if len(row.texts) > MOST_COLUMNS:
        raise InputError("sheet_columns_too_many")
    texts = row.texts
    while not texts[-1] and len(texts) > 1:  # cells that hold a format and nothing else
        texts.pop()
    return tuple(" ".join(text.split()) for text in texts), row.number


def cut_sheet(plan: CsvPlan, rows: Iterator[SheetRow], most: int = BATCH_LINES) -> Iterator[Batch]:
    """Cut the rows below the header into batches; between them are the blank lines that were left out.

    Args:
        plan: The header.
        rows: The rows that are not blank, from the first on; those down to the header are passed over.
        most: How many lines a batch has at most.
    """
    lines: list[bytes] = []
    findings: list[Finding] = []
    size, first, is_head = 0, 0, True
    for row in rows:
        if row.number <= plan.line:
            continue
        first = first if lines else row.number
        lines += [b"\n"] * (row.number - first - len(lines))
        line = _line(plan, row, findings)
        lines.append(line)
        size += len(line)
        if len(lines) >= most or size >= BATCH_BYTES:
            yield Batch(first, tuple(lines), is_head, tuple(findings))
            lines, findings, size, is_head = [], [], 0, False
    if lines:
        yield Batch(first, tuple(lines), is_head, tuple(findings))


def _first_filled(rows: Iterator[SheetRow]) -> SheetRow:
    """Take the rows up to the first one that is not blank, and return that; a blank one where there is none."""
    return next((row for row in rows if not row.is_blank), SheetRow(1, []))


def _line(plan: CsvPlan, row: SheetRow, findings: list[Finding]) -> bytes:
    """Return a row as a line of CSV, and note what is wrong with its cells."""
    width = max(len(plan.columns), len(row.texts))
    cells = [*row.texts, *[""] * (width - len(row.texts))]
    while len(cells) > len(plan.columns) and not cells[-1]:
        cells.pop()
    for place, name in enumerate(plan.columns):
        if reason := row.faults.get(place):
            findings.append(Finding(row.number, name or "", reason))
        elif place in row.typed and name == "national_numbers" and (number := _with_zeros(cells[place])):
            cells[place] = number
            findings.append(Finding(row.number, name, _RESTORED))
        elif "\n" in cells[place]:
            cells[place] = (";" if name in _LISTS else " ").join(cells[place].splitlines())
    return (SEPARATOR.join(map(_quoted, cells)) + "\n").encode("utf-8", "replace")


def _with_zeros(number: str) -> str:
    """Return a national number with the zeros that it lost, or an empty string where none are missing."""
    if schemes_of(number):
        return ""
    for zeros in range(1, _MOST_ZEROS + 1):
        whole = "0" * zeros + number
        if any(SCHEMES[name].birth is not None for name in schemes_of(whole)):
            return whole
    return ""


def _quoted(cell: str) -> str:
    return '"' + " ".join(cell.splitlines()).replace('"', '""') + '"' if cell else ""
