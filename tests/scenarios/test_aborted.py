"""The matcher aborts a round, before the opening and later: it reveals nothing more, and all keys go."""

import pytest

from aquila.errors import KeyMaterialError, OrderError
from aquila.protocol import matcher as roles
from aquila.protocol.messages import Outcome
from aquila.protocol.rounds.round_state import Phase
from tests.support.staged_round import NOW, StagedRound


def test_the_round_is_aborted_and_reveals_nothing(stage: StagedRound) -> None:
    stage.evaluated()
    stage.finalize(stage.nodes["RS"])
    stage.finalize(stage.nodes["SI"])
    graded = roles.GradedPairs({}, [], [], {})
    lists = roles.lists_to_join(stage.round)
    for report in roles.make_reports(stage.round, lists, graded, [], None, stage.random):
        stage.refused(OrderError, stage.matcher.report(report), "before every list is in")
    with pytest.raises(OrderError, match="cannot be closed yet"):
        stage.matcher.end(stage.round, Outcome.CLOSED, "as if nothing were", NOW)
    stage.abort()
    assert stage.round.phase is Phase.ABORTED
    assert not stage.round.reports


def test_after_the_abort_nothing_is_evaluated(stage: StagedRound) -> None:
    stage.submitted()
    stage.abort()
    elements = stage.nodes["SI"].chunks.elements(0)
    with pytest.raises(OrderError, match="not to be evaluated"):
        stage.send_chunk("SI", "RS", 0, elements)
    stage.nodes["RS"].secrets.close()
    stage.nodes["RS"].round.ending = None
    with pytest.raises(KeyMaterialError):
        stage.send_chunk("SI", "RS", 0, elements)


def test_every_party_signs_that_its_keys_are_gone(stage: StagedRound) -> None:
    stage.evaluated()
    stage.finalize(stage.nodes["RS"])
    stage.abort()
    for party_node in stage.nodes.values():
        stage.publish(party_node.party.close(party_node.round, party_node.next_sequence(), 0))
    assert set(stage.round.closings) == {"AL", "RS", "SI"}


def test_an_abort_before_the_opening(stage: StagedRound) -> None:
    party_node = stage.nodes["AL"]
    party_node.secrets, envelope = party_node.party.consent(
        party_node.round, party_node.next_sequence(), (), stage.random
    )
    stage.publish(envelope)
    stage.abort()
    stage.publish(party_node.party.close(party_node.round, party_node.next_sequence(), 0))
    assert stage.round.closings["AL"].binding is None
