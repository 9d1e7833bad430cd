"""A party wants to join a round that is open already."""

import pytest

from aquila.errors import BindingError, EquivocationError, OrderError
from aquila.protocol.messages import Opening
from aquila.protocol.rounds.rules import binding_of
from tests.support.staged_round import StagedRound


def open_without(stage: StagedRound, code: str) -> bytes:
    party_node = stage.nodes[code]
    party_node.secrets, late = party_node.party.consent(party_node.round, party_node.next_sequence(), (), stage.random)
    for other in stage.nodes.values():
        if other is not party_node:
            other.secrets, envelope = other.party.consent(other.round, other.next_sequence(), (), stage.random)
            stage.publish(envelope)
    stage.publish(stage.matcher.open(stage.round, stage.now + 1))
    return late


def test_a_consent_after_the_opening(stage: StagedRound) -> None:
    stage.refused(OrderError, open_without(stage, "AL"), "no party joins late")
    assert stage.round.participants == ("RS", "SI")


def test_it_sees_that_it_was_left_out(stage: StagedRound) -> None:
    open_without(stage, "AL")
    party_node = stage.nodes["AL"]
    with pytest.raises(BindingError, match="opened without the consent of AL"):
        party_node.party.check_opening(party_node.round, "0" * 64)


def test_it_takes_part_in_nothing(stage: StagedRound) -> None:
    open_without(stage, "AL")
    late = stage.nodes.pop("AL")
    stage.lock()
    stage.submit(stage.nodes["SI"])
    stage.nodes["AL"] = late
    locks = late.party.locks(late.round, late.next_sequence(), late.secrets)
    stage.refused(OrderError, locks, "AL does not take part in the round")
    with pytest.raises(OrderError, match="not to be evaluated"):
        stage.send_chunk("SI", "AL", 0, stage.nodes["SI"].chunks.elements(0))


def test_a_second_opening(stage: StagedRound) -> None:
    stage.consent()
    consents = tuple({"party": code, "digest": stage.round.consent_digests[code]} for code in ("RS", "SI"))
    binding = binding_of(stage.round.manifest_digest, [(c["party"], c["digest"]) for c in consents])
    opening = Opening(round_id=stage.manifest.round_id, consents=consents, binding=binding)
    stage.refused(EquivocationError, stage.signed("matcher", opening), "two different announcements")
