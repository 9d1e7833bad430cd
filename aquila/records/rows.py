"""The result of reading a list: one row at a time, accepted or refused, each with its findings.

A finding says which line and field, what is wrong and what to do. It never repeats what the person's fields hold, so
that a list of findings may be shown, logged and mailed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from aquila.sentences import Sentence, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aquila.records.person import Record


class Severity(StrEnum):
    """The severity of a finding."""

    WARNING = "warning"  # the record is used without what cannot be read
    REFUSAL = "refusal"  # the row cannot be used


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with one line.

    Attributes:
        line: The line of the file on which the row begins, counted from 1.
        field: The column or property, or an empty string where the whole row is meant.
        sentence: What is wrong and what to do, without the person's own values.
    """

    line: int
    field: str
    sentence: Sentence
    severity: Severity = Severity.WARNING

    @property
    def reason(self) -> str:
        """The sentence in English."""
        return text_of(self.sentence)


@dataclass(frozen=True, slots=True, repr=False)
class AcceptedRow:
    """A row that gave a record, with the warnings it met."""

    line: int
    record: Record
    warnings: tuple[Finding, ...] = ()

    def __repr__(self) -> str:
        return f"AcceptedRow(line={self.line})"


@dataclass(frozen=True, slots=True, repr=False)
class RefusedRow:
    """A row that gave no record; `record_id` is empty where the row has none that can be read."""

    line: int
    record_id: str
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        return f"RefusedRow(line={self.line})"


Row = AcceptedRow | RefusedRow


@dataclass(slots=True)
class ReadReport:
    """Counts of a reading, kept while the rows pass by."""

    accepted: int = 0
    refused: int = 0
    warnings: int = 0

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass rows on and count them."""
        for row in rows:
            if isinstance(row, AcceptedRow):
                self.accepted += 1
                self.warnings += len(row.warnings)
            else:
                self.refused += 1
                self.warnings += sum(finding.severity is Severity.WARNING for finding in row.findings)
            yield row
