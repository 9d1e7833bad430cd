"""Spreadsheets, read in a process of their own, and their rows as lines of CSV: from here on they are CSV lists.

A small spreadsheet can cost the memory and the minutes of a large one, whatever reads it. So the process that asks for
one gets its rows as lines of JSON and never unpacks it. The process that reads has limits of memory and processor time
and ends with its caller. It has the file, a pipe for its answer and another that ends with its caller; it writes no
file. Nothing of its errors but the sentence about the file goes on.

A row near the top names the columns: the one that names most fields, because a title or a date may stand above it, or
the first that is not blank where none names two. A line has the number of its row. Of the cells to the right of the
columns only the next one is looked at: a row that has something there may be shifted, and is refused as in CSV.
"""

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from io import UnsupportedOperation
from itertools import islice
from threading import Thread
from typing import Any, BinaryIO

from aquila.errors import InputError
from aquila.records.normalize.national_numbers import SCHEMES, schemes_of
from aquila.records.person import FIELDS, LIST_FIELDS
from aquila.records.reading.bounded_lines import BATCH_BYTES, BATCH_LINES, LONGEST_LINE, Batch
from aquila.records.reading.csv_rows import TOP_LINES, CsvPlan, heading_line, shown_lines
from aquila.records.reading.endable import EndableFile
from aquila.records.reading.layouts import Format
from aquila.records.reading.workbooks import (
    MOST_COLUMNS,
    SheetRow,
    Workbook,
    opened_ods,
    opened_xlsx,
    spreadsheet_format,
)
from aquila.records.rows import Finding
from aquila.sentences import Sentence
from aquila.sentences.sentence import from_json, to_json

SEPARATOR = ","
_LISTS = frozenset(LIST_FIELDS)
_MOST_ZEROS = 2  # that begin a national number: of a day of birth one, of a year of birth two
_RESTORED = Sentence.of("leading_zeros_restored")


def names_columns(rows: Iterator[SheetRow]) -> bool:
    """Return whether the row of the headings names a known column."""
    top = _top(rows)
    return bool(top) and any(text.strip().lower() in FIELDS for text in top[heading_line(top)])


def sheet_headings(
    rows: Iterator[SheetRow], wanted: int | None = None
) -> tuple[tuple[str, ...], int, tuple[tuple[int, tuple[str, ...]], ...]]:
    """Find the row of the headings, and return its texts and its number, and the first rows as they are shown.

    Args:
        wanted: The row that a person chose, or None.

    Raises:
        InputError: There is none, or it has too many columns.
    """
    top = _top(rows)
    if not top:
        raise InputError("list_empty")
    number, shown = heading_line(top, wanted), shown_lines(top)
    row = SheetRow(number, top[number])
    if len(row.texts) > MOST_COLUMNS:
        raise InputError("sheet_columns_too_many")
    texts = row.texts
    while not texts[-1] and len(texts) > 1:  # cells that hold a format and nothing else
        texts.pop()
    return tuple(" ".join(text.split()) for text in texts), number, shown


def cut_sheet(plan: CsvPlan, rows: Iterator[SheetRow], most: int = BATCH_LINES) -> Iterator[Batch]:
    """Cut the rows below the header into batches; between them are the blank lines that were left out.

    Args:
        plan: The header.
        rows: The rows that are not blank, from the first on; those down to the header are passed over.
        most: How many lines a batch has at most.
    """
    lines: list[bytes] = []
    findings: list[Finding] = []
    size, first, is_head = 0, 0, True
    for row in rows:
        if row.number <= plan.line:
            continue
        first = first if lines else row.number
        lines += [b"\n"] * (row.number - first - len(lines))
        line = _line(plan, row, findings)
        lines.append(line)
        size += len(line)
        if len(lines) >= most or size >= BATCH_BYTES:
            yield Batch(first, tuple(lines), is_head, tuple(findings))
            lines, findings, size, is_head = [], [], 0, False
    if lines:
        yield Batch(first, tuple(lines), is_head, tuple(findings))


def _top(rows: Iterator[SheetRow]) -> dict[int, list[str]]:
    """Return the texts of the first rows that are not blank, by their numbers."""
    return {row.number: row.texts for row in islice((row for row in rows if not row.is_blank), TOP_LINES)}


def _line(plan: CsvPlan, row: SheetRow, findings: list[Finding]) -> bytes:
    """Return a row as a line of CSV, and note what is wrong with its cells."""
    width = max(len(plan.columns), len(row.texts))
    cells = [*row.texts, *[""] * (width - len(row.texts))]
    while len(cells) > len(plan.columns) and not cells[-1]:
        cells.pop()
    for place, name in enumerate(plan.columns):
        if reason := row.faults.get(place):
            findings.append(Finding(row.number, name or "", reason))
        elif place in row.typed and name == "national_numbers" and (number := _with_zeros(cells[place])):
            cells[place] = number
            findings.append(Finding(row.number, name, _RESTORED))
        elif "\n" in cells[place]:
            cells[place] = (";" if name in _LISTS else " ").join(cells[place].splitlines())
    return (SEPARATOR.join(map(_quoted, cells)) + "\n").encode("utf-8", "replace")


