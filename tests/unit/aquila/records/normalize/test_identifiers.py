"""Numbers and addresses that identify one person.

Telephone numbers in one form.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aquila.records.normalize.identifiers import (
    document_number,
    email,
    fails_check,
    national_number,
    national_schemes,
    number_doubt,
    phone,
    phone_tail,
)
from aquila.records.normalize.names import table
from aquila.records.person import PartialDate

CASES: list[tuple[Callable[[str], str], str, str]] = [
    (document_number, " ab 123-456 ", "AB123456"),
    (document_number, "АБ 123456", "AB123456"),
    (document_number, "đ12345", "D12345"),
    (document_number, "OI123456", "1123456"),
    (document_number, "00123456", "123456"),
    (document_number, "A<<123456", "A123456"),
    (document_number, "A12", ""),
    (document_number, "PASSPORT", ""),
    (document_number, "0000000", ""),
    (document_number, "1234567890" * 4, ""),
    (national_number, "0101 990 710 008", "0101990710008"),
    (national_number, "j00101999w", "J00101999W"),
    (national_number, "1234567", ""),
    (national_number, "HR 12345678903", "12345678903"),
    (national_number, "EGN: 7501010010", "7501010010"),
    (national_number, "AL J00101999W", "J00101999W"),
    (national_number, "JOO1O1999W", "J00101999W"),
    (national_number, "O1O199O71OOO8", "0101990710008"),
    (national_number, "101990710008", "0101990710008"),
    (national_number, "101010012", "0101010012"),
    (national_number, "0101990710009", "0101990710009"),
    (national_number, "9912345678903", "9912345678903"),
    (national_number, "A12345678903", "A12345678903"),
    (national_number, "XYZ-99887766", "XYZ99887766"),
    (email, " Ana.Ilic@Example.org", "ana.ilic@example.org"),
    (email, "mailto:ana@example.org", "ana@example.org"),
    (email, "ana@example", ""),
    (email, "Ana <ana@example.org>", "ana@example.org"),
    (email, "ana@Müller.example.", "ana@xn--mller-kva.example"),
    (email, "ana.i+x@example.org", "ana.i+x@example.org"),
    (email, f"ana@{'x' * 64}.org", ""),
    (email, "ana ilic@example.org", ""),
    (email, "a" * 250 + "@example.org", ""),
]


@pytest.mark.parametrize(("read", "text", "canonical"), CASES)
def test_identifiers_have_one_form(read: Callable[[str], str], text: str, canonical: str) -> None:
    """Separators, case and script go; what identifies nobody is empty."""
    assert read(text) == canonical


def test_a_number_names_the_schemes_it_passes() -> None:
    """Form and check digits both count."""
    assert national_schemes("1800101221144") == ("RO-CNP",)
    assert national_schemes("0101990710009") == ()


def test_a_number_of_no_known_form_fails_no_check() -> None:
    assert fails_check("0101990710009")
    assert not fails_check("0101990710008")
    assert not fails_check("ABC-12345")


@pytest.mark.parametrize(
    ("number", "birth", "sex", "doubt"),
    [
        ("0101990710009", None, None, "check"),
        ("0101990715000", PartialDate(1990, 1, 1), "F", ""),
        ("1800101221144", PartialDate(1980, 1, 1), "M", ""),
        ("1800101221144", PartialDate(1980, 1, 2), "M", "birth"),
        ("1800101221144", PartialDate(1980), "F", "birth"),
        ("1800101221144", None, None, ""),
        ("12345678903", PartialDate(1980), "F", ""),
        ("0101990710008", PartialDate(1950), "F", ""),  # it may as well be a Moldovan number, which tells nothing
        ("ABC-12345", PartialDate(1980), "F", ""),
    ],
)
def test_a_number_is_doubted_for_a_reason(number: str, birth: PartialDate | None, sex: str | None, doubt: str) -> None:
    """Wrong check digits, or another birth or sex than the record's under every scheme that it satisfies."""
    assert number_doubt(number, birth, sex) == doubt


@pytest.mark.parametrize(
    ("text", "canonical", "subscriber"),
    [
        ("+381 64/123-45-67", "+381641234567", "641234567"),
        ("00381 (0)64 1234567", "+381641234567", "641234567"),
        ("(+381) 64 1234567", "+381641234567", "641234567"),
        ("+381 064 1234567", "+381641234567", "641234567"),
        ("381641234567", "+381641234567", "641234567"),
        ("064/123-4567", "0641234567", "641234567"),
        ("64 1234567", "641234567", "641234567"),
        ("٠٦٤١٢٣٤٥٦٧", "0641234567", "641234567"),
        ("06 30 123 4567", "06301234567", "301234567"),
        ("+36 30 123 4567", "+36301234567", "301234567"),
        ("01 12345", "0112345", "112345"),
        ("+43 1 12345", "+43112345", "112345"),
        ("+1 202 555 0123", "+12025550123", "2025550123"),
        ("+355 69 123 4567 ext. 12", "+355691234567", "691234567"),
        ("+7 495 123 45 67", "+74951234567", "4951234567"),
        ("12345", "", ""),
        ("+381 1234", "", ""),
        ("1" * 16, "", ""),
        ("1234567890123456", "", ""),
        ("111111", "", ""),
        ("unknown", "", ""),
    ],
)
def test_numbers_have_one_form(text: str, canonical: str, subscriber: str) -> None:
    """Separators, trunk prefix and country code are told apart."""
    assert (phone(text), phone_tail(text)) == (canonical, subscriber)


@pytest.mark.parametrize(
    ("text", "country", "canonical"),
    [
        ("064/123-456", "RS", "+38164123456"),
        ("64 123456", "RS", "+38164123456"),
        ("06 1 234 5678", "HU", "+3612345678"),
        ("8 495 123 45 67", "RU", "+74951234567"),
        ("06 1234 5678", "IT", "+39612345678"),
        ("+385 91 123 4567", "RS", "+385911234567"),
        ("064 123456", "", "064123456"),
        ("064 123456", "JP", "064123456"),
    ],
)
def test_a_known_country_gives_e164(text: str, country: str, canonical: str) -> None:
    """By that country's trunk prefix; a number that names a country keeps its own."""
    assert phone(text, country) == canonical


def test_each_party_has_a_country_code() -> None:
    """And those of the region are no longer than three digits."""
    countries = table("phones")["countries"]
    assert set(countries) > {"AL", "AT", "BA", "BG", "HR", "HU", "MD", "ME", "MK", "RO", "RS", "SI", "XK"}
    assert all(len(code) <= 3 and code.isdigit() for code, _trunk in countries.values())
