"""The column of dates of birth as a whole: whether it holds dates, and whether their days come before their months.

A list is looked at before any of it is used. The first `LINES` lines are enough for most; where they leave a doubt the
whole column is looked at. An order is taken from dates that allow one only (`13/2/1980`), and only if no other date
contradicts it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from aquila.errors import InputError
from aquila.records.dates import PartialDate, date_order
from aquila.records.fields import LONGEST_VALUE, clean

LINES = 2_048
"""How many lines are looked at of a column that leaves no doubt."""
_CACHED = 1 << 15
_LONGEST_SHAPE = 24  # characters
_UNREAD = frozenset({"form", "year"})
_LEAST_SHARE = 0.9  # of values that cannot be read, from which on a column is not one of dates
_LEAST_VALUES = 10  # of which nine tenths can be said


class DateColumn:
    """A column of dates, of which the cells are looked at one after the other."""

    def __init__(self) -> None:
        self._read = self._unread = self._ambiguous = 0
        self._orders: set[bool] = set()
        self._example = (0, "")
        self.has_begun = False

    def begin(self, cells: Iterable[tuple[int, str]]) -> None:
        """Look at those cells that are in the first lines of the list, however its lines come in batches."""
        for line, cell in cells:
            if line > LINES:
                self.has_begun = True
                return
            self._look(line, cell.strip())

    def look(self, cells: Iterable[tuple[int, str]]) -> None:
        """Look at cells, each with its line."""
        for line, cell in cells:
            self._look(line, cell.strip())

    def _look(self, line: int, text: str) -> None:
        """Look at a cell without the blanks around it."""
        if not text:
            return
        fault, order = _judged(text)
        if order is not None:
            self._orders.add(order)
        if fault in _UNREAD:
            self._unread += 1
            if self._unread == 1:
                self._example = line, _shape(text)
        elif fault != "placeholder":  # which says that there is none
            self._read += 1
            self._ambiguous += fault == "ambiguous"

    @property
    def is_doubtful(self) -> bool:
        """Return whether more of the column has to be looked at."""
        return bool(self._ambiguous) or self._is_unread

    @property
    def day_first(self) -> bool | None:
        """Return whether days come before months in ambiguous dates; None if the column does not decide it."""
        return self._orders.copy().pop() if len(self._orders) == 1 else None

    def check(self, column: int) -> None:
        """Refuse a column that holds no dates, before anything is made of records without one.

        Args:
            column: Its number, from 1.

        Raises:
            InputError: Of ten values nine cannot be read. It names no value, but the form of one.
        """
        if self._is_unread:
            line, shape = self._example
            values = self._read + self._unread
            raise InputError(
                "dates_not_read", column=column, unread=self._unread, values=values, line=line, shape=shape
            )

    @property
    def _is_unread(self) -> bool:
        values = self._read + self._unread
        return values >= _LEAST_VALUES and self._unread >= _LEAST_SHARE * values


@lru_cache(maxsize=_CACHED)
def _judged(text: str) -> tuple[str, bool | None]:
    """Return the fault of a date, and the order that it shows."""
    cleaned = clean(text[: LONGEST_VALUE + 1])
    _date, fault = PartialDate.salvage(cleaned)
    return fault, date_order(cleaned)


def _shape(text: str) -> str:
    """Return a text with 9 for every digit and A for every letter: its form, which is nobody's."""
    return "".join(
        "9"
        if letter.isdigit()
        else "A"
        if letter.isalpha()
        else letter
        if letter.isascii() and letter.isprintable()
        else "?"
        for letter in text[:_LONGEST_SHAPE]
    )