def _with_zeros(number: str) -> str:
    """Return a national number with the zeros that it lost, or an empty string where none are missing."""
    if schemes_of(number):
        return ""
    for zeros in range(1, _MOST_ZEROS + 1):
        whole = "0" * zeros + number
        if any(SCHEMES[name].birth is not None for name in schemes_of(whole)):
            return whole
    return ""


def _quoted(cell: str) -> str:
    return '"' + " ".join(cell.splitlines()).replace('"', '""') + '"' if cell else ""


MOST_MEMORY = 1 << 30  # bytes of address space; a list of 130,000 records of all fields takes 0.4 of them
LEAST_SECONDS = 10  # of processor time, for a file of any size
_BYTES_A_SECOND = 1 << 17  # of the file; a list of all fields takes a quarter of the seconds that this gives
_MOST_SHEETS = 1_000
_LONGEST_NAME = 100  # characters of a sheet's name; programs allow 31
_MOST_ANSWER = 1 << 22  # bytes of one line of the answer: at most twelve for each character
_LEAST_TEXT, _TEXT_A_BYTE = 1 << 23, 32  # characters and cells that are answered: of any file, and more for its bytes
_SANDBOX = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}  # threads that reserve memory for each processor
_OPENED: dict[Format, Callable[[BinaryIO], AbstractContextManager[Workbook]]] = {"xlsx": opened_xlsx, "ods": opened_ods}
_END = "end"


@dataclass(frozen=True, slots=True, repr=False)
class OpenedSheet:
    """The sheet of a spreadsheet that is being read."""

    format: Format
    """Of the file."""
    sheets: tuple[str, ...]
    """The names of all its sheets."""
    sheet: int
    """The number of this one, from 1."""
    headings: tuple[str, ...]
    """The texts of the row that names its columns."""
    line: int
    """The number of that row."""
    top: tuple[tuple[int, tuple[str, ...]], ...]
    """The first rows, as they are shown."""
    rows: Iterator[SheetRow]
    """Its rows that are not blank, each with one cell more than there are headings at most."""


@contextmanager
def opened_sheet(
    stream: BinaryIO, form: Format | None, wanted: int | None, heading: int | None = None
) -> Iterator[OpenedSheet]:
    """Have a sheet read by another process, which is ended with the block.

    Args:
        stream: The file.
        form: Its format, if it is known.
        wanted: The number of the sheet, from 1; the first one that names a known column by default, or the first.
        heading: The row of the headings, if a person chose it.

    Raises:
        InputError: The file is damaged, is not a spreadsheet, is larger than a list can be, or costs more to read.
    """
    with ExitStack() as stack:
        file = _own_file(stream, stack)
        process = stack.enter_context(_reader(file, form, wanted, heading))
        if isinstance(stream, EndableFile):
            stream.at_end(process.kill)
        messages = _messages(process, stream)
        form, sheets, sheet, headings, line, first = next(messages)
        top = tuple((number, tuple(texts)) for number, texts in first)
        yield OpenedSheet(form, tuple(sheets), sheet, tuple(headings), line, top, map(_row, messages))


def _own_file(stream: BinaryIO, stack: ExitStack) -> int:
    """Return a descriptor of the file with a position of its own, closed with the stack; a stream is copied first."""
    stream.seek(0)  # which writes what is not written yet
    try:
        number = stream.fileno()
    except (AttributeError, UnsupportedOperation):
        copied = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        shutil.copyfileobj(stream, copied)
        copied.flush()
        number = copied.fileno()
    opened = os.open(f"/proc/self/fd/{number}", os.O_RDONLY | os.O_CLOEXEC)
    stack.callback(os.close, opened)
    return opened


