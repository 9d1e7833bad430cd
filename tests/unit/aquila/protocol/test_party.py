"""A party's role: what it refuses to sign or to use; lies of others are told in tests/scenarios."""

import json

import pytest

from aquila.crypto.dleq import verify_chunk
from aquila.crypto.group import Group
from aquila.errors import BindingError, DigestError, KeyMaterialError, OrderError, PolicyError
from aquila.protocol.messages import ClassCounts, EarlierRound, Evaluation, Kind, Spent, TableReference
from aquila.protocol.party import RoundSecrets, check_digest, chunk_of, proof_context, share_key
from aquila.records.conformance import normalizer_reference
from aquila.records.rules import InputClass, load_rules
from aquila.simulation import REHEARSED
from tests.support.staged_round import StagedRound


@pytest.fixture
def secrets(stage: StagedRound) -> RoundSecrets:
    made, _ = stage.nodes["SI"].party.consent(stage.round, 1, (), stage.random)
    return made


def test_secrets_come_back(group: Group, secrets: RoundSecrets) -> None:
    again = RoundSecrets.from_bytes(group, secrets.to_bytes())
    assert again.to_bytes() == secrets.to_bytes()
    assert [again.shares[kind].public_key for kind in InputClass] == [
        secrets.shares[kind].public_key for kind in InputClass
    ]
    assert (again.lock, again.sealing.public) == (secrets.lock, secrets.sealing.public)


def test_secrets_do_not_show_themselves(secrets: RoundSecrets) -> None:
    assert repr(secrets) == "RoundSecrets(...)"
    secrets.close()
    with pytest.raises(KeyMaterialError):
        secrets.to_bytes()


@pytest.mark.parametrize("change", [{"full": "00" * 32}, {"coarse": "zz"}, {"lock": "zz"}, {"sealing": 17}, None])
def test_bytes_that_are_no_secrets(group: Group, secrets: RoundSecrets, change: dict[str, object] | None) -> None:
    """A zero share, no hexadecimal, a missing key: each is key material that cannot be read."""
    content = json.loads(secrets.to_bytes())
    broken = json.dumps(content | change if change else {"full": content["full"]}).encode()
    for octets in (broken, b"", b"[]", b"\xff", b"{}"):
        with pytest.raises(KeyMaterialError, match="cannot be read"):
            RoundSecrets.from_bytes(group, octets)


def test_a_round_with_other_rules(stage: StagedRound) -> None:
    """A node whose rule table differs from the manifest's refuses to take part."""
    party = stage.nodes["SI"].party
    party.check_manifest(stage.manifest, stage.table, normalizer_reference())
    with pytest.raises(PolicyError, match="other match rules") as caught:
        party.check_manifest(stage.manifest, load_rules("exact"), normalizer_reference())
    assert caught.value.fields["expected"] == stage.table.digest


@pytest.mark.parametrize("change", [{"name": "normalizer 0"}, {"digest": "0" * 64}], ids=["version", "conformance"])
def test_a_round_with_another_normalizer(stage: StagedRound, change: dict[str, str]) -> None:
    other = TableReference(**(stage.manifest.normalizer.model_dump() | change))
    with pytest.raises(PolicyError, match="normalizes names otherwise"):
        stage.nodes["SI"].party.check_manifest(
            stage.manifest.model_copy(update={"normalizer": other}), stage.table, normalizer_reference()
        )


def test_a_consent_says_what_was_spent_before(stage: StagedRound) -> None:
    elements = ClassCounts(full=7, partial=9, coarse=8)
    earlier = EarlierRound(round_id="b" * 32, spent=(Spent(origin="AL", elements=elements),))
    _, envelope = stage.nodes["SI"].party.consent(stage.round, 1, [earlier], stage.random)
    stage.publish(envelope)
    assert stage.round.consents["SI"].earlier_rounds == (earlier,)


def test_an_opening_with_another_consent_of_ours(stage: StagedRound) -> None:
    stage.consent()
    party_node = stage.nodes["SI"]
    party_node.party.check_opening(party_node.round, party_node.round.consent_digests["SI"])
    with pytest.raises(BindingError, match="without the consent of SI"):
        party_node.party.check_opening(party_node.round, "0" * 64)


def test_nothing_to_submit(stage: StagedRound) -> None:
    """A list of which every value is held back gives no chunk, and no statement."""
    stage.locked()
    party_node = stage.nodes["SI"]
    with pytest.raises(PolicyError, match="nothing to submit"):
        party_node.party.submit(party_node.round, 3, "a" * 32, Kind.LIST, REHEARSED, 5, [])


def test_an_evaluation_is_verified_under_its_share(stage: StagedRound) -> None:
    stage.submitted()
    origin = stage.nodes["SI"]
    answer = stage.send_chunk("SI", "RS", 0, origin.chunks.elements(0))
    statement = stage.statement_in(answer.envelope, Evaluation)
    submission = stage.round.submissions[origin.submission_id]
    key = share_key(stage.round, "RS", InputClass.FULL)
    assert key == stage.nodes["RS"].secrets.shares[InputClass.FULL].public_key
    context = proof_context(stage.round, submission, 0, "RS")
    proof = bytes.fromhex(statement.proof)
    verify_chunk(stage.group, key, context, origin.chunks.elements(0), answer.elements, proof)
    contexts = {proof_context(stage.round, submission, index, party) for index in (0, 1, 2) for party in ("AL", "RS")}
    contexts.add(proof_context(stage.round, stage.round.submissions[stage.nodes["AL"].submission_id], 0, "RS"))
    assert len(contexts) == 7


@pytest.mark.parametrize("index", [-1, 4, 99])
def test_a_chunk_that_is_not_there(stage: StagedRound, index: int) -> None:
    stage.submitted()
    submission = stage.round.submissions[stage.nodes["SI"].submission_id]
    assert len(submission.chunks) == 4
    with pytest.raises(OrderError, match="no such chunk"):
        chunk_of(submission, index)


def test_a_wrong_digest_says_where() -> None:
    with pytest.raises(DigestError) as caught:
        check_digest(b"bytes", "0" * 64, chunk=3)
    assert (caught.value.fields["expected"], caught.value.fields["chunk"]) == ("0" * 64, 3)
