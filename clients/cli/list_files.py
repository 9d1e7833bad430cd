"""Lists of persons from files that the command line names; an error of a file names the file."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from aquila.errors import InputError
from aquila.records.person import FIELDS, Record
from aquila.records.reading.layouts import RECOGNIZED, Encoding, FoundLayout, Layout
from aquila.records.reading.lists import open_list, read_rows, recognize
from aquila.records.rows import AcceptedRow, Finding, FindingGroup, FindingGroups, ReadReport
from aquila.records.rules import RuleTable, load_rules


@dataclass(frozen=True, slots=True)
class FindingCounts:
    """A finding with the record id of its row, which is empty if the row has none that can be read."""

    finding: Finding
    record_id: str

    def document(self) -> dict[str, str | int]:
        return {
            "line": self.finding.line,
            "field": self.finding.field,
            "reason": self.finding.reason,
            "severity": self.finding.severity.value,
            "record_id": self.record_id,
        }


@dataclass(frozen=True, slots=True)
class ReadList:
    """The result of reading a file: counts, all findings in the order of its lines, and its layout."""

    counts: ReadReport
    noted: tuple[FindingCounts, ...]
    layout: FoundLayout | None = None

    def groups(self) -> list[FindingGroup]:
        groups = FindingGroups()
        for one in self.noted:
            groups.add(one.finding)
        return groups.largest()


def read_list(path: Path, keep: Callable[[Record], object], layout: Layout = RECOGNIZED) -> ReadList:
    """Read a file and give every accepted record to `keep`.

    Raises:
        InputError: The file is missing or cannot be read as a whole; the message names it.
    """
    counts, noted = ReadReport(), list[FindingCounts]()
    with open_list_file(path) as stream:
        raw = open_list(stream, layout)
        for row in counts.watch(read_rows(raw)):
            if isinstance(row, AcceptedRow):
                keep(row.record)
                noted += [FindingCounts(finding, row.record.record_id) for finding in row.warnings]
            else:
                noted += [FindingCounts(finding, row.record_id) for finding in row.findings]
    return ReadList(counts, tuple(noted), raw.layout)


def layout_of(path: Path, encoding: str | None, sheet: int | None, columns: Sequence[str] | None) -> Layout:
    """Return the layout that a command's options name.

    Args:
        columns: As for `mapped`.

    Raises:
        InputError: There is no such encoding, column or field, or the file cannot be read.
    """
    layout = Layout(encoding=cast("Encoding | None", encoding), sheet=sheet)
    if not columns:
        return layout
    with open_list_file(path) as stream:
        return mapped(layout, recognize(stream, layout).headings, columns)


def layouts_of(paths: Sequence[Path], columns: Sequence[str] | None) -> list[Layout]:
    """Return the layouts of several lists, of which each has some of the columns that a command's options name.

    Args:
        columns: As for `mapped`.

    Raises:
        InputError: No list has such a column, there is no such field, or a file cannot be read.
    """
    if not columns:
        return [RECOGNIZED] * len(paths)
    found = []
    for path in paths:
        with open_list_file(path) as stream:
            found.append(recognize(stream).headings)
    _check_headings(columns, set(chain.from_iterable(found)))
    there = [[column for column in columns if _heading(column) in headings] for headings in found]
    return [mapped(RECOGNIZED, *one) if one[1] else RECOGNIZED for one in zip(found, there, strict=True)]


def mapped(layout: Layout, headings: Sequence[str], columns: Sequence[str]) -> Layout:
    """Return a layout with the columns that a command's options name; others that are named as fields are read too.

    Args:
        columns: `HEADING=FIELD` of each column that is not named as its field, and `HEADING=` of one that is not read.

    Raises:
        InputError: There is no such column or field. It names all that are missing.
    """
    _check_headings(columns, set(headings))
    chosen = {_heading(column): column.rpartition("=")[2] or None for column in columns}
    free = set(FIELDS).difference(filter(None, chosen.values()))
    named = {heading: heading.lower() for heading in headings if heading.lower() in free}
    return replace(layout, columns=tuple(chosen.get(one) if one in chosen else named.get(one) for one in headings))


def _heading(column: str) -> str:
    return column.rpartition("=")[0]


def _check_headings(columns: Sequence[str], headings: set[str]) -> None:
    """Refuse options that name a column that is not there, or one twice; raises InputError if they do."""
    named = [_heading(column) for column in columns]
    wrong = [heading for place, heading in enumerate(named) if heading not in headings or heading in named[:place]]
    if wrong:
        raise InputError("mapped_columns_missing", headings=", ".join(wrong))


def load_table(name_or_path: str) -> RuleTable:
    """Load a rule table; raises InputError if there is none of this name, or the file is none; the message names it."""
    try:
        return load_rules(name_or_path)
    except InputError as error:
        raise InputError(
            "rule_table_refused", **error.fields, name_or_path=name_or_path, reason=error.sentence
        ) from None


@contextmanager
def open_list_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file; whatever is refused about it inside the block names it.

    Raises:
        InputError: The file cannot be opened or read, or the block refused it.
    """
    try:
        with path.open("rb") as stream, tempfile.TemporaryFile() as copied:
            if stream.seekable():
                yield stream
            else:  # a pipe, which cannot be looked at before it is read
                shutil.copyfileobj(stream, copied)
                copied.seek(0)
                yield copied
    except OSError as error:
        raise InputError("list_file_unreadable", path=path, fault=error.strerror) from None
    except InputError as error:
        raise InputError("file_refused", **error.fields, path=path, reason=error.sentence) from None
