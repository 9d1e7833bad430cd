"""Dates of birth that may miss their day or month."""

from __future__ import annotations

import pytest

from aquila.errors import InputError
from aquila.records.dates import PartialDate


@pytest.mark.parametrize("text", ["1980-02-29", "1980-02", "1980"])
def test_a_date_is_written_as_it_was_read(text: str) -> None:
    """Parsing and writing a date gives the same text."""
    assert str(PartialDate.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "1980-02-31",
        "1979-02-29",
        "1980-13-01",
        "1980-00",
        "1980-02-00",
        "1980-04-31",
        "1849",
        "2151",
        "80-01-01",
        "01.02.1980",
        "1980-1-1",
        "",
        "१९८०",
    ],
)
def test_an_impossible_or_misshapen_date_is_refused(text: str) -> None:
    """No date is made of what no calendar has."""
    with pytest.raises(InputError):
        PartialDate.parse(text)


def test_a_day_without_a_month_is_refused() -> None:
    """A day needs its month."""
    with pytest.raises(InputError):
        PartialDate(1980, None, 5)


@pytest.mark.parametrize(
    ("text", "kept", "fault"),
    [
        ("1980-02-03", "1980-02-03", ""),
        ("1980-02", "1980-02", ""),
        ("1980", "1980", ""),
        ("1980-02-31", "1980-02", "day"),
        ("1980-02-00", "1980-02", ""),
        ("1980-00-00", "1980", ""),
        ("1980-00", "1980", ""),
        ("1980-00-05", "1980", "month"),
        ("1980-13-14", "1980", "month"),
        ("1980-13-01", "1980-01-13", "order"),
        ("1980-31-02", "1980", "month"),
        ("01.02.1980", "1980-02-01", ""),
        ("1. 2. 1980.", "1980-02-01", ""),
        ("2.1980", "1980-02", ""),
        ("00.00.1980", "1980", ""),
        ("31.02.1980", "1980-02", "day"),
        ("02.31.1980", "1980", "month"),
        ("12.25.1980", "1980-12-25", "order"),
        ("1993-01-01", "1993-01-01", ""),
    ],
)
def test_what_can_be_used_of_a_date_is_kept(text: str, kept: str, fault: str) -> None:
    """The longest usable beginning of an impossible date remains, and the wrong part is named."""
    date, found = PartialDate.salvage(text)
    assert (str(date), found) == (kept, fault)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("1066-10-14", "year"),
        ("14 October", "form"),
        ("01.02.80", "form"),
        ("01/02/1980", "form"),
        ("1900-01-01", "placeholder"),
        ("30.12.1899", "placeholder"),
    ],
)
def test_nothing_is_kept_of_a_date_without_a_year(text: str, fault: str) -> None:
    """A date whose year cannot be used is gone; a year of two digits or an order of numbers is not guessed."""
    assert PartialDate.salvage(text) == (None, fault)


def test_a_date_does_not_show_itself() -> None:
    """A date of birth never reaches a traceback through repr."""
    assert "1980" not in repr(PartialDate(1980, 2, 3))


def test_a_date_has_a_number_of_its_own() -> None:
    """Days, months and years of four centuries: each date is that of its number, and no two have the same one."""
    years = range(1850, 2151)
    dates = [PartialDate(year, month or None) for year in years for month in range(13)]
    dates += [
        PartialDate(year, month, day)
        for year in (1850, 1900, 2000, 2150)
        for month in range(1, 13)
        for day in range(1, 29)
    ]
    dates.append(PartialDate(2000, 2, 29))
    assert [PartialDate.of_number(date.number) for date in dates] == dates
    assert len({date.number for date in dates} - {0}) == len(dates)
