"""CSV lists: the header, read once, and the rows, cut into batches and read batch by batch.

The header names the columns, in any order and case; `,`, `;` or a tab separates them, whichever it holds most of. For
headings that are not named as fields are there is a suggestion, which a person has to confirm.

Fields that hold several values separate these by `;` and are quoted where the separator is `;` too. A row whose quotes
do not close is refused alone: reading goes on at the next line. Batches end with a row, so each is read by itself, in
any process, and gives what reading the whole file would give.
"""

import csv
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import NamedTuple

from aquila.errors import InputError
from aquila.records.field_table import field_table
from aquila.records.person import FIELDS
from aquila.records.reading.bounded_lines import BATCH_LINES, Batch, Line, LineSource, decode_line
from aquila.records.reading.columns import cell_reader
from aquila.records.reading.layouts import Encoding
from aquila.records.rows import Finding, RefusedRow, RowColumns, refuse
from aquila.sentences import Sentence

_LETTERS = str.maketrans({"đ": "d", "ı": "i"})  # noqa: RUF001 - letters of the region that do not decompose


def suggest_columns(headings: Sequence[str]) -> tuple[str | None, ...]:
    """Return the field that each column may hold, or None; no field twice, and a person has to confirm it."""
    found: list[str | None] = []
    for heading in headings:
        field = _known().get(_folded(heading))
        found.append(None if field in found else field)
    return tuple(found)


@cache
def _known() -> dict[str, str]:
    """Return the fields of the table's headings."""
    named = {_folded(name): field for field, entry in field_table().items() for name in entry.headings}
    return named | {_folded(field): field for field in FIELDS}


def _folded(heading: str) -> str:
    """Return a heading without case, marks and punctuation."""
    letters = unicodedata.normalize("NFD", heading.lower().translate(_LETTERS))
    return " ".join(
        "".join(
            letter if letter.isalnum() else " " for letter in letters if unicodedata.category(letter) != "Mn"
        ).split()
    )


_SEPARATORS = (",", ";", "\t")
_LONGEST_COLUMN = 60  # characters of an unknown column's name that a finding shows
_MOST_NAMED = 30  # unknown columns that an error names
_MATCHED, _ENOUGH = frozenset({"given_names", "family_names", "date_of_birth"}), 2  # without a full name
_LEAST_LIKENESS = 0.8  # of an unknown name to that of a missing field, above which it is a misspelling


@dataclass(frozen=True, slots=True)
class CsvPlan:
    """The way in which the rows of a CSV list are read."""

    separator: str
    """`,`, `;` or a tab."""
    columns: tuple[str | None, ...]
    """The fields of the columns in their order; None where a column is unknown."""
    findings: tuple[Finding, ...] = ()
    """What is wrong with the header; they are told with the list's first row."""
    line: int = 1
    """The line of the header."""
    encoding: Encoding = "utf-8"
    """Of the lines."""
    day_first: bool | None = None
    """Whether days come before months in dates that do not say so; None if nobody knows."""


TOP_LINES = 20
"""Lines that are not blank among which the headings are looked for."""
_LEAST_HEADINGS = 2
_SHOWN_CELLS, _SHOWN_LETTERS = 12, 60


def heading_line(top: Mapping[int, Sequence[str]], wanted: int | None = None) -> int:
    """Return the line of the headings among the first lines: that which names most fields, or else the first.

    Args:
        top: The cells of the lines near the top that are not blank, by their numbers.
        wanted: The line that a person chose, or None.

    Raises:
        InputError: The line that was chosen is none of them.
    """
    if wanted is not None:
        if wanted not in top:
            raise InputError("heading_line_missing", line=wanted)
        return wanted
    named = {line: sum(name is not None for name in suggest_columns(cells)) for line, cells in top.items()}
    best = max(named, key=named.__getitem__, default=1)
    return best if named.get(best, 0) >= _LEAST_HEADINGS else min(top, default=1)


