"""Inputs made in columns, by what is known of earlier records and in C, are byte for byte those of their definition."""

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from random import Random

import pytest

from aquila.crypto.hashing import digests_core
from aquila.protocol.submissions.padding import input_prefixes
from aquila.records.inputs import DigestedInputs, InputMaker, record_inputs
from aquila.records.person import PartialDate, Record, RecordColumns
from aquila.records.rule_parts import PART_KINDS, names_of_records, record_names
from aquila.records.rules import BUILT_IN, InputClass, Part, Rule, RuleTable, load_rules
from tests.quality.measuring.common_lists import common_lists
from tests.quality.populations import populated_lists
from tests.quality.populations.residents import CULTURES
from tests.support.plain_inputs import plain_digests, plain_inputs

RECORDS = int(os.environ.get("AQUILA_EQUALITY_COUNT", "150"))
BATCH = 2_000
BINDING = bytes(range(32))
ODD = (
    Record("1", ("Ana",), ("Ilić",), None, ("Ana", "Ana Ilić", "abu Ana al-Ilić", ""), PartialDate(1980, 1, 1), "F"),
    Record("2", full_name="Ana Marija Petra Sofija Ilić-Petrović", date_of_birth=PartialDate(1980)),
    Record("3", tuple("abcdefghij"), tuple("klmnopqrst"), date_of_birth=PartialDate(1980, 2)),
    Record("4", ("😀",), date_of_birth=PartialDate(1980, 2, 3)),
    Record("5", family_names=("Ilić",), date_of_birth=PartialDate(1980, 2, 3), sex="X", place_of_birth="Novi Sad"),
    Record(
        "6",
        ("Ana", "Ana"),
        ("Ilić",),
        nationality=("Srbija", "RS", "Ostrvo Čuda", ""),
        place_of_birth="Ćuprija",
        document_numbers=("P 123456", "p123456", "?"),
        national_numbers=("0101980710008", "1"),
        emails=("Ana@PČ.rs", "@"),
        phones=("+381 64 123456", "064/123-456", "1"),
    ),
)


def table_of_all_parts() -> RuleTable:
    reads = [f"{kind}:{form}".rstrip(":") for kind, known in PART_KINDS.items() for form in known.forms or ("",)]
    rules = []
    for number, one in enumerate(reads, start=1):
        together = ((one,), (one, "birth:some-month"), ("word:start", one, "sex"))[number % 3]
        parts = tuple(Part(read, read, "family", 1.0, "") for read in together)
        rules.append(Rule(number, str(number), InputClass.PARTIAL, parts, ""))
    return RuleTable("all parts", 1, tuple(rules), "all parts", 30_000, ())


TABLES = [*map(load_rules, BUILT_IN), table_of_all_parts()]


def generated() -> Iterator[Record]:
    seed = 0
    while True:
        seed += 1
        size = min(RECORDS, 5_000) // 10
        for made in (common_lists(size, seed), populated_lists(dict.fromkeys(CULTURES, size), seed)):
            for records in made.lists.values():
                yield from records


@pytest.fixture(scope="module")
def batches() -> list[Sequence[Record]]:
    """Batches of records: odd ones, those of both generators, and some of these again."""
    records = [*ODD, *islice(generated(), RECORDS)]
    records += Random(1).choices(records, k=len(records) // 10)
    return [records[start : start + BATCH] for start in range(0, len(records), BATCH)]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.name}-{table.version}")
def test_inputs_are_those_of_the_definition(batches: list[Sequence[Record]], table: RuleTable) -> None:
    """The same counts, rules and digests with and without the C module, and the same bytes of single records."""
    prefixes = input_prefixes(BINDING, table)
    makers = [InputMaker(table), InputMaker(table, digests_core())]
    for records in batches:
        names = [record_names(record) for record in records]
        expected = [plain_inputs(record, table) for record in records]
        inputs = [item for of_record in expected for item in of_record]
        digests = plain_digests(BINDING, table, inputs)
        columns = RecordColumns.of(records)
        split = RecordColumns.of([record for record in records if _is_split(record)])
        for maker in makers:
            assert _same(
                maker.digest(split, maker.names(split), prefixes),
                maker.digest(split, names_of_records(split), prefixes),
            )
            found = maker.digest(columns, names, prefixes)
            assert found.counts.tolist() == list(map(len, expected))
            assert found.rules.tolist() == [rule for rule, _value in inputs]
            assert found.digests == digests
        for record, wanted in list(zip(records, expected, strict=True))[:100]:
            assert [tuple(one) for one in record_inputs(record, table)] == wanted


def _is_split(record: Record) -> bool:
    return bool(record.given_names and record.family_names) and not (record.full_name or record.aliases)


def _same(one: DigestedInputs, other: DigestedInputs) -> bool:
    columns = [(found.counts.tolist(), found.rules.tolist(), found.digests) for found in (one, other)]
    return columns[0] == columns[1]
