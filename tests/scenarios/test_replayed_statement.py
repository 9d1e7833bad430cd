"""Someone sends again what was signed before: in this round, and from another one."""

from collections.abc import Callable

from aquila.errors import BindingError, EquivocationError
from tests.support.staged_round import StagedRound


def test_everything_again_changes_nothing(stage: StagedRound) -> None:
    stage.reported()
    stage.exchange_notes()
    stage.close()
    for record, seen in ((stage.round, stage.envelopes), (stage.nodes["SI"].round, stage.seen["SI"])):
        before = repr(record)
        assert not any(record.accept(envelope, now=stage.now).new for envelope in seen)
        assert repr(record) == before


def test_statements_of_another_round(staged: Callable[..., StagedRound], stage: StagedRound) -> None:
    """No statement of one round counts in another one of the same parties under the same keys."""
    stage.reported()
    stage.exchange_notes()
    stage.close()
    other = staged()
    other.restage({"round_id": "0" * 32})
    for envelope in stage.envelopes:
        other.refused(BindingError, envelope, "another round")


def test_old_contents_under_a_new_number(stage: StagedRound) -> None:
    stage.finalized()
    record, si = stage.round, stage.nodes["SI"]
    stage.refused(EquivocationError, stage.changed("SI", record.submissions[si.submission_id]), "list already")
    evaluation = record.evaluations[stage.nodes["AL"].submission_id, 0, "SI"]
    stage.refused(EquivocationError, stage.changed("SI", evaluation), "evaluated this chunk already")
    stage.refused(EquivocationError, stage.changed("SI", record.tokens[si.submission_id, "AL"]), "tokens already")
    stage.refused(EquivocationError, stage.changed("SI", record.consents["SI"]), "consented already")


def test_a_receipt_of_another_report(stage: StagedRound) -> None:
    stage.reported()
    receipt = stage.round.receipts["SI", "RS", None]
    other = stage.round.reports["SI", "AL", None]
    for false in (
        stage.changed("SI", receipt, report_digest="0" * 64),
        stage.changed("SI", receipt, report_digest=other),
    ):
        stage.refused(BindingError, false, "was not sent")


def test_a_restart_reads_the_same_round(stage: StagedRound) -> None:
    """What was accepted, read back in its order, gives the same record."""
    stage.reported()
    stage.exchange_notes()
    stage.close()
    for record, seen in ((stage.round, stage.envelopes), (stage.nodes["AL"].round, stage.seen["AL"])):
        restored = stage.restored(seen, sees_everything=record is stage.round)
        assert repr(restored) == repr(record)
