"""Lists in spreadsheets: Excel workbooks and OpenDocument files."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from io import BytesIO
from typing import Any

import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

from aquila.errors import InputError
from aquila.records.reading import lists, workbooks
from aquila.records.reading.layouts import RECOGNIZED, FoundLayout, Layout
from aquila.records.reading.lists import RawList
from aquila.records.reading.sheet_process import answer
from aquila.records.rows import AcceptedRow, RefusedRow, Row
from tests.support.spreadsheets import ODS_TYPE, archive, ods, ods_cell, ods_row, with_part, xlsx

HEADER = ("record_id", "family_names", "given_names", "date_of_birth", "national_numbers")
ANA = ("1", "Петровић", "Ана", "1980-05-03", "")


def watched(stream: BytesIO, layout: Layout) -> BytesIO:
    """Have a spreadsheet read in this process too, where it is seen which lines of the code that takes."""
    if stream.getvalue().startswith(b"PK"):
        answer(BytesIO(stream.getvalue()), layout.format, layout.sheet, lambda _line: None)
    return stream


def read_records(stream: BytesIO, layout: Layout = RECOGNIZED) -> Iterator[Row]:
    return lists.read_records(watched(stream, layout), layout)


def open_list(stream: BytesIO, layout: Layout = RECOGNIZED, lines: int = 10) -> RawList:
    return lists.open_list(watched(stream, layout), layout, lines)


def recognize(stream: BytesIO) -> FoundLayout:
    return lists.recognize(watched(stream, RECOGNIZED))


def fields(content: bytes, name: str) -> list[Any]:
    """Return what a field holds in each record."""
    found = [getattr(row.record, name) for row in read_records(BytesIO(content)) if isinstance(row, AcceptedRow)]
    return [value if value is None or isinstance(value, tuple) else str(value) for value in found]


def field(content: bytes, name: str = "date_of_birth") -> Any:
    return fields(content, name)[0]


def reasons(content: bytes) -> list[tuple[int, str, str]]:
    rows = read_records(BytesIO(content))
    found = [one for row in rows for one in (row.warnings if isinstance(row, AcceptedRow) else row.findings)]
    return [(one.line, one.field, one.reason) for one in found]


def with_cells(column: int, values: Sequence[tuple[Any, str | None]], epoch: Any = None) -> bytes:
    """Return a workbook of records that differ in a column, where values may have a number format."""
    rows = [[str(number), *ANA[1:]] for number in range(len(values))]
    for row, (value, _) in zip(rows, values, strict=True):
        row[column] = value
    formats = {f"{'ABCDE'[column]}{line}": form for line, (_, form) in enumerate(values, start=2) if form}
    return xlsx([HEADER, *rows], formats=formats, epoch=epoch)


def with_cell(value: Any, column: int = 3, epoch: Any = None) -> bytes:
    return with_cells(column, [(value, None)], epoch)


def ods_with(cell: str, column: int = 3) -> bytes:
    cells = [*ANA]
    cells[column] = cell
    return ods(ods_row(*HEADER) + ods_row(*cells))


@pytest.mark.parametrize("content", [xlsx([HEADER, ANA]), ods(ods_row(*HEADER) + ods_row(*ANA))], ids=["xlsx", "ods"])
def test_a_spreadsheet_is_read_as_its_csv_would_be(content: bytes) -> None:
    text = ",".join(HEADER) + "\n" + ",".join(ANA) + "\n"
    assert list(read_records(BytesIO(content))) == list(read_records(BytesIO(text.encode())))


DATES = [
    (date(1980, 5, 3), None, "1980-05-03"),
    (datetime(1980, 5, 3), "dd.mm.yyyy", "1980-05-03"),
    (date(1980, 5, 1), "mm.yyyy", "1980-05"),
    (date(1980, 1, 1), 'yyyy" godine"', "1980"),
    (29344, "dd/mm/yyyy;@", "1980-05-03"),
    (59, "dd.mm.yyyy", "1900-02-28"),  # the day before the one that the system of 1900 invents
    (61, "dd.mm.yyyy", "1900-03-01"),
    (1980, None, "1980"),
    ("03.05.1980.", None, "1980-05-03"),
    (datetime(1980, 5, 3, 23, 0), None, None),
    (29344, None, None),
    (time(8, 30), None, None),
    (True, None, None),
]


def test_a_date_is_read_as_it_is_shown() -> None:
    """A serial number counts in the system of 1900, and is a date only in the format of one."""
    content = with_cells(3, [(value, form) for value, form, _ in DATES])
    found = zip(DATES, fields(content, "date_of_birth"), strict=True)
    assert [(one, born) for one, born in found if born != one[2]] == []
    told = {line for line, name, _ in reasons(content) if name == "date_of_birth"}
    assert told == {line for line, (_, _, born) in enumerate(DATES, start=2) if born is None}


@pytest.mark.parametrize("epoch", [CALENDAR_WINDOWS_1900, CALENDAR_MAC_1904])
def test_both_date_systems_are_read(epoch: datetime) -> None:
    """A workbook that counts from 1904 holds the same day."""
    assert field(with_cell(date(1980, 5, 3), epoch=epoch)) == "1980-05-03"


NUMBERS = [
    (101980710018, None, "0101980710018"),  # a JMBG of the first of January
    (101980710018, "0000000000000", "0101980710018"),
    ("0101980710018", None, "0101980710018"),
    (1.01198071e10, "0", "10119807100"),
    (1234567.5, None, "1234567.5"),
]


def test_zeros_before_a_number_come_back() -> None:
    content = with_cells(4, [(value, form) for value, form, _ in NUMBERS])
    assert fields(content, "national_numbers") == [(number,) for _, _, number in NUMBERS]
    assert [line for line, _, reason in reasons(content) if "leading zeros" in reason] == [2]


def test_a_number_that_lost_digits_is_not_used() -> None:
    """A spreadsheet keeps 15 of them, and fills the rest with zeros."""
    content = with_cell(1234567890123456, column=4)
    assert field(content, "national_numbers") == ()
    assert [(line, name) for line, name, reason in reasons(content) if "15 digits" in reason] == [
        (2, "national_numbers")
    ]


@pytest.mark.parametrize(
    "content",
    [
        with_part(
            with_cell("=1/0", column=4),
            "xl/worksheets/sheet1.xml",
            '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">'
            + "".join(
                f'<c r="{letter}1" t="inlineStr"><is><t>{name}</t></is></c>'
                for letter, name in zip("ABCDE", HEADER, strict=True)
            )
            + '</row><row r="2">'
            + "".join(
                f'<c r="{letter}2" t="inlineStr"><is><t>{text}</t></is></c>'
                for letter, text in zip("ABCD", ANA, strict=False)
            )
            + '<c r="E2" t="e"><v>#DIV/0!</v></c></row></sheetData></worksheet>',
        ),
        ods_with('<table:table-cell calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>', 4),
    ],
    ids=["xlsx", "ods"],
)
def test_an_error_of_a_formula_is_no_value(content: bytes) -> None:
    assert field(content, "national_numbers") == ()
    assert [(line, name) for line, name, reason in reasons(content) if "formula" in reason] == [(2, "national_numbers")]


CELLS = [
    (ods_cell("date", "03.05.1980", date_value="1980-05-03"), "1980-05-03"),
    (ods_cell("date", "03.05.80", date_value="1980-05-03T00:00:00"), "1980-05-03"),
    (ods_cell("date", "1980", date_value="1980-01-01"), "1980"),
    (ods_cell("float", "1980", value="1980"), "1980"),
    (ods_cell("string", "1980-05-03", string_value="1981"), "1981"),
    ("<table:table-cell><text:p>19<text:span>80</text:span></text:p></table:table-cell>", "1980"),
    (
        "<table:table-cell><office:annotation><text:p>no</text:p></office:annotation><text:p>1980</text:p></table:table-cell>",
        "1980",
    ),
    ("<table:covered-table-cell/>", None),
]


def test_cells_of_opendocument_are_read_by_their_values() -> None:
    """A date that shows its year alone is a year; remarks are not the cell's."""
    rows = [ods_row(str(number), *ANA[1:3], cell) for number, (cell, _) in enumerate(CELLS)]
    assert fields(ods(ods_row(*HEADER) + "".join(rows)), "date_of_birth") == [born for _, born in CELLS]


