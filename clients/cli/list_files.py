"""Lists of persons from files that the command line names; an error of a file names the file."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aquila.errors import InputError
from aquila.records.reading.lists import AcceptedRow, ReadReport, read_records
from aquila.records.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from aquila.records.person import Record
    from aquila.records.reading.lists import Finding, Format
    from aquila.records.rules import RuleTable

FTM_SUFFIXES = frozenset({".jsonl", ".json", ".ftm"})


@dataclass(frozen=True, slots=True)
class FindingCounts:
    """A finding with the record id of its row, which is empty if the row has none that can be read."""

    finding: Finding
    record_id: str

    def document(self) -> dict[str, str | int]:
        """Return the finding for a report: where it is and what is wrong, without the person's values."""
        return {
            "line": self.finding.line,
            "field": self.finding.field,
            "reason": self.finding.reason,
            "severity": self.finding.severity.value,
            "record_id": self.record_id,
        }


@dataclass(frozen=True, slots=True)
class ReadList:
    """The result of reading a file: counts and all findings, in the order of its lines."""

    counts: ReadReport
    noted: tuple[FindingCounts, ...]


def format_of(path: Path) -> Format:
    """Return the format from a file's name: FollowTheMoney by its suffix, else CSV."""
    return "ftm" if path.suffix.lower() in FTM_SUFFIXES else "csv"


def read_list(path: Path, keep: Callable[[Record], object]) -> ReadList:
    """Read a file and give every accepted record to `keep`.

    Raises:
        InputError: The file is missing or cannot be read as a whole; the message names it.
    """
    counts, noted = ReadReport(), list[FindingCounts]()
    with open_list_file(path) as stream:
        for row in counts.watch(read_records(stream, format_of(path))):
            if isinstance(row, AcceptedRow):
                keep(row.record)
                noted += [FindingCounts(finding, row.record.record_id) for finding in row.warnings]
            else:
                noted += [FindingCounts(finding, row.record_id) for finding in row.findings]
    return ReadList(counts, tuple(noted))


def load_table(name_or_path: str) -> RuleTable:
    """Load a rule table.

    Raises:
        InputError: There is none of this name, or the file is none; the message names it.
    """
    try:
        return load_rules(name_or_path)
    except InputError as error:
        raise InputError(f"{name_or_path}: {error.message}", hint=error.hint, **error.fields) from None


@contextmanager
def open_list_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file; whatever is refused about it inside the block names it.

    Raises:
        InputError: The file cannot be opened or read, or the block refused it.
    """
    try:
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint="check the file's name and who may read it") from None
    except InputError as error:
        raise InputError(f"{path}: {error.message}", hint=error.hint, **error.fields) from None
