"""Rows of a CSV list.

The first line of a CSV list.

Columns whose headings are not fields: suggested, chosen by a person, and read as chosen.
"""

from __future__ import annotations

import pickle
from io import BytesIO

import pytest

from aquila.errors import InputError
from aquila.records.person import FIELDS
from aquila.records.reading.bounded_lines import LineSource
from aquila.records.reading.csv_rows import CsvPlan, cut_csv, plan_columns, read_headings, suggest_columns
from aquila.records.reading.layouts import Layout
from aquila.records.reading.lists import open_list, read_batch, read_records, recognize
from aquila.records.rows import AcceptedRow, RefusedRow, Row, Severity
from tests.support.read_lists import read_csv
from tests.support.spreadsheets import xlsx

HEADER = "record_id,given_names,family_names,date_of_birth\n"


def read(text: str) -> list[Row]:
    """Read a CSV text."""
    return list(read_csv(BytesIO(text.encode())))


def ids(rows: list[Row]) -> list[str]:
    """The ids of accepted rows, and the lines of refused ones."""
    return [row.record.record_id if isinstance(row, AcceptedRow) else f"line {row.line}" for row in rows]


def test_columns_stand_in_any_order_and_case() -> None:
    """Names of columns are trimmed and may be written in capitals."""
    (row,) = read(" Date_of_Birth ,FAMILY_NAMES,record_id\n1980,Ilić,1\n")
    assert isinstance(row, AcceptedRow)
    assert (row.record.family_names, str(row.record.date_of_birth)) == (("Ilić",), "1980")


def test_lists_are_parted_by_semicolons() -> None:
    """With commas between the fields a list needs no quotes."""
    (row,) = read("record_id,full_name,aliases,phones\n1,Ana Ilić,Anica; Anka,\n")
    assert isinstance(row, AcceptedRow)
    assert row.record.aliases == ("Anica", "Anka")


def test_semicolons_as_separator_are_understood_with_a_byte_order_mark() -> None:
    """Spreadsheets of the region export so; lists are quoted there."""
    (row,) = read('\ufeffrecord_id;full_name;aliases\r\n1;"Ilić, Ana";"Anica;Anka"\r\n')
    assert isinstance(row, AcceptedRow)
    assert (row.record.full_name, row.record.aliases) == ("Ilić, Ana", ("Anica", "Anka"))


def test_a_quoted_field_may_hold_a_line_end() -> None:
    """The next row's line counts it."""
    rows = read(HEADER + '1,"Ana\nMaria",Ilić,1980\n\n2,Ana,Ilić,1980\n')
    assert [row.line for row in rows] == [2, 5]
    assert isinstance(rows[0], AcceptedRow)
    assert rows[0].record.given_names == ("Ana Maria",)


def test_unknown_columns_are_named_once() -> None:
    """The first row carries the warning, whether it is accepted or refused."""
    rows = read("record_id,full_name,shoe_size,\n1,Ana Ilić,38,\n2,Iva Ilić,39,\n")
    assert isinstance(rows[0], AcceptedRow)
    assert [(finding.line, finding.field) for finding in rows[0].warnings] == [(1, "shoe_size"), (1, "column 4")]
    assert isinstance(rows[1], AcceptedRow)
    assert rows[1].warnings == ()
    (refused,) = read("record_id,full_name,shoe_size\n1,,38\n")
    assert isinstance(refused, RefusedRow)
    assert [finding.severity for finding in refused.findings] == [Severity.WARNING, Severity.REFUSAL]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("\xef\xbb\xbf", "no known column"),
        ("1,Ana,Ilić,1980\n2,Iva,Ilić,1981\n", "no known column"),
        ("\0\n", "NUL"),
        ("record_id\rgiven_names\rfamily_names\r", "no known column"),
        ("given_names,family_names\nAna,Ilić\n", "record_id"),
        ("record_id,record_id,full_name\n1,1,Ana\n", "twice"),
        ("record_id,given_names,sex\n1,Ana,F\n", "too few columns"),
        (HEADER, "no record"),
        (HEADER + "\n  \n", "no record"),
    ],
)
def test_a_file_that_is_no_list_is_refused_as_a_whole(text: str, reason: str) -> None:
    """The error says what is missing and repeats nothing of a first line that may be a person."""
    with pytest.raises(InputError, match=reason) as caught:
        read(text)
    assert "Ana" not in str(caught.value)


def test_a_file_in_another_encoding_is_refused() -> None:
    """UTF-16 shows at the header."""
    with pytest.raises(InputError):
        list(read_csv(BytesIO((HEADER + "1,Ana,Ilić,1980\n").encode("utf-16"))))


