"""A column of dates as a whole: its order of days and months, and a column that holds no dates."""

from collections.abc import Iterable
from io import BytesIO

import pytest

from aquila.errors import InputError
from aquila.records.reading.layouts import Layout
from aquila.records.reading.lists import DATE_LINES, open_list, read_records
from aquila.records.rows import AcceptedRow
from tests.support.spreadsheets import xlsx

HEADER = ("record_id", "given_names", "family_names", "date_of_birth")
UNREADABLE = "Q1-66"


def csv(dates: Iterable[str]) -> BytesIO:
    rows = [f"{number},Ana,Ilić,{date}" for number, date in enumerate(dates)]
    return BytesIO("\n".join([",".join(HEADER), *rows, ""]).encode())


def births(stream: BytesIO, layout: Layout | None = None) -> list[str]:
    rows = read_records(stream, layout or Layout())
    return [str(row.record.date_of_birth or "") for row in rows if isinstance(row, AcceptedRow)]


@pytest.mark.parametrize(
    ("dates", "read"),
    [
        (["03/04/1980", "13/04/1980"], ["1980-04-03", "1980-04-13"]),
        (["03/04/1980", "04/13/1980"], ["1980-03-04", "1980-04-13"]),
        (["03/04/1980", "13/04/1980", "04/13/1980"], ["1980", "1980-04-13", "1980-04-13"]),
        (["03/04/1980", "5/5/1980", "1980-04-13"], ["1980", "1980-05-05", "1980-04-13"]),
    ],
    ids=["days first", "months first", "both", "neither"],
)
def test_the_column_says_which_number_is_the_day(dates: list[str], read: list[str]) -> None:
    """Dates that allow one order decide for those that allow two, if they agree; else nobody guesses."""
    assert births(csv(dates)) == read
    assert births(BytesIO(xlsx([HEADER, *(("1", "Ana", "Ilić", date) for date in dates[:1]), ("2", "", "", "")]))) == [
        "1980"
    ]
    assert births(csv(dates), Layout("csv", "utf-8")) == read


def test_an_order_may_be_shown_far_below() -> None:
    """The whole column is looked at where its beginning leaves a doubt, with quoted cells and rows that are refused."""
    content = csv(["03/04/1980", *["1980-01-02"] * (2 * DATE_LINES), '"13/04/1980"']).getvalue() + b'x,y\n"\n'
    assert births(BytesIO(content))[0] == "1980-04-03"


def test_a_date_without_an_order_is_a_finding() -> None:
    """Its year is used, and the finding says why no more is; the example beside it is not in its sentence."""
    first, second = read_records(csv(["03/04/1980", "1.2.1980"]))
    assert isinstance(first, AcceptedRow)
    assert isinstance(second, AcceptedRow)
    (finding,) = first.warnings
    assert (finding.sentence.code, finding.example, second.warnings) == ("date_order_unknown", "03/04/1980", ())
    assert "1980" not in finding.reason
    assert "1980" not in repr(finding)


def test_a_column_that_holds_no_dates_stops_the_list() -> None:
    """Of ten values nine cannot be read: the list is refused before any row, by the form of a value and not by it."""
    content = csv(["", "1900-01-01", "1980-02-03", "Đ1-66 \u200b", *[UNREADABLE] * 8])
    with pytest.raises(InputError) as error:
        open_list(content)
    assert error.value.sentence.code == "dates_not_read"
    assert dict(error.value.fields) == {"column": 4, "unread": 9, "values": 10, "line": 5, "shape": "A9-99 ?"}


@pytest.mark.parametrize(
    "dates",
    [
        ["1980-02-03", "1981", *[UNREADABLE] * 8],
        [UNREADABLE] * 9,
        [*[UNREADABLE] * 10, *["1980"] * DATE_LINES],
        ["1980", *["1900-01-01"] * 20],
        [""] * 20,
    ],
    ids=["two of ten read", "nine values", "read further below", "placeholders", "empty"],
)
def test_a_column_of_some_dates_is_read(dates: list[str]) -> None:
    assert len(births(csv(dates))) == len(dates)


def test_a_list_without_dates_is_not_looked_at() -> None:
    assert births(BytesIO(b"record_id,given_names,family_names\n1,Ana,Ilic\n")) == [""]
