"""The cells of rows, read at little cost."""

from collections.abc import Sequence

import pytest

from aquila.records.person import PartialDate, Record
from aquila.records.reading.columns import MOST_KNOWN, Column, cell_reader, read_texts
from aquila.records.rows import AcceptedRow, FieldError, RefusedRow, Row

HEADER = ("record_id", None, "given_names", "family_names", "date_of_birth", "sex")
SOUND = ["1", "38", "Ana;Mara", "Ilić", "1980-02-03", "F"]


def read_one(line: int, cells: list[str]) -> Row:
    [row] = read_all(HEADER, [line], [cells])
    return row


def read_all(header: tuple[str | None, ...], lines: Sequence[int], rows: list[list[str]]) -> list[Row]:
    columns = [[row[place] for row in rows] for place in range(len(header))]
    return cell_reader(header).read(lines, columns).rows()


def test_a_sound_row_is_a_record_without_warnings() -> None:
    """Lists are parted, unknown columns left aside, empty cells absent."""
    record = Record("1", ("Ana", "Mara"), ("Ilić",), None, (), PartialDate(1980, 2, 3), "F")
    assert read_one(7, SOUND) == AcceptedRow(7, record)
    assert read_one(8, ["1", "", "Ana", "Ilić", "", ""]) == AcceptedRow(8, Record("1", ("Ana",), ("Ilić",)))


def test_what_is_wrong_is_told_of_each_row_anew() -> None:
    """A known cell carries its reasons; the line is the row's."""
    for line in (2, 3):
        row = read_one(line, ["1", "", "Ana", "Ilić", "1980-02-31", "Q"])
        assert isinstance(row, AcceptedRow)
        assert str(row.record.date_of_birth) == "1980-02"
        assert [(warning.line, warning.field) for warning in row.warnings] == [(line, "sex"), (line, "date_of_birth")]


@pytest.mark.parametrize(("place", "field"), [(0, "record_id"), (2, "")])
def test_a_row_without_id_or_name_is_refused(place: int, field: str) -> None:
    cells = ["1", "", "Ana", "Ilić", "", ""]
    cells[place] = ""
    row = read_one(2, cells)
    assert isinstance(row, RefusedRow)
    assert [finding.field for finding in row.findings] == [field]


def test_rows_that_are_read_together_are_those_read_alone() -> None:
    """Sound rows, faulty ones, refused ones and numbers of another birth keep their places and their lines."""
    header = (*HEADER, "national_numbers")
    rows = [
        [*SOUND, ""],
        ["", *SOUND[1:], "1"],
        ["2", "", "Ana", "", "31.02.1980", "Q", ""],
        [*SOUND, "0101980710008;1"],
        ["3", "", "", "Ilić", "", "", "0101980710008"],
        [*SOUND, "0302980715005"],
        ["4", "", "Ana", "", "1980", "X", "0101980710009"],
    ]
    together = read_all(header, range(2, 9), rows)
    assert together == [row for line, cells in enumerate(rows, start=2) for row in read_all(header, [line], [cells])]
    refused = [place for place, row in enumerate(together) if isinstance(row, RefusedRow)]
    assert refused == [1, 4]
    assert read_all(header, [], []) == []


def test_texts_of_several_values_are_read_too() -> None:
    texts = {"record_id": ["1"], "full_name": ["Ana Ilić"], "aliases": ["Anka; Anica", "Mara"], "sex": ["female"]}
    record = Record("1", full_name="Ana Ilić", aliases=("Anka; Anica", "Mara"), sex="F")
    assert read_texts(2, texts) == AcceptedRow(2, record)
    row = read_texts(2, {**texts, "sex": ["F", "M"]})
    assert isinstance(row, AcceptedRow)
    assert (row.record, [warning.field for warning in row.warnings]) == (record, ["sex"])


def test_what_repeats_is_one_object() -> None:
    one, other = (read_one(line, SOUND) for line in (2, 3))
    assert isinstance(one, AcceptedRow)
    assert isinstance(other, AcceptedRow)
    assert one.record.given_names is other.record.given_names
    assert one.record.date_of_birth is other.record.date_of_birth


@pytest.mark.parametrize(("name", "cell"), [("document_numbers", "A123456"), ("place_of_birth", "x" * 101)])
def test_a_column_does_not_keep_what_will_not_repeat(name: str, cell: str) -> None:
    column = Column(name, is_parted=False)
    assert cell in column[cell]
    assert len(column) == 0


def test_a_column_keeps_what_is_wrong_too() -> None:
    column = Column("sex", is_parted=False)
    assert isinstance(column["Q"], FieldError)
    assert column["Q"] is column["Q"]


def test_a_column_keeps_so_many_cells() -> None:
    column = Column("place_of_birth", is_parted=False)
    for number in range(MOST_KNOWN + 1):
        assert column[str(number)] == str(number)
    assert len(column) == 1
