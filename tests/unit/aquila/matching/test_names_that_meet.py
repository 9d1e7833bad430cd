"""From two records to the level of their pair: what names give, split into columns or not."""

import pytest

from aquila.matching.certainty import Grade, Level, grade
from aquila.records.inputs import record_inputs
from aquila.records.person import PartialDate, Record
from aquila.records.rules import load_rules, mask_of

TABLE = load_rules("default")
SIZE = 5_000
COLUMNS, WHOLE = "columns", "full_name"


def person(number: str, name: str, born: PartialDate | None, written: str) -> Record:
    """Return a record of a name whose family names are in capitals, in columns or as one text."""
    given = tuple(word for word in name.split() if not word.isupper())
    family = tuple(word for word in name.split() if word.isupper())
    if written == COLUMNS:
        return Record(number, (" ".join(given),), (" ".join(family),), date_of_birth=born)
    return Record(number, full_name=name, date_of_birth=born)


def graded(one: Record, other: Record) -> Grade:
    """Grade two records that no other record of their lists resembles."""
    common = {*record_inputs(one, TABLE)} & {*record_inputs(other, TABLE)}
    assert common
    return grade(TABLE, mask_of({found.rule for found in common}), SIZE, SIZE)


@pytest.mark.parametrize("written", [COLUMNS, WHOLE])
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("Mirko PANDUROVIĆ", None),
        ("Mirko Sava PANDUROVIĆ", Level.LOW),
        ("Mirko Sava Tadija PANDUROVIĆ", Level.LOW),
        ("Inés Leonor Ximena QUIROGA BERMÚDEZ", Level.LOW),
    ],
)
def test_more_names_that_agree_weigh_more(name: str, least: Level | None, written: str) -> None:
    """Of two records whose dates differ two equal names are no hit in lists of 5,000; three and more are."""
    one, other = (person(str(year), name, PartialDate(year, 3, 14), written) for year in (1961, 1972))
    assert graded(one, other).level == least


@pytest.mark.parametrize("written", [COLUMNS, WHOLE])
def test_each_further_name_raises_the_certainty(written: str) -> None:
    words = ("Mirko PANDUROVIĆ", "Mirko Sava PANDUROVIĆ", "Mirko Sava Tadija PANDUROVIĆ")
    found = [graded(person("1", name, None, written), person("2", name, None, COLUMNS)).probability for name in words]
    assert found == sorted(set(found))


def test_a_further_name_of_one_record_alone_is_no_whole_name() -> None:
    """A name that one record has in addition contradicts nothing, and adds nothing."""
    one, other = person("1", "Mirko Sava PANDUROVIĆ", None, COLUMNS), person("2", "Mirko PANDUROVIĆ", None, COLUMNS)
    assert not any(rule.startswith("every name") for rule in graded(one, other).rules)
