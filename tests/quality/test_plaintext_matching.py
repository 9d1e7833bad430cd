"""The plain matching gives the hits of a rehearsed round: masks are all that the matcher of a round sees."""

from pathlib import Path

import pytest

from aquila.records.rules import load_rules
from tests.quality.measuring.bench import rehearsed_hits
from tests.quality.measuring.grading import hits_of
from tests.quality.measuring.labelled_sets import LabelledSet
from tests.quality.measuring.plaintext_matching import meet, send
from tests.quality.measuring.set_files import region

REGION = Path(__file__).parent / "region"
RECORDS = 150  # of each of three lists


@pytest.fixture(scope="module")
def sample() -> LabelledSet:
    three = region(REGION).among(("BA", "BG", "RS"))
    known = {(pair.party_a, pair.record_a) for pair in three.same} | {
        (pair.party_b, pair.record_b) for pair in three.same
    }
    lists = {
        party: sorted(records, key=lambda record: ((party, record.record_id) not in known, record.record_id))[:RECORDS]
        for party, records in three.lists.items()
    }
    return LabelledSet("sample", lists, three.same)


def test_hits_are_those_of_a_rehearsal(sample: LabelledSet) -> None:
    table = load_rules("default")
    sent = {party: send(records, table) for party, records in sample.lists.items()}
    plain = hits_of(meet(sent), table)
    assert sorted(plain) == sorted(rehearsed_hits(sample, table))
    assert sum(hit.pair in sample.same for hit in plain) > RECORDS // 2