def shown_lines(top: Mapping[int, Sequence[str]]) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Return lines near the top as a person is shown them, cut where they are long."""
    return tuple(
        (line, tuple(cell[:_SHOWN_LETTERS] for cell in cells[:_SHOWN_CELLS]))
        for line, cells in sorted(top.items())
        if any(cells)
    )


def read_headings(content: bytes, encoding: Encoding = "utf-8", number: int = 1) -> tuple[tuple[str, ...], str]:
    """Read the columns that a line of a list names, by default the first, and return them with what parts them.

    Raises:
        InputError: Nothing there, or not text.
    """
    if not content:
        raise InputError("list_empty")
    line = decode_line(number, content, encoding)
    if line.fault:
        raise InputError("first_line_malformed", line=number, fault=line.fault)
    separator = max(_SEPARATORS, key=line.text.count)
    try:
        names = next(csv.reader([line.text.rstrip("\r\n")], delimiter=separator), [])
    except csv.Error:
        names = []
    return tuple(name.strip() for name in names), separator


def plan_columns(
    headings: Sequence[str],
    separator: str,
    *,
    line: int = 1,
    encoding: Encoding = "utf-8",
    chosen: tuple[str | None, ...] | None = None,
) -> CsvPlan:
    """Find the fields of columns by their names, in any case, unless a person chose them.

    Args:
        headings: As the list has them.
        separator: How the fields of its lines are parted.
        line: The line that names them.
        encoding: Of its lines.
        chosen: The field of each column, or None for one that is not read.

    Raises:
        InputError: No known column, one twice, too few to match on, one misspelt, or fields for other columns. It names
            every column that is not known, with the field that it may hold.
    """
    if chosen is not None:
        if len(chosen) != len(headings):
            raise InputError("chosen_columns_of_another_list", line=line)
        _check_columns([name for name in chosen if name], line)
        return CsvPlan(separator, chosen, (), line, encoding)
    names = [name.strip().lower() for name in headings]
    if not set(names) & set(FIELDS):
        raise InputError("known_column_missing", line=line, known=", ".join(FIELDS))
    columns = tuple(name if name in FIELDS else None for name in names)
    known = [name for name in columns if name]
    near, unknown = _misspelt(names), len(known) < len(names)
    if near or (unknown and _lacks(known)):
        raise InputError("columns_unknown", line=line, names=_unknown_columns(names, near))
    _check_columns(known, line)
    findings = tuple(
        Finding(line, name[:_LONGEST_COLUMN] or f"column {place}", Sentence.of("column_not_read"))
        for place, name in enumerate(names, start=1)
        if name not in FIELDS
    )
    return CsvPlan(separator, columns, findings, line, encoding)


def _misspelt(names: Sequence[str]) -> dict[str, str]:
    """Return the columns whose names are nearly those of fields that the list does not have, with these.

    To leave them unread would cost every record a value, without a word.
    """
    missing = [field for field in FIELDS if field not in names]
    unknown = [name for name in names if name not in FIELDS]
    found = {name: get_close_matches(name, missing, n=1, cutoff=_LEAST_LIKENESS) for name in unknown}
    return {name: near[0] for name, near in found.items() if near}


def _unknown_columns(names: Sequence[str], near: Mapping[str, str]) -> str:
    """Return the unknown columns as one text, each with the field that it may hold."""
    suggested = dict(zip(names, suggest_columns(names), strict=True))
    shown = [
        name[:_LONGEST_COLUMN] + (f" ({field}?)" if (field := near.get(name) or suggested[name]) else "")
        for name in names
        if name and name not in FIELDS
    ]
    return ", ".join(shown[:_MOST_NAMED]) + (", ..." if len(shown) > _MOST_NAMED else "")


def _lacks(columns: Sequence[str]) -> str:
    """Return the error of a header under which no record can be complete, or nothing."""
    if "record_id" not in columns:
        return "record_id_column_missing"
    if not {"full_name", "aliases"} & set(columns) and len(_MATCHED.intersection(columns)) < _ENOUGH:
        return "list_columns_too_few"
    return ""


def _check_columns(columns: list[str], line: int) -> None:
    """Refuse a header under which no record can be complete."""
    if len(set(columns)) < len(columns):
        raise InputError("column_named_twice", line=line)
    if lack := _lacks(columns):
        raise InputError(lack, line=line)


_MOST_FURTHER = 50  # lines of one row, so that a quote that never closes refuses one row and not the rest of the file
_QUOTE = b'"'
_UNREADABLE = Sentence.of("row_is_no_csv")


class _Parted(NamedTuple):
    """One row, parted into its fields."""

    line: Line
    """The line on which it begins."""
    end: int
    """The place in the batch after its last line."""
    cells: list[str] | None
    """Its fields; None where `reason` says why there are none."""
    reason: Sentence | None = None


def cut_csv(plan: CsvPlan, source: LineSource, most: int = BATCH_LINES) -> Iterator[Batch]:
    """Cut the lines below the header into batches that begin and end with a row; blank lines before the first go.

    Args:
        plan: The header.
        source: The lines below the header.
        most: About how many lines a batch has.
    """
    number, is_head = plan.line + 1, True
    while contents := source.read_lines(most):
        contents = _end_with_row(plan, number, contents, source)
        batch = Batch(number, tuple(contents), is_head)
        number += len(contents)
        if is_head and all(line.is_blank for line in batch.lines(plan.encoding)):
            continue
        yield batch
        is_head = False


def read_csv_batch(plan: CsvPlan, batch: Batch) -> RowColumns:
    """Read the rows of a batch; what is wrong with the header comes with the list's first row."""
    columns = _part_columns(plan, batch)
    if columns is None:
        rows = _read_careful(plan, batch)
    else:
        rows = cell_reader(plan.columns, day_first=plan.day_first).read(
            range(batch.first, batch.first + len(batch.contents)), columns
        )
    if batch.findings:
        found = defaultdict(list)
        for finding in batch.findings:
            found[finding.line].append(finding)
        for at in [at for at, line in enumerate(rows.lines) if line in found]:
            rows.insert_findings(at, tuple(found[rows.lines[at]]))
    if batch.is_head and plan.findings:
        rows.insert_findings(0, plan.findings)
    return rows


