"""The rows of a list: from the texts of one row to a record or a refusal, each with its findings.

All readers (CSV, spreadsheets, FollowTheMoney) end here. Each field is read for what can be used of it: one that cannot
be read becomes a warning, and the row is refused only when too little is left.

A finding says which line and field, what is wrong and what to do. Its sentence never repeats what the person's fields
hold, so that a list of findings may be stored, logged and mailed. The example beside it does; it is shown only to
whoever holds the file, with each finding and with each group of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import field as dataclass_field
from enum import StrEnum
from typing import Any

from aquila.records.normalize.countries import country
from aquila.records.normalize.identifiers import (
    document_number,
    email,
    fails_check,
    national_number,
    number_doubt,
    phone,
)
from aquila.records.normalize.names import has_romanized_words, name_words, to_latin, without_unseen
from aquila.records.person import (
    ABSENT,
    CODES,
    FIELDS,
    LIST_FIELDS,
    PartialDate,
    Record,
    RecordColumns,
    date_meanings,
    sound_record,
    sound_records,
)
from aquila.sentences import Sentence, text_of


class Severity(StrEnum):
    """The severity of a finding."""

    WARNING = "warning"  # the record is used without what cannot be read
    REFUSAL = "refusal"  # the row cannot be used


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with one line."""

    line: int
    """The line of the file on which the row begins, counted from 1."""
    field: str
    """The column or property, or an empty string where the whole row is meant."""
    sentence: Sentence
    """What is wrong and what to do, without the person's own values."""
    severity: Severity = Severity.WARNING
    example: str = dataclass_field(default="", repr=False, compare=False)
    """The field as it is written, or an empty string; never stored, sent to others or logged."""

    @property
    def reason(self) -> str:
        """The sentence in English."""
        return text_of(self.sentence)


@dataclass(slots=True, repr=False)
class FindingGroup:
    """Findings of one list with the same field and reason."""

    first: Finding
    """The first of them, with its example."""
    count: int = 0
    """How many there are."""


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
    """Rows that were read together, column by column; nearly all of them give a record without a finding."""

    lines: Sequence[int]
    """The line on which each row begins."""
    values: Sequence[Sequence[Any]]
    """Of each field, in the order of `FIELDS`, the value in each row; that of a row in `apart` does not count."""
    apart: dict[int, Row]
    """By place, the rows that have findings or give no record."""

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


LONGEST_ID = 200  # characters
LONGEST_VALUE = 500  # characters of one value; names of more are text pasted into the wrong column
MOST_VALUES = 50  # values of one list
LONGEST_EXAMPLE = 60

_LISTS = frozenset(LIST_FIELDS)
_NAME_FIELDS = frozenset({"given_names", "family_names", "full_name", "aliases"})
_COUNTRY_FIELDS = frozenset({"nationality", "country_of_birth"})
_IDENTIFIERS: dict[str, tuple[Callable[[str], str], Sentence]] = {
    "document_numbers": (document_number, Sentence.of("document_number_too_short")),
    "national_numbers": (national_number, Sentence.of("national_number_too_short")),
    "phones": (phone, Sentence.of("phone_number_length_impossible")),
    "emails": (email, Sentence.of("email_incomplete")),
}
_WHOLE_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SEXES = {"FEMALE": "F", "MALE": "M", "OTHER": "X", "W": "F"}
_DATE_FAULTS = {
    "form": Sentence.of("date_not_used_unknown_form"),
    "placeholder": Sentence.of("date_not_used_placeholder"),
    "order": Sentence.of("date_read_day_first"),
    "ambiguous": Sentence.of("date_order_unknown"),
    "year": Sentence.of("date_not_used_impossible_year"),
    "month": Sentence.of("date_month_not_used"),
    "day": Sentence.of("date_day_not_used"),
}


