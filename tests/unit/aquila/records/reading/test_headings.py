"""Columns whose headings are not fields: suggested, chosen by a person, and read as chosen."""

from io import BytesIO

import pytest

from aquila.errors import InputError
from aquila.records.person import FIELDS
from aquila.records.reading.csv_rows import suggest_columns
from aquila.records.reading.layouts import Layout
from aquila.records.reading.lists import open_list, read_records, recognize
from aquila.records.rows import AcceptedRow
from tests.support.spreadsheets import xlsx

HEADINGS = ("R.br.", "Prezime", "Ime", "Datum rođenja", "Napomena", "JMBG")
FOUND = ("record_id", "family_names", "given_names", "date_of_birth", None, "national_numbers")
ROW = ("7", "Ilić", "Ana", "3.5.1980", "x", "0305980715006")
TEXT = (";".join(HEADINGS) + "\n" + ";".join(ROW) + "\n").encode()


REGION = {
    "Презиме|Име|Датум рођења|Држављанство": "family_names|given_names|date_of_birth|nationality",
    "Име и презиме|Матичен број|Пол": "full_name|national_numbers|sex",  # noqa: RUF001 - Cyrillic letters
    "Фамилно име|ЕГН|Дата на раждане": "family_names|national_numbers|date_of_birth",
    "Emri|Mbiemri|Datëlindja|Shtetësia": "given_names|family_names|date_of_birth|nationality",
    "Prenume|Nume|CNP|Data naşterii": "given_names|family_names|national_numbers|date_of_birth",
    "ΕΠΩΝΥΜΟ|Όνομα|ΑΜΚΑ": "family_names|given_names|national_numbers",  # noqa: RUF001 - Greek letters
    "Soyadı|ADI|Doğum Tarihi": "family_names|given_names|date_of_birth",  # noqa: RUF001 - letters of Turkish
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
