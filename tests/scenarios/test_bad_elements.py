"""A party sends elements that are none, twice the same, out of order, or more than it signed."""

import hashlib

import pytest

from aquila.crypto.group import GENERATOR
from aquila.errors import DigestError, MalformedError
from aquila.protocol.messages import Evaluation
from tests.support.staged_round import StagedRound, verified

IDENTITY = bytes(32)
NOT_CANONICAL = bytes.fromhex("00" * 31 + "80")
BIT_255 = GENERATOR[:-1] + bytes([GENERATOR[-1] | 0x80])
ABOVE_THE_FIELD = bytes.fromhex("f3" + "ff" * 31)
NEGATIVE = bytes([1]) + bytes(31)
NONE = {
    "identity": IDENTITY,
    "not canonical": NOT_CANONICAL,
    "bit 255": BIT_255,
    "above": ABOVE_THE_FIELD,
    "negative": NEGATIVE,
}


def submit_bytes(stage: StagedRound, chunk: bytes, elements: int | None = None) -> None:
    """Let SI sign a list of one chunk with these bytes."""
    chunks = stage.nodes["SI"].chunks
    reference, right = chunks.references[0], chunks.elements(0)
    submission = stage.round.submissions[stage.nodes["SI"].submission_id]
    count = len(right) // 32 if elements is None else elements
    content = submission.model_dump() | {
        "elements": {"full": count, "partial": 0, "coarse": 0},
        "chunks": [
            {"input_class": reference.input_class, "elements": count, "digest": hashlib.sha256(chunk).hexdigest()}
        ],
    }
    lie = type(submission).model_validate(content)
    for record in (stage.round, *(node.round for node in stage.nodes.values())):
        record.submissions[lie.submission_id] = lie


@pytest.mark.parametrize("element", NONE.values(), ids=NONE)
def test_a_blinded_element_that_is_none(stage: StagedRound, element: bytes) -> None:
    """An evaluator refuses the whole chunk and says which element is wrong."""
    stage.submitted()
    right = stage.nodes["SI"].chunks.elements(0)
    chunk = right[:-32] + element
    submit_bytes(stage, chunk)
    with pytest.raises(MalformedError) as caught:
        stage.send_chunk("SI", "RS", 0, chunk)
    assert caught.value.fields["index"] == len(right) // 32 - 1


@pytest.mark.parametrize("element", NONE.values(), ids=NONE)
def test_an_evaluated_element_that_is_none(stage: StagedRound, element: bytes) -> None:
    """The origin refuses an answer with such an element before it looks at the proof."""
    stage.submitted()
    chunk = stage.nodes["SI"].chunks.elements(0)
    answer = stage.send_chunk("SI", "RS", 0, chunk)
    lie = answer.elements[:-32] + element
    signed = stage.statement_in(answer.envelope, Evaluation)
    evaluation = signed.model_copy(update={"output_digest": hashlib.sha256(lie).hexdigest()})
    node = stage.nodes["SI"]
    with pytest.raises(MalformedError):
        verified(node.party, node.round, evaluation, chunk, lie)


def test_an_answer_of_another_length(stage: StagedRound) -> None:
    stage.submitted()
    chunk = stage.nodes["SI"].chunks.elements(0)
    answer = stage.send_chunk("SI", "RS", 0, chunk)
    signed = stage.statement_in(answer.envelope, Evaluation)
    node = stage.nodes["SI"]
    for lie in (answer.elements[:-32], answer.elements + GENERATOR, b"", answer.elements[:-1]):
        evaluation = signed.model_copy(update={"output_digest": hashlib.sha256(lie).hexdigest()})
        with pytest.raises(MalformedError):
            verified(node.party, node.round, evaluation, chunk, lie)


@pytest.mark.parametrize("twice", [True, False], ids=["twice", "out of order"])
def test_elements_out_of_order(stage: StagedRound, *, twice: bool) -> None:
    """An element twice in a chunk would tell nothing new for another count of the cap: it is refused."""
    stage.submitted()
    right = stage.nodes["SI"].chunks.elements(0)
    chunk = right[:32] + right[:-32] if twice else right[32:] + right[:32]
    submit_bytes(stage, chunk)
    with pytest.raises(MalformedError, match="strictly ascending") as caught:
        stage.send_chunk("SI", "RS", 0, chunk)
    assert caught.value.fields["index"] == (1 if twice else len(right) // 32 - 1)


@pytest.mark.parametrize("signed", [1, 2, 5], ids=["far more", "more", "fewer"])
def test_more_elements_than_signed(stage: StagedRound, signed: int) -> None:
    """What is evaluated is what was counted against the cap: a chunk that holds more is refused."""
    stage.submitted()
    chunk = stage.nodes["SI"].chunks.elements(0)
    submit_bytes(stage, chunk, signed)
    with pytest.raises(MalformedError, match="another number of elements"):
        stage.send_chunk("SI", "RS", 0, chunk)


def test_other_bytes_than_signed(stage: StagedRound) -> None:
    stage.submitted()
    chunk = stage.nodes["SI"].chunks.elements(0)
    with pytest.raises(DigestError) as caught:
        stage.send_chunk("SI", "RS", 0, chunk[:-1])
    assert (caught.value.fields["chunk"], caught.value.fields["submission"]) == (0, stage.nodes["SI"].submission_id)
