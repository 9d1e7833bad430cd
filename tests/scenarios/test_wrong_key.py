"""Someone signs with a key that is not the pinned one, or in another's name."""

import pytest

from aquila.crypto.envelope import sign_envelope
from aquila.crypto.keys import IdentityKey
from aquila.errors import PolicyError, SignatureError
from aquila.protocol.messages import Opening, Outcome, Refusal
from aquila.protocol.registry import RegisteredParty, Registry
from aquila.protocol.rounds.verified_round import Round
from aquila.records.conformance import normalizer_reference
from tests.support.staged_round import NOW, StagedRound


def refusal(stage: StagedRound, party: str) -> Refusal:
    return Refusal(round_id=stage.manifest.round_id, party=party, sequence=1, reason="no")


def test_an_unknown_key(stage: StagedRound) -> None:
    message, key = refusal(stage, "SI"), IdentityKey.generate(stage.random)
    stage.refused(SignatureError, sign_envelope(message.payload_type, message.payload(), key), "not known here")


def test_the_key_of_another_party(stage: StagedRound) -> None:
    stage.refused(SignatureError, stage.signed("RS", refusal(stage, "SI")), "another party than it names")
    stage.refused(SignatureError, stage.signed("matcher", refusal(stage, "SI")), "another party than it names")


def test_a_broken_signature(stage: StagedRound) -> None:
    content = stage.signed("SI", refusal(stage, "SI"))
    other = stage.signed("SI", refusal(stage, "SI").model_copy(update={"reason": "yes"}))
    signature = content.split(b'"sig":"')[1]
    stage.refused(SignatureError, other.split(b'"sig":"')[0] + b'"sig":"' + signature)


def test_a_party_cannot_announce(stage: StagedRound) -> None:
    stage.consent()
    opening = Opening.from_payload(stage.signed_payloads()[-1])
    stage.refused(SignatureError, stage.signed("SI", opening), "only the matcher announces")


def test_a_manifest_of_a_party(stage: StagedRound) -> None:
    with pytest.raises(SignatureError):
        Round.from_manifest(stage.registry, stage.group, stage.signed("SI", stage.manifest))


def test_a_manifest_with_another_fingerprint(stage: StagedRound) -> None:
    parties = dict(stage.registry.parties)
    parties["SI"] = RegisteredParty("SI", "SI", IdentityKey.generate(stage.random).public)
    with pytest.raises(SignatureError, match="another identity key for SI"):
        Round.from_manifest(Registry(stage.registry.matcher, parties), stage.group, stage.manifest_envelope)
    del parties["SI"]
    with pytest.raises(SignatureError, match="does not know the party SI"):
        Round.from_manifest(Registry(stage.registry.matcher, parties), stage.group, stage.manifest_envelope)


def test_a_registered_party_that_is_not_invited(stage: StagedRound) -> None:
    key = IdentityKey.generate(stage.random)
    parties = dict(stage.registry.parties) | {"XK": RegisteredParty("XK", "Kosovo*", key.public)}
    record = Round.from_manifest(Registry(stage.registry.matcher, parties), stage.group, stage.manifest_envelope)
    message = refusal(stage, "XK")
    with pytest.raises(SignatureError):
        record.accept(sign_envelope(message.payload_type, message.payload(), key))


def test_a_node_with_another_key_than_the_manifest_names(stage: StagedRound) -> None:
    other = type(stage.nodes["SI"].party)("SI", IdentityKey.generate(stage.random), stage.group)
    with pytest.raises(PolicyError, match="does not name SI"):
        other.check_manifest(stage.manifest, stage.table, normalizer_reference())


def test_an_ending_by_a_party(stage: StagedRound) -> None:
    stage.consent()
    ending = stage.matcher.end(stage.round, Outcome.ABORTED, "no", NOW)
    message = stage.round.accept(ending).message
    stage.round.ending = None
    with pytest.raises(SignatureError, match="only the matcher"):
        stage.nodes["AL"].round.accept(stage.signed("SI", message))
