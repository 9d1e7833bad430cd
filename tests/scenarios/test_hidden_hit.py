"""The matcher hides a hit from one side, or a note: the other side's note tells, or the hit stays unconfirmed."""

import pytest

from aquila.errors import OrderError
from aquila.protocol.messages import Fault, HitReport, Notes, Outcome
from aquila.protocol.rounds.exchange import unfinished
from tests.support.staged_round import NOW, WINDOW, StagedRound


def test_hidden_from_one_side(stage: StagedRound) -> None:
    def lie(report: HitReport) -> HitReport:
        is_hidden = (report.party, report.counterpart) == ("RS", "SI")
        return report.model_copy(update={"hits": ()}) if is_hidden else report

    stage.finalized().lie = lie
    stage.match()
    stage.exchange_notes()
    assert set(stage.refuted.values()) == {Fault.UNREPORTED}
    assert {(c.party, c.to) for c in stage.round.confirmations.values() if c.refuted} == {("RS", "SI")}
    # SI waits for notes that RS cannot send: these hits stay unconfirmed.
    assert unfinished(stage.round) == (("SI", "RS"),)


def test_hidden_notes(stage: StagedRound) -> None:
    stage.reported()
    for node in stage.nodes.values():
        for sent in stage.send_notes(node):
            assert isinstance(sent.message, Notes)
            if sent.message.to != "AL":
                stage.verify(sent)
    assert {party for party, _ in unfinished(stage.round)} == {"AL"}
    with pytest.raises(OrderError, match="AL has not confirmed its hits with RS"):
        stage.matcher.end(stage.round, Outcome.CLOSED, "done", NOW)
    assert stage.matcher.end(stage.round, Outcome.CLOSED, "its time is over", WINDOW.closes_at + 1)
