"""The plain matching gives the hits of a rehearsed round: masks are all that the matcher of a round sees."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aquila.matching.certainty import Level
from aquila.records.rules import load_rules
from aquila.rehearsal import Rehearsal
from clients.quality.grading import hits_of
from clients.quality.plain import meet, send
from clients.quality.sets import LabelledSet, Pair, region

if TYPE_CHECKING:
    from aquila.crypto.group import Group

REGION = Path(__file__).parent / "region"
RECORDS = 150  # of each of three lists


@pytest.fixture(scope="module")
def sample() -> LabelledSet:
    """Some persons that two of three lists hold, and strangers."""
    three = region(REGION).among(("BA", "BG", "RS"))
    known = {(pair.party_a, pair.record_a) for pair in three.same} | {
        (pair.party_b, pair.record_b) for pair in three.same
    }
    lists = {
        party: sorted(records, key=lambda record: ((party, record.record_id) not in known, record.record_id))[:RECORDS]
        for party, records in three.lists.items()
    }
    return LabelledSet("sample", lists, three.same)


def test_hits_are_those_of_a_rehearsal(sample: LabelledSet, group: Group, tmp_path: Path) -> None:
    """The same pairs, levels and probabilities, by the same rules."""
    table = load_rules("default")
    played = Rehearsal(group, table, sample.lists, secrets.token_bytes, tmp_path, minimum=Level.LOW, now=1)
    blind = {(Pair(*hit[:4]), hit.certainty, hit.probability, frozenset(hit.rules)) for hit in played.run()}
    sent = {party: send(records, table) for party, records in sample.lists.items()}
    plain = {
        (
            hit.pair,
            hit.level,
            hit.probability,
            frozenset(r.name for r in table.rules if hit.rules >> (r.number - 1) & 1),
        )
        for hit in hits_of(meet(sent), table)
    }
    assert plain == blind
    assert sum(pair in sample.same for pair, *_ in plain) > RECORDS // 2
