"""What guesses cost, and what lists as a whole tell."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from aquila.crypto.keys import SecretBytes
from aquila.protocol.submissions.padding import BatchInputs, number_inputs
from aquila.records.person import Record
from aquila.records.rules import load_rules
from aquila.simulation import DEFAULT_PADDING
from tests.quality.measuring.guesses import guesses_by_names, guesses_by_rule
from tests.quality.measuring.leakage import list_leakage, rule_leakage
from tests.quality.measuring.plaintext_matching import send
from tests.quality.measuring.set_files import region
from tests.support.counted import FIVE_RULES, RECORDS

DEFAULT = load_rules("default")
TABLE = replace(FIVE_RULES, rules=tuple(rule for rule in FIVE_RULES.rules if "place" not in rule.name))


def test_tokens_of_a_rule() -> None:
    by_rule = {one.rule.name: one for one in rule_leakage([send(RECORDS, TABLE)], TABLE, RECORDS)}
    assert (by_rule["pair and year"].tokens, by_rule["pair and year"].shared) == (3, 0)
    assert (by_rule["pair"].tokens, by_rule["pair"].shared, by_rule["pair"].records) == (2, 1, 3)
    assert by_rule["document"].tokens == by_rule["document"].having == 1
    assert by_rule["pair"].having == 4


def test_a_rule_has_its_guesses() -> None:
    """Guesses stand beside the tokens of the rule; of numbers nothing is known."""
    guesses = {one.rule.name: one.guesses for one in rule_leakage([send(RECORDS, TABLE)], TABLE, RECORDS)}
    assert guesses == {"pair and year": 60, "pair": 1, "document": None}


def test_lists_as_a_whole() -> None:
    told = list_leakage([send(RECORDS, TABLE)])
    assert (told.records, told.connected, told.largest) == (4, 3, 3)
    assert told.inputs == (1, 2.0, 3)
    assert (told.profiles, told.alone) == (3, 2)
    assert told.sizes == {8: 4}


def test_few_records_are_alone_with_their_profile() -> None:
    """Of each list of the region 1 to 4 records in a hundred, with the default padding, as LIMITATIONS says."""
    for records in region(Path(__file__).parent / "region").lists.values():
        sent = send(records, DEFAULT)
        rows = sent.rows[np.argsort(sent.rows["place"])]
        counts = sent.profiles().sum(axis=1)
        batch = BatchInputs(0, counts, rows["rule"], bytes(32 * len(rows)))
        made = number_inputs(SecretBytes(bytes(32)), DEFAULT, DEFAULT_PADDING, batch, len(records))
        profiles = np.zeros((len(records), 64), dtype=np.int64)
        np.add.at(profiles, ((made.numbers // 256).astype(np.int64), made.rules), 1)
        often = Counter(profile.tobytes() for profile in profiles)
        assert 0.01 < sum(count == 1 for count in often.values()) / len(records) < 0.04


def by_name(population: Sequence[Record]) -> dict[str, int | None]:
    return {
        FIVE_RULES.by_number[number].name: count for number, count in guesses_by_rule(FIVE_RULES, population).items()
    }


def test_guesses_go_through_names_and_dates() -> None:
    """One pair of names covers half of these persons, with sixty years of birth; of numbers nothing is known."""
    guesses = by_name(RECORDS)
    assert (guesses["pair and year"], guesses["pair"], guesses["document"]) == (60, 1, None)


def test_guesses_go_through_places() -> None:
    """Places are counted with the names beside them: a pair and a place have fewer holders than either."""
    places = ("Niš", "Ниш", "Bar", "Bar")
    population = [replace(record, place_of_birth=place) for record, place in zip(RECORDS, places, strict=True)]
    guesses = by_name(population)
    assert (guesses["pair and place"], guesses["year and place"]) == (1, 60)
    population = [replace(record, place_of_birth=f"Niš{'abcd'[number]}") for number, record in enumerate(RECORDS)]
    assert guesses_by_rule(FIVE_RULES, population)[3] == 2


def test_guesses_by_names_find_shares_of_all_persons() -> None:
    """Names of four words are soon gone through, but only by them the few who have one are found."""
    pairs = [Record(str(place), ("Ana",), (f"I{letter}ić",)) for place, letter in enumerate("bdfklmnrz")]
    population = [*pairs, Record("long", ("Ana", "Mara", "Iva"), ("Ilić",))]
    table = replace(DEFAULT, rules=tuple(rule for rule in DEFAULT.rules if rule.name.startswith("every name")))
    assert guesses_by_names(table, population, (10, 50)) == {10: 1, 50: 5}
    found = {table.by_number[number].name: count for number, count in guesses_by_rule(table, population).items()}
    assert found == {"every name of two": 5, "every name of three": 0, "every name of four": 1}


def test_what_nobody_has_takes_no_guess() -> None:
    assert guesses_by_rule(FIVE_RULES, RECORDS)[4] == 0
