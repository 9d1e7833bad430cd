"""The cells of rows, read at little cost.

Most cells of a list are sound, and those of names, dates, places and codes repeat. A column remembers what its cells
gave, so that a row of known cells is put together without looking at their texts. Nothing here says what a text is
worth: that is `fields.read_field`, which gives the same for the same text.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from aquila.records.fields import FieldError, accept, make_row, read_field
from aquila.records.person import ABSENT, FIELDS, LIST_FIELDS, sound_records
from aquila.records.rows import AcceptedRow, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_KNOWN = 1 << 15  # cells of one column
LONGEST_KNOWN = 100  # characters
_LISTS = frozenset(LIST_FIELDS)
_OWN = frozenset({"record_id", "document_numbers", "national_numbers", "phones", "emails"})  # hardly ever repeat


class Column(dict[str, Any]):
    """The values of a field's cells, by cell: a value, or a `FieldError` one.

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
        if not cell:
            value = ABSENT[FIELDS.index(self.name)]
        else:
            value = read_field(self.name, cell.split(";") if self.is_parted else (cell,))
        if not cell or (self.is_kept and len(cell) <= LONGEST_KNOWN):
            if len(self) >= MOST_KNOWN:
                self.clear()
            self[cell] = value
        return value


@dataclass(frozen=True, slots=True)
class CellReader:
    """Reads rows whose cells are in a fixed order.

    Attributes:
        columns: Of each column that is read: its place in the row, the field's place in a record, the column.
    """

    columns: tuple[tuple[int, int, Column], ...]

    def read(self, lines: Sequence[int], rows: Sequence[Sequence[str]]) -> list[Row]:
        """Read rows that begin on some lines, column by column."""
        texts = list(zip(*rows, strict=True))
        nothing = {absent: (absent,) * len(rows) for absent in set(ABSENT)}
        values: list[Sequence[Any]] = [nothing[absent] for absent in ABSENT]
        faulty: set[int] = set()
        for place, field, column in self.columns:
            found = values[field] = list(map(column.__getitem__, texts[place])) if rows else []
            if FieldError in set(map(type, found)):
                faulty |= {at for at, value in enumerate(found) if value.__class__ is FieldError}
        return [
            _row(line, [column[at] for column in values])
            if record is None or at in faulty
            else accept(line, record)
            if record.national_numbers
            else AcceptedRow(line, record)
            for at, (line, record) in enumerate(zip(lines, sound_records(values), strict=True))
        ]


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


def read_texts(line: int, texts: Mapping[str, Sequence[str]]) -> Row:
    """Read a row from the texts of its fields, by field name."""
    columns, values = _whole_columns(), list(ABSENT)
    for name, given in texts.items():
        field, column = columns[name]
        values[field] = column[given[0]] if len(given) == 1 else read_field(name, given)
    return _row(line, values)


def _row(line: int, values: list[Any]) -> Row:
    """Make a row of what its fields gave, in the order of `FIELDS`."""
    faults = {field: value for field, value in enumerate(values) if value.__class__ is FieldError}
    for field, fault in faults.items():
        values[field] = fault.value
    return make_row(line, values, faults)


@cache
def _column(name: str, *, is_parted: bool) -> Column:
    """The one column of a field in this process."""
    return Column(name, is_parted=is_parted)


@cache
def _whole_columns() -> dict[str, tuple[int, Column]]:
    """The columns of all fields, for texts that are one value each, with their places in a record."""
    return {name: (place, _column(name, is_parted=False)) for place, name in enumerate(FIELDS)}
