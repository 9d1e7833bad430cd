"""From the texts of one row to a record: each field read for what can be used of it.

Both readers (CSV, FollowTheMoney) end here. A field that cannot be read becomes a warning; the row is refused only
when too little is left.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aquila.errors import InputError
from aquila.records.normalize.identifiers import document_number, email, fails_check, national_number, phone
from aquila.records.normalize.names import name_words
from aquila.records.person import CODES, LIST_FIELDS, PartialDate, Record
from aquila.records.rows import Accepted, Finding, Refused, Row, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LONGEST_ID = 200  # characters
LONGEST_VALUE = 500  # characters of one value; names of more are text pasted into the wrong column
MOST_VALUES = 50  # values of one list

_ORDER = (*LIST_FIELDS, "full_name", "place_of_birth", "country_of_birth", "category", *CODES, "date_of_birth")

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


@dataclass(slots=True)
class RowReader:
    """Reads the fields of one row and collects what is wrong with them."""

    line: int
    findings: list[Finding] = field(default_factory=list)

    def read(self, texts: Mapping[str, Iterable[str]]) -> Row:
        """Make a row of the values by field name; fields that are no `FIELDS` are left aside.

        Returns:
            The record with its warnings, or the refusal with its reasons.
        """
        record_id = self._record_id(texts.get("record_id", ()))
        values = {name: self.read_field(name, texts[name]) for name in _ORDER if name in texts}
        if not record_id:
            return self.refuse("record_id", "is missing or unusable; give every row an id of its own")
        try:
            record = Record(record_id=record_id, **values)
        except InputError:
            reason = "too little is left to match on; give two of given names, family names and date of birth"
            return self.refuse("", reason, record_id)
        self.check_digits(record.national_numbers)
        return Accepted(self.line, record, tuple(self.findings))

    def read_field(self, name: str, texts: Iterable[str]) -> Any:  # noqa: ANN401 - the value of any field
        """Read one field of `FIELDS` from its texts, and note what cannot be used."""
        if name == "record_id":
            return self._record_id(texts)
        if name == "date_of_birth":
            return self._date(texts)
        if name in CODES:
            return self._code(name, texts)
        values = self._list(name, texts)
        return values if name in LIST_FIELDS else self._single(name, values)

    def check_digits(self, numbers: Iterable[str]) -> None:
        """Warn of national numbers that have the form of a known scheme and the check digits of none."""
        for number in map(national_number, numbers):
            if fails_check(number):
                reason = "has check digits that no known national number has; it is used; look for a typing error"
                self.warn("national_numbers", reason)

    def warn(self, name: str, reason: str) -> None:
        """Note something that cannot be read."""
        self.findings.append(Finding(self.line, name, reason))

    def refuse(self, name: str, reason: str, record_id: str = "") -> Refused:
        """End the row."""
        self.findings.append(Finding(self.line, name, reason, Severity.REFUSAL))
        return Refused(self.line, record_id, tuple(self.findings))

    def _record_id(self, texts: Iterable[str]) -> str:
        """The row's id, or an empty string where it cannot be used."""
        text = next((item.strip() for item in texts), "")
        return text if len(text) <= LONGEST_ID and text.isprintable() else ""

    def _list(self, name: str, texts: Iterable[str]) -> tuple[str, ...]:
        """All usable values of a field, each once, in the order of the source."""
        values: dict[str, None] = {}
        for text in texts:
            value = clean(text)
            fault = _fault(name, value) if value else ""
            if fault:
                self.warn(name, f"{fault}; it is not used")
            elif value:
                values[value] = None
        if len(values) > MOST_VALUES:
            self.warn(name, f"has more than {MOST_VALUES} values; the first {MOST_VALUES} are used")
        return tuple(values)[:MOST_VALUES]

    def _single(self, name: str, values: tuple[str, ...]) -> str | None:
        """The first value of a field that holds one."""
        if len(values) > 1:
            self.warn(name, "has several values; the first is used")
        return values[0] if values else None

    def _code(self, name: str, texts: Iterable[str]) -> str | None:
        """A value of a closed list."""
        value = (self._single(name, self._list(name, texts)) or "").upper()
        code = _SEXES.get(value, value) if name == "sex" else value
        if not code:
            return None
        if code not in CODES[name]:
            self.warn(name, "is an unknown code and is not used; use one of " + ", ".join(CODES[name]))
            return None
        return code

    def _date(self, texts: Iterable[str]) -> PartialDate | None:
        """The date of birth, or what can be used of it."""
        text = self._single("date_of_birth", self._list("date_of_birth", texts))
        if text is None:
            return None
        date, fault = PartialDate.salvage(text)
        if fault:
            self.warn("date_of_birth", _DATE_FAULTS[fault])
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
