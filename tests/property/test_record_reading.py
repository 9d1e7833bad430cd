"""Reading a list fast, batch by batch, and carefully, row by row, gives the same."""

import csv
import json
from io import BytesIO, StringIO

from hypothesis import given
from hypothesis import strategies as st

from aquila.errors import InputError
from aquila.records.person import CODES, FIELDS, LIST_FIELDS, Record
from aquila.records.reading.columns import cell_reader, read_texts
from aquila.records.reading.layouts import Format, Layout
from aquila.records.reading.lists import WholeList, open_list, read_batch, read_records
from aquila.records.rows import AcceptedRow, FieldError, ReadReport, RefusedRow, Row, RowColumns, make_row, read_field

SOUND = {
    "record_id": st.integers(1, 9).map(str),
    "date_of_birth": st.dates().map(str),
    "document_numbers": st.integers(10**6, 10**7).map(lambda number: f"A{number}"),
    "national_numbers": st.integers(10**12, 10**13 - 1).map(str),
    "phones": st.integers(10**8, 10**9).map(lambda number: f"+38{number}"),
    "emails": st.just("ana@example.org"),
    **{name: st.sampled_from(codes) for name, codes in CODES.items()},
}
NAMES = st.sampled_from(["Ana", "Ана Марија", "Ilić", "Đorđe; Marko", "Abd al-Rahman"])
DIRT = st.sampled_from(
    [
        "",
        "?",
        ";",
        " a ",
        "1980-02-31",
        "female",
        "A1",
        "x" * 501,
        'a"b',
        '"',
        "a\nb",
        "\n\n",
        "\r",
        "\0",
        "\ud7ff",
        "C\u030c",
    ]
) | st.text('aČ ;,"\r\n\t\0\x1c\x85\u200d\u3000\u0661ﷺ', max_size=8)
BROKEN = st.sampled_from(["", "  ", '"', '1,"Ana', '""', "1,2,3,4,5,6,7,8,9", "\0", "{", "7", "\x85"])


@st.composite
def cells(draw: st.DrawFn, name: str) -> str:
    return draw(SOUND.get(name, NAMES) if draw(st.integers(0, 9)) else DIRT)


@st.composite
def rows(draw: st.DrawFn) -> tuple[tuple[str, ...], list[list[str]]]:
    names = draw(st.lists(st.sampled_from(FIELDS[4:]), max_size=5, unique=True))
    columns = tuple(draw(st.permutations(["record_id", "given_names", "full_name", *names])))
    return columns, draw(st.lists(st.tuples(*map(cells, columns)).map(list), min_size=1, max_size=12))


@st.composite
def csv_lists(draw: st.DrawFn) -> bytes:
    columns, table = draw(rows())
    lines = [",".join(columns) + draw(st.sampled_from(["", ",shoe"]))]
    for row in table:
        text = StringIO()
        csv.writer(text, quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))).writerow(row)
        lines += [text.getvalue().removesuffix("\r\n") + "," * (len(lines[0].split(",")) - len(columns))]
        lines += draw(st.lists(BROKEN, max_size=1))
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines).encode()


@st.composite
def ftm_lists(draw: st.DrawFn) -> bytes:
    keys = ("name", "firstName", "middleName", "lastName", "alias", "birthDate", "gender", "idNumber", "nationality")
    values = st.lists(NAMES | DIRT | SOUND["date_of_birth"] | SOUND["national_numbers"], max_size=3)
    entities = st.fixed_dictionaries(
        {
            "id": st.integers(1, 9).map(str) | DIRT,
            "schema": st.sampled_from(["Person", "Person", "Passport"]),
            "properties": st.dictionaries(st.sampled_from(keys), values, max_size=6),
        }
    )
    lines = draw(st.lists(entities.map(json.dumps) | BROKEN, max_size=12))
    return "\n".join(lines).encode()


@given(rows())
def test_known_cells_make_the_row_that_reading_each_text_makes(table: tuple[tuple[str, ...], list[list[str]]]) -> None:
    columns, every = table
    found = []
    for row in every:
        texts = {
            name: cell.split(";") if name in LIST_FIELDS else [cell]
            for name, cell in zip(columns, row, strict=True)
            if cell
        }
        careful = _read_carefully(7, texts)
        assert cell_reader(columns).read([7], [[cell] for cell in row]).rows() == [careful]
        assert read_texts(7, texts) == careful
        found.append(careful)
    together = cell_reader(columns).read([7] * len(every), list(zip(*every, strict=True)))
    assert together.rows() == found
    _check_columns(together, found)


@given(csv_lists(), st.integers(1, 5))
def test_a_csv_list_is_read_the_same_however_it_is_cut(content: bytes, lines: int) -> None:
    assert _outcome(content, "csv", lines) == _outcome(content, "csv", 10_000)
    assert _outcome(content, "csv", lines) == _whole(content, "csv")


@given(ftm_lists(), st.integers(1, 5))
def test_an_ftm_list_is_read_the_same_however_it_is_cut(content: bytes, lines: int) -> None:
    assert _outcome(content, "ftm", lines) == _whole(content, "ftm")


def _check_columns(together: RowColumns, rows: list[Row]) -> None:
    records = [row.record for row in rows if isinstance(row, AcceptedRow)]
    accepted, report = together.accepted(), ReadReport()
    assert len(accepted) == len(records)
    for field in FIELDS:
        assert list(accepted[field]) == [getattr(record, field) for record in records]
    findings = []
    for row in report.watch(rows):
        if isinstance(row, AcceptedRow):
            findings += [(finding, row.record.record_id) for finding in row.warnings]
        else:
            findings += [(finding, row.record_id) for finding in row.findings]
    assert together.report() == report
    assert list(together.findings()) == findings


def _read_carefully(line: int, texts: dict[str, list[str]]) -> Row:
    found = {name: read_field(name, texts.get(name, [])) for name in FIELDS}
    faults = {FIELDS.index(name): value for name, value in found.items() if isinstance(value, FieldError)}
    values = {name: value.value if isinstance(value, FieldError) else value for name, value in found.items()}
    row = make_row(line, list(values.values()), faults)
    try:
        record = Record(**values)
    except InputError:
        assert isinstance(row, RefusedRow)
    else:
        assert isinstance(row, AcceptedRow)
        assert row.record == record
    return row


def _outcome(content: bytes, form: Format, lines: int) -> list[Row] | str:
    try:
        raw = open_list(BytesIO(content), Layout(form, "utf-8"), lines)
        whole = WholeList(raw.plan)
        found = [row for batch in raw.batches for row in whole.watch(read_batch(raw.plan, batch))]
        whole.end()
    except InputError as error:
        return error.message
    return found


def _whole(content: bytes, form: Format) -> list[Row] | str:
    try:
        return list(read_records(BytesIO(content), Layout(form, "utf-8")))
    except InputError as error:
        return error.message
