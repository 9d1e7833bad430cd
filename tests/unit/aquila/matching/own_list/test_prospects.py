"""The certainty that hits of a list can have, foreseen from the list alone."""

from itertools import product
from pathlib import Path

from aquila.matching.certainty import Level
from aquila.matching.own_list import DuplicateSearch, FamilyNames, ListForecast, forecast, prospects
from aquila.records.person import PartialDate, Record
from aquila.records.rules import load_rules

TABLE = load_rules("default")
GIVEN, FAMILY = ("Ana", "Mira", "Vesna"), ("Ilić", "ILIC", "Hoxha", "Kovač")
LIST = [
    Record(
        str(number),
        (GIVEN[number % len(GIVEN)],),
        (FAMILY[number % len(FAMILY)],),
        date_of_birth=PartialDate(1950 + number, 1 + number % 12, 7),
    )
    for number in range(48)
]


def levels(records: int, alike: int) -> list[Level | None]:
    return [one.level for one in prospects(TABLE, records, alike)]


def test_longer_lists_need_more() -> None:
    """In a short list names and a month are enough, in a long one only the whole date is."""
    short, long = levels(100, 0), levels(200_000, 200_000)
    assert short[:2] == [Level.HIGH, Level.HIGH]
    assert long == [Level.HIGH, Level.MEDIUM, None]


def test_few_names_lower_what_is_possible() -> None:
    """Where every hundredth pair of records bears the same names, a whole date is no high certainty."""
    pairs = 20_000 * 19_999 // 2
    usual, few = levels(20_000, pairs >> 17), levels(20_000, pairs // 100)
    assert usual[0] is Level.HIGH
    assert few[0] is None or few[0] < Level.HIGH


def test_agreements_are_named_by_the_table() -> None:
    """The most usual ones of the date, nothing else last; none without a list, or for a table that counts nothing."""
    sentences = [one.sentence for one in prospects(TABLE, 1_000, 0)]
    assert sentences == [
        "the whole date of birth agrees, day and month in either order",
        "year and month of birth agree, as far as both sources know them",
        "",
    ]
    assert prospects(TABLE, 0, 0) == prospects(load_rules("exact"), 1_000, 0) == ()


def foreseen(table_name: str, folder: Path) -> ListForecast:
    table, names = load_rules(table_name), FamilyNames()
    with DuplicateSearch(table, folder) as search:
        for record in LIST:
            search.add(record)
            names.add(record)
        return forecast(table, len(LIST), search, 0, names)


def test_a_list_is_looked_at(tmp_path: Path) -> None:
    """Pairs that bear two names are counted once; names are counted by their sound, also those that are not split."""
    found = foreseen("default", tmp_path)
    assert found.prospects == prospects(TABLE, len(LIST), alike_in_list())
    assert found.usual_share == 1.0
    names = FamilyNames()
    assert names.usual_share() == 0.0
    for first, last in product("bdfgklmn", repeat=2):
        names.add(Record(first + last, full_name=f"Ana {first}ar{last}ora"))
    assert 0 < names.usual_share() < 1
    assert "Ilić" not in repr(names)


def test_a_table_without_names_alone_foresees_nothing(tmp_path: Path) -> None:
    assert foreseen("exact", tmp_path).prospects == ()


def alike_in_list() -> int:
    named = [(record.given_names, record.family_names[0].lower().replace("ć", "c")) for record in LIST]
    return sum(one == other for place, one in enumerate(named) for other in named[:place])
