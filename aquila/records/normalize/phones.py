"""Telephone numbers in one form, whether they were written inside a country or from abroad.

A number written with + or 00 has its country's code; one written with a trunk prefix has not, and a list does not say
from which country it is. So parties compare the *subscriber's number*, what is left without either: 064/123-456 and
+381 64 123456 meet. Where the country is known, `phone` writes E.164.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

from aquila.records.normalize.check_digits import NUMBERS_CACHED
from aquila.records.normalize.letter_tables import table

_DIGITS = range(6, 16)  # E.164 allows 15
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
    if len(digits.lstrip("0")) not in _DIGITS or len(set(digits)) == 1:
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
    return unicodedata.normalize("NFKC", text).strip()


def _digits(written: str) -> str:
    """The digits of a number in ASCII, without `(0)` and extension."""
    if _PLAIN.fullmatch(written):
        return written.encode().translate(None, _SEPARATORS).decode()
    written = _EXTENSION.sub("", written).replace("(0)", "")
    digits = filter(str.isdigit, written)
    return "".join(digits) if written.isascii() else "".join(str(unicodedata.digit(letter)) for letter in digits)


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
