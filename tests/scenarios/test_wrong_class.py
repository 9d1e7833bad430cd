"""A party evaluates an element of one class with the share of the other, or says so."""

import pytest

from aquila.errors import BindingError, ProofError
from aquila.records.rules import InputClass
from tests.support.staged_round import PARTIAL, StagedRound


def test_the_share_of_the_other_class(stage: StagedRound) -> None:
    stage.submitted()
    with pytest.raises(ProofError):
        stage.check(*stage.evaluation_with(stage.nodes["RS"].secrets.shares[InputClass.PARTIAL]))


def test_the_class_that_the_origin_did_not_sign(stage: StagedRound) -> None:
    """An evaluation of a full chunk that calls it partial, or the other way, is refused by everyone."""
    stage.submitted()
    full, _ = stage.right_evaluation()
    partial, _ = stage.right_evaluation(PARTIAL)
    for evaluation, other in ((full, InputClass.PARTIAL), (partial, InputClass.FULL)):
        stage.refused(BindingError, stage.changed("RS", evaluation, input_class=other), "class, size or digest")