def column_cells(plan: CsvPlan, batch: Batch, place: int) -> Iterable[tuple[int, str]]:
    """Return the cells of one column of a batch with their lines, without rows that will be refused."""
    columns = _part_columns(plan, batch)
    if columns is not None:
        return enumerate(columns[place], batch.first)
    rows = _part_rows(batch.lines(plan.encoding), plan.separator)
    return [(row.line.number, row.cells[place]) for row in rows if row.cells and len(row.cells) == len(plan.columns)]


def _part_columns(plan: CsvPlan, batch: Batch) -> list[list[str]] | None:
    """Part lines into the cells of each column, or return None where one has a quote or other fields than the header.

    Without quotes a line is a row, and every separator parts two cells of it.
    """
    separator, width = plan.separator, len(plan.columns)
    parted, mark = width - 1, separator.encode()
    if {content.count(mark) for content in batch.contents} != {parted}:
        return None
    text = batch.sound_text(plan.encoding)
    if text is None or '"' in text:
        return None
    text = text.replace("\r\n", "\n").removesuffix("\n")
    cells = text.replace("\n", separator).split(separator)
    if "\r" in text or len(cells) != width * len(batch.contents):  # another end of a line, or none
        return None
    return [cells[place::width] for place in range(width)]


def _read_careful(plan: CsvPlan, batch: Batch) -> RowColumns:
    """Read the rows of a batch of any lines."""
    texts = batch.sound_texts(plan.encoding)
    parted = None if texts is None else _part_lines(texts, plan.separator)
    if texts is None or parted is None:
        return _read_apart(plan, batch.lines(plan.encoding))
    return _read_lines(plan, batch.first, texts, parted)