@dataclass(frozen=True, slots=True, repr=False)
class FieldError:
    """A field of which something is wrong."""

    value: Any
    """What can be used of it."""
    reasons: tuple[Sentence, ...]
    """Why the rest cannot."""
    doubts: tuple[Sentence, ...] = ()
    """What is to be said of values that are used."""
    example: str = field(default="", compare=False)
    """The field as it is written, cut to `LONGEST_EXAMPLE` characters; of a date also what it may mean."""


def read_field(name: str, texts: Sequence[str], *, day_first: bool | None = None) -> Any:
    """Read one field of `FIELDS`: its value, or a `FieldError` one; the same for the same arguments.

    Args:
        name: The field.
        texts: Its texts.
        day_first: As for `PartialDate.salvage`.
    """
    if name == "record_id":
        return _record_id(texts)
    if name in _IDENTIFIERS and len(texts) == 1 and _is_sound_number(name, text := clean(texts[0])):
        return (text,)
    if name == "date_of_birth" and len(texts) == 1 and _WHOLE_DATE.fullmatch(texts[0]):
        date, fault = PartialDate.salvage(texts[0])
        if not fault:
            return date
    reasons: list[Sentence] = []
    values = _list(name, texts, reasons)
    value = _date(values, reasons, day_first=day_first) if name == "date_of_birth" else _value(name, values, reasons)
    doubts = _doubts(name, value)
    if not reasons and not doubts:
        return value
    example = clean("; ".join(texts))[:LONGEST_EXAMPLE]
    if name == "date_of_birth" and values and (meant := date_meanings(values[0])):
        example += f" → {' / '.join(meant)}"
    return FieldError(value, tuple(reasons), doubts, example)


def make_row(line: int, values: Sequence[Any], faults: Mapping[int, FieldError]) -> Row:
    """Make a row of what its fields gave.

    Args:
        line: The line on which it begins.
        values: The values in the order of `FIELDS`.
        faults: What is wrong, by place in `FIELDS`.

    Returns:
        The record with its warnings, or the refusal with its reasons.
    """
    told = [(FIELDS[place], faults[place]) for place in sorted(faults, key=_place_in_report)]
    findings = [Finding(line, name, reason, example=fault.example) for name, fault in told for reason in fault.reasons]
    record = sound_record(values)
    if record is not None:
        findings += [
            Finding(line, name, doubt, example=fault.example) for name, fault in told for doubt in fault.doubts
        ]
        return accept(line, record, findings)
    record_id: str | None = values[0]
    if not record_id:
        reason = Sentence.of("row_without_id")
        return refuse(line, reason, field="record_id", warnings=findings)
    reason = Sentence.of("row_has_too_little_left")
    return refuse(line, reason, record_id, warnings=findings)


def accept(line: int, record: Record, warnings: Sequence[Finding] = ()) -> AcceptedRow:
    """A row that gives a record, after the warnings it met, with those on fields that contradict each other."""
    findings = [Finding(line, "national_numbers", reason) for reason in contradictions(record)]
    return AcceptedRow(line, record, (*warnings, *findings))


def contradictions(record: Record) -> list[Sentence]:
    """Return the finding on each national number that was given for another birth or sex than the record's."""
    reason = Sentence.of("national_number_contradicts_record")
    numbers = map(national_number, record.national_numbers)
    return [reason for number in numbers if number_doubt(number, record.date_of_birth, record.sex) == "birth"]


def refuse(
    line: int, reason: Sentence, record_id: str = "", *, field: str = "", warnings: Sequence[Finding] = ()
) -> RefusedRow:
    """A row that gives no record, for a reason, after the warnings it met."""
    return RefusedRow(line, record_id, (*warnings, Finding(line, field, reason, Severity.REFUSAL)))


def _place_in_report(place: int) -> tuple[bool, bool, bool, int]:
    """Return the sort key of a field's findings by its place in `FIELDS`: lists, then texts, codes, and the date."""
    name = FIELDS[place]
    return name == "date_of_birth", name in CODES, name not in _LISTS, place


