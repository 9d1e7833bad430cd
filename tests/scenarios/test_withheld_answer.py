"""An owner tells a query's asker that its answer is on hold or refused; the report is then without it."""

from collections.abc import Callable

import pytest

from aquila.errors import AquilaError, BindingError, OrderError, PolicyError, RepeatedError
from aquila.followup.lifecycle import Ground
from aquila.protocol.matcher import without_refused
from aquila.protocol.messages import HitReport, Mode, WithheldAnswer, Withholding
from aquila.protocol.rounds.exchange import unfinished
from aquila.simulation import SimulatedParty
from tests.support.staged_round import LISTS, StagedRound

ON_HOLD, REFUSED = Withholding


def play(stage: StagedRound) -> tuple[SimulatedParty, HitReport]:
    stage.restage({"mode": Mode.LISTS_AND_QUERIES})
    stage.finalized()
    asker = stage.ask("SI", LISTS["AL"][:2])
    stage.answer(asker)
    reports = {report.party: report for report in stage.reports_of(asker)}
    for code in ("AL", "RS"):
        stage.publish(stage.matcher.report(reports[code]), only=[code])
    owner = stage.nodes["AL"]
    alarm = owner.party.alarm(owner.round, owner.next_sequence(), asker.submission_id, 40, 1.5)
    stage.publish(alarm, only=["AL"])
    return asker, reports["SI"]


@pytest.fixture
def asked(staged: Callable[..., StagedRound]) -> tuple[StagedRound, SimulatedParty, HitReport]:
    stage = staged()
    return stage, *play(stage)


def withhold(stage: StagedRound, code: str, query: str, state: Withholding) -> bytes:
    """Let a party sign that its answer is withheld, under its next number; the number is not taken yet."""
    node = stage.nodes[code]
    return node.party.withhold_answer(node.round, node.sequence + 1, query, state)


def tell(stage: StagedRound, code: str, query: str, state: Withholding) -> None:
    """Let a party withhold its answer; it and the asker hear of it."""
    envelope = withhold(stage, code, query, state)
    stage.nodes[code].next_sequence()
    stage.publish(envelope, only=[code, "SI"])


def not_taken(stage: StagedRound, error: type[AquilaError], envelope: bytes, match: str) -> None:
    with pytest.raises(error, match=match):
        stage.round.accept(envelope, now=stage.now)


def test_a_refused_answer_is_left_out_of_the_report(asked: tuple[StagedRound, SimulatedParty, HitReport]) -> None:
    stage, asker, report = asked
    query = asker.submission_id
    tell(stage, "AL", query, ON_HOLD)
    assert stage.nodes["SI"].round.withheld == {("AL", query): ON_HOLD}
    assert without_refused(stage.round, report) == report
    tell(stage, "AL", query, REFUSED)
    assert stage.nodes["SI"].round.has_refused("AL", query)
    told = without_refused(stage.round, report)
    assert {hit.counterpart for hit in report.hits} == {"AL", "RS"}
    assert {hit.counterpart for hit in told.hits} == {"RS"}
    assert {basis.counterpart for basis in told.bases} == {"RS"}
    # Neither the matcher nor the asker takes the report with anything of it.
    for hits, bases in ((report.hits, told.bases), (told.hits, report.bases)):
        false = stage.matcher.report(report.model_copy(update={"hits": hits, "bases": bases}))
        for record in (stage.round, stage.nodes["SI"].round):
            with pytest.raises(PolicyError, match="which has refused its answer"):
                record.accept(false, now=stage.now)
    stage.publish(stage.matcher.report(told), only=["SI"])
    # Nobody waits for notes of hits that one side is never told, and none of them is withdrawn.
    assert not {("AL", "SI"), ("SI", "AL")} & set(unfinished(stage.round))
    assert ("RS", "SI") in unfinished(stage.round)
    owner = stage.nodes["AL"]
    withdrawal = owner.party.withdraw(owner.round, owner.sequence + 1, "SI", ["0" * 32], Ground.ERASED, query)
    not_taken(stage, OrderError, withdrawal, "before SI has its report of it")
    # Nor does the owner change its mind.
    hits = stage.round.reported["AL", query].total()
    receipt = owner.party.receipt(owner.round, owner.sequence + 1, query, hits)
    not_taken(stage, OrderError, receipt, "after it has refused its answer")
    assert stage.restored(sees_everything=True).withheld == stage.round.withheld


def test_what_is_no_withheld_answer(asked: tuple[StagedRound, SimulatedParty, HitReport]) -> None:
    stage, asker, _ = asked
    query = asker.submission_id
    not_taken(stage, OrderError, withhold(stage, "AL", query, REFUSED), "after it was on hold")
    not_taken(stage, OrderError, withhold(stage, "RS", query, ON_HOLD), "after an alarm")
    not_taken(stage, OrderError, withhold(stage, "SI", query, ON_HOLD), "whose records may be joined")
    for unknown in (stage.nodes["RS"].submission_id, "0" * 32):
        not_taken(stage, OrderError, withhold(stage, "AL", unknown, ON_HOLD), "whose records may be joined")
    said = stage.statement_in(withhold(stage, "AL", query, ON_HOLD), WithheldAnswer)
    not_taken(stage, BindingError, stage.changed("AL", said, binding="0" * 64), ".")
    tell(stage, "AL", query, ON_HOLD)
    not_taken(stage, OrderError, withhold(stage, "AL", query, ON_HOLD), "did otherwise")
    tell(stage, "AL", query, REFUSED)
    not_taken(stage, OrderError, withhold(stage, "AL", query, REFUSED), "did otherwise")


def test_it_is_too_late_once_the_answer_was_given(asked: tuple[StagedRound, SimulatedParty, HitReport]) -> None:
    stage, asker, report = asked
    query, owner = asker.submission_id, stage.nodes["AL"]
    tell(stage, "AL", query, ON_HOLD)
    hits = stage.round.reported["AL", query].total()
    stage.publish(owner.party.receipt(owner.round, owner.next_sequence(), query, hits), only=["AL"])
    not_taken(stage, OrderError, withhold(stage, "AL", query, REFUSED), "that it has acknowledged")
    stage.publish(stage.matcher.report(report), only=["SI"])
    with pytest.raises(OrderError, match="that the asker has"):
        stage.nodes["SI"].round.accept(withhold(stage, "AL", query, REFUSED), now=stage.now)
    stage.publish(owner.party.refuse(owner.round, owner.next_sequence(), "it leaves"))
    not_taken(stage, RepeatedError, withhold(stage, "AL", query, REFUSED), "has ended its part")
