"""The letter tables of the normalizer."""

import unicodedata

import pytest

from aquila.records.normalize.names import CYRILLIC, NAMES, table


@pytest.mark.parametrize("name", NAMES)
def test_every_table_can_be_read(name: str) -> None:
    assert table(name)


@pytest.mark.parametrize("name", [*CYRILLIC, "greek", "arabic"])
def test_letters_become_latin_letters_or_nothing(name: str) -> None:
    for letter, latin in table(name)["letters"].items():
        assert not letter.isascii()
        assert all("LATIN" in unicodedata.name(part) for part in latin)
