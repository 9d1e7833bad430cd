"""Finding own records by a name."""

import pytest

from aquila.records.person import Record
from aquila.records.search import LONGEST_TEXT, search_for, search_text


def finds(name: str, record: Record, *, alike: bool = False) -> bool:
    groups, text = search_for(name, alike=alike), search_text(record)
    return bool(groups) and all(any(part in text for part in group) for group in groups)


MUHAMED = Record("r", ("Muhamed",), ("Džaferović",), aliases=("Хамо",))


@pytest.mark.parametrize(
    "name",
    ["Muhamed Džaferović", "Мухамед", "dzaferovic muhamed", "DŽAFER", "Џаферовић", "muh dza", "hamo", "hamed", "ferov"],
)
def test_any_script_spelling_and_part_finds_it(name: str) -> None:
    """Words may come in any order, in any script, and may be beginnings, or longer parts from anywhere in a word."""
    assert finds(name, MUHAMED)


@pytest.mark.parametrize("name", ["Petrović", "Muhamed Petrović", "med", "fer", "Muhamedov"])
def test_another_name_does_not(name: str) -> None:
    assert not finds(name, MUHAMED)


def test_a_variant_is_found_where_it_is_wanted() -> None:
    """Names that sound alike count when asked for, whole."""
    assert not finds("Mehmed", MUHAMED)
    assert finds("Mehmed", MUHAMED, alike=True)
    assert finds("Muham", MUHAMED, alike=True)
    assert not finds("Petrović", MUHAMED, alike=True)


@pytest.mark.parametrize("name", ["", "  ", "😀", "%_"])
def test_nothing_that_can_be_read_looks_for_nothing(name: str) -> None:
    """A text without a letter that the tables know gives no group, and no mark of a database's patterns."""
    assert search_for(name) == ()


def test_a_text_of_many_aliases_ends_at_a_whole_word() -> None:
    """What is longer than a database's index takes is left out, word by word."""
    letters = "bdfgklmnprtz"
    aliases = tuple(f"{one}a{two}e{three}ok" for one in letters for two in letters for three in "bdk")
    text = search_text(Record("r", ("Ana",), ("Kos",), aliases=aliases))
    assert LONGEST_TEXT - 20 < len(text) <= LONGEST_TEXT
    assert text.startswith(" ana kos ")
    assert text.endswith("k ")


def test_a_record_without_a_readable_name_has_no_text() -> None:
    assert search_text(Record("r", full_name="😀")) == ""