def test_texts_of_opendocument_have_spaces_and_lines() -> None:
    """Blanks, tabs and line breaks are elements; several lines are several values of a list."""
    text = '<text:p>Ana<text:s text:c="2"/>Marija<text:tab/>Ivana</text:p><text:p>Mia<text:line-break/>Iva</text:p>'
    content = ods_with(f"<table:table-cell>{text}</table:table-cell>", 2)
    assert field(content, "given_names") == ("Ana Marija Ivana", "Mia", "Iva")
    assert field(ods_with(ods_cell("float", "0012345678", value="12345678"), 4), "national_numbers") == ("0012345678",)
    assert field(ods_with(ods_cell("percentage", "50 %", value="0.5"), 4), "national_numbers") == ()
    assert field(ods_with(ods_cell("float", "1E+20", value="1e20"), 4), "national_numbers") == ()


def test_repeated_rows_and_cells_are_there_as_often_as_they_come() -> None:
    """Blank ones at the end, of which LibreOffice writes a million, cost nothing; line numbers count them."""
    blank = ods_row('<table:table-cell table:number-columns-repeated="16384"/>', times=1_048_576)
    content = ods(ods_row("", times=3) + ods_row(*HEADER) + ods_row("", times=2) + ods_row(*ANA, times=2) + blank)
    first, second = read_records(BytesIO(content))
    assert (first.line, second.line) == (7, 8)
    assert isinstance(second, RefusedRow)


def test_rows_without_end_are_refused() -> None:
    content = ods(ods_row(*HEADER) + ods_row(*ANA[:4], "a" * 500, times=10**12))
    rows = read_records(BytesIO(content))
    assert next(rows).line == 2
    with pytest.raises(InputError, match="too many rows"):
        list(open_list(BytesIO(ods(ods_row(*HEADER) + ods_row("", times=1 << 20) + ods_row(*ANA)))).batches)
    with pytest.raises(InputError, match="too many columns"):
        open_list(BytesIO(ods(ods_row(ods_cell("string", "record_id", times=10**12)))))


