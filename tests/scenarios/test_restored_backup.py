"""A node is started on an older copy of its database, and signs again what it has forgotten."""

from aquila.crypto.keys import SecretBytes
from aquila.errors import EquivocationError
from aquila.protocol.party import RoundSecrets
from tests.support.evaluations import evaluate
from tests.support.staged_round import StagedRound


def test_its_next_statement_is_an_equivocation(stage: StagedRound) -> None:
    """A number that the restored node takes again is found out by everyone, with both digests."""
    stage.submitted()
    party_node = stage.nodes["SI"]
    stage.refused(
        EquivocationError,
        party_node.party.refuse(party_node.round, party_node.sequence, "what did I say?"),
        "under the number 3",
    )


def test_its_second_list_is_refused(stage: StagedRound) -> None:
    stage.submitted()
    party_node = stage.nodes["SI"]
    submission = stage.round.submissions[party_node.submission_id]
    again = stage.changed("SI", submission, submission_id="0" * 32)
    stage.refused(EquivocationError, again, "submitted its list already")


def test_the_same_answer_again_has_another_nonce(stage: StagedRound) -> None:
    """Evaluated twice with other fresh bytes, a chunk has the same elements under another proof: no nonce repeats."""
    stage.submitted()
    party_node, origin = stage.nodes["RS"], stage.nodes["SI"]
    chunk = origin.chunks.elements(0)
    answers = [
        evaluate(
            party_node.party,
            party_node.round,
            party_node.secrets,
            9,
            origin.submission_id,
            0,
            chunk,
            bytes([fresh]) * 32,
        )
        for fresh in (1, 1, 2)
    ]
    assert answers[0] == answers[1]
    assert answers[0].elements == answers[2].elements
    assert answers[0].envelope != answers[2].envelope


def test_its_secrets_come_back_whole(stage: StagedRound) -> None:
    """After an honest restart the round goes on with the secrets as they were sealed."""
    stage.submitted()
    for party_node in stage.nodes.values():
        content = party_node.secrets.to_bytes()
        party_node.secrets.close()
        party_node.secrets = RoundSecrets.from_bytes(stage.group, content)
        party_node.seed = SecretBytes(party_node.seed.to_bytes())
    stage.evaluate_all()
    stage.finalize_all()
    assert len(stage.match()) == 5
