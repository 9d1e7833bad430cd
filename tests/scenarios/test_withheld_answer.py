"""An owner tells a query's asker that its answer is on hold or refused; a refused one the asker never gets."""

from collections.abc import Callable

import pytest

from aquila.errors import AquilaError, BindingError, OrderError, PolicyError, RepeatedError
from aquila.followup.lifecycle import Ground
from aquila.protocol.messages import HitReport, Mode, WithheldAnswer, Withholding
from aquila.protocol.rounds.exchange import unfinished
from aquila.protocol.rounds.round_state import ReportKey
from aquila.simulation import SimulatedParty
from tests.support.staged_round import LISTS, StagedRound

ON_HOLD, REFUSED = Withholding


Asked = tuple[StagedRound, SimulatedParty, dict[tuple[str, str], HitReport]]


def play(stage: StagedRound) -> tuple[SimulatedParty, dict[tuple[str, str], HitReport]]:
    stage.restage({"mode": Mode.LISTS_AND_QUERIES})
    stage.finalized()
    asker = stage.ask("SI", LISTS["AL"][:2])
    stage.answer(asker)
    reports = {(report.party, report.counterpart): report for report in stage.reports_of(asker)}
    for code in ("AL", "RS"):
        stage.publish(stage.matcher.report(reports[code, "SI"]), only=[code])
    owner = stage.nodes["AL"]
    alarm = owner.party.alarm(owner.round, owner.next_sequence(), asker.submission_id, 40, 1.5)
    stage.publish(alarm, only=["AL"])
    return asker, reports


@pytest.fixture
def asked(staged: Callable[..., StagedRound]) -> Asked:
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


def test_a_refused_answer_gives_no_report(asked: Asked) -> None:
    stage, asker, reports = asked
    query, of_al = asker.submission_id, ReportKey("AL", "SI", asker.submission_id)
    tell(stage, "AL", query, ON_HOLD)
    assert stage.nodes["SI"].round.withheld == {of_al: ON_HOLD}
    assert not stage.round.is_refused(of_al)
    tell(stage, "AL", query, REFUSED)
    assert stage.nodes["SI"].round.is_refused(of_al)
    assert stage.round.is_refused(of_al.other_side)
    # Neither the matcher nor the asker takes a report of the pair.
    for record in (stage.round, stage.nodes["SI"].round):
        with pytest.raises(PolicyError, match="which has refused its answer"):
            record.accept(stage.matcher.report(reports["SI", "AL"]), now=stage.now)
    # The answer of RS comes as always.
    stage.publish(stage.matcher.report(reports["SI", "RS"]), only=["SI"])
    # Nobody waits for notes of hits that one side is never told, and none of them is withdrawn.
    assert not {("AL", "SI"), ("SI", "AL")} & set(unfinished(stage.round))
    assert ("RS", "SI") in unfinished(stage.round)
    owner = stage.nodes["AL"]
    withdrawal = owner.party.withdraw(owner.round, owner.sequence + 1, "SI", ["0" * 32], Ground.ERASED, query)
    not_taken(stage, OrderError, withdrawal, "before SI has its report of it")
    # Nor does the owner change its mind.
    receipt = owner.party.receipt(owner.round, owner.sequence + 1, "SI", query)
    not_taken(stage, OrderError, receipt, "after it has refused its answer")
    assert stage.restored(sees_everything=True).withheld == stage.round.withheld


def test_what_is_no_withheld_answer(asked: Asked) -> None:
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


def test_it_is_too_late_once_the_answer_was_given(asked: Asked) -> None:
    stage, asker, reports = asked
    query, owner = asker.submission_id, stage.nodes["AL"]
    tell(stage, "AL", query, ON_HOLD)
    stage.publish(owner.party.receipt(owner.round, owner.next_sequence(), "SI", query), only=["AL"])
    not_taken(stage, OrderError, withhold(stage, "AL", query, REFUSED), "that it has acknowledged")
    stage.publish(stage.matcher.report(reports["SI", "AL"]), only=["SI"])
    with pytest.raises(OrderError, match="that the asker has"):
        stage.nodes["SI"].round.accept(withhold(stage, "AL", query, REFUSED), now=stage.now)
    stage.publish(owner.party.refuse(owner.round, owner.next_sequence(), "it leaves"))
    not_taken(stage, RepeatedError, withhold(stage, "AL", query, REFUSED), "has ended its part")
