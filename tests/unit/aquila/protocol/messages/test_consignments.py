"""Consignments read what they write, and nothing that has no part or too many."""

import pytest

from aquila.errors import MalformedError
from aquila.protocol.messages.feed import MOST_PARTS, BytesPart, Consignment, ConsignmentAnswer, StatementPart

PARTS = (StatementPart(envelope="{}"), BytesPart(part="evaluation", submission_id="ab" * 16, index=3, content="AAAA"))


def test_a_consignment_comes_back() -> None:
    consignment = Consignment(parts=PARTS)
    assert Consignment.from_payload(consignment.payload()) == consignment
    answer = ConsignmentAnswer(taken=1, problem="{}")
    assert ConsignmentAnswer.from_payload(answer.payload()) == answer


@pytest.mark.parametrize("count", [0, MOST_PARTS + 1])
def test_a_consignment_has_parts_and_not_too_many(count: int) -> None:
    whole = Consignment(parts=PARTS[:1]).payload()
    part = whole[len(b'{"parts":[') : -len(b"]}")]
    with pytest.raises(MalformedError):
        Consignment.from_payload(b'{"parts":[' + b",".join([part] * count) + b"]}")
