"""How often a party may say something: each kind as often as the round can have it, and nothing after its last word."""

from collections.abc import Callable

import pytest

from aquila.errors import BindingError, MalformedError, OrderError, PolicyError, RepeatedError
from aquila.matching.certainty import Level
from aquila.protocol.messages import FollowUp, LevelCounts, LevelOutcomes, Notes, PairOutcomes, Receipt, Refusal
from aquila.protocol.rounds import statement_limits
from aquila.protocol.rounds.follow_ups import sealed_length
from aquila.protocol.rounds.round_state import ReportKey, SentNotes
from aquila.protocol.rounds.statement_limits import CHANGES_OF_A_HIT, acknowledged_hits
from tests.support.staged_round import NOW, StagedRound

NONE = LevelCounts(high=0, medium=0, low=0)


def refusals(stage: StagedRound, code: str, count: int) -> list[bytes]:
    node = stage.nodes[code]
    return [node.party.refuse(node.round, node.next_sequence(), f"reason {number}") for number in range(count)]


def test_a_refusal_counts_once(stage: StagedRound) -> None:
    stage.submitted()
    first, second, *more = refusals(stage, "SI", 1_500)
    stage.publish(first)
    stage.refused(RepeatedError, second, "ended its part")
    before = repr(stage.round)
    for envelope in more:
        with pytest.raises(RepeatedError):
            stage.round.accept(envelope, now=stage.now)
    assert repr(stage.round) == before


def test_nothing_is_said_after_a_refusal_or_closing(stage: StagedRound) -> None:
    stage.reported()
    stage.exchange_notes()
    stage.close()
    node = stage.nodes["SI"]
    stage.refused(RepeatedError, node.party.close(node.round, node.sequence + 1, 3), "no closing any more")
    stage.refused(RepeatedError, node.party.refuse(node.round, node.sequence + 1, "late"), "no refusal any more")


def test_what_was_stored_is_read_back_whatever_it_holds(stage: StagedRound) -> None:
    """A round in which a party said too much before there were bounds can still be opened."""
    stage.submitted()
    for envelope in refusals(stage, "SI", 3):
        stage.round.accept(envelope)
        stage.envelopes.append(envelope)
    restored = stage.restored(sees_everything=True)
    assert restored.refusals["SI"].reason == "reason 2"


def test_a_receipt_counts_once_and_has_the_reports_numbers(stage: StagedRound) -> None:
    stage.finalized()
    stage.match()
    key = ReportKey("SI", "RS", None)
    receipt = stage.round.receipts[key]
    assert receipt.hits == stage.round.reported[key]
    assert receipt.hits.total
    stage.refused(RepeatedError, stage.changed("SI", receipt), "acknowledged this report already", only={"SI"})
    del stage.round.receipts[key]
    moved = receipt.hits.model_copy(update={"high": receipt.hits.low, "low": receipt.hits.high})
    assert moved != receipt.hits
    more = receipt.hits.model_copy(update={"low": receipt.hits.low + 1})
    for hits in (moved, more):
        with pytest.raises(MalformedError, match="another number of hits"):
            stage.round.accept(stage.changed("SI", receipt, hits=hits), now=stage.now)
    with pytest.raises(BindingError, match="was not sent"):
        stage.round.accept(stage.changed("SI", receipt, counterpart="AL"), now=stage.now)
    # A record that read the report's digest alone has nothing to compare.
    del stage.round.reported[key]
    assert stage.round.accept(stage.changed("SI", receipt, hits=moved), now=stage.now).new


def test_as_many_batches_of_notes_as_hits(stage: StagedRound) -> None:
    stage.reported()
    hits = stage.round.reported["SI", "RS", None].total
    for index in range(hits):
        stage.round.keep_notes(str(index), SentNotes("SI", "RS", None, index))
    fields = {"to": "RS", "submission_id": None, "index": hits, "hits": 1, "sealed": "AAAA"}
    envelope = stage.signed("SI", stage.statement("SI", Notes, **fields))
    for known in (stage.round.reported, {}):
        stage.round.reported = known
        with pytest.raises(RepeatedError, match="more batches of notes"):
            stage.round.accept(envelope, now=stage.now)
    stage.round.receipts = {}
    with pytest.raises(RepeatedError, match="more batches of notes"):
        stage.round.accept(envelope, now=stage.now)
    assert stage.nodes["RS"].round.accept(envelope, now=stage.now).new


