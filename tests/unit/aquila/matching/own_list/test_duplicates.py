"""Duplicates of one list: which pairs are found, at which level, and what is not compared."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from aquila.matching.certainty import Level, grade
from aquila.matching.own_list import MOST_SHARED, DuplicatePair, Duplicates, DuplicateSearch
from aquila.protocol.submission_plan import plan_submission
from aquila.protocol.submissions.tasks import digest_records
from aquila.records.inputs import record_inputs
from aquila.records.person import PartialDate, Record
from aquila.records.rules import DEFAULT_LIMIT, RuleTable, load_rules, parse_rules
from tests.support.staged_round import StagedRound

TABLE = parse_rules("""
name = "two rules"
version = 1
expected_share = 0.03
families = { names = "names", date = "date of birth" }
[parts.pair]
reads = "pair:folded"
family = "names"
bits = 7
sentence = "a pair"
[parts.rare]
reads = "pair:folded"
family = "names"
bits = 12
sentence = "a rare pair"
[parts.date]
reads = "birth:full"
family = "date"
bits = 14
sentence = "a date"
[[rules]]
number = 1
name = "pair and date"
input_class = "full"
parts = ["pair", "date"]
sentence = "Both."
[[rules]]
number = 2
name = "rare pair"
input_class = "coarse"
parts = ["rare"]
most_records = 1
sentence = "Rare."
""")
GRADE = grade(TABLE, 1, 10, 10)


def person(given: str, family: str, date: str = "1980-02-03") -> Record:
    return Record("r", (given,), (family,), date_of_birth=PartialDate.parse(date))


def search(
    directory: Path, records: Iterable[Record], table: RuleTable = TABLE, level: Level = Level.LOW
) -> Duplicates:
    with DuplicateSearch(table, directory) as found:
        for record in records:
            found.add(record)
        return found.found(level)


def strangers(count: int) -> list[Record]:
    letters = "bdfgklmnprtz"
    names = [a + "a" + b + "o" + c for a in letters for b in letters for c in letters if a != b != c][:count]
    return [person(name, name[::-1], f"{1950 + i % 50}-01-{1 + i % 28:02}") for i, name in enumerate(names)]


def test_two_records_of_one_person_are_found(tmp_path: Path) -> None:
    records = [*strangers(50), person("Ana", "Ilić"), *strangers(80)[50:], person("Илић", "Ана")]
    found = search(tmp_path, records)
    assert [(pair.first, pair.second) for pair in found.pairs] == [(50, 81)]
    assert found.pairs[0].grade.level is not None
    assert found.pairs[0].grade.rules == ("pair and date", "rare pair")
    assert found.groups == ((50, 81),)


def test_a_record_is_no_duplicate_of_itself(tmp_path: Path) -> None:
    double = Record("r", ("Ana",), ("Ilić",), aliases=("Ana Ilic", "Ilić Ana"), date_of_birth=PartialDate(1980, 2, 3))
    assert search(tmp_path, [double, *strangers(20)]).pairs == ()


def test_an_empty_list_has_no_duplicates(tmp_path: Path) -> None:
    with DuplicateSearch(TABLE, tmp_path) as empty:
        empty.add(Record("r", ("Ana",), date_of_birth=PartialDate(1980)))
        assert empty.found() == Duplicates((), empty.found().share, {})


def test_groups_connect_through_others(tmp_path: Path) -> None:
    """Three records of one person are one group, a second pair another, in the order of the list."""
    records = [person("Ana", "Ilić"), person("Eva", "Kos"), *strangers(200), person("Ana", "Ilic")]
    records += [person("Kos", "Eva"), person("Ilić", "Ана")]
    found = search(tmp_path, records)
    assert found.groups == ((0, 202, 204), (1, 203))
    assert sum(found.by_level().values()) == 4


def test_a_chain_of_pairs_is_one_group() -> None:
    for order in ((0, 1, 2, 3), (3, 1, 0, 2), (2, 0, 3, 1)):
        links = [list(pairwise((4, 9, 2, 7, 0)))[place] for place in order]
        pairs = tuple(DuplicatePair(min(link), max(link), GRADE) for link in links)
        assert Duplicates(pairs, 0.1, {}).groups == ((0, 2, 4, 7, 9),)


def test_a_rare_value_is_that_of_two_records_only(tmp_path: Path) -> None:
    """What makes a rule for rare names in a round, one record of either list, are two records of one list."""
    two, three = [Record("r", ("Ana",), ("Ilić",))] * 2, [Record("r", ("Eva",), ("Kos",))] * 3
    with DuplicateSearch(TABLE, tmp_path) as found:
        for record in two + three:
            found.add(record)
        assert {(pair.first, pair.second) for pair in found.found().pairs} <= {(0, 1)}
        assert found._connection.execute("SELECT first, second FROM grouped").fetchall() == [(0, 1)]


def test_one_name_and_two_dates_are_two_persons(tmp_path: Path) -> None:
    """Where both tell a date that one rule compares; not where one tells none, or where a number agrees."""
    table = load_rules("default")
    ana, other = person("Ana", "Ilić", "1970-03-04"), person("Ana", "Ilić", "1985-06-07")
    numbered = [replace(record, document_numbers=("K1234567",)) for record in (ana, other)]
    unknown = Record("r", ("Ana",), ("Ilić",))
    for number, (two, met) in enumerate((([ana, other], 0), ([ana, unknown], 1), (numbered, 1))):
        folder = tmp_path / str(number)
        folder.mkdir()
        with DuplicateSearch(table, folder) as found:
            for record in two:
                found.add(record)
            found.found()
            assert len(found._connection.execute("FROM grouped").fetchall()) == met


def test_a_minimum_leaves_out_lesser_levels(tmp_path: Path) -> None:
    records = [person("Ana", "Ilić"), person("Ana", "Ilić"), *strangers(20)]
    assert search(tmp_path, records, level=Level.LOW).pairs
    (tmp_path / "again").mkdir()
    for pair in search(tmp_path / "again", records, level=Level.HIGH).pairs:
        assert pair.grade.level is Level.HIGH


def test_crowded_values_are_counted_and_not_compared(tmp_path: Path) -> None:
    """A value of very many records would make pairs with their square; the officer is told of it."""
    found = search(tmp_path, [person("Ana", "Ilić") for _ in range(MOST_SHARED + 1)])
    assert found.pairs == ()
    assert found.crowded == {"pair and date": 1}


def test_what_the_frequency_limit_holds_back(tmp_path: Path) -> None:
    """Inputs of values that more records share than the limit, or the rule, allows; asked before and after a search."""
    same = [person("Ana", "Ilić", f"1980-02-{day:02}") for day in range(1, 4)]
    with DuplicateSearch(TABLE, tmp_path) as found:
        assert found.held_back() == {}
        for record in [*same, *strangers(20)]:
            found.add(record)
        assert found.held_back() == {2: 3}
        assert found.found().crowded == {}
        found.add(same[0])
        assert found.held_back() == {2: 4}
        assert found.held_back(limit=1) == {1: 1, 2: 4}  # of one person's two records one bears its values


def test_inputs_are_counted_by_rule(tmp_path: Path) -> None:
    """As many as the records give one by one, whenever it is asked."""
    records = [person("Ana", "Ilić"), *strangers(20), Record("r", ("Ana", "Eva"), ("Ilić",))]
    with DuplicateSearch(TABLE, tmp_path, rows_at_once=7) as found:
        for record in records:
            found.add(record)
        expected = Counter(one.rule for record in records for one in record_inputs(record, TABLE))
        assert found.inputs() == expected
        assert found.inputs() == expected


def test_what_is_held_back_is_what_a_submission_leaves_out(tmp_path: Path, staged: Callable[..., StagedRound]) -> None:
    table = load_rules("default")
    crowd = [person("Ana", "Ilić", f"19{60 + year}-03-{day:02}") for year in range(3) for day in range(1, 5)]
    case = [person("Vesna", "Kralj", "1975-06-07")] * 11
    records = [*crowd, *case, *strangers(30), *strangers(2)]
    (tmp_path / "search").mkdir()
    with DuplicateSearch(table, tmp_path / "search") as search_:
        for record in records:
            search_.add(record)
        told = search_.held_back()
    manifest = staged(changes={"padding": {"inputs_per_record": (), "records_multiple": 1}}).manifest
    plan = plan_submission(manifest, table, [digest_records(bytes(32), table, records).outline()])
    assert manifest.frequency_limit == DEFAULT_LIMIT
    assert told == dict(plan.held_back)
    assert len(told) > 2
    assert plan.counts[12:23].tolist() == [plan.counts[12]] * 8 + [0] * 3


def test_small_pieces_change_nothing(tmp_path: Path) -> None:
    """Values that are noted and joined a few at a time give what one piece gives."""
    records = [*strangers(300), person("Ana", "Ilić"), person("Ana", "Ilic")]
    whole = search(tmp_path, records)
    (tmp_path / "pieces").mkdir()
    with DuplicateSearch(TABLE, tmp_path / "pieces", rows_at_once=7) as pieces:
        for record in records:
            pieces.add(record)
        assert pieces.found() == whole
    assert whole.pairs


def test_a_pair_shows_nothing() -> None:
    assert repr(DuplicatePair(1, 2, GRADE)) == "DuplicatePair()"
