"""Values of cells of a spreadsheet as texts: dates, and numbers used as identifiers."""

from __future__ import annotations

from datetime import date, datetime, time

from aquila.sentences import Sentence

_MOST_EXACT = 10**15  # numbers below are exact in a spreadsheet


class UnusableCellError(Exception):
    """A cell that cannot be used, with the reason; it ends as a finding.

    Attributes:
        reason: What is wrong and what to do.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.reason = Sentence.of(code)


def date_text(value: date, *, has_day: bool, has_month: bool) -> str:
    """Return a date with the parts that a cell shows; one with a time of day keeps it, and is then not a date of birth.

    Args:
        value: The date, or a moment, of which midnight is the date alone.
        has_day: Whether the cell shows the day; a cell that shows neither day nor month holds a year.
        has_month: Whether it shows the month.
    """
    if isinstance(value, datetime):
        if value.time() != time():
            return value.isoformat(" ")
        value = value.date()
    if has_day:
        return value.isoformat()
    return value.isoformat()[:7] if has_month else value.isoformat()[:4]


def number_text(value: float, digits: int = 0) -> str:
    """Return a number as digits, without a point where it is whole.

    Args:
        value: The number.
        digits: How many digits the cell shows at least; those missing are zeros.

    Raises:
        UnusableCellError: A whole number of more digits than a spreadsheet keeps, or one that is not finite.
    """
    if not -_MOST_EXACT < value < _MOST_EXACT:
        raise UnusableCellError("number_lost_digits")
    return str(int(value)).zfill(digits) if value == int(value) else str(value)
