"""CSV files for persons: what a spreadsheet would run is text, and reading gives back what was written."""

import csv
import io

import pytest

from aquila.csv_files import CsvWriter, ListWriter


def written(*cells: str | float | None) -> str:
    stream = io.StringIO()
    CsvWriter(stream).write_all([cells])
    return stream.getvalue()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1", "\uff20x"])
def test_a_formula_is_text(text: str) -> None:
    [[cell]] = csv.reader(io.StringIO(written(text), newline=""))
    assert cell == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", "Ђорђе", "2026-11-26", 'a "b", c', "a;=1"])
def test_other_texts_stay(text: str) -> None:
    [[cell]] = csv.reader(io.StringIO(written(text), newline=""))
    assert cell == text


def test_a_cell_stays_one_where_semicolons_separate() -> None:
    """The second half would begin with a formula there; numbers are no texts, and nothing is an empty cell."""
    assert written("a;=1", 7, -0.5, None) == '"a;=1",7,-0.5,""\r\n'
    [row] = csv.reader(io.StringIO(written("a;=1")), delimiter=";")
    assert row == ["a;=1"]


def test_an_invented_list_holds_what_was_put_in() -> None:
    """It is imported again: a telephone number begins with a plus."""
    stream = io.StringIO()
    ListWriter(stream, separator=";").write(["+386 1", "a;b"])
    assert stream.getvalue() == '+386 1;"a;b"\n'
