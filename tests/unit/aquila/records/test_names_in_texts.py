"""Names in free texts: found in any script, spelling and case, and never by one word alone."""

import pytest

from aquila.records.person import PartialDate, Record
from aquila.records.search import name_in, part_in, words_of

MIRA = Record(record_id="1", given_names=("Mira",), family_names=("Janković",))
MARKO = Record(record_id="2", given_names=("Marko",), family_names=("Marković",))
ARBEN = Record(record_id="3", full_name="Arben Hoxha", aliases=("Beni i Vogël",))
ALONE = Record(record_id="4", family_names=("Petrović",), date_of_birth=PartialDate(1970))


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("check of Mira Janković", MIRA),
        ("JANKOVIC, Mira; 2026/17", MIRA),
        ("Мира Јанковић", MIRA),
        ("Janković (Beograd), zvana Mira", MIRA),
        ("предмет Марко Марковић", MARKO),
        ("Arben Hoxha 1980", ARBEN),
        ("beni vogel", ARBEN),
    ],
)
def test_a_name(text: str, record: Record) -> None:
    """Given and family name are found wherever they are; a name that is written as one by two words of it."""
    assert len(name_in(words_of(text), record)) == 2


@pytest.mark.parametrize(
    ("text", "record"),
    [("против Мире Јанковић", MIRA), ("za Marka Markovića", MARKO), ("lista e Arbenit Hoxhës", ARBEN)],
)
def test_an_inflected_name(text: str, record: Record) -> None:
    assert len(name_in(words_of(text), record, inflected=True)) == 2
    assert not name_in(words_of(text), record)


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("Janković 2026/17", MIRA),
        ("mir u Jankoviću", MIRA),
        ("the Marković case", MARKO),
        ("Arben", ARBEN),
        ("Petrović", ALONE),
        ("Mirabella Jankovićevski", MIRA),
        ("", MIRA),
        ("2026/17", MIRA),
    ],
)
def test_no_name(text: str, record: Record) -> None:
    assert not name_in(words_of(text), record, inflected=True)


def test_a_part_of_a_name() -> None:
    assert part_in(words_of("the Janković case"), MIRA) == words_of("Janković")
    assert part_in(words_of("mir"), MIRA) == frozenset()
    assert part_in(words_of("Ana"), Record(record_id="5", given_names=("Ana",), family_names=("Kos",))) == frozenset()
