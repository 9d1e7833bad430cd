"""The normalizer's answers to the conformance set, inputs of records, and what is refused (schemas/records)."""

import json
from collections import defaultdict
from typing import Any

from aquila.records.conformance import conformance_answers, normalizer_reference
from aquila.records.person import PartialDate, Record
from aquila.records.rules import content_of, load_rules
from tests.support.plain_inputs import plain_inputs
from tests.vectors.making.theme import Theme
from tests.vectors.making.whole_round import TABLE

ABOUT = """
The conformance set of the normalizer with its answers, by kind, its digest, inputs of records under both tables,
and dates and records that are refused.
"""
SOURCE = """
`aquila/records/conformance.csv`, answered by the product; inputs record by record (`tests/support/plain_inputs.py`)
"""
OPERATIONS = """
answers: kind and texts to the answer to each (`schemas/records/normalizer.md`, The conformance set)
reference: nothing to the name and the conformance digest, which a manifest names
inputs: a rule table's name and a record to its inputs: rule number and `v` (UTF-8)
date: a date as a record keeps it (`YYYY-MM-DD`, `YYYY-MM` or `YYYY`) to its year, month and day: whether it is one
table: the content of a rule table: whether it is one
record: the fields of a record: whether it is one
"""

RECORDS: dict[str, dict[str, Any]] = {
    "a_given_and_a_family_name": {
        "record_id": "1",
        "given_names": ["Ђорђе"],
        "family_names": ["Ђорђевић"],
        "date_of_birth": "1980-02-13",
    },
    "a_year_alone": {"record_id": "1", "given_names": ["Ana Mara"], "family_names": ["Ilić"], "date_of_birth": "1980"},
    "everything": {
        "record_id": "1",
        "given_names": ["Besnik"],
        "family_names": ["Hoxha"],
        "aliases": ["Abd al-Rahman Omar"],
        "date_of_birth": "1979-05-06",
        "place_of_birth": "Нови Пазар",
        "nationality": ["RS", "AL"],
        "document_numbers": ["AB 123-456"],
        "phones": ["+383 44 123 456"],
        "emails": ["A.B@Example.org"],
    },
}


def make() -> Theme:
    theme = Theme("normalizer", ABOUT, SOURCE, OPERATIONS)
    asked: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for kind, text, answer in conformance_answers():
        asked[kind].append((text, answer))
    for kind, found in asked.items():
        name, given = kind.replace(" ", "_"), {"kind": kind, "texts": [text for text, _ in found]}
        theme.valid(f"answers_{name}", "answers", "6.2", given, [answer for _, answer in found])
    name, digest = normalizer_reference()
    theme.valid("reference", "reference", "6.2", {}, {"name": name, "digest": digest})
    for about, fields in RECORDS.items():
        record = Record.from_json(json.dumps(fields).encode())
        for table in ("exact", "default"):
            inputs = [
                {"rule": rule, "value": value.decode()} for rule, value in plain_inputs(record, load_rules(table))
            ]
            given = {"table": table, "record": fields}
            theme.valid(f"inputs_of_{about}_under_{table}", "inputs", "6.2", given, inputs)
    _refused(theme)
    _tables(theme)
    return theme


def _refused(theme: Theme) -> None:
    for text in ("1980-02-29", "1980-02", "1980"):
        date = PartialDate.parse(text)
        gives = {"year": date.year, "month": date.month, "day": date.day}
        theme.valid(f"date_{text}", "date", "6.1", {"date": text}, gives)
    for name, text in {
        "date_that_no_calendar_has": "1981-02-29",
        "date_with_a_month_13": "1980-13-01",
        "date_with_a_day_0": "1980-01-00",
        "date_with_a_year_of_two_digits": "80-01-02",
        "date_in_words": "2 March 1980",
        "date_with_four_parts": "1980-02-13-04",
        "date_in_other_digits": "١٩٨٠-٠٢-١٣",
        "date_of_nothing": "",
    }.items():
        theme.invalid(name, "date", "6.1", {"date": text}, "input")
    right = {"record_id": "1", "given_names": ["Ana"], "family_names": ["Ilić"]}
    theme.valid("record", "record", "6.1", {"record": right})
    for name, changed in {
        "record_without_an_id": right | {"record_id": ""},
        "record_of_a_given_name_alone": {"record_id": "1", "given_names": ["Ana"]},
        "record_of_a_date_alone": {"record_id": "1", "date_of_birth": "1980-02-13"},
        "record_with_an_unknown_sex": right | {"sex": "female"},
        "record_with_an_unknown_handling_code": right | {"handling_code": "H9"},
    }.items():
        theme.invalid(name, "record", "6.1", {"record": changed}, "input")


def _tables(theme: Theme) -> None:
    theme.valid("table", "table", "5", {"table": content_of(TABLE)})
    for name, before, after, paragraph in (
        ("table_with_names_alone_in_another_class", 'input_class = "coarse"', 'input_class = "partial"', "5"),
        ("table_with_a_date_in_the_class_coarse", 'input_class = "partial"', 'input_class = "coarse"', "5"),
        ("table_with_a_rule_number_64", "number = 3", "number = 64", "6.2"),
        ("table_with_a_rule_number_twice", "number = 3", "number = 2", "6.2"),
        ("table_with_an_unknown_part", 'parts = ["all names"]', 'parts = ["some names"]', "6.2"),
        ("table_with_a_weight_of_61_bits", "bits = 12.0", "bits = 61.0", "6.2"),
        ("table_with_a_set_of_no_rule", "[[1], [2, 3]]", "[[1], []]", "3.7.12"),
        ("table_with_a_set_of_an_unknown_rule", "[[1], [2, 3]]", "[[1], [2, 4]]", "3.7.12"),
        ("table_without_rules", "[[rules]]", "[[sleeping]]", "6.2"),
    ):
        changed = TABLE.replace(before, after)
        assert changed != TABLE, name
        theme.invalid(name, "table", paragraph, {"table": content_of(changed)}, "input")
