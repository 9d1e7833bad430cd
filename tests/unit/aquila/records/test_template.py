"""An empty list to be filled in."""

from io import BytesIO

import pytest
from openpyxl import load_workbook

from aquila.records.person import FIELDS
from aquila.records.reading.lists import recognize
from aquila.records.template import TEMPLATES


@pytest.mark.parametrize("form", TEMPLATES)
def test_a_template_has_a_column_for_each_field(form: str) -> None:
    found = recognize(BytesIO(TEMPLATES[form]()))
    assert (found.format, found.headings) == (form, FIELDS)


def test_the_workbook_keeps_what_is_typed() -> None:
    """Its columns are formatted as text, so that a spreadsheet neither drops zeros nor turns dates around."""
    sheet = load_workbook(BytesIO(TEMPLATES["xlsx"]())).worksheets[0]
    assert {sheet.column_dimensions[letter].number_format for letter in "ABCDEFGHIJKLMNOPQRS"} == {"@"}
