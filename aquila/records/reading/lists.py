"""Lists of persons from files, in bounded memory, by one process or by several.

Formats: CSV with the columns of `person.FIELDS`, spreadsheets with the same columns, and FollowTheMoney JSON lines.
`open_list` recognizes the file, reads what concerns the whole of it and cuts the rest into batches of raw lines;
`read_batch` turns one into rows and may run in any process; `WholeList` checks, in the order of the file, what no batch
shows by itself. `read_records` is the three in a row. Of a list of any length only a number per accepted record id is
kept.

    raw = open_list(stream)
    whole = WholeList(raw.plan)
    for batch in raw.batches:                     # small, and to be pickled
        rows = read_batch(raw.plan, batch)        # elsewhere
        for row in whole.watch(rows): ...         # here, in order
    whole.end()

The column of dates of birth is looked at as a whole before any of the list is used: whether it holds dates, and whether
their days come before their months. The first `DATE_LINES` lines are enough for most; where they leave a doubt the
whole column is looked at. An order is taken from dates that allow one only (`13/2/1980`), and only if no other date
contradicts it.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from typing import BinaryIO

from aquila.errors import InputError
from aquila.records.person import PartialDate, date_order
from aquila.records.reading.bounded_lines import BATCH_LINES, MARK, Batch, LineSource
from aquila.records.reading.csv_rows import (
    TOP_LINES,
    CsvPlan,
    column_cells,
    cut_csv,
    heading_line,
    plan_columns,
    read_csv_batch,
    read_headings,
    shown_lines,
)
from aquila.records.reading.ftm_rows import FtmPlan, cut_ftm, read_ftm_batch
from aquila.records.reading.layouts import (
    RECOGNIZED,
    UTF_8,
    WIDE_ENCODINGS,
    Encoding,
    Format,
    FoundLayout,
    Layout,
    as_utf_8,
    find_encoding,
)
from aquila.records.reading.sheet_process import SEPARATOR, cut_sheet, opened_sheet
from aquila.records.reading.workbooks import SheetRow, is_archive
from aquila.records.rows import LONGEST_VALUE, Finding, RefusedRow, Row, RowColumns, Severity, clean
from aquila.sentences import Sentence

DATE_LINES = 2_048
"""How many lines are looked at of a column that leaves no doubt."""
_CACHED = 1 << 15
_LONGEST_SHAPE = 24  # characters
_UNREAD = frozenset({"form", "year"})
_LEAST_SHARE = 0.9  # of values that cannot be read, from which on a column is not one of dates
_LEAST_VALUES = 10  # of which nine tenths can be said


class DateColumn:
    """A column of dates, of which the cells are looked at one after the other."""

    def __init__(self) -> None:
        self._read = self._unread = self._ambiguous = 0
        self._orders: set[bool] = set()
        self._example = (0, "")
        self.has_begun = False

    def begin(self, cells: Iterable[tuple[int, str]]) -> None:
        """Look at those cells that are in the first lines of the list, however its lines come in batches."""
        for line, cell in cells:
            if line > DATE_LINES:
                self.has_begun = True
                return
            self._look(line, cell.strip())

    def look(self, cells: Iterable[tuple[int, str]]) -> None:
        """Look at cells, each with its line."""
        for line, cell in cells:
            self._look(line, cell.strip())

    def _look(self, line: int, text: str) -> None:
        """Look at a cell without the blanks around it."""
        if not text:
            return
        fault, order = _judged(text)
        if order is not None:
            self._orders.add(order)
        if fault in _UNREAD:
            self._unread += 1
            if self._unread == 1:
                self._example = line, _shape(text)
        elif fault != "placeholder":  # which says that there is none
            self._read += 1
            self._ambiguous += fault == "ambiguous"

    @property
    def is_doubtful(self) -> bool:
        """Return whether more of the column has to be looked at."""
        return bool(self._ambiguous) or self._is_unread

    @property
    def day_first(self) -> bool | None:
        """Return whether days come before months in ambiguous dates; None if the column does not decide it."""
        return self._orders.copy().pop() if len(self._orders) == 1 else None

    def check(self, column: int) -> None:
        """Refuse a column that holds no dates, before anything is made of records without one.

        Args:
            column: Its number, from 1.

        Raises:
            InputError: Of ten values nine cannot be read. It names no value, but the form of one.
        """
        if self._is_unread:
            line, shape = self._example
            values = self._read + self._unread
            raise InputError(
                "dates_not_read", column=column, unread=self._unread, values=values, line=line, shape=shape
            )

    @property
    def _is_unread(self) -> bool:
        values = self._read + self._unread
        return values >= _LEAST_VALUES and self._unread >= _LEAST_SHARE * values


@lru_cache(maxsize=_CACHED)
def _judged(text: str) -> tuple[str, bool | None]:
    """Return the fault of a date, and the order that it shows."""
    cleaned = clean(text[: LONGEST_VALUE + 1])
    _date, fault = PartialDate.salvage(cleaned)
    return fault, date_order(cleaned)


def _shape(text: str) -> str:
    """Return a text with 9 for every digit and A for every letter: its form, which is nobody's."""
    return "".join(
        "9"
        if letter.isdigit()
        else "A"
        if letter.isalpha()
        else letter
        if letter.isascii() and letter.isprintable()
        else "?"
        for letter in text[:_LONGEST_SHAPE]
    )


