"""Spreadsheets for tests: workbooks written by openpyxl, and OpenDocument files made by hand."""

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from openpyxl import Workbook

ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_NAMESPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)
_CALC = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'


def xlsx(*sheets: Iterable[Sequence[Any]], formats: Mapping[str, str] | None = None, epoch: Any = None) -> bytes:
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    if epoch is not None:
        workbook.epoch = epoch
    for number, rows in enumerate(sheets, start=1):
        sheet = workbook.create_sheet(f"List {number}")
        for row in rows:
            sheet.append(row)
    for coordinate, form in (formats or {}).items():
        workbook.worksheets[0][coordinate].number_format = form
    written = io.BytesIO()
    workbook.save(written)
    return written.getvalue()


def ods(*tables: str) -> bytes:
    """Return an OpenDocument spreadsheet."""
    body = "".join(f'<table:table table:name="T{n}">{rows}</table:table>' for n, rows in enumerate(tables, start=1))
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_NAMESPACES} {_CALC}><office:body>'
        f"<office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"
    )
    return archive({"mimetype": ODS_TYPE, "Configurations2/accelerator/current.xml": "", "content.xml": content})


def ods_row(*cells: str, times: int = 1) -> str:
    """Return the XML of a row of cells, which are texts or, where they begin with `<`, XML."""
    written = (
        cell if cell.startswith("<") else f"<table:table-cell>{_paragraph(cell)}</table:table-cell>" for cell in cells
    )
    return f'<table:table-row table:number-rows-repeated="{times}">{"".join(written)}</table:table-row>'


def ods_cell(kind: str, shown: str = "", times: int = 1, **values: str) -> str:
    """Return the XML of a cell with a value: `date_value`, `value` or `string_value`."""
    attributes = "".join(f' office:{name.replace("_", "-")}="{value}"' for name, value in values.items())
    repeated = f' table:number-columns-repeated="{times}"'
    return f'<table:table-cell office:value-type="{kind}"{repeated}{attributes}>{_paragraph(shown)}</table:table-cell>'


def archive(parts: Mapping[str, str | bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return written.getvalue()


def with_part(content: bytes, name: str, part: str | bytes) -> bytes:
    """Return an archive with one part replaced or added."""
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        return archive({one: source.read(one) for one in source.namelist()} | {name: part})


def _paragraph(text: str) -> str:
    return f"<text:p>{text}</text:p>" if text else ""
