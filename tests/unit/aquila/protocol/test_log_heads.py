"""Statements name what their signers saw last of the matcher's log."""

from dataclasses import replace

import pytest

from aquila.crypto.envelope import sign_envelope
from aquila.errors import MalformedError, OrderError
from aquila.protocol.messages import Consent, LogHead
from tests.support.staged_round import StagedRound

SEEN = LogHead(size=17, root="ab" * 32)


def let_see(stage: StagedRound, code: str, head: LogHead | None) -> None:
    node = stage.nodes[code]
    node.party = replace(node.party, log_head=lambda: head)


def test_a_round_goes_on_with_what_was_seen(stage: StagedRound) -> None:
    """Every statement of a whole round names the head that its signer saw when it signed."""
    for number, code in enumerate(stage.nodes):
        let_see(stage, code, LogHead(size=1 + number, root="cd" * 32))
    stage.reported()
    consents = stage.round.consents
    assert [consents[code].log_head for code in stage.nodes] == [
        LogHead(size=1 + number, root="cd" * 32) for number, _ in enumerate(stage.nodes)
    ]
    said = [*stage.round.submissions.values(), *stage.round.evaluations.values(), *stage.round.tokens.values()]
    assert all(one.log_head is not None for one in said)


def test_nothing_is_signed_before_the_log_was_seen(stage: StagedRound) -> None:
    node = next(iter(stage.nodes.values()))
    let_see(stage, node.party.code, None)
    with pytest.raises(OrderError, match="has not been seen"):
        node.party.consent(node.round, 1, (), stage.random)
    stage.publish(node.party.refuse(stage.round, 1, "the log cannot be reached"))
    assert stage.round.refusals[node.party.code].log_head is None


def test_a_statement_that_names_nothing_is_refused(stage: StagedRound) -> None:
    node = next(iter(stage.nodes.values()))
    let_see(stage, node.party.code, SEEN)
    _, envelope = node.party.consent(stage.round, 1, (), stage.random)
    named = stage.round.accept(envelope).message
    stage.forget()
    assert isinstance(named, Consent)
    payload = named.model_copy(update={"log_head": None}).payload()
    silent = sign_envelope(named.payload_type, payload, node.party.identity)
    with pytest.raises(MalformedError, match="names no checkpoint"):
        stage.round.accept(silent)
    assert not stage.round.consents
