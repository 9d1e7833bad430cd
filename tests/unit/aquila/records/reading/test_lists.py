"""Lists of persons from files.

A column of dates as a whole: its order of days and months, and a column that holds no dates.
"""

from __future__ import annotations

import json
import pickle
import tracemalloc
from collections.abc import Iterable
from io import BytesIO, RawIOBase

import pytest

from aquila.errors import InputError
from aquila.records.reading.bounded_lines import Batch
from aquila.records.reading.csv_rows import CsvPlan
from aquila.records.reading.layouts import Layout
from aquila.records.reading.lists import DATE_LINES, WholeList, open_list, read_batch, read_records, recognize
from aquila.records.rows import AcceptedRow, RefusedRow
from tests.support.read_lists import read_csv, read_ftm
from tests.support.spreadsheets import xlsx

CSV = "record_id,full_name\n1,Ana Ilić\n1,Iva Ilić\n2,Mia Ilić\n".encode()
FTM = json.dumps({"id": "1", "schema": "Person", "properties": {"name": ["Ana Ilić"]}}).encode()


def test_an_id_that_comes_twice_is_refused_the_second_time() -> None:
    """The finding points at the id."""
    first, second, third = read_csv(BytesIO(CSV))
    assert isinstance(first, AcceptedRow)
    assert isinstance(second, RefusedRow)
    assert (second.line, second.record_id, second.findings[-1].field) == (3, "1", "record_id")
    assert isinstance(third, AcceptedRow)


def test_the_id_of_a_refused_row_is_free() -> None:
    """Only records hold ids."""
    rows = list(read_csv(BytesIO("record_id,full_name\n1,\n1,Iva Ilić\n".encode())))
    assert [isinstance(row, AcceptedRow) for row in rows] == [False, True]


def test_both_formats_give_the_same_record() -> None:
    """What differs is the file, not the person."""
    (row,) = read_ftm(BytesIO(FTM))
    first = next(read_records(BytesIO(CSV)))
    assert isinstance(row, AcceptedRow)
    assert isinstance(first, AcceptedRow)
    assert row.record == first.record
    assert next(read_records(BytesIO(FTM))) == row


def test_an_unknown_format_is_refused() -> None:
    """The hint names the known ones."""
    with pytest.raises(InputError, match="format"):
        Layout("xml")  # type: ignore[arg-type]  # what a caller without types may pass
    with pytest.raises(InputError, match="encoding"):
        Layout(encoding="ebcdic")  # type: ignore[arg-type]  # likewise
    with pytest.raises(InputError, match="from 1"):
        Layout(sheet=0)


@pytest.mark.parametrize("content", [CSV, FTM])
def test_a_batch_is_read_wherever_it_is_sent(content: bytes) -> None:
    """Plan, batches and rows are pickled on their way to another process and back."""
    raw = open_list(BytesIO(content))
    (batch,) = raw.batches
    sent = pickle.loads(pickle.dumps((raw.plan, batch)))
    rows = pickle.loads(pickle.dumps(read_batch(*sent)))
    assert rows == read_batch(raw.plan, batch)


@pytest.mark.parametrize("content", [CSV, FTM])
def test_a_batch_without_lines_has_no_rows(content: bytes) -> None:
    """It asks nothing of its reader."""
    plan = open_list(BytesIO(content)).plan
    assert read_batch(plan, Batch(0, ())) == []
    assert read_batch(plan, Batch(1, ())) == []


def test_ids_of_rows_that_stay_elsewhere_are_taken_as_a_whole_or_not_at_all() -> None:
    """An id that comes twice, in one batch or two, asks for the rows themselves."""
    raw = open_list(BytesIO(CSV))
    whole = WholeList(raw.plan)
    assert whole.admit(["7", "8"])
    assert not whole.admit(["9", "8"])
    assert whole.admit(["9"])
    assert not whole.admit(["1", "1", "2"])
    (batch,) = raw.batches
    assert [isinstance(row, AcceptedRow) for row in whole.watch(read_batch(raw.plan, batch))] == [True, False, True]
    assert not whole.admit(["1"])
    whole.end()


def test_a_list_without_rows_is_told_at_its_end() -> None:
    """A refused row is a row; a batch without one is none."""
    plan = open_list(BytesIO(CSV)).plan
    empty, refused = WholeList(plan), WholeList(plan)
    assert empty.admit([])
    with pytest.raises(InputError, match="no record"):
        empty.end()
    assert refused.admit([], refused=1)
    assert refused.admit([])
    refused.end()


class _Endless(RawIOBase):
    """A list of 40,000 records that is nowhere in memory as a whole."""

    def __init__(self) -> None:
        self.line = 0

    def readline(self, _size: int | None = -1, /) -> bytes:
        """Give the next line."""
        self.line += 1
        if self.line == 1:
            return b"record_id,full_name,place_of_birth\n"
        return b"%d,Ana Ilic,%s\n" % (self.line, b"x" * 400) if self.line < 40_000 else b""


def test_memory_grows_by_ids_alone() -> None:
    """40,000 rows of 400 bytes take a fraction of their size."""
    tracemalloc.start()
    count = sum(1 for _row in read_csv(_Endless()))  # type: ignore[arg-type]  # the one method that reading uses
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 39_998
    assert peak < 6_000_000


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
    assert (finding.sentence.code, second.warnings) == ("date_order_unknown", ())
    assert finding.example == "03/04/1980 → 1980-04-03 / 1980-03-04"
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


TITLED = (
    b"\xef\xbb\xbfPolice, list of 24 November\n\n"
    b"printed,by hand\n"
    b"record_id,given_names,family_names,date_of_birth\n"
    b"r-1,Ana,Novak,1985-01-02\n"
    b"r-2,Mira,,1985\n"
)


def test_titles_above_the_headings_are_not_read() -> None:
    """The line near the top that names most fields has the headings; lines are counted in the file."""
    found = recognize(BytesIO(TITLED))
    assert (found.line, found.headings[0]) == (4, "record_id")
    assert [line for line, _ in found.top] == [1, 3, 4, 5, 6]
    assert found.top[0] == (1, ("Police", "list of 24 November"))
    raw = open_list(BytesIO(TITLED))
    assert [row.line for batch in raw.batches for row in read_batch(raw.plan, batch)] == [5, 6]
    # Where nobody chose the line, who stores the list is told that there were others.
    for layout, told in ((Layout(), ["lines_above_headings"]), (Layout(heading=4), [])):
        plan = open_list(BytesIO(TITLED), layout).plan
        assert isinstance(plan, CsvPlan)
        assert [finding.sentence.code for finding in plan.findings] == told
    # A line of which nothing can be read is no heading, unless it is the first one.
    assert recognize(BytesIO(TITLED.replace(b"printed", b"\0"))).line == 4
    with pytest.raises(InputError) as caught:
        recognize(BytesIO(b"\0" + TITLED))
    assert caught.value.sentence.code == "first_line_malformed"


def test_the_line_of_the_headings_can_be_chosen() -> None:
    """Then it is that one, whatever it names; a blank line, one further down and none at all are refused."""
    assert recognize(BytesIO(TITLED), Layout(heading=3)).headings == ("printed", "by hand")
    for line in (2, 7):
        with pytest.raises(InputError) as caught:
            recognize(BytesIO(TITLED), Layout(heading=line))
        assert caught.value.sentence.code == "heading_line_missing"
    with pytest.raises(InputError):
        Layout(heading=0)
    assert recognize(BytesIO(b"\n\n")).top == ()
