"""A node is started on an older copy of its database, and signs again what it has forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila.crypto.keys import SecretBytes
from aquila.errors import EquivocationError
from aquila.protocol.party import RoundSecrets

if TYPE_CHECKING:
    from tests.support.stage import Stage


def test_its_next_statement_is_an_equivocation(stage: Stage) -> None:
    """A number that the restored node takes again is found out by everyone, with both digests."""
    stage.submitted()
    seat = stage.nodes["SI"]
    stage.refused(
        EquivocationError, seat.party.refuse(seat.round, seat.sequence, "what did I say?"), "under the number 2"
    )


def test_its_second_list_is_refused(stage: Stage) -> None:
    """A list that is made anew from another seed is a second list."""
    stage.submitted()
    seat = stage.nodes["SI"]
    submission = stage.round.submissions[seat.submission_id]
    again = stage.changed("SI", submission, submission_id="0" * 32)
    stage.refused(EquivocationError, again, "submitted its list already")


def test_the_same_answer_again_has_another_nonce(stage: Stage) -> None:
    """Evaluated twice with other fresh bytes, a chunk has the same elements under another proof: no nonce repeats."""
    stage.submitted()
    seat, origin = stage.nodes["RS"], stage.nodes["SI"]
    chunk = origin.chunks.elements(0)
    answers = [
        seat.party.evaluate(seat.round, seat.secrets, 9, origin.submission_id, 0, chunk, bytes([fresh]) * 32)
        for fresh in (1, 1, 2)
    ]
    assert answers[0] == answers[1]
    assert answers[0].elements == answers[2].elements
    assert answers[0].envelope != answers[2].envelope


def test_its_secrets_come_back_whole(stage: Stage) -> None:
    """After an honest restart the round goes on with the secrets as they were sealed."""
    stage.submitted()
    for seat in stage.nodes.values():
        content = seat.secrets.to_bytes()
        seat.secrets.close()
        seat.secrets = RoundSecrets.from_bytes(stage.group, content)
        seat.seed = SecretBytes(seat.seed.to_bytes())
    stage.evaluate_all()
    stage.finalize_all()
    assert len(stage.match()) == 5
