"""A small workbook that costs minutes and gigabytes to read, given to a node at its pages."""

import io
import resource
import zipfile
from collections.abc import Callable

import pytest
from psutil import Process

from aquila.records.reading.sheet_process import LEAST_SECONDS
from tests.support.spreadsheets import ods, ods_cell, ods_row, with_part, xlsx
from tests.support.web_world import ServedPages

HEADER = ("record_id", "given_names", "family_names", "date_of_birth")
ROW = ("1", "Ana", "Ilić", "1980-05-03")
SHEET = "xl/worksheets/sheet1.xml"
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
TYPES = "[Content_Types].xml"
SMALL = 64_000  # bytes
MEMORY = 256 << 20  # bytes that the node's own process may grow by


def strings() -> bytes:
    """Return a workbook with a million texts for its cells."""
    texts = "<si><t>a</t></si>" * (1 << 20)
    packed_book = with_part(xlsx([HEADER, ROW]), "xl/sharedStrings.xml", f"<sst {MAIN}>{texts}</sst>")
    with zipfile.ZipFile(io.BytesIO(packed_book)) as packed:
        types = packed.read(TYPES).decode()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    named = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    return with_part(packed_book, TYPES, types.replace("</Types>", named))


def cells() -> bytes:
    """Return a workbook with a row of a million cells."""
    row = '<row r="1">' + "<c><v>1</v></c>" * (1 << 20) + "</row>"
    return with_part(xlsx([HEADER, ROW]), SHEET, f"<worksheet {MAIN}><sheetData>{row}</sheetData></worksheet>")


def depth() -> bytes:
    """Return a workbook whose sheet is ten million elements within each other."""
    return with_part(xlsx([HEADER, ROW]), SHEET, "<a>" * 10_000_000)


def repeated() -> bytes:
    """Return a spreadsheet with one row of long cells that comes a million times."""
    long = ods_row(ods_cell("string", "a" * 60_000, times=4), times=1 << 20)
    return ods(ods_row(*HEADER) + long)


@pytest.mark.parametrize("bomb", [strings, cells, depth, repeated])
async def test_a_workbook_costs_what_its_size_allows(node: ServedPages, bomb: Callable[[], bytes]) -> None:
    """It is refused at the page; another process has read it within its limits, and the node did not unpack it."""
    browser, content = await node.visitor("ana", "officer"), bomb()
    assert len(content) < SMALL
    await browser.open("/records")
    spent, grown = resource.getrusage(resource.RUSAGE_CHILDREN), Process().memory_info().rss
    page = await browser.send("/records/preview", name="", files={"file": ("list.xlsx", io.BytesIO(content), "")})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "too large when it is unpacked" in page
    assert browser.answer.status_code == 422
    looks = 2  # of the page: one for the list, one for what can be chosen
    assert after.ru_utime + after.ru_stime - spent.ru_utime - spent.ru_stime < looks * (LEAST_SECONDS + 2)
    assert Process().memory_info().rss - grown < MEMORY
    assert not Process().children()
