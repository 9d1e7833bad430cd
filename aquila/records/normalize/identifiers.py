"""Numbers and addresses that identify one person, in one canonical form each.

Each function returns an empty string for what cannot identify anybody: too short, too long, or one character repeated.
A wrong check digit refuses nothing, because real papers carry wrong ones; `number_doubt` reports it.

A telephone number written with + or 00 has its country's code; one written with a trunk prefix has not, and a list does
not say from which country it is. So parties compare the *subscriber's number*, what is left without either: 064/123-456
and +381 64 123456 meet. Where the country is known, `phone` writes E.164.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from string import ascii_uppercase

from aquila.records.normalize.names import table, to_latin, without_unseen
from aquila.records.normalize.national_numbers import NUMBERS_CACHED, SCHEMES, is_of_known_form, schemes_of
from aquila.records.person import PartialDate

_PHONE_DIGITS = range(6, 16)  # E.164 allows 15
_SHORTEST_SUBSCRIBER = 5
_BARE_INTERNATIONAL = 11  # digits from which a number that begins with a region's code and no zero is international
_SEPARATORS = b"+ /.-"
_PLAIN = re.compile(r"[0-9+ /.-]*")  # has no extension, and no zero in parentheses
_EXTENSION = re.compile(r"(?:ext|lok|dw|kl|int|вн|лок)\.?\s*[0-9]+\s*\Z|[x#][0-9]+\s*\Z", re.IGNORECASE)


def phone(text: str, country: str = "") -> str:
    """A telephone number as + and digits where its country is known, else as the digits that were written.

    Args:
        text: The number as written; `(0)`, separators and extensions are left out.
        country: The code of the country inside which it was written, where that is known.

    Returns:
        An empty string for too few or too many digits, or one digit repeated.
    """
    code, subscriber = _parted(text, country)
    if not subscriber:
        return ""
    return f"+{code}{subscriber}" if code else _digits(_written(text))


def phone_tail(text: str, country: str = "") -> str:
    """The subscriber's number, without country code and trunk prefix: the same however it was written."""
    return _parted(text, country)[1]


@lru_cache(maxsize=NUMBERS_CACHED)
def _parted(text: str, country: str) -> tuple[str, str]:
    """Part a number into country code, empty where it is not known, and subscriber's number, empty where it is none."""
    written = _written(text)
    digits = _digits(written)
    if len(digits.lstrip("0")) not in _PHONE_DIGITS or len(set(digits)) == 1:
        return "", ""
    if written.lstrip("(").startswith(("+", "00")):
        code, subscriber = _after_code(digits.lstrip("0"))
    elif country in _countries():
        code, trunk = _countries()[country]
        subscriber = digits.removeprefix(trunk)
    elif _is_bare_international(digits):
        code, subscriber = _after_code(digits)
    else:
        code, subscriber = "", digits[2:] if _hungarian_mobile().fullmatch(digits) else digits
    subscriber = subscriber.lstrip("0")
    return (code, subscriber) if len(subscriber) >= _SHORTEST_SUBSCRIBER else ("", "")


def _written(text: str) -> str:
    """A number in the characters of its plain form."""
    return unicodedata.normalize("NFKC", without_unseen(text)).strip()


def _digits(written: str) -> str:
    """The digits of a number in ASCII, without `(0)` and extension."""
    if _PLAIN.fullmatch(written):
        return written.encode().translate(None, _SEPARATORS).decode()
    written = _EXTENSION.sub("", written).replace("(0)", "")
    return "".join(filter(str.isdecimal, written if written.isascii() else _DECIMAL.sub(_in_ascii, written)))


_DECIMAL = re.compile(r"\d")


def _in_ascii(digit: re.Match[str]) -> str:
    """Return a digit of any script as one of 0 to 9."""
    return str(unicodedata.decimal(digit[0]))


def _after_code(digits: str) -> tuple[str, str]:
    """Part the digits of an international number after its country code."""
    short, long = 2, 3
    length = next((size for size in (1, short) if digits[:size] in _short_codes()), long)
    return digits[:length], digits[length:]


def _is_bare_international(digits: str) -> bool:
    """Return whether a number without + begins with the code of one of the region's countries."""
    return len(digits) >= _BARE_INTERNATIONAL and digits.startswith(_country_codes())


@cache
def _countries() -> dict[str, tuple[str, str]]:
    return {country: (code, trunk) for country, (code, trunk) in table("phones")["countries"].items()}


@cache
def _country_codes() -> tuple[str, ...]:
    return tuple({code for code, _trunk in _countries().values()})


@cache
def _short_codes() -> frozenset[str]:
    return frozenset(table("phones")["codes"]["short"])


@cache
def _hungarian_mobile() -> re.Pattern[str]:
    return re.compile(table("phones")["hungarian"]["mobile"])


