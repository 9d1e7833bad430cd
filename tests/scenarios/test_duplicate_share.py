"""A party brings a share that is not its own: one twice, another party's, the identity, or an unknown one."""

import pytest

from aquila.crypto.shares import Share, new_share
from aquila.errors import BindingError, MalformedError, PolicyError, ProofError
from aquila.protocol.messages import Consent
from aquila.records.rules import InputClass
from tests.support.staged_round import StagedRound


def consent_of(stage: StagedRound, code: str) -> Consent:
    node = stage.nodes[code]
    node.secrets, envelope = node.party.consent(node.round, node.next_sequence(), (), stage.random)
    stage.publish(envelope)
    return stage.round.consents[code]


def test_one_share_for_two_classes(stage: StagedRound) -> None:
    share, other = (new_share(stage.group, stage.random) for _ in range(2))
    stage.refused(PolicyError, stage.consent_with("SI", other, share, share), "in use already")


def test_a_share_of_another_party(stage: StagedRound) -> None:
    """Whoever colludes and knows another's share cannot bring it a second time, in any class."""
    consent_of(stage, "AL")
    known, fresh = stage.nodes["AL"].secrets.shares, [new_share(stage.group, stage.random) for _ in range(2)]
    for share in known.values():
        copied = Share.from_bytes(stage.group, share.to_bytes())
        stage.refused(PolicyError, stage.consent_with("SI", copied, *fresh), "in use already")
        stage.refused(PolicyError, stage.consent_with("SI", *fresh, copied), "in use already")


def test_the_keys_and_proofs_of_another_party(stage: StagedRound) -> None:
    theirs = consent_of(stage, "AL")
    stage.refused(PolicyError, stage.changed("SI", theirs, party="SI"), "in use already")
    stage.forget()
    stage.refused(ProofError, stage.changed("SI", theirs, party="SI", sequence=1))


def test_the_identity_as_a_share(stage: StagedRound) -> None:
    own = consent_of(stage, "AL")
    stage.forget()
    zero = own.shares[0].model_copy(update={"public_key": "0" * 64})
    stage.refused(MalformedError, stage.changed("AL", own, shares=(zero, *own.shares[1:])))


def test_a_share_that_cancels_the_others(stage: StagedRound) -> None:
    """A key chosen as a function of the others' has no proof that its holder knows the share."""
    other = consent_of(stage, "AL")
    mine = consent_of(stage, "SI")
    stage.forget()
    key = bytes.fromhex(other.shares[0].public_key)
    rogue = stage.group.multiply(key, (2).to_bytes(32, "little")).hex()
    shares = (mine.shares[0].model_copy(update={"public_key": rogue}), *mine.shares[1:])
    with pytest.raises(ProofError):
        stage.round.accept(stage.changed("SI", mine, shares=shares))


def test_a_proof_for_another_round(stage: StagedRound) -> None:
    shares = [new_share(stage.group, stage.random) for _ in InputClass]
    other = stage.consent_with("SI", *shares, manifest_digest="0" * 64)
    stage.refused(BindingError, other, "another manifest")
    message = stage.statement_in(other, Consent)
    stage.refused(ProofError, stage.changed("SI", message, manifest_digest=stage.round.manifest_digest))


def test_a_proof_for_other_keys(stage: StagedRound) -> None:
    own = consent_of(stage, "AL")
    stage.forget()
    stage.refused(ProofError, stage.changed("AL", own, sealing_key="00"))
    stage.refused(
        ProofError,
        stage.changed(
            "AL",
            own,
            shares=tuple(
                share.model_copy(update={"input_class": other.input_class})
                for share, other in zip(own.shares[::-1], own.shares, strict=True)
            ),
        ),
    )