def _is_sound_number(name: str, text: str) -> bool:
    """Return whether a number or an address raises no finding, as most that are alone in their cell."""
    number = _IDENTIFIERS[name][0](text) if len(text) <= LONGEST_VALUE else ""
    return bool(number) and not (name == "national_numbers" and fails_check(number))


def _record_id(texts: Sequence[str]) -> str:
    """The row's id, or an empty string where it cannot be used."""
    text = texts[0].strip() if texts else ""
    return text if len(text) <= LONGEST_ID and text.isprintable() else ""


def _list(name: str, texts: Sequence[str], reasons: list[Sentence]) -> tuple[str, ...]:
    """All usable values of a field, each once, in the order of the source."""
    values: dict[str, None] = {}
    for text in texts:
        value = clean(text)
        if not value:
            continue
        if fault := _fault(name, value):
            reasons.append(Sentence.of("value_not_used", fault=fault))
        else:
            values[value] = None
    if len(values) > MOST_VALUES:
        reasons.append(Sentence.of("too_many_values", most=MOST_VALUES))
    return tuple(values)[:MOST_VALUES]


def _value(name: str, values: tuple[str, ...], reasons: list[Sentence]) -> Any:
    """The value of a field whose usable texts are given: all of them, or what the first is where it holds one."""
    if name in _LISTS:
        return values
    text = _only(values, reasons)
    return _code(name, text, reasons) if name in CODES and text else text


def _only(values: tuple[str, ...], reasons: list[Sentence]) -> str | None:
    """Return the first of the usable texts of a field that holds one."""
    if len(values) > 1:
        reasons.append(Sentence.of("several_values"))
    return values[0] if values else None


def _code(name: str, text: str, reasons: list[Sentence]) -> str | None:
    """A value of a closed list."""
    code = text.upper()
    if name == "sex":
        code = _SEXES.get(code, code)
    if code not in CODES[name]:
        reasons.append(Sentence.of("code_not_used", codes=", ".join(CODES[name])))
        return None
    return code


def _date(values: tuple[str, ...], reasons: list[Sentence], *, day_first: bool | None) -> PartialDate | None:
    """Return the usable part of a date."""
    text = _only(values, reasons)
    if text is None:
        return None
    date, fault = PartialDate.salvage(text, day_first=day_first)
    if fault:
        reasons.append(_DATE_FAULTS[fault])
    return date


def _doubts(name: str, value: Any) -> tuple[Sentence, ...]:
    """Return findings on values that are used: names in other scripts, unknown countries, wrong check digits."""
    if name in _NAME_FIELDS and value:
        reason = Sentence.of("word_of_unknown_script")
        texts = (value,) if isinstance(value, str) else value
        return tuple(reason for text in texts if not text.isascii() and has_romanized_words(text))
    if name in _COUNTRY_FIELDS and value:
        reason = Sentence.of("country_unknown")
        texts = (value,) if isinstance(value, str) else value
        return tuple(reason for text in texts if not country(text).isupper())
    if name == "national_numbers":
        reason = Sentence.of("check_digits_unknown")
        return tuple(reason for number in map(national_number, value) if fails_check(number))
    return ()


def clean(text: str) -> str:
    """Put a text into NFC, without letters that a reader does not see, white space to single blanks."""
    text = without_unseen(text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def _fault(name: str, value: str) -> Sentence | None:
    """Return the reason why a value cannot be used, or None."""
    if len(value) > LONGEST_VALUE:
        return Sentence.of("value_too_long", most=LONGEST_VALUE)
    if name in _NAME_FIELDS and not (any(map(str.isalpha, to_latin(value))) and name_words(value)):
        return Sentence.of("name_without_known_letter")
    if name in _IDENTIFIERS:
        read, fault = _IDENTIFIERS[name]
        return None if read(value) else fault
    return None
