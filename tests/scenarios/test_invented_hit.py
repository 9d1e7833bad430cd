"""The matcher invents a hit to obtain a note: nobody can read it, and both sides find out."""

import numpy as np
import pytest

from aquila.errors import SealError
from aquila.protocol.messages import Fault, Hit, HitReport, Notes
from aquila.protocol.rounds.hit_columns import TokensByRecord, held_tokens
from aquila.protocol.submissions.submission import handles_of
from tests.support.prepared_notes import by_record, prepare_each, verify_each
from tests.support.staged_round import StagedRound

INVENTED = "e" * 32


def invent(stage: StagedRound) -> None:
    """Let the matcher report a hit of SI's third record with AL's third, whose tokens have nothing in common."""
    handles = {code: handles_of(stage.nodes[code].seed, [2], None).hex() for code in ("AL", "SI")}

    def lie(report: HitReport) -> HitReport:
        if {report.party, report.counterpart} != {"AL", "SI"}:
            return report
        hit = Hit(
            hit_id=INVENTED,
            handle=handles[report.party],
            counterpart_handle=handles[report.counterpart],
            certainty="high",
            families=("date", "names"),
            second=False,
            met="0001",
        )
        return report.model_copy(update={"hits": tuple(sorted([*report.hits, hit], key=lambda one: one.hit_id))})

    stage.lie = lie


def test_both_sides_refute_it(stage: StagedRound) -> None:
    """Neither note opens at the other side, because the two records have no token in common; real hits hold."""
    stage.finalized()
    invent(stage)
    stage.match()
    stage.exchange_notes()
    assert stage.refuted == {INVENTED: Fault.SEALED}
    found = {(c.party, c.to): c.refuted for c in stage.round.confirmations.values() if c.refuted}
    assert set(found) == {("AL", "SI"), ("SI", "AL")}


def test_the_counterpart_cannot_read_it_either(stage: StagedRound) -> None:
    stage.finalized()
    invent(stage)
    stage.match()
    sent = [accepted.message for accepted in stage.send_notes(stage.nodes["SI"])]
    (notes,) = (message for message in sent if isinstance(message, Notes) and message.to == "AL")
    al = stage.nodes["AL"]
    sealed = dict(al.party.open_notes(notes, al.secrets.sealing))[INVENTED]
    (hit,) = (hit for hit in stage.report("AL", "SI").hits if hit.hit_id == INVENTED)
    # With keys of any token of any record of AL: all that the coalition has.
    every = {hit.handle for report in stage.reports_to("AL") for hit in report.hits}
    held = by_record(held_tokens([bytes.fromhex(handle) for handle in every], al.finalized("SI")))
    for handle in every:
        tokens = held[bytes.fromhex(handle)]
        # The note is bound to the handle that was told, whosever tokens are tried.
        tried = TokensByRecord(np.array([bytes.fromhex(hit.handle)] * len(tokens.rules), dtype="S16"), *tokens)
        for place in range(len(tokens.rules)):
            guess = hit.model_copy(update={"met": bytes([place]).hex()})
            report = stage.report("AL", "SI").model_copy(update={"hits": (guess,)})
            (one,) = prepare_each(al.round, stage.table, report, tried, stage.random)
            with pytest.raises(SealError):
                one.opening.keys.open_note(sealed)
            verified = verify_each([one.opening], (), [(INVENTED, sealed)])
            assert isinstance(verified[INVENTED], Fault)


def test_who_has_only_the_statement_reads_nothing(stage: StagedRound) -> None:
    stage.reported()
    for accepted in stage.send_notes(stage.nodes["SI"]):
        notes = accepted.message
        assert isinstance(notes, Notes)
        for code in {"AL", "RS", "SI"} - {notes.to}:
            node = stage.nodes[code]
            with pytest.raises(SealError):
                node.party.open_notes(notes, node.secrets.sealing)
