"""Rows of which nothing is wrong, read at little cost."""

from __future__ import annotations

import pytest

from aquila.records import columns
from aquila.records.columns import Column, UnsoundError, cell_reader, read_sound_texts
from aquila.records.person import PartialDate, Record

HEADER = ("record_id", None, "given_names", "family_names", "date_of_birth", "national_numbers")
SOUND = ["1", "38", "Ana;Mara", "Ilić", "1980-02-03", "0101990710008"]


def test_a_sound_row_is_a_record() -> None:
    """Lists are parted, unknown columns left aside, empty cells absent."""
    record = cell_reader(HEADER).read_sound(SOUND)
    assert record == Record(
        "1", ("Ana", "Mara"), ("Ilić",), None, (), PartialDate(1980, 2, 3), national_numbers=(SOUND[5],)
    )
    sparse = cell_reader(HEADER).read_sound(["1", "", "Ana", "Ilić", "", ""])
    assert sparse == Record("1", ("Ana",), ("Ilić",))


@pytest.mark.parametrize(
    ("place", "cell"),
    [(0, ""), (0, " "), (0, "a\x07"), (2, "???"), (4, "1980-02-31"), (5, "0101990710009"), (5, "12")],
)
def test_a_row_with_anything_wrong_is_none(place: int, cell: str) -> None:
    """A missing id, a doubt about a number and a value that cannot be used are for the careful reader."""
    cells = list(SOUND)
    cells[place] = cell
    assert cell_reader(HEADER).read_sound(cells) is None


def test_a_row_with_too_little_is_none() -> None:
    """One name is no record."""
    assert cell_reader(HEADER).read_sound(["1", "", "Ana", "", "", ""]) is None


def test_texts_of_several_values_are_read_too() -> None:
    """A text may hold `;`: it parts nothing here."""
    texts = {"record_id": ["1"], "full_name": ["Ana Ilić"], "aliases": ["Anka; Anica", "Mara"], "sex": ["female"]}
    assert read_sound_texts(texts) == Record("1", full_name="Ana Ilić", aliases=("Anka; Anica", "Mara"), sex="F")
    assert read_sound_texts({**texts, "sex": ["F", "M"]}) is None
    assert read_sound_texts({**texts, "sex": ["Q"]}) is None


def test_what_repeats_is_one_object() -> None:
    """Two records of one name share it."""
    one, other = (cell_reader(HEADER).read_sound(SOUND) for _ in range(2))
    assert one is not None
    assert other is not None
    assert one.given_names is other.given_names
    assert one.date_of_birth is other.date_of_birth


@pytest.mark.parametrize(("name", "cell"), [("document_numbers", "A123456"), ("place_of_birth", "x" * 101)])
def test_a_column_does_not_keep_what_will_not_repeat(name: str, cell: str) -> None:
    """Numbers of one person, and long texts."""
    column = Column(name, is_parted=False)
    assert cell in column[cell]
    assert len(column) == 0


def test_a_column_does_not_keep_what_is_not_sound() -> None:
    """It is looked at each time."""
    column = Column("sex", is_parted=False)
    for _ in range(2):
        with pytest.raises(UnsoundError):
            column["Q"]
    assert len(column) == 0


def test_a_column_keeps_so_many_cells() -> None:
    """When it is full it begins again."""
    column = Column("place_of_birth", is_parted=False)
    for number in range(columns.MOST_KNOWN + 1):
        assert column[str(number)] == str(number)
    assert len(column) == 1