def test_outcomes_have_an_end(stage: StagedRound) -> None:
    stage.reported()
    node = stage.nodes["AL"]
    most = 1 + CHANGES_OF_A_HIT * acknowledged_hits(stage.round, "AL")
    counts = dict.fromkeys(("confirmed", "refuted", "unresolved", "withdrawn"), 0) | {"open": 1}
    pairs = [PairOutcomes(counterpart="RS", levels=(LevelOutcomes(certainty=Level.HIGH, **counts),))]
    for _ in range(most):
        stage.round.accept(node.party.report_outcomes(node.round, node.next_sequence(), pairs), now=stage.now)
    envelope = node.party.report_outcomes(node.round, node.next_sequence(), pairs)
    with pytest.raises(RepeatedError, match="more often"):
        stage.round.accept(envelope, now=stage.now)
    assert node.round.accept(envelope, now=stage.now).new


@pytest.mark.parametrize("changes", [CHANGES_OF_A_HIT, 2])
def test_follow_ups_have_an_end(stage: StagedRound, monkeypatch: pytest.MonkeyPatch, *, changes: int) -> None:
    """AL has one hit with RS, and there is one third party. Of many hits each telling is long: they are bounded."""
    monkeypatch.setattr(statement_limits, "MOST_CHANGES_TOLD", changes)
    stage.reported()
    for number in range(1 + 1 + changes + 1):
        said = stage.statement("AL", FollowUp, sequence=100 + number, to="RS", part=0, sealed="A" * sealed_length(1, 1))
        envelope = stage.signed("AL", said)
        if number <= 1 + changes:
            stage.round.accept(envelope, now=stage.now)
    with pytest.raises(RepeatedError, match="more often"):
        stage.round.accept(envelope, now=stage.now)


@pytest.mark.parametrize(("stage_of", "breaks"), [("proposed", False), ("consented", True), ("opened", True)])
def test_which_refusal_ends_a_round(stage: StagedRound, stage_of: str, *, breaks: bool) -> None:
    node = stage.nodes["SI"]
    if stage_of == "opened":
        stage.consent()
    elif stage_of == "consented":
        _, envelope = node.party.consent(node.round, node.next_sequence(), (), stage.random)
        stage.publish(envelope)
    stage.publish(node.party.refuse(node.round, node.next_sequence(), "no"))
    assert isinstance(stage.round.breaking_refusal, Refusal if breaks else type(None))


def test_who_is_not_in_the_opening_ends_no_round(stage: StagedRound) -> None:
    for code in ("RS", "SI"):
        node = stage.nodes[code]
        _, envelope = node.party.consent(node.round, node.next_sequence(), (), stage.random)
        stage.publish(envelope)
    stage.publish(stage.matcher.open(stage.round, stage.manifest.window.consent_by + 1))
    stage.publish(refusals(stage, "AL", 1)[0])
    assert stage.round.refusals
    assert stage.round.breaking_refusal is None


def test_no_hit_below_the_least_certainty(staged: Callable[..., StagedRound]) -> None:
    stage = staged(changes={"minimum_certainty": Level.HIGH}).finalized()
    stage.lie = lambda report: report.model_copy(
        update={"hits": tuple(hit.model_copy(update={"certainty": Level.MEDIUM}) for hit in report.hits)}
    )
    with pytest.raises(PolicyError, match="least certainty"):
        stage.match()


def test_no_tokens_before_the_counterparts_list(stage: StagedRound) -> None:
    stage.finalized()
    si, al = stage.nodes["SI"], stage.nodes["AL"]
    column = stage.round.tokens[si.submission_id, "AL"].column
    assert si.party.tokens(si.round, si.sequence + 1, si.submission_id, column)
    del si.round.submissions[al.submission_id]
    with pytest.raises(OrderError, match="before the list of AL"):
        si.party.tokens(si.round, si.sequence + 1, si.submission_id, column)


def test_a_receipt_of_nothing_is_refused_by_its_step(stage: StagedRound) -> None:
    """What is wrong otherwise is said by the step, not by the count."""
    stage.finalized()
    receipt = stage.statement("SI", Receipt, counterpart="RS", submission_id=None, report_digest="0" * 64, hits=NONE)
    with pytest.raises(Exception, match="was not sent"):
        stage.round.accept(stage.signed("SI", receipt), now=NOW)


def test_chunks_are_full_but_for_the_last_of_a_class(stage: StagedRound) -> None:
    """A list in crumbs would cost everyone an evaluation, a statement and a file for each."""
    stage.submitted()
    node = stage.nodes["SI"]
    known = stage.round.submissions.pop(node.submission_id)
    crumbs = tuple(
        chunk.model_copy(update={"elements": size})
        for chunk in known.chunks
        for size in ([1] * chunk.elements if chunk.input_class == "full" else [chunk.elements])
    )
    assert len(crumbs) > len(known.chunks)
    with pytest.raises(MalformedError, match="not its last is not full"):
        stage.round.accept(stage.changed("SI", known, chunks=crumbs), now=stage.now)
    stage.round.accept(stage.changed("SI", known), now=stage.now)
