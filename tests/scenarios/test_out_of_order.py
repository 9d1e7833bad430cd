"""Someone takes a step that is not due: before the opening, before the receipt, after the end."""

import pytest

from aquila.errors import BindingError, OrderError
from aquila.protocol.messages import Closing, Ending, Opening, Outcome, Submission
from tests.support.staged_round import NOW, StagedRound


def test_a_submission_before_the_opening(stage: StagedRound) -> None:
    stage.submitted()
    submission = stage.round.submissions[stage.nodes["SI"].submission_id]
    stage.restage({})
    stage.refused(OrderError, stage.changed("SI", submission), "not open yet")


def test_the_matcher_opens_twice(stage: StagedRound) -> None:
    stage.consent()
    with pytest.raises(OrderError, match="open already"):
        stage.matcher.open(stage.round, stage.now)


def test_an_opening_after_the_abort(stage: StagedRound) -> None:
    for party_node in stage.nodes.values():
        party_node.secrets, envelope = party_node.party.consent(
            party_node.round, party_node.next_sequence(), (), stage.random
        )
        stage.publish(envelope)
    opening = stage.matcher.open(stage.round, stage.now)
    stage.abort()
    stage.refused(OrderError, opening, "the round is aborted already")


def test_an_opening_with_a_consent_too_few(stage: StagedRound) -> None:
    """A node finds out that its own consent is missing, though everything else is right."""
    stage.consent()
    opening = Opening.from_payload(stage.signed_payloads()[-1])
    record = stage.new_record()
    for envelope in stage.envelopes[:3]:
        record.accept(envelope)
    short = opening.consents[:2]
    with pytest.raises(BindingError, match="another binding"):
        record.accept(stage.signed("matcher", opening.model_copy(update={"consents": short})))


def test_closing_before_the_receipt(stage: StagedRound) -> None:
    """A party that closes before it has all its hits would leave the other side alone: the matcher, who knows, refuses.

    Nor is the receipt of one report of two enough.
    """
    stage.reported()
    del stage.round.receipts["SI", "RS", None]
    closing = stage.statement("SI", Closing, destroyed=True, hits=0, binding=stage.round.binding)
    with pytest.raises(OrderError, match="closes before it has its hits"):
        stage.round.accept(stage.signed("SI", closing))


def test_closing_another_round(stage: StagedRound) -> None:
    stage.reported()
    for binding in ("0" * 64, None):
        closing = stage.statement("SI", Closing, destroyed=True, hits=0, binding=binding)
        stage.refused(BindingError, stage.signed("SI", closing), "another round than this")


def test_the_matcher_closes_before_all_receipts(stage: StagedRound) -> None:
    """While a party has not acknowledged its hits, the matcher does not close the round, and says for whom it waits."""
    stage.reported()
    del stage.round.receipts["RS", "SI", None]
    with pytest.raises(OrderError, match="waiting for RS"):
        stage.matcher.end(stage.round, Outcome.CLOSED, "done", NOW)


def test_the_matcher_ends_twice(stage: StagedRound) -> None:
    stage.reported()
    stage.exchange_notes()
    stage.close()
    with pytest.raises(OrderError, match="closed already"):
        stage.matcher.end(stage.round, Outcome.ABORTED, "again", NOW)


def test_closed_without_a_report(stage: StagedRound) -> None:
    stage.finalized()
    ending = Ending(round_id=stage.manifest.round_id, outcome=Outcome.CLOSED, reason="done")
    with pytest.raises(OrderError, match="closed after its hits were reported"):
        stage.round.accept(stage.signed("matcher", ending), now=stage.now)
    # A party sees no report of others: from the opening on it takes such an ending.
    assert stage.nodes["SI"].round.accept(stage.signed("matcher", ending), now=stage.now).new


def test_closed_before_the_lists_are_in(stage: StagedRound) -> None:
    """Neither the matcher's ending nor a party's closing counts, before the opening and while tokens are missing."""
    ending = Ending(round_id=stage.manifest.round_id, outcome=Outcome.CLOSED, reason="done")
    for binding in (None, "of the round"):
        records = None if binding is None else ()
        stage.refused(OrderError, stage.signed("matcher", ending), "closed after its hits were reported", only=records)
        named = binding and stage.round.binding
        closing = stage.statement("SI", Closing, destroyed=True, hits=0, binding=named)
        with pytest.raises(OrderError, match="closes before it has its hits"):
            stage.round.accept(stage.signed("SI", closing), now=stage.now)
        if binding is None:
            stage.evaluated()


def test_after_the_end(stage: StagedRound) -> None:
    stage.finalized()
    record, si = stage.round, stage.nodes["SI"]
    evaluation = record.evaluations[stage.nodes["AL"].submission_id, 0, "SI"]
    statements = [
        stage.changed("SI", record.consents["SI"]),
        stage.changed("SI", record.submissions[si.submission_id]),
        stage.changed("SI", evaluation),
        stage.changed("SI", record.tokens[si.submission_id, "AL"]),
    ]
    stage.abort()
    for envelope in statements:
        stage.refused(OrderError, envelope, r"has ended \(aborted\)")


def test_a_party_goes(stage: StagedRound) -> None:
    stage.submitted()
    party_node = stage.nodes["SI"]
    stage.publish(party_node.party.refuse(party_node.round, party_node.next_sequence(), "restored from a backup"))
    assert stage.round.refusals["SI"].reason == "restored from a backup"
    assert isinstance(stage.round.submissions[party_node.submission_id], Submission)
