"""Telephone numbers in one form."""

import pytest

from aquila.records.normalize.identifiers import phone, phone_tail
from aquila.records.normalize.names import table


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
