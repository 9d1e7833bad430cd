"""Numbers and addresses that identify one person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aquila.records.normalize.identifiers import (
    document_number,
    email,
    fails_check,
    national_number,
    national_schemes,
    phone,
    phone_tail,
)

if TYPE_CHECKING:
    from collections.abc import Callable

CASES: list[tuple[Callable[[str], str], str, str]] = [
    (document_number, " ab 123-456 ", "AB123456"),
    (document_number, "АБ 123456", "AB123456"),
    (document_number, "đ12345", "D12345"),
    (document_number, "A12", ""),
    (document_number, "PASSPORT", ""),
    (document_number, "0000000", ""),
    (document_number, "1234567890" * 4, ""),
    (national_number, "0101 990 710 008", "0101990710008"),
    (national_number, "j00101999w", "J00101999W"),
    (national_number, "1234567", ""),
    (phone, "+381 64/123-45-67", "+381641234567"),
    (phone, "00381 (0)64 1234567", "+381641234567"),
    (phone, "064 1234567", "0641234567"),
    (phone, "٠٦٤١٢٣٤٥٦٧", "0641234567"),
    (phone, "12345", ""),
    (phone, "1" * 16, ""),
    (phone, "111111", ""),
    (phone, "unknown", ""),
    (phone_tail, "+381 64 1234567", "41234567"),
    (phone_tail, "064 1234567", "41234567"),
    (phone_tail, "no", ""),
    (email, " Ana.Ilic@Example.org", "ana.ilic@example.org"),
    (email, "mailto:ana@example.org", "ana@example.org"),
    (email, "ana@example", ""),
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
    """Only a known form can have wrong check digits."""
    assert fails_check("0101990710009")
    assert not fails_check("0101990710008")
    assert not fails_check("ABC-12345")
