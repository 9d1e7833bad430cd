"""The cells of rows, read at little cost.

Most cells of a list are sound, and those of names, dates, places and codes repeat. A column remembers what its cells
gave, so that a row of known cells is put together without looking at their texts. Nothing here says what a text is
worth: that is `fields.read_field`, which gives the same for the same text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from aquila.records.normalize.plain_numbers import is_plain_document, is_plain_phone, plain_nationals
from aquila.records.person import ABSENT, FIELDS, LIST_FIELDS
from aquila.records.rows import LONGEST_ID, FieldError, Row, RowColumns, make_row, read_field

MOST_KNOWN = 1 << 15  # cells of one column
LONGEST_KNOWN = 100  # characters
_LISTS = frozenset(LIST_FIELDS)
_ID, _BORN, _SEX, _NATIONAL = map(FIELDS.index, ("record_id", "date_of_birth", "sex", "national_numbers"))
_NAMES = tuple(map(FIELDS.index, ("given_names", "family_names", "full_name", "aliases")))
_ENOUGH = 2  # of given names, family names and date of birth, as `Record.is_enough`
_PLAIN: dict[str, Callable[[str], object]] = {"document_numbers": is_plain_document, "phones": is_plain_phone}
_OWN = frozenset({"record_id", "document_numbers", "national_numbers", "phones", "emails"})  # hardly ever repeat


class Column(dict[str, Any]):
    """The values of a field's cells, by cell: a value, or a `FieldError` one.

    Args:
        name: The field.
        is_parted: Whether a cell holds several values, parted by `;`.
        day_first: As for `read_field`.
    """

    def __init__(self, name: str, *, is_parted: bool, day_first: bool | None = None) -> None:
        super().__init__()
        self.name = name
        self.is_parted = is_parted
        self.day_first = day_first
        self.is_kept = name not in _OWN

    def read(self, cells: Sequence[str]) -> list[Any]:
        """Return the values of cells; those that are plainly sound are what they seem."""
        if self.name == "record_id" and _are_plain_ids(cells):
            return list(cells)
        is_plain = _PLAIN.get(self.name)
        if is_plain is None:
            return list(map(self.__getitem__, cells))
        return [(cell,) if cell and is_plain(cell) else self[cell] for cell in cells]

    def __missing__(self, cell: str) -> Any:
        if not cell:
            value = ABSENT[FIELDS.index(self.name)]
        else:
            texts = cell.split(";") if self.is_parted else (cell,)
            value = read_field(self.name, texts, day_first=self.day_first)
        if not cell or (self.is_kept and len(cell) <= LONGEST_KNOWN):
            if len(self) >= MOST_KNOWN:
                self.clear()
            self[cell] = value
        return value


@dataclass(frozen=True, slots=True)
class CellReader:
    """Reads rows whose cells are in a fixed order."""

    columns: tuple[tuple[int, int, Column], ...]
    """Of each column that is read: its place in the row, the field's place in a record, the column."""

    def read(self, lines: Sequence[int], columns: Sequence[Sequence[str]]) -> RowColumns:
        """Read rows that begin on some lines, column by column.

        Args:
            lines: The line of each row.
            columns: The cells of each column, also of those that are not read.
        """
        nothing = {absent: (absent,) * len(lines) for absent in set(ABSENT)}
        values: list[Sequence[Any]] = [nothing[absent] for absent in ABSENT]
        nationals: Sequence[str] = ()
        for place, field, column in self.columns:
            if field == _NATIONAL:
                nationals = columns[place]
            else:
                values[field] = column.read(columns[place])
        odd = {at for _place, field, _column in self.columns for at in _faults(values[field])}
        if nationals:
            odd |= self._read_nationals(nationals, values)
        odd.update(_incomplete(values))
        apart = {at: _row(lines[at], [column[at] for column in values]) for at in sorted(odd)}
        return RowColumns(lines, values, apart)

    @staticmethod
    def _read_nationals(cells: Sequence[str], values: list[Sequence[Any]]) -> set[int]:
        """Put the column of national numbers in place, and return the rows whose number may give a finding."""
        column = _column("national_numbers", is_parted=True)
        there = [at for at, cell in enumerate(cells) if cell]
        births, sexes = ([_sound(values[field][at]) for at in there] for field in (_BORN, _SEX))
        certain = plain_nationals([cells[at] for at in there], births, sexes)
        found: list[Any] = [()] * len(cells)
        odd = set()
        for at, is_certain in zip(there, certain.tolist(), strict=True):
            if is_certain:
                found[at] = (cells[at],)
            else:
                found[at] = column[cells[at]]
                odd.add(at)
        values[_NATIONAL] = found
        return odd


@lru_cache(maxsize=16)
def cell_reader(columns: tuple[str | None, ...], *, day_first: bool | None = None) -> CellReader:
    """The reader for a header; columns that are None are not read, and `day_first` is that of `read_field`."""
    return CellReader(
        tuple(
            (place, FIELDS.index(name), _column(name, is_parted=name in _LISTS, day_first=day_first))
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


def _are_plain_ids(cells: Sequence[str]) -> bool:
    """Return whether all of some cells are ids without a change: printable ASCII without a blank."""
    joined = "".join(cells)
    return (
        all(cells)
        and joined.isascii()
        and joined.isprintable()
        and " " not in joined
        and max(map(len, cells), default=0) <= LONGEST_ID
    )


def _sound(value: Any) -> Any:
    """Return a value of which nothing is wrong, or None for another."""
    return None if value.__class__ is FieldError else value


def _faults(column: Sequence[Any]) -> list[int]:
    """Return the rows in whose cell of a column something is wrong."""
    if FieldError not in set(map(type, column)):
        return []
    return [at for at, value in enumerate(column) if value.__class__ is FieldError]


def _incomplete(values: Sequence[Sequence[Any]]) -> list[int]:
    """Return the rows without an id, or with too little to match on; and others of which something is wrong."""
    ids, births = values[_ID], values[_BORN]
    given, family, full, aliases = (values[place] for place in _NAMES)
    if all(ids) and (all(full) or (all(given) and all(family))):
        return []
    return [
        at
        for at, (record_id, *names, whole, other, born) in enumerate(
            zip(ids, given, family, full, aliases, births, strict=True)
        )
        if not record_id or (_ENOUGH if whole or other else sum(map(bool, names))) + (born is not None) < _ENOUGH
    ]


@cache
def _column(name: str, *, is_parted: bool, day_first: bool | None = None) -> Column:
    """The one column of a field in this process, for each order of days and months."""
    return Column(name, is_parted=is_parted, day_first=day_first)


@cache
def _whole_columns() -> dict[str, tuple[int, Column]]:
    """The columns of all fields, for texts that are one value each, with their places in a record."""
    return {name: (place, _column(name, is_parted=False)) for place, name in enumerate(FIELDS)}
