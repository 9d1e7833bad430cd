"""From a record to the inputs of match rules."""

import pytest

from aquila.records.inputs import Input, InputMaker, record_inputs
from aquila.records.person import PartialDate, Record, RecordColumns
from aquila.records.rule_parts import record_names
from aquila.records.rules import load_rules

DEFAULT, EXACT = load_rules("default"), load_rules("exact")
ANA = Record("1", given_names=("Ana",), family_names=("Ilić",), date_of_birth=PartialDate(1980, 2, 3))


def test_the_exact_table_gives_one_input() -> None:
    assert record_inputs(ANA, EXACT) == (Input(1, b"ana\x1filic\x1e1980-02-03"),)


def test_inputs_are_sorted_and_each_there_once() -> None:
    inputs = record_inputs(ANA, DEFAULT)
    repeated = Record("1", ("Ana",), ("Ilić",), aliases=("Ilić Ana",), date_of_birth=PartialDate(1980, 2, 3))
    assert list(inputs) == sorted(set(inputs))
    assert record_inputs(repeated, DEFAULT) == inputs


def test_a_rule_whose_part_is_missing_gives_none() -> None:
    rules = {rule for rule, _value in record_inputs(Record("1", full_name="Ana Ilić"), DEFAULT)}
    assert rules
    assert not any("date" in DEFAULT.by_number[rule].family for rule in rules)


def test_every_identifier_gives_an_input() -> None:
    record = Record("1", full_name="Ana Ilić", document_numbers=("A123456", "B123456"), phones=("064123456",))
    values = [value for rule, value in record_inputs(record, DEFAULT) if rule in {16, 18}]
    assert values == [b"A123456", b"B123456", b"64123456"]


@pytest.mark.parametrize(
    "other",
    [
        Record("2", ("Ана",), ("Илић",), date_of_birth=PartialDate(1980, 2, 3)),
        Record("2", ("ILIC",), ("ANA",), date_of_birth=PartialDate(1980, 2, 3)),
        Record("2", full_name="Ilić Ana", date_of_birth=PartialDate(1980, 2, 3)),
    ],
)
def test_script_and_order_of_names_give_the_same_inputs(other: Record) -> None:
    """Nor does it matter whether a name of two words is split."""
    assert record_inputs(other, DEFAULT) == record_inputs(ANA, DEFAULT)


def test_an_input_does_not_show_its_value() -> None:
    assert repr(record_inputs(ANA, EXACT)) == "(Input(rule=1),)"


def test_names_that_are_known_are_not_read_again() -> None:
    assert record_inputs(ANA, DEFAULT, record_names(ANA)) == record_inputs(ANA, DEFAULT)


def test_digests_do_not_show_themselves() -> None:
    """Digests can be compared with guesses, so a log line has their number alone."""
    found = InputMaker(EXACT).digest(RecordColumns.of([ANA]), [record_names(ANA)], {1: b""})
    assert repr(found) == "DigestedInputs(1)"
