"""Numbers and addresses that identify one person, in one canonical form each.

Each function returns an empty string for what cannot identify anybody: too short, too long, or one character
repeated. A wrong check digit refuses nothing, because real papers carry wrong ones; `national_schemes` tells.
"""

from __future__ import annotations

import re
import unicodedata

from aquila.records.normalize.check_digits import SCHEMES
from aquila.records.normalize.latin import to_latin

_SHORTEST_DOCUMENT = 5  # characters, three of them digits
_SHORTEST_NATIONAL = 8  # characters
_LONGEST_NUMBER = 30
_PHONE_DIGITS = range(6, 16)  # E.164 allows 15
_TAIL = 8  # digits of a telephone number that are the same with and without the country's prefix
_LONGEST_EMAIL = 254  # RFC 5321, section 4.5.3.1.3
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_NO_ALPHANUMERIC = re.compile(r"[^A-Z0-9]")
_DIGITS = frozenset("0123456789")


def document_number(text: str) -> str:
    """Upper-case letters and digits of a document's number; Cyrillic letters are transliterated."""
    number = _alphanumeric(text)
    digits = sum(letter in _DIGITS for letter in number)
    return number if _identifies(number, _SHORTEST_DOCUMENT) and digits >= _SHORTEST_DOCUMENT - 2 else ""


def national_number(text: str) -> str:
    """Upper-case letters and digits of a national number."""
    number = _alphanumeric(text)
    return number if _identifies(number, _SHORTEST_NATIONAL) else ""


def national_schemes(number: str) -> tuple[str, ...]:
    """Name the schemes whose form and check digits a canonical national number satisfies."""
    return tuple(name for name, (form, check) in SCHEMES.items() if form.fullmatch(number) and check(number))


def fails_check(number: str) -> bool:
    """Whether a canonical national number has the form of known schemes and the check digits of none."""
    return any(form.fullmatch(number) for form, _check in SCHEMES.values()) and not national_schemes(number)


def phone(text: str) -> str:
    """A telephone number as + and digits where it is written in international form, as digits elsewhere."""
    written = unicodedata.normalize("NFKC", text).strip().replace("(0)", "")
    digits = "".join(str(unicodedata.digit(letter)) for letter in written if letter.isdigit())
    is_international = written.startswith(("+", "00"))
    if is_international:
        digits = digits.lstrip("0")
    return ("+" if is_international else "") + digits if len(digits) in _PHONE_DIGITS and len(set(digits)) > 1 else ""


def phone_tail(text: str) -> str:
    """The last eight digits of a telephone number: the same whether or not the country's prefix was written."""
    return phone(text).lstrip("+0")[-_TAIL:]


def email(text: str) -> str:
    """An e-mail address in lower case."""
    address = unicodedata.normalize("NFKC", text).strip().removeprefix("mailto:").lower()
    return address if len(address) <= _LONGEST_EMAIL and _EMAIL.fullmatch(address) else ""


def _alphanumeric(text: str) -> str:
    """Latin capitals and digits of a text, in their order."""
    latin = unicodedata.normalize("NFKD", to_latin(text).replace("đ", "d")).upper()
    return _NO_ALPHANUMERIC.sub("", latin)


def _identifies(number: str, shortest: int) -> bool:
    """Whether a number is long enough, short enough and more than one character repeated."""
    return shortest <= len(number) <= _LONGEST_NUMBER and len(set(number)) > 1
