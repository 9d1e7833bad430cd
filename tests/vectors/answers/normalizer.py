"""The normalizer, inputs, dates and records."""

import json

from aquila.records.conformance import conformance_answers, normalizer_reference
from aquila.records.inputs import record_inputs
from aquila.records.person import PartialDate, Record
from aquila.records.rules import load_rules, rules_of
from tests.vectors.answers.given import Given, Operation


def answers(given: Given) -> list[str]:
    found = [(text, answer) for kind, text, answer in conformance_answers() if kind == given["kind"]]
    assert [text for text, _ in found] == given["texts"]
    return [answer for _, answer in found]


def reference(_given: Given) -> Given:
    name, digest = normalizer_reference()
    return {"name": name, "digest": digest}


def inputs(given: Given) -> list[Given]:
    record = Record.from_json(json.dumps(given["record"]).encode())
    found = record_inputs(record, load_rules(given["table"]))
    return [{"rule": rule, "value": value.decode()} for rule, value in found]


def date(given: Given) -> Given:
    found = PartialDate.parse(given["date"])
    return {"year": found.year, "month": found.month, "day": found.day}


def record(given: Given) -> None:
    Record.from_json(json.dumps(given["record"]).encode())


def table(given: Given) -> None:
    rules_of(given["table"])


OPERATIONS: dict[str, Operation] = {
    "answers": answers,
    "reference": reference,
    "inputs": inputs,
    "date": date,
    "table": table,
    "record": record,
}
