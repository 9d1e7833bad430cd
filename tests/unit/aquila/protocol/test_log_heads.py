"""Statements name what their signers saw last of the matcher's log, in rounds of the revision that asks for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aquila.errors import MalformedError, OrderError
from aquila.protocol.messages import LOG_HEADS, PARTY_STATEMENTS, WITHHELD_ANSWERS, Consent, LogHead, Manifest, Refusal
from tests.support.samples import SAMPLES, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from aquila.protocol.messages import Statement
    from tests.support.staged_round import StagedRound

SEEN = LogHead(size=17, root="ab" * 32)


@pytest.fixture
def stage(staged: Callable[..., StagedRound]) -> StagedRound:
    """A round whose statements name heads of the log."""
    made = staged()
    made.restage({"revision": LOG_HEADS})
    return made


def let_see(stage: StagedRound, code: str, head: LogHead | None) -> None:
    """Let a party see a head of the matcher's log."""
    node = stage.nodes[code]
    node.party = replace(node.party, log_head=lambda: head)


@pytest.mark.parametrize("kind", PARTY_STATEMENTS)
def test_a_statement_of_before_reads_as_it_was(kind: type[Statement]) -> None:
    """Without the field a statement is encoded as it was signed; with it, it comes back with it."""
    before = read(kind)
    assert b"log_head" not in before.payload()
    named = read(kind, log_head=SEEN.model_dump())
    assert kind.from_payload(named.payload()) == named != before


def test_a_manifest_of_before_reads_as_it_was() -> None:
    """A manifest without a revision has none when it is encoded again."""
    assert not Manifest.from_payload(read(Manifest).payload()).names_log_heads
    assert read(Manifest, revision=LOG_HEADS).names_log_heads
    assert not read(Manifest, revision=LOG_HEADS).has_withheld_answers
    assert read(Manifest, revision=WITHHELD_ANSWERS).names_log_heads
    assert read(Manifest, revision=WITHHELD_ANSWERS).has_withheld_answers
    with pytest.raises(MalformedError, match="revision"):
        read(Manifest, revision=WITHHELD_ANSWERS + 1)
    assert "revision" not in SAMPLES[Manifest]


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
    """A party that has seen nothing of the log signs nothing but that it takes no part."""
    node = next(iter(stage.nodes.values()))
    with pytest.raises(OrderError, match="has not been seen"):
        node.party.consent(node.round, 1, (), stage.random)
    stage.publish(node.party.refuse(stage.round, 1, "the log cannot be reached"))
    assert stage.round.refusals[node.party.code].log_head is None


def test_a_statement_that_names_nothing_is_refused(stage: StagedRound) -> None:
    """Where statements name what was seen, one that does not is refused, and changes nothing."""
    node = next(iter(stage.nodes.values()))
    let_see(stage, node.party.code, SEEN)
    _, envelope = node.party.consent(stage.round, 1, (), stage.random)
    named = stage.round.accept(envelope).message
    stage.forget()
    assert isinstance(named, Consent)
    silent = stage.signed(node.party.code, named.model_copy(update={"log_head": None}))
    with pytest.raises(MalformedError, match="names no checkpoint"):
        stage.round.accept(silent)
    assert not stage.round.consents


def test_an_earlier_round_takes_no_new_field(staged: Callable[..., StagedRound]) -> None:
    """A round that was proposed before goes on by its own rules, for which earlier versions can read all of it."""
    stage = staged()
    code = next(iter(stage.nodes))
    let_see(stage, code, SEEN)
    stage.consent()
    assert all(consent.log_head is None for consent in stage.round.consents.values())
    named = Refusal(round_id=stage.round.round_id, party=code, sequence=9, reason="none", log_head=SEEN)
    with pytest.raises(MalformedError, match="names a checkpoint"):
        stage.round.accept(stage.signed(code, named))
