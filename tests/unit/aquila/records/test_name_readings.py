"""Names beside how they are read."""

from __future__ import annotations

import pytest

from aquila.records.person import Record
from aquila.records.search import ReadName, read_names


@pytest.mark.parametrize(
    ("given", "family", "words"),
    [
        (("Драган",), ("Петровић",), (("dragan",), ("petrovic",))),
        (("Ana", "Marija"), ("Novak-Popović",), (("ana", "maria"), ("novak", "popovic"))),
        (("Ali",), ("Hadži", "Nikolov"), (("ali",), ("hadinikolov",))),
        (("Osama",), ("bin Laden",), (("osama",), ("laden",))),
    ],
    ids=["Cyrillic", "double names", "words that are one", "a particle"],
)
def test_each_part_of_a_name(
    given: tuple[str, ...], family: tuple[str, ...], words: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    """Given and family names stand apart, as they are written and as they are compared."""
    found = read_names(Record("r", given, family))
    assert [(name.field, name.written) for name in found] == [
        ("given_names", " ".join(given)),
        ("family_names", " ".join(family)),
    ]
    assert tuple(name.words for name in found) == words


def test_whole_names_and_aliases() -> None:
    """A name that is not split and each alias stand by themselves; what the record lacks is not there."""
    found = read_names(Record("r", full_name="Arben Hoxha", aliases=("Beni", "Арбен Ходжа")))
    assert [name.field for name in found] == ["full_name", "aliases", "aliases"]
    assert found[1].words == ("beni",)


def test_it_shows_nothing() -> None:
    """A name in a log line or a traceback is none."""
    assert repr(ReadName("given_names", "Ana", ("ana",))) == "ReadName()"