@contextmanager
def _reader(
    file: int, form: Format | None, wanted: int | None, heading: int | None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start the process that reads; it ends when this block does, and when this process is gone."""
    seconds = LEAST_SECONDS + os.fstat(file).st_size // _BYTES_A_SECOND
    heard, held = os.pipe()
    with ExitStack() as stack:
        stack.callback(os.close, held)
        asked = {"form": form, "wanted": wanted, "heading": heading}
        order = json.dumps({**asked, "seconds": seconds, "memory": MOST_MEMORY, "caller": heard})
        command = [sys.executable, "-I", "-c", f"from {__name__} import main; main()", order]
        try:
            process = subprocess.Popen(
                command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=(heard,), env=_SANDBOX
            )
        finally:
            os.close(heard)
        with process:
            try:
                yield process
            finally:
                process.kill()


def _messages(process: subprocess.Popen[bytes], stream: BinaryIO) -> Iterator[Any]:
    """Yield the messages of the process that reads a file."""
    assert process.stdout is not None
    while line := process.stdout.readline(_MOST_ANSWER):
        message = json.loads(line)
        if message == _END:
            return
        if isinstance(message, dict):
            _raise(message)
        yield message
    if process.wait() >= 0:  # it was not ended by a signal
        raise OSError(errno.EPIPE, os.strerror(errno.EPIPE))
    if isinstance(stream, EndableFile):
        stream.check()
    raise InputError("spreadsheet_too_costly")


def _raise(message: dict[str, Any]) -> None:
    """Raise the error of a message."""
    if "errno" in message:
        raise OSError(message["errno"], os.strerror(message["errno"]))
    sentence = from_json(message)
    assert sentence is not None, "the other process writes what to_json makes"
    raise InputError(sentence.code, **sentence.fields)


def _row(message: Any) -> SheetRow:
    number, texts, typed, faults = message
    return SheetRow(
        int(number), list(map(str, texts)), set(map(int, typed)), {int(p): Sentence.of(c) for p, c in faults}
    )


def main() -> None:  # pragma: no cover  # of the process that reads, which is not watched
    """Read the sheet of the file on stdin, and answer on stdout; the limits are set before anything else."""
    order = json.loads(sys.argv[1])
    for limit, most in (
        (resource.RLIMIT_AS, order["memory"]),
        (resource.RLIMIT_CPU, order["seconds"]),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    Thread(target=_end_with, args=(order["caller"],), daemon=True).start()
    with open(0, "rb") as stream, open(1, "w", encoding="ascii") as out:
        answer(stream, order["form"], order["wanted"], out.write, order["heading"])


def _end_with(caller: int) -> None:  # pragma: no cover  # likewise
    """Wait until nobody holds the other end of a pipe, then leave."""
    os.read(caller, 1)
    os._exit(1)


def answer(
    stream: BinaryIO,
    form: Format | None,
    wanted: int | None,
    write: Callable[[str], object],
    heading: int | None = None,
) -> None:
    """Write the messages about a sheet: its head, its rows and the end, or why there is none.

    Args:
        stream: The file.
        form: As for `opened_sheet`.
        wanted: Likewise.
        write: Takes a line of JSON.
        heading: As for `opened_sheet`.
    """
    try:
        for message in _answers(stream, form, wanted, heading):
            write(json.dumps(message) + "\n")
    except InputError as error:
        write(json.dumps(to_json(error.sentence)) + "\n")
    except OSError as error:
        write(json.dumps({"errno": error.errno}) + "\n")
    except MemoryError:
        write(json.dumps({"code": "spreadsheet_too_large", "fields": {"limit": MOST_MEMORY}}) + "\n")


def _answers(stream: BinaryIO, form: Format | None, wanted: int | None, heading: int | None) -> Iterator[object]:
    """Yield the messages."""
    form = form or spreadsheet_format(stream)
    assert form in _OPENED, "the caller has seen an archive"
    with _OPENED[form](stream) as workbook:
        if len(workbook.sheets) > _MOST_SHEETS:
            raise InputError("spreadsheet_too_large", limit=_MOST_SHEETS)
        sheet = _choose_sheet(workbook, wanted)
        headings, line, top = sheet_headings(workbook.rows(sheet), heading)
        names = [name[:_LONGEST_NAME] for name in workbook.sheets]
        yield form, names, sheet + 1, _bounded(list(headings)), line, top
        left = most = _LEAST_TEXT + _TEXT_A_BYTE * stream.seek(0, os.SEEK_END)
        for row in workbook.rows(sheet, len(headings) + 1):
            if row.is_blank:
                continue
            texts = _bounded(row.texts)
            left -= len(texts) + sum(map(len, texts))
            if left < 0:  # rows and cells that are repeated, or texts that are shared
                raise InputError("spreadsheet_too_large", limit=most)
            yield row.number, texts, sorted(row.typed), [(place, reason.code) for place, reason in row.faults.items()]
    yield _END


def _bounded(texts: list[str]) -> list[str]:
    """Return the cells of a row, cut where they are more than a line can hold: the row will be refused."""
    room = LONGEST_LINE + 1
    for place, text in enumerate(texts):
        texts[place] = text[:room]
        room -= len(texts[place])
    return texts


def _choose_sheet(workbook: Workbook, wanted: int | None) -> int:
    """Return the place of the sheet that is wanted, or of the first one that names a known column, or of the first."""
    if wanted is None:
        return next((place for place in range(len(workbook.sheets)) if names_columns(workbook.rows(place))), 0)
    if wanted > len(workbook.sheets):
        raise InputError("sheet_unknown", sheets=len(workbook.sheets))
    return wanted - 1
