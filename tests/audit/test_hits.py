"""Hits pair by pair and level by level: what receipts show of them, and what nobody shows."""

from typing import Any

import pytest

from aquila.errors import AuditError
from aquila.protocol.auditing import RoundAudit, UnprovenClaim
from aquila.protocol.auditing.hits import check_hits, check_queries
from aquila.protocol.messages import Kind, Outcome
from aquila.protocol.rounds.round_state import AlarmKey, EvaluationKey, ReportKey
from aquila.sentences import text_of
from tests.support.receipts import audit_of

QUERY = "1" * 32
PAIRS = {("AL", "RS"): 3, ("AL", "SI"): 0, ("RS", "SI"): 2}


def said(claims: list[UnprovenClaim]) -> list[str]:
    return [text_of(claim.sentence) for claim in claims]


def test_receipts_show_every_pair() -> None:
    assert list(check_hits(audit_of(PAIRS, PAIRS))) == []
    (claim,) = check_hits(audit_of(PAIRS, PAIRS, silent=("RS",)))
    assert (claim.what, claim.shown_by, claim.digest) == ("report", "RS", f"{'RS':0>64}")


def test_no_receipt_shows_a_pair() -> None:
    """Of a round that was aborted, say: what the matcher alone says is not proven."""
    found = list(check_hits(audit_of(PAIRS, PAIRS, silent=("AL", "RS"))))
    assert [claim.what for claim in found] == ["hits", "report", "report"]
    assert "neither AL nor RS signed how many hits they have for the lists" in said(found)[0]


def test_an_aborted_round_is_said_to_be_one() -> None:
    """Its missing receipts are an honest state, and still show nothing."""
    audit = audit_of(PAIRS, PAIRS, silent=("AL", "RS"))
    round_: Any = audit.round
    round_.ending = type("E", (), {"outcome": Outcome.ABORTED})()
    hits, report, _ = said(list(check_hits(audit)))
    assert "the round was aborted before AL or RS signed how many hits they have for the lists" in hits
    assert "the round was aborted before AL signed a receipt of its report for the lists" in report


def test_a_hit_that_one_receipt_has_and_the_match_has_not() -> None:
    with pytest.raises(AuditError, match="RS signed that it has 3 hits of the level high with AL for the lists, and 1"):
        list(check_hits(audit_of(PAIRS | {("AL", "RS"): 1}, PAIRS, silent=("AL",))))


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
    """It is said, unless the asker has its report, an owner raised its alarm, or the round goes on."""
    audit = asked("AL")
    round_: Any = audit.round
    round_.tokens[QUERY] = None
    (claim,) = check_queries(audit)
    assert f"the query {QUERY} of AL was never answered, though its tokens came" in text_of(claim.sentence)
    round_.alarms = {AlarmKey("RS", QUERY): None}
    assert list(check_queries(audit)) == []
    round_.alarms = {}
    audit.reported[ReportKey("AL", QUERY)] = audit.reported[ReportKey("AL", None)]
    assert list(check_queries(audit)) == []
    del audit.reported[ReportKey("AL", QUERY)]
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


def test_an_owner_that_refused_its_answer() -> None:
    audit = asked("AL")
    round_: Any = audit.round
    for pair in (("AL", "RS"), ("AL", "SI")):
        audit.matched[*pair, QUERY] = audit.matched[*pair, None]
    round_.refused = {("SI", QUERY)}
    for party in ("AL", "RS"):
        key, lists = ReportKey(party, QUERY), ReportKey(party, None)
        audit.reported[key] = audit.matched["AL", "RS", None]
        round_.reports[key] = round_.reports[lists]
        round_.receipts[key] = round_.receipts[ReportKey("AL", None)]
    round_.receipts[ReportKey("RS", QUERY)] = round_.receipts[ReportKey("RS", None)]
    found = said(list(check_hits(audit)))
    assert found == [f"round {'0' * 32}: neither AL nor SI signed how many hits they have for the query {QUERY}"]