_SHORTEST_DOCUMENT = 5  # characters, three of them digits
_SHORTEST_NATIONAL = 8  # characters
_LONGEST_NUMBER = 30
_LONGEST_EMAIL = 254  # RFC 5321, section 4.5.3.1.3
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_NO_ALPHANUMERIC = re.compile(r"[^A-Z0-9]")
_DIGITS = b"0123456789"
_READ_FOR_DIGITS = str.maketrans("OQDILZSB", "00011258")  # and what scanners read, where check digits confirm it
_SHORTEST_LABEL = 2  # letters
_FIRST_ZERO_LOST = frozenset({10, 13})  # EGN and JMBG of persons born in a year or on a day that begins with zero


@lru_cache(maxsize=NUMBERS_CACHED)
def document_number(text: str) -> str:
    """Upper-case letters and digits of a document's number; Cyrillic letters are transliterated.

    The letters O and I become the digits 0 and 1, which people mean by them; zeros before a number without letters
    go, because spreadsheets lose them.
    """
    number = _alphanumeric(text).replace("O", "0").replace("I", "1")
    if number.isdigit():
        number = number.lstrip("0")
    letters = len(number.encode().translate(None, _DIGITS))
    digits = len(number) - letters
    return number if _identifies(number, _SHORTEST_DOCUMENT) and digits >= _SHORTEST_DOCUMENT - 2 else ""


@lru_cache(maxsize=NUMBERS_CACHED)
def national_number(text: str) -> str:
    """Upper-case letters and digits of a national number.

    Where the check digits confirm it, a name of the number or country before it goes, letters that were typed or read
    for digits become digits, and a first zero that a spreadsheet lost comes back.
    """
    number = _alphanumeric(text)
    if not _identifies(number, _SHORTEST_NATIONAL):
        return ""
    if schemes_of(number):
        return number
    return next((form for form in _mended(number) if schemes_of(form)), number)


def national_schemes(number: str) -> tuple[str, ...]:
    """Name the schemes whose form and check digits a canonical national number satisfies."""
    return schemes_of(number)


def fails_check(number: str) -> bool:
    """Return whether a canonical national number has the form of known schemes and the check digits of none."""
    return not schemes_of(number) and is_of_known_form(number)


def number_doubt(number: str, birth: PartialDate | None, sex: str | None) -> str:
    """Return the reason why a canonical national number does not fit a record, or nothing.

    A number of several schemes fits where it fits one; what the record does not know contradicts nothing.
    """
    satisfied = schemes_of(number)
    if not satisfied:
        return "check" if fails_check(number) else ""
    told = [scheme.birth(number) if scheme.birth else None for scheme in map(SCHEMES.__getitem__, satisfied)]
    return "birth" if all(said and said.contradicts(birth, sex) for said in told) else ""


def email(text: str) -> str:
    """An e-mail address in lower case, its domain in ASCII (RFC 5890).

    Dots and +tags of the part before @ stay: what they mean is each provider's own affair.
    """
    address = unicodedata.normalize("NFKC", without_unseen(text)).strip().rpartition("<")[2].removesuffix(">").strip()
    address = address.lower().removeprefix("mailto:").rstrip(".")
    if len(address) > _LONGEST_EMAIL or not _EMAIL.fullmatch(address):
        return ""
    local, _, domain = address.partition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return ""


def _mended(number: str) -> Iterator[str]:
    """Return a national number as it may have been before it was labelled, typed, scanned or put into a spreadsheet."""
    if number.isdigit():
        if len(number) + 1 in _FIRST_ZERO_LOST:
            yield f"0{number}"
        return
    letters = len(number) - len(number.lstrip(ascii_uppercase))
    sizes = (0, 2, letters) if letters >= _SHORTEST_LABEL else (0,)  # HR12345678903, EGN7501010010
    bare = [number[size:] for size in dict.fromkeys(sizes)]
    yield from bare
    for form in bare:
        yield form.translate(_READ_FOR_DIGITS)
        yield form[:1] + form[1:-1].translate(_READ_FOR_DIGITS) + form[-1:]  # Albania's has a letter at both ends


def _alphanumeric(text: str) -> str:
    """Latin capitals and digits of a text, in their order."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", to_latin(_DECIMAL.sub(_in_ascii, text)).replace("đ", "d"))
    capitals = text.upper()
    return capitals if capitals.isascii() and capitals.isalnum() else _NO_ALPHANUMERIC.sub("", capitals)


def _identifies(number: str, shortest: int) -> bool:
    """Return whether a number is long enough, short enough and more than one character repeated."""
    return shortest <= len(number) <= _LONGEST_NUMBER and number.count(number[0]) < len(number)
