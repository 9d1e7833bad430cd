"""From the texts of one row to a record: each field read for what can be used of it.

Both readers (CSV, FollowTheMoney) end here. A field that cannot be read becomes a warning; the row is refused only
when too little is left.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aquila.records.normalize.countries import country
from aquila.records.normalize.identifiers import (
    document_number,
    email,
    fails_check,
    national_number,
    number_doubt,
    phone,
)
from aquila.records.normalize.names import has_unread_words, name_words
from aquila.records.person import CODES, FIELDS, LIST_FIELDS, PartialDate, sound_record
from aquila.records.rows import AcceptedRow, Finding, RefusedRow, Row, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aquila.records.person import Record

LONGEST_ID = 200  # characters
LONGEST_VALUE = 500  # characters of one value; names of more are text pasted into the wrong column
MOST_VALUES = 50  # values of one list

_TOLD = (*LIST_FIELDS, "full_name", "place_of_birth", "country_of_birth", "category", *CODES, "date_of_birth")
_RANKS = {FIELDS.index(name): rank for rank, name in enumerate(_TOLD)}

_LISTS = frozenset(LIST_FIELDS)
_NAME_FIELDS = frozenset({"given_names", "family_names", "full_name", "aliases"})
_COUNTRY_FIELDS = frozenset({"nationality", "country_of_birth"})
_IDENTIFIERS: dict[str, tuple[Callable[[str], str], str]] = {
    "document_numbers": (document_number, "holds too few letters and digits to identify a document"),
    "national_numbers": (national_number, "holds too few digits, or one digit only, for a national number"),
    "phones": (phone, "holds too few or too many digits for a telephone number"),
    "emails": (email, "has no part before and after one @"),
}
_SEXES = {"FEMALE": "F", "MALE": "M", "OTHER": "X", "W": "F"}
_DATE_FAULTS = {
    "form": "has an unknown form and is not used; write YYYY-MM-DD, YYYY-MM or YYYY",
    "placeholder": "is what programs put for an unknown date and is not used; leave it empty",
    "order": "has no such month; day and month are used the other way round; check it against the source",
    "year": "has an impossible year and is not used; check it against the source",
    "month": "has an impossible month; only the year is used; check it against the source",
    "day": "has an impossible day; only year and month are used; check it against the source",
}


@dataclass(frozen=True, slots=True, repr=False)
class FieldError:
    """A field of which something is wrong.

    Attributes:
        value: What can be used of it.
        reasons: Why the rest cannot.
        doubts: What is to be said of values that are used.
    """

    value: Any
    reasons: tuple[str, ...]
    doubts: tuple[str, ...] = ()


def read_field(name: str, texts: Sequence[str]) -> Any:  # noqa: ANN401 - the value of any field
    """Read one field of `FIELDS` from its texts: its value, or a `FieldError` one; the same for the same texts."""
    if name == "record_id":
        return _record_id(texts)
    reasons: list[str] = []
    value = _value(name, _list(name, texts, reasons), reasons)
    doubts = _doubts(name, value)
    return FieldError(value, tuple(reasons), doubts) if reasons or doubts else value


def make_row(line: int, values: Sequence[Any], faults: Mapping[int, FieldError]) -> Row:
    """Make a row of what its fields gave.

    Args:
        line: The line on which it begins.
        values: The values in the order of `FIELDS`.
        faults: What is wrong, by place in `FIELDS`.

    Returns:
        The record with its warnings, or the refusal with its reasons.
    """
    findings = [Finding(line, FIELDS[place], reason) for place in _told(faults) for reason in faults[place].reasons]
    record = sound_record(values)
    if record is not None:
        findings += [Finding(line, FIELDS[place], doubt) for place in _told(faults) for doubt in faults[place].doubts]
        findings += [Finding(line, "national_numbers", reason) for reason in contradictions(record)]
        return AcceptedRow(line, record, tuple(findings))
    record_id: str | None = values[0]
    if not record_id:
        reason = "is missing or unusable; give every row an id of its own"
        return refuse(line, reason, field="record_id", warnings=findings)
    reason = "too little is left to match on; give two of given names, family names and date of birth"
    return refuse(line, reason, record_id, warnings=findings)


def contradictions(record: Record) -> list[str]:
    """Return the finding on each national number that was given for another birth or sex than the record's."""
    reason = "tells of another date of birth or sex than the record; both are used; check them against the source"
    numbers = map(national_number, record.national_numbers)
    return [reason for number in numbers if number_doubt(number, record.date_of_birth, record.sex) == "birth"]