Plan = CsvPlan | FtmPlan
"""What a process must know of a file to read a batch of it; small, hashable, and to be pickled."""
_DATES = "date_of_birth"
_SPREADSHEETS: frozenset[Format] = frozenset({"xlsx", "ods"})


@dataclass(frozen=True, slots=True)
class RawList:
    """A file that was opened as a list."""

    layout: FoundLayout
    """The layout in which it is read."""
    plan: Plan
    """How its batches are read."""
    batches: Iterator[Batch]
    """Its lines in their order; each batch is a whole number of rows. To be gone through once."""


@dataclass(frozen=True, slots=True)
class _Head:
    """The head of a file: what concerns the whole of it."""

    layout: FoundLayout
    """Its layout, with the headings of its columns."""
    separator: str = SEPARATOR
    """What parts the fields of a line."""
    line: int = 1
    """The line of the headings."""
    encoding: Encoding = UTF_8
    """Of the lines that `source` gives."""
    source: LineSource | None = None
    """The lines of a text; of CSV those below the headings."""
    rows: Iterator[SheetRow] | None = None
    """The rows of the sheet, each with one cell more than there are headings at most."""


def recognize(stream: BinaryIO, layout: Layout = RECOGNIZED) -> FoundLayout:
    """Return the layout of a list with the headings of its columns, whatever they are named.

    Args:
        stream: As for `open_list`.
        layout: Its layout, as far as it is known.

    Raises:
        InputError: A file that is not text or a sound spreadsheet, or has no line at all.
    """
    with ExitStack() as stack:
        return _read_head(stream, layout, stack).layout


def open_list(stream: BinaryIO, layout: Layout = RECOGNIZED, lines: int = BATCH_LINES) -> RawList:
    """Read the header of a list and cut the rest into batches while it is read.

    Args:
        stream: The file. Only its `readline` is used for CSV and JSON lines of a given encoding of bytes, unless dates
            leave a doubt; else it is read from its beginning whatever its position, and must be able to seek.
        layout: Its layout, as far as it is known.
        lines: About how many lines a batch has.

    Raises:
        InputError: A file that is not a list: empty, no header, not text, a damaged spreadsheet, or a column of dates
            of birth of which nine tenths cannot be read.
    """
    raw = _open(stream, layout, lines)
    if not isinstance(raw.plan, CsvPlan) or _DATES not in raw.plan.columns:
        return raw
    place, dates, first = raw.plan.columns.index(_DATES), DateColumn(), list[Batch]()
    while not dates.has_begun and (batch := next(raw.batches, None)):
        first.append(batch)
        dates.begin(column_cells(raw.plan, batch, place))
    if not dates.is_doubtful:
        return replace(raw, batches=chain(first, raw.batches))
    dates = DateColumn()
    for batch in chain(first, raw.batches):
        dates.look(column_cells(raw.plan, batch, place))
    dates.check(place + 1)
    stream.seek(0)
    raw = _open(stream, layout, lines)
    assert isinstance(raw.plan, CsvPlan), "the file is the same"
    return replace(raw, plan=replace(raw.plan, day_first=dates.day_first))


def _open(stream: BinaryIO, layout: Layout, lines: int) -> RawList:
    """Open a list without a look at its dates; raises as `open_list` does."""
    with ExitStack() as stack:
        head = _read_head(stream, layout, stack)
        if head.layout.format == "ftm":
            assert head.source is not None
            return RawList(head.layout, FtmPlan(head.encoding), cut_ftm(head.source, lines))
        plan = plan_columns(
            head.layout.headings, head.separator, line=head.line, encoding=head.encoding, chosen=layout.columns
        )
        if layout.heading is None and any(line < head.line for line, _ in head.layout.top):
            above = Finding(head.line, "", Sentence.of("lines_above_headings", line=head.line))  # nobody chose it
            plan = replace(plan, findings=(above, *plan.findings))
        found = replace(head.layout, columns=plan.columns)
        if head.rows is not None:
            batches = cut_sheet(plan, head.rows, lines)
            return RawList(found, plan, _while_open(stack.pop_all(), batches))
        assert head.source is not None
        return RawList(found, plan, cut_csv(plan, head.source, lines))


