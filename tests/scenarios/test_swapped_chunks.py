"""The chunks or answers of two origins, or two places, are exchanged."""

import pytest

from aquila.crypto import dleq
from aquila.errors import BindingError, DigestError, OrderError, ProofError
from aquila.protocol.party import proof_context
from aquila.records.rules import InputClass
from tests.support.staged_round import FULL, StagedRound


def test_an_answer_to_another_origin(stage: StagedRound) -> None:
    stage.submitted()
    evaluation, elements = stage.right_evaluation()
    other = stage.round.submissions[stage.nodes["AL"].submission_id]
    chunk = stage.nodes["SI"].chunks.elements(FULL)
    context = proof_context(stage.round, other, FULL, "RS")
    share = stage.nodes["RS"].secrets.shares[InputClass.FULL]
    proof = dleq.prove_chunk(stage.group, share, context, chunk, elements, bytes(32))
    with pytest.raises(ProofError):
        stage.check(evaluation.model_copy(update={"proof": proof.hex()}), elements)


def test_chunks_of_two_origins_exchanged(stage: StagedRound) -> None:
    """A statement about the chunk of one origin under the name of another is refused."""
    stage.submitted()
    evaluation, _ = stage.right_evaluation()
    other = stage.nodes["AL"].submission_id
    stage.refused(OrderError, stage.changed("RS", evaluation, origin="AL"), "no such submission")
    stage.refused(OrderError, stage.changed("RS", evaluation, submission_id=other), "no such submission")
    stage.refused(BindingError, stage.changed("RS", evaluation, origin="AL", submission_id=other), "digest differ")
    with pytest.raises(DigestError):
        stage.send_chunk("AL", "RS", FULL, stage.nodes["SI"].chunks.elements(FULL))
