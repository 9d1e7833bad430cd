"""Numbers that are taken for plainly sound are so by the careful reading too, and most sound ones are."""

from datetime import date, timedelta
from random import Random

import pytest

from aquila.records.normalize.national_numbers import SCHEMES
from aquila.records.normalize.plain_numbers import is_plain_document, is_plain_phone, plain_nationals
from aquila.records.person import PartialDate, Record
from aquila.records.rows import contradictions, read_field

TEXTS = 20_000
ALPHABETS = ("0123456789", "01", "0123456789OIPABDJW", "+0123456789 /-.()", "0123456789abcЉđ٣")
READ_WITH_CARE = {"HU-SzA", "HU-tax", "TR-TCKN"}
BIRTHS = (None, PartialDate(1980), PartialDate(1980, 2), PartialDate(1980, 2, 29), PartialDate(2000, 2, 28))
SEXES = (None, "F", "M", "X")


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Texts of up to 18 characters of numbers and what people write between them."""
    random = Random(7)
    return ["".join(random.choices(random.choice(ALPHABETS), k=random.randrange(19))) for _ in range(TEXTS)]


@pytest.fixture(scope="module")
def numbers() -> list[str]:
    """National numbers of every scheme, with right check digits and births of many years."""
    random = Random(11)
    found = ["0" * length for length in (8, 9, 10, 11, 13)] + ["01019807100O8", "0101980710008", "j76115050D"]
    for name, scheme in SCHEMES.items():
        of_scheme = 0
        while of_scheme < 150:
            number = _drawn(name, scheme.length, random)
            if scheme.form.fullmatch(number) and scheme.check(number):
                found.append(number)
                of_scheme += 1
    return found


def _drawn(name: str, length: int, random: Random) -> str:
    """Draw a number of about a scheme's form; its births are days that often exist."""
    day = date(1890, 1, 1) + timedelta(days=random.randrange(50_000))
    short = f"{day.year % 100:02d}"
    start = {
        "JMBG": f"{day.day:02d}{day.month:02d}{day.year % 1000:03d}",
        "BG-EGN": f"{short}{day.month + random.choice((0, 20, 40, 60)):02d}{day.day:02d}",
        "RO-CNP": f"{random.randrange(1, 10)}{short}{day.month:02d}{day.day:02d}",
        "AL-NID": f"{random.choice('ABCDEFGHIJKLMNOPQRST')}{day.year % 10}"
        f"{day.month + random.choice((0, 30, 50, 80)):02d}{day.day:02d}",
        "AT-SVNR": f"{random.randrange(1000, 9999)}{day.day:02d}{day.month + random.choice((0, 12)):02d}{short}",
        "HU-SzA": f"{random.randrange(1, 9)}{short}{day.month:02d}{day.day:02d}",
        "HU-tax": "8",
    }.get(name, "")
    number = start + "".join(random.choices("0123456789", k=length - len(start)))
    return number[:-1] + random.choice("ABCDEFGHIJKLMNOPQRSTUVW") if name == "AL-NID" else number


def test_a_plain_document_or_telephone_number_raises_nothing(texts: list[str]) -> None:
    for name, is_plain in (("document_numbers", is_plain_document), ("phones", is_plain_phone)):
        plain = [text for text in texts if is_plain(text)]
        assert len(plain) > 100
        assert [read_field(name, text.split(";")) for text in plain] == [(text,) for text in plain]


@pytest.mark.parametrize("text", ["+38164259245", "+386 41 123-456", "064/123-456", "+35569 2272680"])
def test_usual_telephone_numbers_are_plain(text: str) -> None:
    """With a country's code or a trunk prefix, with separators or without."""
    assert is_plain_phone(text)


@pytest.mark.parametrize("text", ["00000", "11111", "A1", "O12345", "B-12345", "1234567890123456789012345678901"])
def test_doubtful_documents_are_not_plain(text: str) -> None:
    """Repeated, too short, too long, with a letter that means a digit, or with more than letters and digits."""
    assert not is_plain_document(text)


def test_a_certain_national_number_raises_nothing(texts: list[str], numbers: list[str]) -> None:
    random = Random(13)
    every = [*texts, *numbers, *(f"{int(number) + 1:013d}" for number in numbers if number.isdigit())]
    births = [random.choice(BIRTHS) for _ in every]
    sexes = [random.choice(SEXES) for _ in every]
    certain = plain_nationals(every, births, sexes)
    assert certain.any()
    for text, born, sex, is_certain in zip(every, births, sexes, certain.tolist(), strict=True):
        if is_certain:
            assert read_field("national_numbers", (text,)) == (text,)
            assert not contradictions(
                Record("1", full_name="Ana", date_of_birth=born, sex=sex, national_numbers=(text,))
            )


def test_what_fits_is_certain_but_for_few_schemes(numbers: list[str]) -> None:
    found: set[str] = set()
    for number in numbers:
        for name, scheme in SCHEMES.items():
            sound = read_field("national_numbers", (number,)) == (number,)
            if not sound or name in READ_WITH_CARE or not (scheme.form.fullmatch(number) and scheme.check(number)):
                continue
            born, sex = None, None
            if scheme.birth is not None:
                told = scheme.birth(number)
                if told is None:  # the day is not known
                    continue
                year = told.year + 1900 * (not told.has_century)
                born, fault = PartialDate.salvage(f"{year:04d}-{told.month:02d}-{told.day:02d}")
                sex = told.sex or None
                if fault:  # no record has it
                    continue
            assert plain_nationals([number], [born], [sex])[0], name
            found.add(name)
    assert found == SCHEMES.keys() - READ_WITH_CARE


def test_no_numbers() -> None:
    """An empty column, and one of which no text has the length of a number."""
    assert plain_nationals([], [], []).tolist() == []
    assert plain_nationals(["1", "Љ"], [None] * 2, [None] * 2).tolist() == [False, False]
