"""Workbooks of Excel (.xlsx), read with openpyxl row by row: values as a person sees them, not as they are stored.

Of a formula the value is read that the program stored last. A number keeps the zeros that its format puts before it,
and a date shows no more than its format does. Both date systems, of 1900 and of 1904, are openpyxl's affair.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import repeat
from typing import Any, BinaryIO

from aquila.records.reading.workbooks import (
    MOST_COLUMNS,
    MOST_ROWS,
    SheetRow,
    UnusableCellError,
    Workbook,
    date_text,
    number_text,
    opened_archive,
)

_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')


class _XlsxWorkbook:
    """An open workbook."""

    def __init__(self, workbook: Any) -> None:  # noqa: ANN401 - openpyxl states no types
        self._workbook = workbook
        self.sheets = tuple(str(sheet.title) for sheet in workbook.worksheets)

    def rows(self, sheet: int, width: int = MOST_COLUMNS + 1) -> Iterator[SheetRow]:
        """Yield the rows of a sheet."""
        chosen = self._workbook.worksheets[sheet]
        chosen.reset_dimensions()  # some programs state wrong ones, by which cells would be left out
        rows = chosen.iter_rows(max_row=MOST_ROWS, max_col=width)
        yield from (_row(number, cells) for number, cells in enumerate(rows, start=1))


@contextmanager
def opened_xlsx(stream: BinaryIO) -> Iterator[Workbook]:
    """Open a workbook.

    Raises:
        InputError: It is damaged, or larger than a list can be.
    """
    from openpyxl import load_workbook  # noqa: PLC0415 - to import it takes as long as to read 50,000 records of CSV

    with opened_archive(stream):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about parts that lists do not have, such as rules for entries
            workbook = load_workbook(stream, read_only=True, data_only=True)
        yield _XlsxWorkbook(workbook)


def _row(number: int, cells: Sequence[Any]) -> SheetRow:
    """Read a row of cells."""
    row = SheetRow(number, [])
    texts = row.texts
    for place, cell in enumerate(cells):
        value = cell.value
        if value is None:
            continue
        texts += repeat("", place - len(texts))
        kind = cell.data_type
        if kind == "s":
            texts.append(value)
            continue
        try:
            texts.append(_text(cell))
        except UnusableCellError as fault:
            texts.append("")
            row.faults[place] = fault.reason
        if kind == "n":
            row.typed.add(place)
    return row


def _text(cell: Any) -> str:  # noqa: ANN401 - openpyxl states no types
    """Return the text of a cell that holds something other than a text.

    Raises:
        UnusableCellError: It holds an error, or a number that lost digits.
    """
    value = cell.value
    if cell.data_type == "e":
        raise UnusableCellError("cell_holds_error")
    form = _LITERAL.sub("", (cell.number_format or "").lower())
    if isinstance(value, date):  # and a datetime, which is one
        return date_text(value, has_day="d" in form, has_month="m" in form)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return number_text(value, digits=len(form) if set(form) == {"0"} else 0)
    return str(value)