def test_gaps_in_a_workbook_are_blank_rows() -> None:
    rows: Sequence[Sequence[Any]] = [(), HEADER, (), ANA, (), ("2", "Ilić", "Mia", "", "", "more"), ("3",)]
    first, second, third = read_records(BytesIO(xlsx(rows)))
    assert (first.line, second.line, third.line) == (4, 6, 7)
    assert isinstance(first, AcceptedRow)
    assert isinstance(second, RefusedRow)
    assert isinstance(third, RefusedRow)


def test_remarks_far_from_the_columns_are_not_read() -> None:
    assert field(xlsx([HEADER, [*ANA, None, "a remark"]])) == "1980-05-03"


def test_the_sheet_with_columns_is_read_unless_another_is_chosen() -> None:
    """A cover page before the list does no harm; the layout names all sheets."""
    content = xlsx([["Lista lica"]], [HEADER, ANA], [HEADER])
    raw = open_list(BytesIO(content))
    sheets = ("List 1", "List 2", "List 3")
    assert raw.layout == FoundLayout("xlsx", sheet=2, sheets=sheets, headings=HEADER, columns=HEADER)
    assert len(list(raw.batches)) == 1
    assert open_list(BytesIO(content), Layout(sheet=3)).layout.sheet == 3
    with pytest.raises(InputError, match="no known column"):
        open_list(BytesIO(content), Layout("xlsx", sheet=1))
    two = ods(
        ods_row("Lista lica"),
        ods_row(*HEADER, "") + ods_row(*ANA, '<table:table-cell table:number-columns-repeated="900"/>'),
    )
    assert recognize(BytesIO(two)) == FoundLayout("ods", sheet=2, sheets=("T1", "T2"), headings=HEADER)
    assert field(two) == "1980-05-03"
    with pytest.raises(InputError, match="no such sheet"):
        open_list(BytesIO(content), Layout(sheet=4))
    with pytest.raises(InputError, match="empty"):
        open_list(BytesIO(xlsx([])))
    with pytest.raises(InputError, match="no record"):
        list(read_records(BytesIO(xlsx([HEADER]))))


def test_a_long_sheet_comes_in_batches() -> None:
    """The header's findings come with the first row, those of cells with their own."""
    rows = [(str(number), "Ilić", "Ana", "", 101980710018, "") for number in range(5)]
    raw = open_list(BytesIO(xlsx([[*HEADER, "remark"], *rows])), lines=2)
    batches = list(raw.batches)
    assert [(batch.first, len(batch.contents), batch.is_head) for batch in batches] == [
        (2, 2, True),
        (4, 2, False),
        (6, 1, False),
    ]
    found = reasons(xlsx([[*HEADER, "remark"], *rows]))
    assert [line for line, name, _ in found if name == "national_numbers"] == [2, 3, 4, 5, 6]
    assert [line for line, name, _ in found if name == "remark"] == [1]


def test_this_machines_faults_are_not_the_files() -> None:
    with pytest.raises(OSError, match="the disk fails"), workbooks.opened_archive(BytesIO(xlsx([HEADER]))):
        raise OSError("the disk fails")


def test_a_date_without_a_time_is_shown_as_far_as_its_cell_shows_it() -> None:
    assert workbooks.date_text(date(1980, 5, 3), has_day=True, has_month=True) == "1980-05-03"


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old .xls"),
        (b"PK\x03\x04 and nothing more", "damaged"),
        (archive({"a.txt": "x"}), "not a spreadsheet"),
        (archive({"mimetype": "application/vnd.oasis.opendocument.text"}), "not a spreadsheet"),
        (archive({"mimetype": ODS_TYPE}), "damaged"),
        (archive({"mimetype": ODS_TYPE, "content.xml": "<x"}), "damaged"),
        (archive({"mimetype": ODS_TYPE, "content.xml": ""}), "damaged"),
        (archive({"mimetype": ODS_TYPE, "content.xml": BOMB}), "document type"),
        (with_part(xlsx([HEADER, ANA]), "xl/sharedStrings.xml", BOMB), "document type"),
        (with_part(xlsx([HEADER, ANA]), "xl/workbook.xml", "<workbook/>"), "damaged"),
        (archive({f"{number}.txt": "" for number in range(1_001)}), "too large"),
        (ods(ods_row(*HEADER) + '<table:table-row table:number-rows-repeated="many"/>'), "damaged"),
    ],
)
def test_a_file_that_is_no_sound_spreadsheet_is_refused(content: bytes, match: str) -> None:
    """With one sentence about the file, whatever a parser would say."""
    with pytest.raises(InputError, match=match):
        list(read_records(BytesIO(content)))


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    content = with_part(xlsx([HEADER, ANA]), "xl/media/image1.bin", bytes(workbooks._MOST_PART + 1))
    assert len(content) < 200_000
    with pytest.raises(InputError, match="too large"):
        open_list(BytesIO(content))
