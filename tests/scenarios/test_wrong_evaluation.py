"""A party evaluates wrongly: with another share, in another class, another chunk, or not at all."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from aquila.crypto import dleq, oprf
from aquila.crypto.shares import new_share
from aquila.errors import BindingError, DigestError, EquivocationError, MalformedError, OrderError, ProofError
from aquila.protocol.messages import Evaluation
from aquila.protocol.party import proof_context
from aquila.records.rules import InputClass

if TYPE_CHECKING:
    from aquila.crypto.shares import Share
    from tests.stage import Stage


FULL, PARTIAL = 0, 2
"""Chunks of SI's list: its first of the class full, and its first of the class partial."""


def evaluation_with(stage: Stage, share: Share, index: int = FULL) -> tuple[Evaluation, bytes]:
    """Return what RS would sign of a chunk of SI with some share, rightly proved for that share."""
    submission = stage.round.submissions[stage.seats["SI"].submission_id]
    chunk, reference = stage.seats["SI"].chunks[index][2], submission.chunks[index]
    elements = oprf.evaluate(stage.group, chunk, share)
    context = proof_context(stage.round, submission, index, "RS")
    proof = dleq.prove_chunk(stage.group, share, context, chunk, elements, bytes(32))
    fields = {"origin": "SI", "submission_id": submission.submission_id, "index": index, "proof": proof.hex(),
              "input_class": reference.input_class, "elements": reference.elements,
              "input_digest": reference.digest, "output_digest": hashlib.sha256(elements).hexdigest()}  # fmt: skip
    statement = stage.statement("RS", Evaluation, **fields)
    assert isinstance(statement, Evaluation)
    return statement, elements


def check(stage: Stage, evaluation: Evaluation, elements: bytes) -> None:
    """Let SI take and verify an evaluation."""
    seat = stage.seats["SI"]
    stage.publish(stage.signed("RS", evaluation))
    seat.party.check_evaluation(seat.round, evaluation, seat.chunks[evaluation.index][2], elements)


def test_the_right_share_verifies(stage: Stage) -> None:
    """What the stories below change is otherwise accepted."""
    stage.submitted()
    check(stage, *evaluation_with(stage, stage.seats["RS"].secrets.shares[InputClass.FULL]))


def test_a_fresh_share(stage: Stage) -> None:
    """An evaluation with a share that nobody consented to does not verify."""
    stage.submitted()
    with pytest.raises(ProofError):
        check(stage, *evaluation_with(stage, new_share(stage.group, stage.random)))


def test_the_share_of_the_other_class(stage: Stage) -> None:
    """The share of one class gives no evaluation of the other."""
    stage.submitted()
    with pytest.raises(ProofError):
        check(stage, *evaluation_with(stage, stage.seats["RS"].secrets.shares[InputClass.PARTIAL]))


def test_the_share_of_another_party(stage: Stage) -> None:
    """Each party answers with its own share, or the sum would count one twice."""
    stage.submitted()
    with pytest.raises(ProofError):
        check(stage, *evaluation_with(stage, stage.seats["AL"].secrets.shares[InputClass.FULL]))


def test_a_relayed_element(stage: Stage) -> None:
    """A party that returns what it was sent has evaluated nothing."""
    stage.submitted()
    evaluation, _ = evaluation_with(stage, stage.seats["RS"].secrets.shares[InputClass.FULL])
    relayed = stage.seats["SI"].chunks[FULL][2]
    lie = evaluation.model_copy(update={"output_digest": evaluation.input_digest})
    with pytest.raises(ProofError):
        check(stage, lie, relayed)


def test_one_wrong_element_among_right_ones(stage: Stage) -> None:
    """Two evaluated elements exchanged are found out, though both are right elsewhere."""
    stage.submitted()
    evaluation, elements = evaluation_with(stage, stage.seats["RS"].secrets.shares[InputClass.FULL])
    swapped = elements[32:64] + elements[:32] + elements[64:]
    lie = evaluation.model_copy(update={"output_digest": hashlib.sha256(swapped).hexdigest()})
    with pytest.raises(ProofError):
        check(stage, lie, swapped)


def test_an_answer_to_another_origin(stage: Stage) -> None:
    """The proof names the origin: an answer to AL's chunk is none to the same chunk of SI."""
    stage.submitted()
    evaluation, elements = evaluation_with(stage, stage.seats["RS"].secrets.shares[InputClass.FULL])
    other = stage.round.submissions[stage.seats["AL"].submission_id]
    chunk = stage.seats["SI"].chunks[FULL][2]
    context = proof_context(stage.round, other, FULL, "RS")
    share = stage.seats["RS"].secrets.shares[InputClass.FULL]
    proof = dleq.prove_chunk(stage.group, share, context, chunk, elements, bytes(32))
    with pytest.raises(ProofError):
        check(stage, evaluation.model_copy(update={"proof": proof.hex()}), elements)


