"""The result of reading a list: one row at a time, accepted or refused, each with its findings.

A finding says which line and field, what is wrong and what to do. Its sentence never repeats what the person's fields
hold, so that a list of findings may be stored, logged and mailed. The example beside it does; it is shown only to
whoever holds the file, one for each group of findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum
from typing import Any

from aquila.records.person import ABSENT, FIELDS, Record, RecordColumns, sound_record, sound_records
from aquila.sentences import Sentence, text_of


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
        example: The field as it is written, or an empty string; never stored, sent to others or logged.
    """

    line: int
    field: str
    sentence: Sentence
    severity: Severity = Severity.WARNING
    example: str = dataclass_field(default="", repr=False, compare=False)

    @property
    def reason(self) -> str:
        """The sentence in English."""
        return text_of(self.sentence)


@dataclass(slots=True, repr=False)
class FindingGroup:
    """Findings of one list with the same field and reason.

    Attributes:
        first: The first of them, with its example.
        count: How many there are.
    """

    first: Finding
    count: int = 0


class FindingGroups:
    """The findings of a list by field and reason, collected while its rows are read."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str, Severity], FindingGroup] = {}

    def add(self, finding: Finding) -> None:
        """Count a finding."""
        key = finding.field, finding.reason, finding.severity
        if key not in self._groups:
            self._groups[key] = FindingGroup(finding)
        self._groups[key].count += 1

    def largest(self) -> list[FindingGroup]:
        """Return the groups: refusals first, and of both the largest first."""
        return sorted(self._groups.values(), key=lambda one: (one.first.severity is Severity.WARNING, -one.count))


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


@dataclass(frozen=True, slots=True, repr=False)
class RowColumns:
    """Rows that were read together, column by column; nearly all of them give a record without a finding.

    Attributes:
        lines: The line on which each row begins.
        values: Of each field, in the order of `FIELDS`, the value in each row; that of a row in `apart` does not count.
        apart: By place, the rows that have findings or give no record.
    """

    lines: Sequence[int]
    values: Sequence[Sequence[Any]]
    apart: dict[int, Row]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> RowColumns:
        """Take rows that were read one by one."""
        return cls([row.line for row in rows], [(absent,) * len(rows) for absent in ABSENT], dict(enumerate(rows)))

    def __len__(self) -> int:
        return len(self.lines)

    def rows(self) -> list[Row]:
        """Return them as rows."""
        records = enumerate(sound_records(self.values))
        # A row without a record is apart.
        return [self.apart.get(at) or AcceptedRow(self.lines[at], record) for at, record in records]  # type: ignore[arg-type]

    def insert_findings(self, place: int, findings: tuple[Finding, ...]) -> None:
        """Put findings before those of a row."""
        row = self.apart.get(place)
        if row is None:
            record = sound_record([column[place] for column in self.values])
            assert record is not None
            row = AcceptedRow(self.lines[place], record)
        if isinstance(row, AcceptedRow):
            self.apart[place] = AcceptedRow(row.line, row.record, findings + row.warnings)
        else:
            self.apart[place] = RefusedRow(row.line, row.record_id, findings + row.findings)

    def accepted(self) -> RecordColumns:
        """Return the records of the rows that give one, in their order."""
        records = {at: row.record for at, row in self.apart.items() if isinstance(row, AcceptedRow)}
        kept = [at for at in range(len(self)) if at in records or at not in self.apart]

        def column(name: str) -> Sequence[Any]:
            values = self.values[FIELDS.index(name)]
            if self.apart:
                values = list(values)
                for at, record in records.items():
                    values[at] = getattr(record, name)
            return values if len(kept) == len(self) else [values[at] for at in kept]

        return RecordColumns(column, len(kept))

    def report(self) -> ReadReport:
        """Return how many rows give records, how many do not, and how many warnings they have."""
        report = ReadReport(accepted=len(self) - len(self.apart))
        for _row in report.watch(self.apart.values()):
            pass
        return report

    def findings(self) -> Iterator[tuple[Finding, str]]:
        """Yield the findings in the order of the rows, each with the record id of its row."""
        for _place, row in sorted(self.apart.items()):
            if isinstance(row, AcceptedRow):
                yield from ((finding, row.record.record_id) for finding in row.warnings)
            else:
                yield from ((finding, row.record_id) for finding in row.findings)
