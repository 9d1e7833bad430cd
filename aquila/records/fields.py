"""From the texts of one row to a record: each field read for what can be used of it.

Both readers (CSV, FollowTheMoney) end here. A field that cannot be read becomes a warning; the row is refused only
when too little is left.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from aquila.errors import InputError
from aquila.records.normalize.identifiers import document_number, email, fails_check, national_number, phone
from aquila.records.normalize.names import name_words
from aquila.records.person import CODES, LIST_FIELDS, PartialDate, Record
from aquila.records.rows import Accepted, Finding, Refused, Row, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LONGEST_ID = 200  # characters
LONGEST_VALUE = 500  # characters of one value; names of more are text pasted into the wrong column
MOST_VALUES = 50  # values of one list

_ORDER = (
    "record_id",
    *LIST_FIELDS,
    "full_name",
    "place_of_birth",
    "country_of_birth",
    "category",
    *CODES,
    "date_of_birth",
)

_LISTS = frozenset(LIST_FIELDS)
_NAME_FIELDS = frozenset({"given_names", "family_names", "full_name", "aliases"})
_IDENTIFIERS = {
    "document_numbers": (document_number, "holds too few letters and digits to identify a document"),
    "national_numbers": (national_number, "holds too few digits, or one digit only, for a national number"),
    "phones": (phone, "holds too few or too many digits for a telephone number"),
    "emails": (email, "has no part before and after one @"),
}
_SEXES = {"FEMALE": "F", "MALE": "M", "OTHER": "X", "W": "F"}
_DATE_FAULTS = {
    "form": "has an unknown form and is not used; write YYYY-MM-DD, YYYY-MM or YYYY",
    "year": "has an impossible year and is not used; check it against the source",
    "month": "has an impossible month; only the year is used; check it against the source",
    "day": "has an impossible day; only year and month are used; check it against the source",
}


def read_row(line: int, texts: Mapping[str, Sequence[str]]) -> Row:
    """Make a row of the texts of its fields, by field name; what is no field is left aside.

    Returns:
        The record with its warnings, or the refusal with its reasons.
    """
    findings: list[Finding] = []
    values: dict[str, Any] = {}
    for name in _ORDER:
        if name in texts:
            reasons: list[str] = []
            values[name] = read_field(name, texts[name], reasons)
            findings += [Finding(line, name, reason) for reason in reasons]
    record_id = values.pop("record_id", "")
    if not record_id:
        reason = "is missing or unusable; give every row an id of its own"
        return refuse(line, reason, field="record_id", warnings=findings)
    try:
        record = Record(record_id=record_id, **values)
    except InputError:
        reason = "too little is left to match on; give two of given names, family names and date of birth"
        return refuse(line, reason, record_id, warnings=findings)
    findings += [Finding(line, "national_numbers", reason) for reason in doubts(record.national_numbers)]
    return Accepted(line, record, tuple(findings))


def refuse(
    line: int, reason: str, record_id: str = "", *, field: str = "", warnings: Sequence[Finding] = ()
) -> Refused:
    """A row that gives no record, for a reason, after the warnings it met."""
    return Refused(line, record_id, (*warnings, Finding(line, field, reason, Severity.REFUSAL)))


def read_field(name: str, texts: Sequence[str], reasons: list[str]) -> Any:  # noqa: ANN401 - the value of any field
    """Read one field of `FIELDS` from its texts, and add to the reasons why some cannot be used."""
    if name == "record_id":
        return _record_id(texts)
    values = _list(name, texts, reasons)
    if name in _LISTS:
        return values
    if len(values) > 1:
        reasons.append("has several values; the first is used")
    if not values:
        return None
    if name == "date_of_birth":
        return _date(values[0], reasons)
    return _code(name, values[0], reasons) if name in CODES else values[0]


def doubts(national_numbers: Iterable[str]) -> list[str]:
    """What is to be said of each national number that has the form of a known scheme and the check digits of none."""
    reason = "has check digits that no known national number has; it is used; look for a typing error"
    return [reason for number in map(national_number, national_numbers) if fails_check(number)]


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


def _code(name: str, text: str, reasons: list[str]) -> str | None:
    """A value of a closed list."""
    code = text.upper()
    if name == "sex":
        code = _SEXES.get(code, code)
    if code not in CODES[name]:
        reasons.append("is an unknown code and is not used; use one of " + ", ".join(CODES[name]))
        return None
    return CODES[name][CODES[name].index(code)]


def _date(text: str, reasons: list[str]) -> PartialDate | None:
    """What can be used of a date."""
    date, fault = PartialDate.salvage(text)
    if fault:
        reasons.append(_DATE_FAULTS[fault])
    return date


_LEFT_OUT = frozenset({"Cf", "Cs"})  # format characters, and halves of characters that JSON can spell


def clean(text: str) -> str:
    """Put a text into NFC, control and format characters out, white space to single blanks."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split()) if " " in text else text
    kept = "".join(
        " " if category == "Cc" else letter
        for letter, category in zip(text, map(unicodedata.category, text), strict=True)
        if category not in _LEFT_OUT
    )
    return " ".join(unicodedata.normalize("NFC", kept).split())


def _fault(name: str, value: str) -> str:
    """Say why a value cannot be used, or nothing."""
    if len(value) > LONGEST_VALUE:
        return f"is longer than {LONGEST_VALUE} characters"
    if name in _NAME_FIELDS and not (any(map(str.isalpha, value)) and name_words(value)):
        return "holds no letter of the scripts that the letter tables know"
    if name in _IDENTIFIERS:
        read, fault = _IDENTIFIERS[name]
        return "" if read(value) else fault
    return ""
