"""Rows of which nothing is wrong, read at little cost.

Most cells of a list are sound, and many of names, dates, places and codes repeat. A column remembers what its sound
cells gave; a row of sound cells becomes a record without being looked at again. Any other row is read by
`fields.read_row`, which says what is wrong. Columns read new cells as `read_row` does, so both ways agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from aquila.records.fields import doubts, read_field
from aquila.records.person import ABSENT, FIELDS, LIST_FIELDS, Record, sound_record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LISTS = frozenset(LIST_FIELDS)
_OWN = frozenset({"record_id", "document_numbers", "national_numbers", "phones", "emails"})  # hardly ever repeat
MOST_KNOWN = 1 << 15  # cells of one column
_LONGEST_KNOWN = 100  # characters


class UnsoundError(Exception):
    """A cell of which something is wrong; `read_row` says what."""


class Column(dict[str, Any]):
    """What the sound cells of a field gave, by cell.

    Args:
        name: The field.
        is_parted: Whether a cell holds several values, parted by `;`.
    """

    def __init__(self, name: str, *, is_parted: bool) -> None:
        super().__init__()
        self.name = name
        self.is_parted = is_parted
        self.is_kept = name not in _OWN

    def __missing__(self, cell: str) -> Any:  # noqa: ANN401 - the value of any field
        value = self.read(cell.split(";") if self.is_parted else (cell,))
        if self.is_kept and len(cell) <= _LONGEST_KNOWN:
            if len(self) >= MOST_KNOWN:
                self.clear()
            self[cell] = value
        return value

    def read(self, texts: Sequence[str]) -> Any:  # noqa: ANN401 - the value of any field
        """Read the values of a cell.

        Raises:
            UnsoundError: Something is wrong with them.
        """
        reasons: list[str] = []
        value = read_field(self.name, texts, reasons)
        if reasons or (self.name == "national_numbers" and doubts(value)):
            raise UnsoundError
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
        values = list(ABSENT)
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
        tuple(
            (place, FIELDS.index(name), _column(name, is_parted=name in _LISTS))
            for place, name in enumerate(columns)
            if name is not None
        )
    )


def read_sound_texts(texts: Mapping[str, Sequence[str]]) -> Record | None:
    """The record of texts by field name, if all are sound and enough for a record; None where they are not."""
    values = list(ABSENT)
    try:
        for name, given in texts.items():
            field, column = _whole_columns()[name]
            values[field] = column[given[0]] if len(given) == 1 else column.read(given)
    except UnsoundError:
        return None
    return sound_record(values)


def part_cell(name: str, cell: str) -> list[str]:
    """The values that a cell holds: those of a list are parted by `;`."""
    return cell.split(";") if name in _LISTS else [cell]


@cache
def _column(name: str, *, is_parted: bool) -> Column:
    """The one column of a field in this process."""
    return Column(name, is_parted=is_parted)


@cache
def _whole_columns() -> dict[str, tuple[int, Column]]:
    """The columns of all fields, for texts that are one value each, with their places in a record."""
    return {name: (place, _column(name, is_parted=False)) for place, name in enumerate(FIELDS)}
