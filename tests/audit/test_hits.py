"""Hits pair by pair and level by level: what receipts show of them, and what nobody shows."""

from typing import Any

import pytest

from aquila.audit.entries import Entry, EntryKind
from aquila.errors import AuditError
from aquila.protocol.auditing import RoundAudit, UnprovenClaim
from aquila.protocol.auditing.hits import check_hits, check_pairs, check_queries, take_report
from aquila.protocol.log_entries import statement_entry
from aquila.protocol.messages import HitReport, Kind, Outcome, Withholding
from aquila.protocol.rounds.round_state import ColumnKey, EvaluationKey, ReportKey
from aquila.sentences import text_of
from tests.support.receipts import audit_of
from tests.support.samples import SAMPLES
from tests.support.staged_round import WINDOW

QUERY = "1" * 32
PAIRS = {("AL", "RS"): 3, ("AL", "SI"): 0, ("RS", "SI"): 2}


def said(claims: list[UnprovenClaim]) -> list[str]:
    return [text_of(claim.sentence) for claim in claims]


def test_receipts_show_every_pair() -> None:
    assert list(check_hits(audit_of(PAIRS, PAIRS))) == []
    found = check_hits(audit_of(PAIRS, PAIRS, silent=("RS",)))
    digests = [f"RS{other}".encode().hex().zfill(64) for other in ("AL", "SI")]
    assert [(one.what, one.shown_by, one.digest) for one in found] == [("report", "RS", digest) for digest in digests]


def test_no_receipt_shows_a_pair() -> None:
    """Of a round that was aborted, say: what the matcher alone says is not proven."""
    found = list(check_hits(audit_of(PAIRS, PAIRS, silent=("AL", "RS"))))
    assert [claim.what for claim in found] == ["hits", *["report"] * 4]
    assert "neither AL nor RS signed how many hits they have for the lists" in said(found)[0]


def test_an_aborted_round_is_said_to_be_one() -> None:
    """Its missing receipts are an honest state, and still show nothing."""
    audit = audit_of(PAIRS, PAIRS, silent=("AL", "RS"))
    round_: Any = audit.round
    round_.ending = type("E", (), {"outcome": Outcome.ABORTED})()
    hits, report, *_ = said(list(check_hits(audit)))
    assert "the round was aborted before AL or RS signed how many hits they have for the lists" in hits
    assert "the round was aborted before AL signed a receipt of its report with RS for the lists" in report


def asked(asker: str) -> RoundAudit:
    audit = audit_of(PAIRS, PAIRS)
    round_: Any = audit.round
    round_.submissions = {
        "list": type("S", (), {"kind": Kind.LIST, "party": "AL"})(),
        QUERY: type("S", (), {"kind": Kind.QUERY, "party": asker, "chunks": ()})(),
    }
    round_.ending = type("E", (), {"outcome": Outcome.CLOSED})()
    return audit


def test_a_query_that_was_never_answered() -> None:
    """The owners are named whose answer the asker never got, but for those that raised an alarm; a round may go on."""
    audit = asked("AL")
    round_: Any = audit.round
    round_.tokens |= {ColumnKey(QUERY, owner): None for owner in ("RS", "SI")}
    (claim,) = check_queries(audit)
    assert f"the query {QUERY} of AL was never answered by RS, SI, though its tokens came" in text_of(claim.sentence)
    round_.alarms = {ReportKey("RS", "AL", QUERY): None}
    (claim,) = check_queries(audit)
    assert "was never answered by SI, though" in text_of(claim.sentence)
    audit.reported[ReportKey("AL", "SI", QUERY)] = audit.reported[ReportKey("AL", "SI", None)]
    assert list(check_queries(audit)) == []
    round_.alarms = {}
    (claim,) = check_queries(audit)
    assert "was never answered by RS, though" in text_of(claim.sentence)
    round_.ending = None
    assert list(check_queries(audit)) == []