def refuse(
    line: int, reason: str, record_id: str = "", *, field: str = "", warnings: Sequence[Finding] = ()
) -> RefusedRow:
    """A row that gives no record, for a reason, after the warnings it met."""
    return RefusedRow(line, record_id, (*warnings, Finding(line, field, reason, Severity.REFUSAL)))


def _told(faults: Mapping[int, FieldError]) -> list[int]:
    """Return the positions of findings in the order of reports: lists, texts, codes, the date."""
    return sorted(faults, key=_RANKS.__getitem__)


def _record_id(texts: Sequence[str]) -> str:
    """The row's id, or an empty string where it cannot be used."""
    text = texts[0].strip() if texts else ""
    return text if len(text) <= LONGEST_ID and text.isprintable() else ""


def _list(name: str, texts: Sequence[str], reasons: list[str]) -> tuple[str, ...]:
    """All usable values of a field, each once, in the order of the source."""
    values: dict[str, None] = {}
    for text in texts:
        value = clean(text)
        if not value:
            continue
        if fault := _fault(name, value):
            reasons.append(f"{fault}; it is not used")
        else:
            values[value] = None
    if len(values) > MOST_VALUES:
        reasons.append(f"has more than {MOST_VALUES} values; the first {MOST_VALUES} are used")
    return tuple(values)[:MOST_VALUES]


def _value(name: str, values: tuple[str, ...], reasons: list[str]) -> Any:  # noqa: ANN401 - the value of any field
    """The value of a field whose usable texts are given: all of them, or what the first is where it holds one."""
    if name in _LISTS:
        return values
    if len(values) > 1:
        reasons.append("has several values; the first is used")
    if not values:
        return None
    if name == "date_of_birth":
        return _date(values[0], reasons)
    return _code(name, values[0], reasons) if name in CODES else values[0]


def _code(name: str, text: str, reasons: list[str]) -> str | None:
    """A value of a closed list."""
    code = text.upper()
    if name == "sex":
        code = _SEXES.get(code, code)
    if code not in CODES[name]:
        reasons.append(f"is an unknown code and is not used; use one of {', '.join(CODES[name])}")
        return None
    return code


def _date(text: str, reasons: list[str]) -> PartialDate | None:
    """Return the usable part of a date."""
    date, fault = PartialDate.salvage(text)
    if fault:
        reasons.append(_DATE_FAULTS[fault])
    return date


def _doubts(name: str, value: Any) -> tuple[str, ...]:  # noqa: ANN401 - the value of any field
    """Return findings on values that are used: unread words of names, unknown countries, wrong check digits."""
    if name in _NAME_FIELDS and value:
        reason = "holds a word of a script that the letter tables do not know; the other words are used"
        texts = (value,) if isinstance(value, str) else value
        return tuple(reason for text in texts if not text.isascii() and has_unread_words(text))
    if name in _COUNTRY_FIELDS and value:
        reason = "is a country that the tables do not know; it agrees with the same text alone; write a country code"
        texts = (value,) if isinstance(value, str) else value
        return tuple(reason for text in texts if not country(text).isupper())
    if name == "national_numbers":
        reason = "has check digits that no known national number has; it is used; look for a typing error"
        return tuple(reason for number in map(national_number, value) if fails_check(number))
    return ()


_LEFT_OUT = frozenset({"Cf", "Cs"})  # format characters, and halves of characters that JSON can spell


def clean(text: str) -> str:
    """Put a text into NFC, control and format characters out, white space to single blanks."""
    if not text.isprintable():
        text = "".join(
            " " if category == "Cc" else letter
            for letter, category in zip(text, map(unicodedata.category, text), strict=True)
            if category not in _LEFT_OUT
        )
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def _fault(name: str, value: str) -> str:
    """Return the reason why a value cannot be used, or nothing."""
    if len(value) > LONGEST_VALUE:
        return f"is longer than {LONGEST_VALUE} characters"
    if name in _NAME_FIELDS and not (any(map(str.isalpha, value)) and name_words(value)):
        return "holds no letter of the scripts that the letter tables know"
    if name in _IDENTIFIERS:
        read, fault = _IDENTIFIERS[name]
        return "" if read(value) else fault
    return ""