def _read_head(stream: BinaryIO, layout: Layout, stack: ExitStack) -> _Head:
    """Read the head of a file; a spreadsheet stays open as long as the stack."""
    form = layout.format
    if form in _SPREADSHEETS or (form is None and is_archive(stream)):
        opened = stack.enter_context(opened_sheet(stream, form, layout.sheet, layout.heading))
        found = FoundLayout(
            opened.format,
            sheet=opened.sheet,
            sheets=opened.sheets,
            headings=opened.headings,
            line=opened.line,
            top=opened.top,
        )
        return _Head(found, line=opened.line, rows=opened.rows)
    encoding, is_guess = (layout.encoding, False) if layout.encoding else find_encoding(stream)
    if form is None or layout.encoding is None:
        stream.seek(0)
    if encoding in WIDE_ENCODINGS:
        source, read_as = LineSource(as_utf_8(stream, encoding)), UTF_8
    else:
        source, read_as = LineSource(stream), encoding
    first = source.next()
    if form is None:
        form = "ftm" if first.removeprefix(MARK).lstrip().startswith(b"{") else "csv"
    if form == "csv":
        lines = [first]
        while len(lines) < TOP_LINES and (line := source.next()):
            lines.append(line)
        top = _top(lines, read_as)
        number = heading_line(top, layout.heading)
        headings, separator = read_headings(lines[number - 1], read_as, number)
        source.give_back(lines[number:])
        found = FoundLayout(form, encoding, is_guess, headings=headings, line=number, top=shown_lines(top))
        return _Head(found, separator, number, read_as, source)
    source.give_back([first] if first else [])
    return _Head(FoundLayout(form, encoding, is_guess), encoding=read_as, source=source)


def _top(lines: Sequence[bytes], encoding: Encoding) -> dict[int, tuple[str, ...]]:
    """Return the cells of the first lines of a CSV list that are not blank, by their numbers.

    Raises:
        InputError: The first line is not text; a later one is left out.
    """
    found = {1: read_headings(lines[0], encoding)[0]}
    for number, content in enumerate(lines[1:], start=2):
        with suppress(InputError):
            found[number] = read_headings(content, encoding, number)[0]
    return {number: cells for number, cells in found.items() if any(cells)}


def _while_open(stack: ExitStack, batches: Iterator[Batch]) -> Iterator[Batch]:
    with stack:
        yield from batches


def read_batch(plan: Plan, batch: Batch) -> list[Row]:
    """Read the rows of a batch, in their order. Nothing is raised about its content: rows are refused."""
    return read_batch_columns(plan, batch).rows()


def read_batch_columns(plan: Plan, batch: Batch) -> RowColumns:
    """Read the rows of a batch as `read_batch` does, for who needs some of their fields alone."""
    if isinstance(plan, CsvPlan):
        return read_csv_batch(plan, batch)
    return RowColumns.of(read_ftm_batch(plan, batch))


class WholeList:
    """Findings that only a whole list shows: a record id that comes twice, and a list without any record.

    The batches of a list are given to it in their order. Of each accepted record a number of 64 bits is kept; two ids
    have the same one by chance in 3 of 100 million lists of a million records.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._seen: set[int] = set()
        self._is_empty = True

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass the rows of a batch on, and refuse records whose id an earlier record of the list has."""
        for row in rows:
            self._is_empty = False
            if isinstance(row, RefusedRow):
                yield row
                continue
            number = hash(row.record.record_id)
            if number in self._seen:
                reason = Sentence.of("id_of_earlier_record")
                finding = Finding(row.line, "record_id", reason, Severity.REFUSAL)
                yield RefusedRow(row.line, row.record.record_id, (*row.warnings, finding))
            else:
                self._seen.add(number)
                yield row

    def admit(self, record_ids: Sequence[str], refused: int = 0) -> bool:
        """Take the ids of a batch whose rows are in another process, if none of them comes twice.

        Args:
            record_ids: The ids of the batch's accepted records.
            refused: How many rows of the batch were refused.

        Returns:
            Whether they were taken. If not, one comes twice, nothing was taken, and `watch` over the batch's rows,
            read again, says which is refused.
        """
        numbers = set(map(hash, record_ids))
        if len(numbers) < len(record_ids) or not self._seen.isdisjoint(numbers):
            return False
        self._seen |= numbers
        self._is_empty = self._is_empty and not record_ids and not refused
        return True

    def end(self) -> None:
        """Signal that no batch follows; raises InputError if there was no row at all."""
        if not self._is_empty:
            return
        if isinstance(self._plan, CsvPlan):
            raise InputError("list_without_records")
        raise InputError("list_without_person_entity")


def read_records(stream: BinaryIO, layout: Layout = RECOGNIZED) -> Iterator[Row]:
    """Read a list; raises InputError if a file that cannot be read as a whole."""
    return read_rows(open_list(stream, layout))


def read_rows(raw: RawList) -> Iterator[Row]:
    """Read the rows of a list that was opened; raises InputError if a file that cannot be read as a whole."""
    whole = WholeList(raw.plan)
    for batch in raw.batches:
        yield from whole.watch(read_batch(raw.plan, batch))
    whole.end()