def test_a_query_that_could_not_be_answered() -> None:
    """Who had not done what it needed before the round ended is named, and that only another log shows that."""
    audit = asked("AL")
    round_: Any = audit.round
    round_.submissions[QUERY].chunks = (None,)
    (claim,) = check_queries(audit)
    assert "has no answer: the round ended before RS, SI had evaluated it" in text_of(claim.sentence)
    for party in ("RS", "SI"):
        round_.evaluations[EvaluationKey(QUERY, 0, party)] = None
    (claim,) = check_queries(audit)
    assert "has no answer: the round ended before AL had sent its tokens" in text_of(claim.sentence)
    assert "unless this log left them out" in text_of(claim.sentence)


def test_a_query_that_some_owners_could_not_answer() -> None:
    """Each owner is named with what its answer lacks; one that answered is not."""
    audit = asked("AL")
    round_: Any = audit.round
    round_.submissions[QUERY].chunks = (None,)
    round_.tokens[ColumnKey(QUERY, "RS")] = None
    answered, stopped = said(list(check_queries(audit)))
    assert "of AL was never answered by RS, though its tokens came" in answered
    assert "the round ended before SI had evaluated it" in stopped
    audit.reported[ReportKey("AL", "RS", QUERY)] = audit.reported[ReportKey("AL", "RS", None)]
    assert said(list(check_queries(audit))) == [stopped]


def closed_at(time: int) -> RoundAudit:
    """Return a round of three that was closed, each of whose pairs was reported, with its window of the tests."""
    audit = audit_of(PAIRS, PAIRS)
    round_: Any = audit.round
    round_.ending = type("E", (), {"outcome": Outcome.CLOSED})()
    round_.manifest = type("M", (), {"window": WINDOW})()
    audit.entries[40] = Entry.of(EntryKind.ENDING, time, "matcher", round=round_.round_id)
    return audit


def forget(audit: RoundAudit, left: str, right: str) -> None:
    """Take away what a pair was told, and its match."""
    del audit.matched[left, right, None]
    for report in (ReportKey(left, right, None), ReportKey(right, left, None)):
        del audit.reported[report], audit.round.reports[report], audit.round.receipts[report]


@pytest.mark.parametrize("time", [WINDOW.evaluate_by + 1, WINDOW.closes_at + 1])
def test_a_pair_without_a_party_that_was_away(time: int) -> None:
    """Of a round that was closed when the time of its columns was over it is no fault, and the others are as always."""
    audit = closed_at(time)
    del audit.round.tokens[ColumnKey("SI", "AL")]
    forget(audit, "AL", "SI")
    assert [*check_hits(audit), *check_pairs(audit)] == []


def test_a_pair_whose_time_was_not_over() -> None:
    """While a pair could still come the matcher may abort the round, and not close it."""
    audit = closed_at(WINDOW.evaluate_by)
    del audit.round.tokens[ColumnKey("SI", "AL")]
    forget(audit, "AL", "SI")
    with pytest.raises(AuditError, match="closed while the lists of AL and SI could still be compared"):
        list(check_pairs(audit))


def test_a_pair_that_was_never_reported() -> None:
    """Both signed their tokens, and only the matcher knows whether the bytes came: a point that nothing proves."""
    audit = closed_at(WINDOW.evaluate_by + 1)
    forget(audit, "AL", "SI")
    (point,) = said(list(check_pairs(audit)))
    assert "the lists of AL and SI were never compared, though both signed their tokens" in point


def test_a_side_that_was_told_alone() -> None:
    audit = closed_at(WINDOW.closes_at + 1)
    del audit.reported[ReportKey("AL", "SI", None)]
    with pytest.raises(AuditError, match="closed without the report of AL with SI"):
        list(check_pairs(audit))


