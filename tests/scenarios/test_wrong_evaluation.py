"""A party evaluates what it was not asked, or twice."""

import pytest

from aquila.crypto.shares import new_share
from aquila.errors import EquivocationError, MalformedError, OrderError
from tests.support.evaluations import evaluate
from tests.support.staged_round import FULL, StagedRound


def test_a_chunk_that_is_not_there(stage: StagedRound) -> None:
    stage.submitted()
    evaluation, _ = stage.right_evaluation()
    stage.refused(MalformedError, stage.changed("RS", evaluation, index=99), "no such chunk")
    with pytest.raises(OrderError, match="no such chunk"):
        stage.send_chunk("SI", "RS", 99, b"")


def test_its_own_elements(stage: StagedRound) -> None:
    stage.submitted()
    evaluation, _ = stage.right_evaluation()
    own = stage.changed("SI", evaluation, party="SI")
    stage.refused(OrderError, own, "by itself")
    with pytest.raises(OrderError, match="not to be evaluated"):
        stage.send_chunk("SI", "SI", FULL, stage.nodes["SI"].chunks.elements(FULL))


def test_two_answers_to_one_chunk(stage: StagedRound) -> None:
    stage.submitted()
    stage.check(*stage.right_evaluation())
    stage.nodes["RS"].sequence += 1
    other, _ = stage.evaluation_with(new_share(stage.group, stage.random))
    stage.refused(EquivocationError, stage.signed("RS", other), "evaluated this chunk already")


def test_an_unknown_submission(stage: StagedRound) -> None:
    stage.submitted()
    node = stage.nodes["RS"]
    with pytest.raises(OrderError, match="not to be evaluated"):
        evaluate(node.party, node.round, node.secrets, 9, "0" * 32, 0, b"", bytes(32))
