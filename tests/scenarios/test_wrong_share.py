"""A party evaluates with another share than it consented to, or not at all."""

import hashlib

import pytest

from aquila.crypto.shares import new_share
from aquila.errors import ProofError
from aquila.records.rules import InputClass
from tests.support.staged_round import FULL, StagedRound


def test_the_right_share_verifies(stage: StagedRound) -> None:
    """What the stories below change is otherwise accepted."""
    stage.submitted()
    stage.check(*stage.right_evaluation())


def test_a_fresh_share(stage: StagedRound) -> None:
    stage.submitted()
    with pytest.raises(ProofError):
        stage.check(*stage.evaluation_with(new_share(stage.group, stage.random)))


def test_the_share_of_another_party(stage: StagedRound) -> None:
    """Each party answers with its own share, or the sum would count one twice."""
    stage.submitted()
    with pytest.raises(ProofError):
        stage.check(*stage.evaluation_with(stage.nodes["AL"].secrets.shares[InputClass.FULL]))


def test_a_relayed_element(stage: StagedRound) -> None:
    stage.submitted()
    evaluation, _ = stage.right_evaluation()
    relayed = stage.nodes["SI"].chunks.elements(FULL)
    lie = evaluation.model_copy(update={"output_digest": evaluation.input_digest})
    with pytest.raises(ProofError):
        stage.check(lie, relayed)


def test_one_wrong_element_among_right_ones(stage: StagedRound) -> None:
    """Two evaluated elements exchanged are found out, though both are right elsewhere."""
    stage.submitted()
    evaluation, elements = stage.right_evaluation()
    swapped = elements[32:64] + elements[:32] + elements[64:]
    lie = evaluation.model_copy(update={"output_digest": hashlib.sha256(swapped).hexdigest()})
    with pytest.raises(ProofError):
        stage.check(lie, swapped)