def test_the_class_that_the_origin_did_not_sign(stage: Stage) -> None:
    """An evaluation of a full chunk that calls it partial, or the other way, is refused by everyone."""
    stage.submitted()
    full, _ = evaluation_with(stage, stage.seats["RS"].secrets.shares[InputClass.FULL])
    partial, _ = evaluation_with(stage, stage.seats["RS"].secrets.shares[InputClass.PARTIAL], PARTIAL)
    for evaluation, other in ((full, InputClass.PARTIAL), (partial, InputClass.FULL)):
        stage.refused(BindingError, stage.changed("RS", evaluation, input_class=other), "class, size or digest")


def test_chunks_of_two_origins_exchanged(stage: Stage) -> None:
    """A statement about the chunk of one origin under the name of another is refused."""
    stage.submitted()
    evaluation, _ = evaluation_with(stage, stage.seats["RS"].secrets.shares[InputClass.FULL])
    other = stage.seats["AL"].submission_id
    stage.refused(OrderError, stage.changed("RS", evaluation, origin="AL"), "no such submission")
    stage.refused(OrderError, stage.changed("RS", evaluation, submission_id=other), "no such submission")
    stage.refused(BindingError, stage.changed("RS", evaluation, origin="AL", submission_id=other), "digest differ")
    with pytest.raises(DigestError):
        stage.send_chunk("AL", "RS", FULL, stage.seats["SI"].chunks[FULL][2])


def test_another_size_or_digest(stage: Stage) -> None:
    """Number and input digest are those that the origin signed."""
    stage.submitted()
    evaluation, _ = evaluation_with(stage, stage.seats["RS"].secrets.shares[InputClass.FULL])
    stage.refused(BindingError, stage.changed("RS", evaluation, elements=3), "class, size or digest")
    stage.refused(BindingError, stage.changed("RS", evaluation, input_digest="0" * 64), "class, size or digest")


def test_a_chunk_that_is_not_there(stage: Stage) -> None:
    """A submission has the chunks that its origin signed."""
    stage.submitted()
    evaluation, _ = evaluation_with(stage, stage.seats["RS"].secrets.shares[InputClass.FULL])
    stage.refused(MalformedError, stage.changed("RS", evaluation, index=99), "no such chunk")
    with pytest.raises(OrderError, match="no such chunk"):
        stage.send_chunk("SI", "RS", 99, b"")


def test_its_own_elements(stage: Stage) -> None:
    """A party is no evaluator of its own list, neither in a statement nor when asked."""
    stage.submitted()
    evaluation, _ = evaluation_with(stage, stage.seats["RS"].secrets.shares[InputClass.FULL])
    own = stage.changed("SI", evaluation, party="SI")
    stage.refused(OrderError, own, "by itself")
    with pytest.raises(OrderError, match="not to be evaluated"):
        stage.send_chunk("SI", "SI", FULL, stage.seats["SI"].chunks[FULL][2])


def test_other_bytes_than_it_signed(stage: Stage) -> None:
    """Evaluated elements are those whose digest their party signed."""
    stage.submitted()
    evaluation, elements = evaluation_with(stage, stage.seats["RS"].secrets.shares[InputClass.FULL])
    with pytest.raises(DigestError) as caught:
        check(stage, evaluation, elements[:-1] + b"\x00")
    assert caught.value.fields["chunk"] == FULL


def test_two_answers_to_one_chunk(stage: Stage) -> None:
    """A second answer, right or wrong, is an equivocation."""
    stage.submitted()
    check(stage, *evaluation_with(stage, stage.seats["RS"].secrets.shares[InputClass.FULL]))
    stage.seats["RS"].sequence += 1
    other, _ = evaluation_with(stage, new_share(stage.group, stage.random))
    stage.refused(EquivocationError, stage.signed("RS", other), "evaluated this chunk already")


def test_an_unknown_submission(stage: Stage) -> None:
    """Nobody evaluates what no party has signed."""
    stage.submitted()
    seat = stage.seats["RS"]
    with pytest.raises(OrderError, match="not to be evaluated"):
        seat.party.evaluate(seat.round, seat.secrets, 9, "0" * 32, 0, b"", bytes(32))