def test_a_row_in_another_encoding_is_refused_alone() -> None:
    """The others are read."""
    content = HEADER.encode() + "1,Ana,Ilić,1980\n".encode("cp1250") + "2,Ana,Ilić,1980\n".encode()
    assert ids(list(read_csv(BytesIO(content)))) == ["line 2", "2"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,Ana,Ilić", "fewer"),
        ("1,Ana,Ilić,1980,x", "more"),
        ('1,"Ana"x,Ilić,1980', "well-formed"),
        ("1,Ana\r,Ilić,1980", "well-formed"),
        ("1,A\0na,Ilić,1980", "NUL"),
    ],
)
def test_a_row_that_cannot_be_parted_is_refused_alone(row: str, reason: str) -> None:
    """Line and reason are given, the rows around it are read."""
    rows = read(HEADER + "0,Ana,Ilić,1980\n" + row + "\n2,Iva,Ilić,1981\n")
    assert ids(rows) == ["0", "line 3", "2"]
    assert isinstance(rows[1], RefusedRow)
    assert reason in rows[1].findings[0].reason
    assert "Ana" not in rows[1].findings[0].reason


def test_a_quote_that_never_closes_refuses_one_row() -> None:
    """Reading goes on at the next line, however long the file is."""
    rows = read(HEADER + '1,"Ana,Ilić,1980\n' + "".join(f"{n},Iva,Ilić,1981\n" for n in range(2, 90)))
    assert ids(rows) == ["line 2", *map(str, range(2, 90))]


def test_a_quote_that_never_closes_at_the_end_refuses_one_row() -> None:
    """The end of the file and a line that is no text stop the search for the closing quote."""
    assert ids(read(HEADER + '1,"Ana,Ilić,1980\n2,Iva,Ilić,1981\n')) == ["line 2", "2"]
    assert ids(read(HEADER + '1,"Ana,Ilić,1980\n\0\n2,Iva,Ilić,1981\n')) == ["line 2", "line 3", "2"]


def cut(text: str, most: int) -> list[list[str]]:
    """Cut the rows of a list with a header into batches; return the lines of each."""
    source = LineSource(BytesIO((HEADER + text).encode()))
    plan = plan_columns(*read_headings(source.next()))
    batches = list(cut_csv(plan, source, most))
    assert [batch.is_head for batch in batches] == [place == 0 for place in range(len(batches))]
    return [[content.decode().strip() for content in batch.contents] for batch in batches]


def test_lines_without_quotes_are_cut_anywhere() -> None:
    """Each is a row."""
    assert cut("1,a,b,\n2,a,b,\n3,a,b,\n", 2) == [["1,a,b,", "2,a,b,"], ["3,a,b,"]]


def test_quoted_rows_of_one_line_are_cut_anywhere() -> None:
    """Quotes that close in their line part nothing."""
    assert cut('1,"a",b,\n2,"a",b,\n', 1) == [['1,"a",b,'], ['2,"a",b,']]


def test_a_row_of_several_lines_is_not_cut() -> None:
    """Its batch takes the further lines; what follows begins the next."""
    assert cut('1,"a\nb\nc",d,\n2,a,b,\n', 2) == [['1,"a', "b", 'c",d,'], ["2,a,b,"]]
    assert cut('1,a,b,\n2,"a\nb\nc",d,\n3,a,b,\n4,a,b,\n', 2) == [
        ["1,a,b,", '2,"a', "b", 'c",d,'],
        ["3,a,b,", "4,a,b,"],
    ]


def test_a_row_of_long_lines_is_not_cut() -> None:
    """It may be longer than a batch."""
    long = ",".join(f'"{"x" * 60_000}\nx"' for _ in range(12))
    assert [len(lines) for lines in cut(f"1,{long}\n2,a,b,\n", 1)] == [13, 1]


def test_a_quote_that_never_closes_does_not_join_batches() -> None:
    """Its line is a row of its own."""
    assert cut('1,"a,b,\n2,a,b,\n3,a,b,\n', 1) == [['1,"a,b,'], ["2,a,b,"], ["3,a,b,"]]
    assert cut('1,"a,b,\n\0\n3,a,b,\n', 1) == [['1,"a,b,'], ["\0"], ["3,a,b,"]]


def test_a_line_with_a_fault_among_quotes_is_a_row() -> None:
    """It can be cut before and after."""
    assert cut('\0"\n1,"a",b,\n', 1) == [['\0"'], ['1,"a",b,']]


def test_blank_lines_before_the_first_row_are_left_out() -> None:
    """However many; the first batch has the first row."""
    assert cut("\n \n\n\n1,a,b,\n", 2) == [["1,a,b,"]]
    assert cut("\n \n\n", 1) == []


def test_rows_are_the_same_however_the_list_is_cut() -> None:
    """Batches of few lines and of many, with blank lines, faults, quotes and findings of the header among them."""
    text = 'record_id,full_name,x\n\n1,"Ana\nIlić",\n\0\n\n2,"Iva\n3,Iva Ilić,\n4,"Mia\n\nIlić",\n5,,\n \n6,Una,\n'
    whole = read(text)
    assert ids(whole) == ["1", "line 5", "line 7", "3", "4", "line 12", "6"]
    for most in range(1, 9):
        raw = open_list(BytesIO(text.encode()), lines=most)
        assert [row for batch in raw.batches for row in read_batch(raw.plan, batch)] == whole


def csv_plan(content: bytes) -> CsvPlan:
    headings, separator = read_headings(content)
    return plan_columns(headings, separator)