def test_a_round_that_is_closed_before_a_receipt() -> None:
    """After the round's time a receipt that is missing is a point; before, the matcher had to wait for it."""
    for time in (WINDOW.closes_at, WINDOW.closes_at + 1):
        audit = closed_at(time)
        del audit.round.receipts[ReportKey("SI", "AL", None)]
        if time > WINDOW.closes_at:
            assert list(check_pairs(audit)) == []
            assert [one.what for one in check_hits(audit)] == ["report"]
        else:
            with pytest.raises(AuditError, match="closed without the receipt of SI with AL"):
                list(check_pairs(audit))


def test_an_owner_that_refused_its_answer() -> None:
    """The asker has no report of the pair, and nobody acknowledges its hits; the other pair is as always."""
    audit = asked("AL")
    round_: Any = audit.round
    for pair in (("AL", "RS"), ("AL", "SI")):
        audit.matched[*pair, QUERY] = audit.matched[*pair, None]
    round_.withheld[ReportKey("SI", "AL", QUERY)] = Withholding.REFUSED
    for lists in (ReportKey("AL", "RS", None), ReportKey("RS", "AL", None), ReportKey("SI", "AL", None)):
        key = lists._replace(submission_id=QUERY)
        audit.reported[key], round_.reports[key] = audit.reported[lists], round_.reports[lists]
        if key.party != "SI":
            round_.receipts[key] = round_.receipts[lists]
    found = said(list(check_hits(audit)))
    of = f"for the query {QUERY}"
    assert [text.partition(": ")[2].partition(":")[0] for text in found] == [
        f"neither AL nor SI signed how many hits they have {of}",
        f"SI signed no receipt of its report with AL {of}",
    ]


@pytest.mark.parametrize(
    ("party", "counterpart", "due"),
    [("AL", "RS", True), ("AL", "SI", False), ("SI", "AL", True), ("RS", "SI", False), ("AL", "AL", False)],
    ids=["answered", "refused", "whose owner refused", "of others", "of one"],
)
def test_which_reports_of_a_query_are_due(party: str, counterpart: str, *, due: bool) -> None:
    """Those between its asker and an owner; where the owner refused its answer, its own alone."""
    audit = asked("AL")
    round_: Any = audit.round
    round_.tokens |= {ColumnKey(QUERY, owner): None for owner in ("RS", "SI")}
    round_.withheld[ReportKey("SI", "AL", QUERY)] = Withholding.REFUSED
    round_.ending = None
    said = {"submission_id": QUERY, "party": party, "counterpart": counterpart}
    entry = statement_entry(HitReport.model_validate(SAMPLES[HitReport] | said), "0" * 64, 7)
    if due:
        take_report(audit, 9, entry)
        assert audit.reported[ReportKey(party, counterpart, QUERY)].total() == 1
    else:
        with pytest.raises(AuditError, match="is sent a report that is not due"):
            take_report(audit, 9, entry)


@pytest.mark.parametrize("state", ["acknowledged", "alarm", "closed", "ended", "before the ending"])
def test_an_askers_report_and_the_owners_receipt(state: str) -> None:
    """Before the receipt the ending alone gives it, and not where the owner raised an alarm, or has closed."""
    audit = asked("AL")
    round_: Any = audit.round
    round_.tokens |= {ColumnKey(QUERY, owner): None for owner in ("RS", "SI")}
    round_.ending = round_.ending if state == "ended" else None
    owners = ReportKey("RS", "AL", QUERY)
    if state == "acknowledged":
        round_.receipts[owners] = None
    elif state == "alarm":
        round_.alarms[owners] = None
    elif state == "closed":
        round_.closings["RS"] = None
    said = {"submission_id": QUERY, "party": "AL", "counterpart": "RS"}
    entry = statement_entry(HitReport.model_validate(SAMPLES[HitReport] | said), "0" * 64, 7)
    if state in {"acknowledged", "before the ending"}:
        take_report(audit, 9, entry)
        assert audit.told_with_ending == (None if state == "acknowledged" else (9, "AL"))
        return
    with pytest.raises(AuditError, match="is sent a report that is not due"):
        take_report(audit, 9, entry)
