"""Letters that a reader does not see change no name, number or address; controls part as blanks do."""

from collections.abc import Callable
from typing import Any

import pytest

from aquila.records.normalize import identifiers
from aquila.records.normalize.countries import country
from aquila.records.normalize.names import has_romanized_words, name_words, part_words, table, to_latin

GOES, BLANKS = (
    [chr(int(end, 16)) for codes in table("unseen")[name] for end in codes.split("-")] for name in ("goes", "blanks")
)
READ: list[tuple[Callable[[str], Any], str]] = [
    *((read, name) for read in (to_latin, name_words) for name in ("Ђорђе RadosavIjević", "د. محمد الأحمد", "강남 김")),
    *((part_words, name) for name in ("Κώστας", "d-r Ana O´Neil", "S\u0331ābir", "Йорданов")),
    (has_romanized_words, "გიორგი"),
    *((country, text) for text in ("SRB", "Србија", "СРБ", "nowhere")),
    (identifiers.document_number, "AB 123-456"),
    (identifiers.national_number, "0101006500006"),
    *((identifiers.phone, text) for text in ("+381 64 123 456 ext. 12", "(0)64/123-456")),
    (identifiers.email, "<Ana.Ilic@пошта.срб>"),
]


@pytest.mark.parametrize(("read", "text"), READ)
def test_they_go_wherever_they_stand(read: Callable[[str], Any], text: str) -> None:
    """Between any two letters, before the first and behind the last."""
    for letter in GOES:
        assert read(f"{letter}{letter.join(text)}{letter}") == read(text), ascii(letter)


@pytest.mark.parametrize(("read", "text"), READ)
def test_controls_are_blanks(read: Callable[[str], Any], text: str) -> None:
    for letter in BLANKS:
        assert read(f"{letter}{text.replace(' ', letter)}") == read(f" {text}"), ascii(letter)


@pytest.mark.parametrize("letter", ["\x00", "\x1c", "\x85", "\u2028", "\u2800"])
def test_no_address_has_a_control(letter: str) -> None:
    """An address has no blank."""
    assert identifiers.email(f"an{letter}a@example.org") == ""
