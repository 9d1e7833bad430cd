"""One person looked for in own records: who is found by the match rules, how surely, and who is not."""

import pytest

from aquila.errors import InputError
from aquila.matching.certainty import Level
from aquila.matching.person_search import PersonSearch
from aquila.records.person import PartialDate, Record
from aquila.records.rules import RuleTable, load_rules

DEFAULT, EXACT = map(load_rules, ("default", "exact"))


def person(given: str, family: str, date: str = "", number: str = "") -> Record:
    born = PartialDate.parse(date) if date else None
    return Record("r", (given,), (family,), date_of_birth=born, document_numbers=(number,) if number else ())


def search(asked: Record, *records: Record, table: RuleTable = DEFAULT) -> PersonSearch:
    made = PersonSearch(table, asked)
    for number, record in enumerate(records):
        made.add([("list", number)], [record])
    return made


def found(asked: Record, *records: Record) -> list[tuple[int, Level | None]]:
    """Return places and levels of the records that may be the person's."""
    at_once = PersonSearch(DEFAULT, asked)
    at_once.add([("list", number) for number in range(len(records))], records)
    return [(one.place[1], one.grade.level) for one in at_once.found()]


MANY = [person("Luan", f"Gashi{letter}", "1961-01-02") for letter in "abdfgklmnprst"] * 200
STRANGERS = [person("Luan", "Gashi", "1961-01-02"), person("Vesna", "Babić", "1977-07-08", "P9")]


def test_names_in_another_script_and_a_date() -> None:
    asked = person("Арбен", "Хоџа", "1980-03-04")
    assert found(asked, *STRANGERS, person("Arben", "Hoxha", "1980-03-04")) == [(2, Level.HIGH)]


def test_a_number_alone() -> None:
    asked = person("Mira", "Kos", "1990-01-02", "AB 123456")
    assert found(asked, *STRANGERS, person("Ana", "Novak", "1970-05-06", "ab123456")) == [(2, Level.HIGH)]


def test_names_alone_are_found_where_a_date_is_not_known() -> None:
    """Below every level where the list is long; those with another date only where the search has none."""
    same = [person("Arben", "Hoxha"), person("Arben", "Hoxha", "1991-05-06")]
    assert found(person("Arben", "Hoxha", "1980-03-04"), *same, *MANY) == [(0, None)]
    assert found(person("Arben", "Hoxha"), *same, *MANY) == [(0, None), (1, None)]


def test_a_name_is_rare_only_if_one_record_has_it() -> None:
    asked = person("Arben", "Hoxha")
    for records, is_rare in (([asked], True), ([asked, asked], False)):
        assert {"rare pair" in one.grade.rules for one in search(asked, *records).found()} == {is_rare}


def test_what_is_too_little() -> None:
    """One date, with another name or the beginning of one, is nobody; what no rule compares cannot be looked for."""
    asked = person("Arben", "Hoxha", "1980-03-04")
    assert found(asked, person("Zoran", "Lukić", "1980-03-04"), person("Arbnor", "Lukić", "1980-03-04"), *MANY) == []
    assert found(asked) == []
    with pytest.raises(InputError) as caught:
        search(person("Arben", "Hoxha"), table=EXACT)
    assert caught.value.sentence.code == "person_not_comparable"


def test_what_is_found_does_not_show_itself() -> None:
    [one] = search(person("Arben", "Hoxha"), person("Arben", "Hoxha")).found()
    assert repr(one) == "FoundPerson()"
