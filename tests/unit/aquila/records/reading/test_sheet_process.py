"""The process that reads spreadsheets: its answers, its limits, and its end."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from psutil import Process, wait_procs

from aquila.errors import InputError
from aquila.records.reading.bounded_lines import LONGEST_LINE
from aquila.records.reading.layouts import Format
from aquila.records.reading.lists import read_records, recognize
from aquila.records.reading.sheet_process import LEAST_SECONDS, MOST_MEMORY, _messages, answer, opened_sheet
from aquila.records.reading.workbooks import spreadsheet_format
from aquila.records.rows import AcceptedRow, RefusedRow
from tests.support.spreadsheets import archive, ods, ods_cell, ods_row, with_part, xlsx

HEADER = ("record_id", "given_names", "family_names", "date_of_birth")
ROW = ("1", "Ana", "Ilić", "1980-05-03")
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
PROGRAM = "from aquila.records.reading.sheet_process import main; main()"


def answers(
    content: bytes, form: Format | None = None, wanted: int | None = None, heading: int | None = None
) -> list[Any]:
    lines: list[str] = []
    answer(BytesIO(content), form, wanted, lines.append, heading)
    return [json.loads(line) for line in lines]


def test_answers_about_a_sheet() -> None:
    """Its head, its rows that are not blank with the cells that hold numbers and faults, and the end."""
    rows = (
        '<row r="2"><c r="A2" t="inlineStr"><is><t>record_id</t></is></c></row><row r="3"/>'
        '<row r="4"><c r="A4"><v>7</v></c><c r="C4"><v>8</v></c></row><row r="5"><c r="A5" t="e"><v>#REF!</v></c></row>'
    )
    sheet = f"<worksheet {MAIN}><sheetData>{rows}</sheetData></worksheet>"
    workbook = with_part(xlsx([("x",)], []), "xl/worksheets/sheet2.xml", sheet)
    assert answers(workbook) == [
        ["xlsx", ["List 1", "List 2"], 2, ["record_id"], 2, [[2, ["record_id"]], [4, ["7", "", "8"]]]],
        [2, ["record_id"], [], []],
        [4, ["7"], [0], []],
        [5, [""], [], [[0, "cell_holds_error"]]],
        "end",
    ]
    assert answers(workbook, wanted=1)[0] == ["xlsx", ["List 1", "List 2"], 1, ["x"], 1, [[1, ["x"]]]]
    assert answers(workbook, heading=4)[0][3:5] == [["7", "", "8"], 4]
    assert answers(workbook, heading=3)[0]["code"] == "heading_line_missing"
    assert answers(workbook, wanted=3) == [{"code": "sheet_unknown", "fields": {"sheets": 2}}]
    table = ods(ods_row("record_id", ods_cell("float", "7", value="7")))
    assert answers(table, "ods")[1] == [1, ["record_id", "7"], [1], []]


@pytest.mark.parametrize("make", [xlsx, lambda rows: ods("".join(ods_row(*row) for row in rows))])
def test_a_title_above_the_headings(make: Callable[..., bytes]) -> None:
    """The row that names most fields has the headings, in the region's languages too; rows above it are no records."""
    titles = [("Records of the unit",), ("Name", "of 3 November 2026"), ()]
    for headings in (HEADER, ("Broj", "Ime", "Prezime", "Datum rođenja")):
        rows = [*titles, headings, ROW, ("2", "given_names", "family_names", "")]
        found = recognize(BytesIO(make(rows)))
        assert found.headings == headings
    content = make([*titles, HEADER, ROW])
    [row] = read_records(BytesIO(content))
    assert isinstance(row, AcceptedRow)
    assert (row.line, row.record.record_id) == (5, "1")
    # Where no row names two fields, the first one is the head, and its columns are chosen by a person.
    assert recognize(BytesIO(make([("A", "B"), ("1", "Ana")]))).headings == ("A", "B")
    assert answers(make([()]))[-1]["code"] == "list_empty"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (archive({"a.txt": "x"}), "spreadsheet_not_recognized"),
        (b"PK\x03\x04 and nothing more", "spreadsheet_damaged"),
        (ods(*[""] * 1_001), "spreadsheet_too_large"),
        (with_part(xlsx([HEADER]), "xl/sharedStrings.xml", "<b>" * 600_000), "spreadsheet_too_large"),
        (ods(ods_row(*HEADER) + ods_row("a" * 60_000, times=200)), "spreadsheet_too_large"),
    ],
)
def test_a_file_that_is_more_than_a_list(content: bytes, code: str) -> None:
    """Sheets, elements and characters are bounded by the size of the file."""
    assert answers(content)[-1]["code"] == code


class Failing(BytesIO):
    def __init__(self, error: BaseException) -> None:
        super().__init__(xlsx([HEADER]))
        self.reads = 0
        self.error = error

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        if self.reads > 3:  # zipfile takes a fault of the first ones for a damaged file
            raise self.error
        return super().read(size)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), {"code": "spreadsheet_too_large", "fields": {"limit": MOST_MEMORY}}),
        (OSError(errno.EIO, "a path"), {"errno": errno.EIO}),
    ],
)
def test_faults_that_are_not_the_files(error: BaseException, expected: dict[str, Any]) -> None:
    """Memory that ran out is a limit; a fault of the machine is answered as one, without a word about the file."""
    lines: list[str] = []
    answer(Failing(error), "xlsx", None, lines.append)
    assert list(map(json.loads, lines)) == [expected]


