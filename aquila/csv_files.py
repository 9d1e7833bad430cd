"""Writing CSV (RFC 4180): the one writer, so that no file that a person opens holds a formula.

A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@`; such a text gets an apostrophe before it, as the page
of OWASP on CSV injection has it. Texts stand within quotation marks, so that where lists are separated by semicolons a
cell does not become two, of which the second begins anew. Numbers stay numbers. Nothing here reads: lists are read by
`aquila.records`, which takes a text as it is.
"""

import csv
from collections.abc import Iterable
from typing import TextIO, TypeAlias

Cell: TypeAlias = "str | int | float | None"

# As they are, and as they are written in the width of Chinese letters, which a spreadsheet takes for the same.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BLANK_FORMULA = ("\t", "\r", "\n")


class CsvWriter:
    """Writes rows to a stream that was opened without translation of line ends."""

    def __init__(self, stream: TextIO, *, line_end: str = "\r\n") -> None:
        self._writer = csv.writer(stream, lineterminator=line_end, quoting=csv.QUOTE_NONNUMERIC)

    def write(self, cells: Iterable[Cell]) -> None:
        """Write a row."""
        self._writer.writerow([_harmless(cell) if isinstance(cell, str) else cell for cell in cells])

    def write_all(self, rows: Iterable[Iterable[Cell]]) -> None:
        """Write rows."""
        self._writer.writerows([_harmless(cell) if isinstance(cell, str) else cell for cell in cells] for cells in rows)


class ListWriter:
    """Writes invented lists, which are imported again and hold what was put in, `+386 1` too; no person's own."""

    def __init__(self, stream: TextIO, *, separator: str = ",", line_end: str = "\n") -> None:
        self._writer = csv.writer(stream, delimiter=separator, lineterminator=line_end)

    def write(self, cells: Iterable[str]) -> None:
        """Write a row."""
        self._writer.writerow(cells)


def _harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    if text[:1].isalnum():  # as nearly all
        return text
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or text.startswith(_BLANK_FORMULA) else text
