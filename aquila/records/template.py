"""An empty list to be filled in: a file with a column for each field."""

import io
from collections.abc import Callable

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from aquila.csv_files import ListWriter
from aquila.records.person import FIELDS

_WIDTH = 20  # characters
_TEXT_FORMAT = "@"  # so that a spreadsheet keeps the zeros of numbers and leaves dates as they are typed
_BYTE_ORDER_MARK = "\ufeff"  # by which Excel knows UTF-8


def csv_template() -> bytes:
    """Return a CSV file, in UTF-8 with a byte-order mark."""
    text = io.StringIO(newline="")
    ListWriter(text, separator=";", line_end="\r\n").write(FIELDS)
    return (_BYTE_ORDER_MARK + text.getvalue()).encode()


def xlsx_template() -> bytes:
    """Return an Excel workbook; all of its columns are formatted as text."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("records")
    sheet.freeze_panes = "A2"
    header = []
    for number, field in enumerate(FIELDS, start=1):
        column = sheet.column_dimensions[get_column_letter(number)]
        column.width, column.number_format = _WIDTH, _TEXT_FORMAT
        cell = WriteOnlyCell(sheet, field)
        cell.font = Font(bold=True)
        header.append(cell)
    sheet.append(header)
    written = io.BytesIO()
    workbook.save(written)
    return written.getvalue()


TEMPLATES: dict[str, Callable[[], bytes]] = {"csv": csv_template, "xlsx": xlsx_template}
"""Templates by format."""