@pytest.mark.parametrize(
    ("program", "error", "match"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", InputError, "processor time"),
        ("raise SystemExit(1)", OSError, "pipe"),
        (f"print('{{\"errno\": {errno.ENOSPC}}}')", OSError, "space"),
        ('print(\'{"code": "list_empty"}\')', InputError, "empty"),
    ],
)
def test_an_end_without_an_answer(program: str, error: type[Exception], match: str) -> None:
    """A process that was ended met a limit; one that ended itself, or says so, has a fault of this machine."""
    command = [sys.executable, "-c", program]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as ended,
        pytest.raises(error, match=match),
    ):
        list(_messages(ended, BytesIO()))


def started(content: Path, **order: Any) -> subprocess.CompletedProcess[bytes]:
    heard, held = os.pipe()
    try:
        order |= {"form": "xlsx", "wanted": None, "heading": None, "caller": heard}
        with content.open("rb") as stream:
            command = [sys.executable, "-I", "-c", PROGRAM, json.dumps(order)]
            return subprocess.run(command, stdin=stream, capture_output=True, pass_fds=(heard,), check=False)
    finally:
        os.close(heard)
        os.close(held)


def test_its_seconds_are_bounded(tmp_path: Path) -> None:
    """Sheets of a million blank rows: the system ends the process after its seconds, however fast it is."""
    far = f'<worksheet {MAIN}><sheetData><row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData></worksheet>'
    workbook = xlsx(*[[("x",)]] * 8)
    with_rows = {f"xl/worksheets/sheet{number}.xml": far for number in range(1, 9)}
    for name, part in with_rows.items():
        workbook = with_part(workbook, name, part)
    (tmp_path / "far.xlsx").write_bytes(workbook)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = started(tmp_path / "far.xlsx", seconds=1, memory=MOST_MEMORY)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, b"")
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 3


def test_its_memory_is_bounded(tmp_path: Path) -> None:
    """A text of 120 MiB does not fit into less: the process says that the file is too large."""
    text = f'<c r="A1" t="inlineStr"><is><t>{"a" * (120 << 20)}</t></is></c>'
    sheet = f'<worksheet {MAIN}><sheetData><row r="1">{text}</row></sheetData></worksheet>'
    content = with_part(xlsx([HEADER]), "xl/worksheets/sheet1.xml", sheet)
    assert len(content) < 300_000
    (tmp_path / "long.xlsx").write_bytes(content)
    ended = started(tmp_path / "long.xlsx", seconds=LEAST_SECONDS, memory=256 << 20)
    assert (ended.returncode, json.loads(ended.stdout)["code"]) == (0, "spreadsheet_too_large")


def test_a_row_longer_than_a_line_is_refused() -> None:
    (row,) = read_records(BytesIO(xlsx([HEADER, ("1", *["š" * 30_000] * 3)])))
    assert isinstance(row, RefusedRow)
    assert row.findings[0].sentence.code == "line_too_long"
    (_head, _names, cut, _end) = answers(xlsx([HEADER, ("1", *["š" * 30_000] * 3)]))
    assert sum(map(len, cut[1])) == LONGEST_LINE + 1


def test_it_ends_with_the_block() -> None:
    workbook = BytesIO(xlsx([HEADER, *[ROW] * 2_500]))
    before = set(Process().children())  # workers of other tests
    with opened_sheet(workbook, None, None) as opened:
        (reader,) = set(Process().children()) - before
        assert opened.headings == HEADER
    assert not reader.is_running()
    with opened_sheet(workbook, "xlsx", None) as opened:
        assert sum(1 for _row in opened.rows) == 2_501
    assert not set(Process().children()) - before


def test_it_ends_with_its_caller(tmp_path: Path) -> None:
    (tmp_path / "list.xlsx").write_bytes(xlsx([HEADER, *[ROW] * 2_500]))
    program = (
        "import sys\nfrom aquila.records.reading.sheet_process import opened_sheet\n"
        f"with open({str(tmp_path / 'list.xlsx')!r}, 'rb') as stream, opened_sheet(stream, None, None) as sheet:\n"
        "    next(sheet.rows), print('reading', flush=True), sys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as caller:
        assert caller.stdout is not None
        assert caller.stdout.readline() == b"reading\n"
        (reader,) = Process(caller.pid).children()
        caller.kill()
    assert wait_procs([reader], timeout=60)[1] == []


def test_the_file_keeps_its_position(tmp_path: Path) -> None:
    (tmp_path / "list.xlsx").write_bytes(content := xlsx([HEADER, *[ROW] * 200]))
    with (tmp_path / "list.xlsx").open("rb") as stream:
        with opened_sheet(stream, None, None) as opened:
            assert len(list(opened.rows)) == 201
        assert stream.read() == content
    assert spreadsheet_format(BytesIO(content)) == "xlsx"
