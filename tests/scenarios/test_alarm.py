"""A query hits a list far too often: the owner withholds its receipt, and what may be said of that."""

from collections.abc import Callable

import pytest

from aquila.errors import BindingError, OrderError, RepeatedError
from aquila.followup.lifecycle import Ground
from aquila.protocol.messages import Mode, Outcome
from aquila.simulation import SimulatedParty
from tests.support.staged_round import LISTS, StagedRound


def ask_in(stage: StagedRound) -> tuple[StagedRound, SimulatedParty]:
    stage.finalized()
    asker = stage.ask("SI", LISTS["AL"][:2])
    stage.answer(asker)
    for report in stage.reports_of(asker):
        if report.party != "SI":
            stage.publish(stage.matcher.report(report))
    return stage, asker


@pytest.fixture
def asked(staged: Callable[..., StagedRound]) -> tuple[StagedRound, SimulatedParty]:
    return ask_in(staged(changes={"mode": Mode.LISTS_AND_QUERIES}))


def test_an_owner_raises_its_alarm_once(asked: tuple[StagedRound, SimulatedParty]) -> None:
    stage, asker = asked
    node = stage.nodes["AL"]
    stage.publish(node.party.alarm(node.round, node.next_sequence(), asker.submission_id, 40, 1.5))
    alarm = stage.round.alarms["AL", "SI", asker.submission_id]
    assert (alarm.hits, alarm.expected) == (40, 1_500)
    again = node.party.alarm(node.round, node.sequence + 1, asker.submission_id, 41, 1.5)
    stage.refused(OrderError, again, "raised its alarm")
    stage.publish(node.party.receipt(node.round, node.next_sequence(), "SI", asker.submission_id))
    assert ("AL", "SI", asker.submission_id) in stage.round.receipts


def test_what_is_no_alarm(asked: tuple[StagedRound, SimulatedParty]) -> None:
    """Of a list, of an own query, of an unknown one, after the receipt, or of another report: none of it counts."""
    stage, asker = asked
    node = stage.nodes["AL"]
    stage.publish(node.party.alarm(node.round, node.next_sequence(), asker.submission_id, 40, 1.5))
    alarm = stage.round.alarms["AL", "SI", asker.submission_id]
    for submission_id in (stage.nodes["RS"].submission_id, "0" * 32):
        stage.refused(OrderError, stage.changed("RS", alarm, party="RS", submission_id=submission_id), "another party")
    stage.refused(OrderError, stage.changed("SI", alarm, party="SI"), "another party")
    stage.refused(BindingError, stage.changed("RS", alarm, party="RS"), "was not sent")
    stage.refused(BindingError, stage.changed("RS", alarm, party="RS", binding="0" * 64))
    other = stage.nodes["RS"]
    stage.publish(other.party.receipt(other.round, other.next_sequence(), "SI", asker.submission_id))
    stage.refused(OrderError, stage.changed("RS", alarm, party="RS"), "acknowledged the report")


def acknowledged_by_owner(stage: StagedRound, asker: SimulatedParty) -> SimulatedParty:
    node = stage.nodes["AL"]
    stage.publish(node.party.receipt(node.round, node.next_sequence(), "SI", asker.submission_id))
    return node


def test_hits_of_a_query_are_withdrawn_when_its_asker_was_told(asked: tuple[StagedRound, SimulatedParty]) -> None:
    stage, asker = asked
    node = acknowledged_by_owner(stage, asker)

    def withdrawal(submission_id: str | None) -> bytes:
        number = node.sequence + 1
        return node.party.withdraw(node.round, number, "SI", ["0" * 32], Ground.ERASED, submission_id)

    for unknown in ("0" * 32, stage.round.list_of("SI")):
        stage.refused(BindingError, withdrawal(unknown), "a query that does not exist")
    with pytest.raises(OrderError, match="before SI has its report of it"):
        stage.round.accept(withdrawal(asker.submission_id), now=stage.now)
    assert not stage.round.withdrawals
    (report,) = (one for one in stage.reports_of(asker) if (one.party, one.counterpart) == ("SI", "AL"))
    stage.publish(stage.matcher.report(report))
    stage.publish(withdrawal(asker.submission_id))
    assert [said.submission_id for said in stage.round.withdrawals.values()] == [asker.submission_id]


def test_an_alarm_that_crosses_the_end(asked: tuple[StagedRound, SimulatedParty]) -> None:
    """The owner had its report before the round ended: its alarm counts, and keeps its place when it is read back.

    Once the owner has closed, it raises none any more.
    """
    stage, asker = asked
    nodes = [stage.nodes[code] for code in ("AL", "RS")]
    stage.publish(stage.matcher.end(stage.round, Outcome.ABORTED, "its time is over", stage.now))
    late = nodes[0].party.alarm(nodes[0].round, nodes[0].next_sequence(), asker.submission_id, 40, 1.5)
    stage.publish(late)
    assert ("AL", "SI", asker.submission_id) in stage.round.alarms
    node = nodes[1]
    stage.publish(node.party.close(node.round, node.next_sequence(), 0))
    alarm = node.party.alarm(node.round, node.sequence + 1, asker.submission_id, 40, 1.5)
    stage.refused(RepeatedError, alarm, "has ended its part in the round")
    restored = stage.restored(sees_everything=True)
    assert restored.alarms == stage.round.alarms
