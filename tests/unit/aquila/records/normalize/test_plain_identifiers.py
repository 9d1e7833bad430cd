"""Numbers are read at little cost as they are by definition: character by character, scheme by scheme."""

import re
import unicodedata
from calendar import monthrange
from random import Random

import pytest

from aquila.records.normalize import identifiers, national_numbers
from aquila.records.normalize.identifiers import document_number, fails_check, national_schemes
from aquila.records.normalize.names import to_latin
from aquila.records.normalize.national_numbers import SCHEMES

ALPHABETS = ("0123456789", "0123456789OIPab -/.", "+0123456789 /-.()#xextlok", "0123456789АЉđßéı٣", "01")
TEXTS = 20_000


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Texts of up to 16 characters of numbers and what people write between them."""
    random = Random(5)
    lengths = range(17)
    return ["".join(random.choices(random.choice(ALPHABETS), k=random.choice(lengths))) for _ in range(TEXTS)]


def plain_document(text: str) -> str:
    if not text.isascii():
        text = "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in text)
        text = unicodedata.normalize("NFKD", to_latin(text).replace("đ", "d"))
    number = "".join({"O": "0", "I": "1"}.get(one, one) for one in text.upper() if re.match("[A-Z0-9]", one))
    if number.isdigit():
        number = number.lstrip("0")
    digits = sum(one.isdigit() for one in number)
    return number if 5 <= len(number) <= 30 and len(set(number)) > 1 and digits >= 3 else ""


def plain_digits(text: str) -> str:
    written = unicodedata.normalize("NFKC", text).strip()
    extension = r"(?:ext|lok|dw|kl|int|вн|лок)\.?\s*[0-9]+\s*\Z|[x#][0-9]+\s*\Z"
    written = re.sub(extension, "", written, flags=re.IGNORECASE).replace("(0)", "")
    return "".join(str(unicodedata.digit(one)) for one in written if one.isdigit())


def test_document_numbers(texts: list[str]) -> None:
    """Letters and digits alone, zeros in front of digits gone, three digits at least."""
    assert [document_number(text) for text in texts] == list(map(plain_document, texts))


def test_telephone_numbers(texts: list[str]) -> None:
    assert [identifiers._digits(identifiers._written(text)) for text in texts] == list(map(plain_digits, texts))


def test_schemes(texts: list[str]) -> None:
    numbers = [text for text in texts if text.isascii() and text.isalnum()]
    numbers += [f"{number:013d}" for number in range(101980710000, 101980710100)]
    for number in numbers:
        of_form = [name for name, scheme in SCHEMES.items() if scheme.form.fullmatch(number)]
        assert national_schemes(number) == tuple(name for name in of_form if SCHEMES[name].check(number))
        assert fails_check(number) == (bool(of_form) and not national_schemes(number))


def test_a_scheme_has_numbers_of_one_length() -> None:
    for scheme in SCHEMES.values():
        one_by_one = re.sub(r"(\[[^]]+\])\{([0-9]+)\}", lambda found: found[1] * int(found[2]), scheme.form.pattern)
        assert len(re.sub(r"\[[^]]+\]", ".", one_by_one)) == scheme.length


def test_births_are_days_that_exist() -> None:
    """Every day of a leap year, of another one, and of a year whose century is not known."""
    for year in (1900, 1980, 1981, 2000):
        for month in range(14):
            for day in range(33):
                exists = 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]
                number = f"{day:02d}{month:02d}{year % 1000:03d}710000"
                assert (national_numbers.jmbg_birth(number) is not None) == exists
    assert national_numbers.svnr_birth("1234290281") is not None