def test_a_header_is_a_plan() -> None:
    """Its columns in their order, the separator it holds more of, and unknown columns by name or place."""
    plan = csv_plan("\ufeffRecord_ID; full_name ;shoe,size;\r\n".encode())
    assert (plan.separator, plan.columns) == (";", ("record_id", "full_name", None, None))
    assert [(finding.line, finding.field) for finding in plan.findings] == [(1, "shoe,size"), (1, "column 4")]


def test_a_plan_travels_and_is_a_key() -> None:
    """Processes get it with each batch and find their reader by it."""
    plan = csv_plan(b"record_id,full_name\n")
    assert pickle.loads(pickle.dumps(plan)) == plan
    assert {plan: 1}[CsvPlan(",", ("record_id", "full_name"))] == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\xff\n", "UTF-8"),
        (b"full_name\rrecord_id\n", "no known column"),
        (b"record_id,full_name,full_name\n", "twice"),
        (b"full_name\n", "no column record_id"),
        (b"record_id,given_names\n", "too few"),
        (b"record_id,full_name,date_of_brith\n", r"not known: date_of_brith \(date_of_birth\?\)$"),
        (
            b"rec_id,given_name, surname,,suburb,date_of_birth\n",  # of FEBRL
            r"not known: rec_id \(record_id\?\), given_name \(given_names\?\), surname \(family_names\?\), suburb$",
        ),
        (b"record_id,given_names," + b",".join(b"c%d" % number for number in range(31)) + b"\n", r"c28, c29, \.\.\.$"),
    ],
)
def test_a_line_that_is_no_header_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        csv_plan(content)


def test_a_name_near_a_column_that_is_there_is_another_column() -> None:
    """A list may have columns of its own, also beside one with a similar name; they are found and not read."""
    plan = csv_plan(b"record_id,full_name,nationality,nationality_2\n")
    assert [finding.field for finding in plan.findings] == ["nationality_2"]


HEADINGS = ("R.br.", "Prezime", "Ime", "Datum rođenja", "Napomena", "JMBG")
FOUND = ("record_id", "family_names", "given_names", "date_of_birth", None, "national_numbers")
ROW = ("7", "Ilić", "Ana", "3.5.1980", "x", "0305980715006")
TEXT = (";".join(HEADINGS) + "\n" + ";".join(ROW) + "\n").encode()


REGION = {
    "Презиме|Име|Датум рођења|Држављанство": "family_names|given_names|date_of_birth|nationality",
    "Име и презиме|Матичен број|Пол": "full_name|national_numbers|sex",
    "Фамилно име|ЕГН|Дата на раждане": "family_names|national_numbers|date_of_birth",
    "Emri|Mbiemri|Datëlindja|Shtetësia": "given_names|family_names|date_of_birth|nationality",
    "Prenume|Nume|CNP|Data naşterii": "given_names|family_names|national_numbers|date_of_birth",
    "ΕΠΩΝΥΜΟ|Όνομα|ΑΜΚΑ": "family_names|given_names|national_numbers",
    "Soyadı|ADI|Doğum Tarihi": "family_names|given_names|date_of_birth",
    "Record_ID|Name|name|": "record_id|full_name||",
}


@pytest.mark.parametrize(("headings", "fields"), REGION.items())
def test_headings_of_the_region_are_understood(headings: str, fields: str) -> None:
    """Without case, marks and dots; a field that is taken is not suggested again."""
    assert suggest_columns(headings.split("|")) == tuple(name or None for name in fields.split("|"))
    assert suggest_columns(HEADINGS) == FOUND


def test_every_field_is_suggested_by_its_name() -> None:
    assert suggest_columns(FIELDS) == FIELDS


@pytest.mark.parametrize("content", [TEXT, xlsx([HEADINGS, ROW])], ids=["csv", "xlsx"])
def test_columns_are_read_as_they_were_chosen(content: bytes) -> None:
    """A column that nobody chose is left out without a word, because somebody has looked at it."""
    layout = recognize(BytesIO(content))
    assert (layout.headings, layout.columns) == (HEADINGS, ())
    with pytest.raises(InputError, match="no known column"):
        open_list(BytesIO(content))
    raw = open_list(BytesIO(content), Layout(columns=FOUND))
    assert raw.layout.columns == FOUND
    (row,) = read_records(BytesIO(content), Layout(columns=FOUND))
    assert isinstance(row, AcceptedRow)
    assert not row.warnings
    assert (row.record.record_id, str(row.record.date_of_birth)) == ("7", "1980-05-03")


@pytest.mark.parametrize(
    ("columns", "match"),
    [(("record_id", "full_name"), "not those of the list"), ((None, *FOUND[1:]), "no column record_id")],
)
def test_columns_that_make_no_list_are_refused(columns: tuple[str | None, ...], match: str) -> None:
    with pytest.raises(InputError, match=match):
        open_list(BytesIO(TEXT), Layout(columns=columns))
    with pytest.raises(InputError, match="unknown field"):
        Layout(columns=("surname",))


def test_entities_have_no_headings() -> None:
    assert recognize(BytesIO(b"{}\n")).headings == ()
