"""Certainty."""

from types import SimpleNamespace
from typing import cast

from aquila.crypto.keys import IdentityKey
from aquila.matching.certainty import log2_centibits
from aquila.matching.hit_rate import expected_hits, is_alarming
from aquila.protocol.messages import HitReport, Padding
from aquila.protocol.party import Party
from aquila.protocol.submissions.caps import elements_for
from aquila.records.rules import load_rules
from tests.vectors.answers.given import GROUP, Given, Operation
from tests.vectors.making.grading import grade, learned, settle


def least_share(given: Given) -> None:
    basis = SimpleNamespace(common_per_million=given["common_per_million"])
    report = SimpleNamespace(basis=basis, round_id="0" * 32, counterpart="RS")
    Party("SI", IdentityKey(bytes(32)), GROUP).check_report(cast("HitReport", report), load_rules("default"))


def declared(given: Given) -> Given:
    padding = Padding(inputs_per_record=(), records_multiple=given["records_multiple"])
    return elements_for(padding, given["records"], given["queries"]).model_dump(mode="json")


def explained(given: Given) -> Given:
    expected = expected_hits(given["common_per_million"], given["persons"], given["list_records"])
    return {"expected": expected, "alarms": [is_alarming(hits, expected) for hits in (11, 12, 20, 30)]}


OPERATIONS: dict[str, Operation] = {
    "log": lambda given: log2_centibits(given["n"], given["d"]),
    "grade": grade,
    "settle": settle,
    "learn": learned,
    "least_share": least_share,
    "declared": declared,
    "explained": explained,
}
