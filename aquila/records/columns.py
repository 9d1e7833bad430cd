"""Rows of which nothing is wrong, read at little cost.

Most cells of a list are sound, and many of names, dates, places and codes repeat. A column remembers what its sound
cells gave; a row of sound cells becomes a record without being looked at again. Any other row is read by
`fields.RowReader`, which says what is wrong. Columns read new cells with `RowReader` too, so both ways agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from aquila.records.fields import RowReader
from aquila.records.person import FIELDS, LIST_FIELDS, Record, sound_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LISTS = frozenset(LIST_FIELDS)
_OWN = frozenset({"record_id", "document_numbers", "national_numbers", "phones", "emails"})  # hardly ever repeat
_MOST_KNOWN = 1 << 15  # cells of one column
_LONGEST_KNOWN = 100  # characters
_ABSENT = tuple(() if name in _LISTS else None for name in FIELDS)


class UnsoundError(Exception):
    """A cell of which something is wrong; `RowReader` says what."""


class Column(dict[str, Any]):
    """What the sound cells of a field gave, by cell.

    Raises:
        UnsoundError: A cell that is looked up is not sound.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def __missing__(self, cell: str) -> Any:  # noqa: ANN401 - the value of any field
        value = _read_sound(self.name, part_cell(self.name, cell))
        if self.name not in _OWN and len(cell) <= _LONGEST_KNOWN:
            if len(self) >= _MOST_KNOWN:
                self.clear()
            self[cell] = value
        return value


@dataclass(frozen=True, slots=True)
class CellReader:
    """Reads rows whose cells stand in a fixed order.

    Attributes:
        columns: Of each column that is read: its place in the row, the field's place in a record, the column.
    """

    columns: tuple[tuple[int, int, Column], ...]

    def read_sound(self, cells: Sequence[str]) -> Record | None:
        """The record of a row whose cells are all sound and enough for a record; None where they are not."""
        values = list(_ABSENT)
        try:
            for place, field, column in self.columns:
                if cell := cells[place]:
                    values[field] = column[cell]
        except UnsoundError:
            return None
        return sound_record(values)


@lru_cache(maxsize=16)
def cell_reader(columns: tuple[str | None, ...]) -> CellReader:
    """The reader for a header; columns that are None are not read."""
    return CellReader(
        tuple((place, FIELDS.index(name), _column(name)) for place, name in enumerate(columns) if name is not None)
    )


def part_cell(name: str, cell: str) -> list[str]:
    """The values that a cell holds: those of a list are parted by `;`."""
    return cell.split(";") if name in _LISTS else [cell]


@cache
def _column(name: str) -> Column:
    """The one column of a field in this process."""
    return Column(name)


def _read_sound(name: str, texts: Iterable[str]) -> Any:  # noqa: ANN401 - the value of any field
    """Read a field of which nothing is wrong.

    Raises:
        UnsoundError: Something is wrong.
    """
    reader = RowReader(0)
    value = reader.read_field(name, texts)
    if name == "national_numbers":
        reader.check_digits(value)
    if reader.findings:
        raise UnsoundError
    return value