def _end_with_row(plan: CsvPlan, number: int, contents: list[bytes], source: LineSource) -> list[bytes]:
    """Let a batch end where its last row ends: take the further lines of that row from the source."""
    if _QUOTE not in b"".join(contents):
        return contents
    texts = Batch(number, tuple(contents)).sound_texts(plan.encoding)
    if texts is not None and _part_lines(texts, plan.separator) is not None:
        return contents
    every = contents + list(islice(iter(source.next, b""), _MOST_FURTHER))
    parted = _part_rows(Batch(number, tuple(every)).lines(plan.encoding), plan.separator)
    end = next(row.end for row in parted if row.end >= len(contents))
    source.give_back(every[end:])
    return every[:end]


def _part_lines(texts: list[str], separator: str) -> list[list[str]] | None:
    """Part lines into fields if each is a row of its own, or return None if one is not, or is not CSV."""
    try:
        parted = list(csv.reader(texts, delimiter=separator, strict=True))
    except csv.Error:
        return None
    return parted if len(parted) == len(texts) else None


def _part_rows(lines: Sequence[Line], separator: str) -> Iterator[_Parted]:
    """Part rows into fields, taking further lines while a quote is open; blank lines are rows here.

    A row that cannot be parted ends with its first line, and so does a line with a fault.
    """
    begin = 0

    def texts() -> Iterator[str]:
        """The lines from here on, up to one with a fault, and no more than a row may have."""
        for place in range(begin, len(lines)):
            if lines[place].fault or place - begin > _MOST_FURTHER:
                return
            yield lines[place].text

    while begin < len(lines):
        first, reason = begin, None
        reader = csv.reader(texts(), delimiter=separator, strict=True)
        try:
            for cells in reader:
                yield _Parted(lines[begin], first + reader.line_num, cells)
                begin = first + reader.line_num
        except csv.Error:
            reason = _UNREADABLE
        if begin < len(lines):
            yield _Parted(lines[begin], begin + 1, None, reason or lines[begin].fault)
            begin += 1


def _read_lines(plan: CsvPlan, first: int, texts: list[str], parted: list[list[str]]) -> RowColumns:
    """Read rows that take one line each."""
    width = len(plan.columns)
    numbered = enumerate(parted, first)
    return _read_cells(plan, [row for row in numbered if len(row[1]) == width or texts[row[0] - first].strip()])


def _read_apart(plan: CsvPlan, lines: Sequence[Line]) -> RowColumns:
    """Read rows of which some take several lines or cannot be parted."""
    parted = [row for row in _part_rows(lines, plan.separator) if not row.line.is_blank]
    return _read_cells(plan, [(row.line.number, row.cells or row.reason or _UNREADABLE) for row in parted])


def _read_cells(plan: CsvPlan, rows: Sequence[tuple[int, list[str] | Sentence]]) -> RowColumns:
    """Read the rows that have the header's fields, and refuse the others, which have other ones or a reason."""
    width = len(plan.columns)
    sound = [(line, cells) for line, cells in rows if isinstance(cells, list) and len(cells) == width]
    columns = list(zip(*(cells for _line, cells in sound), strict=True)) or [()] * width
    reader = cell_reader(plan.columns, day_first=plan.day_first)
    found = reader.read([line for line, _cells in sound], columns)
    if len(sound) == len(rows):
        return found
    read = iter(found.rows())
    return RowColumns.of(
        [
            refuse(line, cells)
            if isinstance(cells, Sentence)
            else next(read)
            if len(cells) == width
            else _refuse_width(plan, line, cells)
            for line, cells in rows
        ]
    )


def _refuse_width(plan: CsvPlan, line: int, cells: Sequence[str]) -> RefusedRow:
    """Refuse a row whose fields are not those of the header."""
    if len(cells) > len(plan.columns):
        return refuse(line, Sentence.of("row_has_more_fields"))
    return refuse(line, Sentence.of("row_has_fewer_fields"))
