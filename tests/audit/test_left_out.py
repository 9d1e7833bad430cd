"""What both sides of a pair of lists signed of hits left out: what it shows, and what it leaves open."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from aquila.errors import AuditError
from aquila.protocol.auditing import RoundAudit
from aquila.protocol.auditing.hits import check_left_out
from aquila.protocol.messages import CheckFault, ReportCheck, Submission, Tokens
from aquila.protocol.rounds.round_state import ColumnKey, ReportKey
from aquila.sentences import text_of
from tests.support.receipts import audit_of
from tests.support.samples import SAMPLES

PAIRS = {("AL", "RS"): 3, ("AL", "SI"): 0, ("RS", "SI"): 2}
MET, OTHER = "1" * 64, "2" * 64


def checked_round() -> RoundAudit:
    audit = audit_of(PAIRS, PAIRS)
    round_: Any = audit.round
    for party in round_.participants:
        others = round_.counterparts_of(party)
        round_.checked |= {ReportKey(party, other, None): said_of(party, other, below=1) for other in others}
        round_.tokens |= {ColumnKey(party, other): tokens_for(other) for other in others}
    audit.met = {(*pair, None): MET for pair in PAIRS}
    return audit


def tokens_for(counterpart: str, key: str = MET) -> Tokens:
    column = SAMPLES[Tokens]["column"] | {"counterpart": counterpart, "key": key}
    return Tokens.model_validate(SAMPLES[Tokens] | {"column": column})


def said_of(party: str, other: str, **changes: Any) -> ReportCheck:
    found = {"party": party, "counterpart": other, "met": MET, "below": 0, "fault": None}
    return ReportCheck.model_validate(SAMPLES[ReportCheck] | found | changes)


def say(audit: RoundAudit, party: str, other: str, **changes: Any) -> None:
    key = ReportKey(party, other, None)
    audit.round.checked[key] = audit.round.checked[key].model_copy(update=changes)


def found(audit: RoundAudit) -> list[tuple[str, str]]:
    """Return the open points: a word, and the sentence."""
    return [(claim.what, text_of(claim.sentence)) for claim in check_left_out(audit)]


def test_both_sides_of_all_pairs() -> None:
    audit = checked_round()
    assert found(audit) == []
    audit.round.checked.clear()
    audit.met.clear()
    assert found(audit) == []


def test_a_side_that_signed_nothing() -> None:
    """The pairs of a party without a check are named, each once."""
    audit = checked_round()
    for party, other in (("SI", "AL"), ("SI", "RS"), ("RS", "AL")):
        del audit.round.checked[ReportKey(party, other, None)]
    points = found(audit)
    assert {what for what, _ in points} == {"not_checked"}
    who = (
        "RS has not signed for the lists whether hits with AL",
        "SI has not signed for the lists whether hits with AL",
        "SI has not signed for the lists whether hits with RS",
    )
    assert [start in sentence for start, (_, sentence) in zip(who, points, strict=True)] == [True] * 3


@pytest.mark.parametrize("fault", CheckFault)
def test_a_side_that_found_something(fault: CheckFault) -> None:
    """It is said who signed it and what, and that it is one side's word."""
    audit = checked_round()
    say(audit, "RS", "AL", fault=fault)
    ((what, sentence),) = found(audit)
    assert what == "hits_left_out"
    assert "RS signed of its hits with AL for the lists: " in sentence


def test_columns_that_did_not_fit() -> None:
    """The match has no tags then, and both sides say so."""
    audit = checked_round()
    audit.met["AL", "RS", None] = None
    for party, other in (("AL", "RS"), ("RS", "AL")):
        say(audit, party, other, met=None, fault=CheckFault.COLUMNS)
    assert [what for what, _ in found(audit)] == ["hits_left_out"] * 2


@pytest.mark.parametrize("told", [OTHER, None])
def test_a_side_that_was_told_of_other_tags(told: str | None) -> None:
    """The log has one digest for both sides: a check of another one contradicts it."""
    audit = checked_round()
    say(audit, "RS", "AL", met=told)
    with pytest.raises(AuditError, match="RS signed that other tags met with AL than the match says") as caught:
        found(audit)
    assert caught.value.fields["what"] == "pair_tags"


def test_sides_that_cannot_both_be_right() -> None:
    audit = checked_round()
    say(audit, "RS", "AL", below=2)
    assert [what for what, _ in found(audit)] == ["checks_differ"]
    audit = checked_round()
    audit.round.tokens[ColumnKey("SI", "AL")] = tokens_for("AL", OTHER)
    ((what, sentence),) = found(audit)
    assert what == "checks_differ"
    assert "AL and SI each signed" in sentence


QUERY = "5" * 32


def asked_round() -> RoundAudit:
    """Return a round in which RS asked AL a query, and both found that nothing was left out of its answer."""
    audit = audit_of(PAIRS, PAIRS)
    round_: Any = audit.round
    round_.submissions[QUERY] = Submission.model_validate(SAMPLES[Submission] | {"party": "RS", "kind": "query"})
    for party, other, submission in (("RS", "AL", QUERY), ("AL", "RS", "AL")):
        round_.checked[ReportKey(party, other, QUERY)] = said_of(party, other, submission_id=QUERY)
        round_.tokens[ColumnKey(submission, other)] = tokens_for(other)
    audit.met = {("AL", "RS", QUERY): MET}
    audit.reported[ReportKey("RS", "AL", QUERY)] = Counter()
    return audit


def test_an_answer_to_a_query() -> None:
    """It is held against its match as lists are, and named by the query."""
    assert found(asked_round()) == []
    audit = asked_round()
    del audit.round.checked[ReportKey("AL", "RS", QUERY)]
    ((what, sentence),) = found(audit)
    assert (what, f"AL has not signed for the query {QUERY}" in sentence) == ("not_checked", True)
    audit = asked_round()
    audit.met = {("AL", "RS", QUERY): OTHER}
    with pytest.raises(AuditError, match="than the match says"):
        found(audit)


def test_an_answer_that_nobody_checks() -> None:
    """Of a report that the asker never got, also because its owner refused the answer, there is nothing to sign."""
    audit = asked_round()
    audit.round.checked.clear()
    assert found(audit)
    del audit.reported[ReportKey("RS", "AL", QUERY)]
    audit.reported[ReportKey("AL", "RS", QUERY)] = Counter()
    assert found(audit) == []
