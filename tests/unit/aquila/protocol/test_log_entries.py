"""The entry of each signed statement: made from the statement alone, and without a word of a person."""

from typing import Any

import pytest

from aquila.audit.entries import EntryKind, read_entry
from aquila.errors import InputError
from aquila.protocol.log_entries import discloses_hits, fields_of, match_entry, refused_entry, statement_entry
from aquila.protocol.messages import (
    ANNOUNCEMENTS,
    PARTY_STATEMENTS,
    Acknowledgement,
    Alarm,
    Closing,
    Confirmation,
    Consent,
    Ending,
    Evaluation,
    FollowUp,
    HitReport,
    Locks,
    Manifest,
    Message,
    Notes,
    Opening,
    Outcomes,
    Receipt,
    Refusal,
    ReportCheck,
    Submission,
    Tokens,
    Withdrawal,
    WithheldAnswer,
)
from aquila.protocol.rounds.round_state import ReportKey
from tests.support.samples import DIGEST, OTHER, ROUND, SAMPLES, read

KINDS: dict[type[Message], tuple[EntryKind, str]] = {
    Manifest: (EntryKind.PROPOSAL, "matcher"),
    Consent: (EntryKind.CONSENT, "SI"),
    Opening: (EntryKind.OPENING, "matcher"),
    Locks: (EntryKind.LOCKS, "SI"),
    Submission: (EntryKind.SUBMISSION, "SI"),
    Alarm: (EntryKind.FISHING_ALARM, "SI"),
    WithheldAnswer: (EntryKind.ANSWER_WITHHELD, "SI"),
    ReportCheck: (EntryKind.CHECKED, "SI"),
    Evaluation: (EntryKind.EVALUATION, "SI"),
    Tokens: (EntryKind.TOKENS, "SI"),
    HitReport: (EntryKind.REPORT, "matcher"),
    Receipt: (EntryKind.RECEIPT, "SI"),
    Notes: (EntryKind.DISCLOSURE, "SI"),
    Confirmation: (EntryKind.NOTE_RECEIVED, "SI"),
    Closing: (EntryKind.CLOSING, "SI"),
    Refusal: (EntryKind.REFUSAL, "SI"),
    Withdrawal: (EntryKind.WITHDRAWAL, "SI"),
    Acknowledgement: (EntryKind.WITHDRAWAL_ACKNOWLEDGED, "SI"),
    Outcomes: (EntryKind.OUTCOME, "SI"),
    FollowUp: (EntryKind.FOLLOW_UP_TOLD, "SI"),
    Ending: (EntryKind.ENDING, "matcher"),
}


@pytest.mark.parametrize("kind", [*PARTY_STATEMENTS, *ANNOUNCEMENTS])
def test_every_statement_has_an_entry(kind: type[Message]) -> None:
    """Each names its round, its digest, and whose act it was, and comes back from its bytes."""
    entry = statement_entry(read(kind), "a" * 64, 7)
    assert (entry.round, entry.digests["statement"], entry.time) == (ROUND, "a" * 64, 7)
    assert read_entry(entry.content()) == entry
    if kind in KINDS:
        assert (entry.kind, entry.party) == KINDS[kind]


def test_outcomes_are_counted_over_counterparts_and_levels() -> None:
    """The entry says how many hits came to what; which pair and level is in the statement."""
    entry = statement_entry(read(Outcomes), DIGEST, 7)
    assert entry.counts == {
        "hits": 7,
        "confirmed": 3,
        "refuted": 1,
        "unresolved": 0,
        "withdrawn": 1,
        "open": 2,
        "sequence": 1,
    }


def test_a_submission_says_why_and_how_much() -> None:
    entry = statement_entry(read(Submission), DIGEST, 7)
    assert entry.reason is not None
    assert entry.reason.case_reference == "case 17"
    assert entry.counts == {"records": 2, "full": 3, "partial": 2, "coarse": 1, "chunks": 3, "sequence": 1}
    assert entry.ids == {"submission": OTHER, "kind": "list"}
    assert entry.person is None
    why: dict[str, Any] = SAMPLES[Submission]["justification"] | {"officer": "p-0123456789ab"}
    assert statement_entry(read(Submission, justification=why), DIGEST, 7).person == "p-0123456789ab"


def test_a_report_is_counted_by_level() -> None:
    entry = statement_entry(read(HitReport), DIGEST, 7)
    assert (entry.recipient, entry.counts) == ("SI", {"hits": 1, "high": 1, "medium": 0, "low": 0})
    assert entry.ids == {"of": "query", "submission": OTHER, "counterpart": "AL"}
    of_lists = statement_entry(read(HitReport, submission_id=None), DIGEST, 7)
    assert of_lists.ids == {"of": "lists", "counterpart": "AL"}
    receipt = statement_entry(read(Receipt), DIGEST, 7)
    assert (receipt.recipient, receipt.counts) == ("AL", {"hits": 4, "high": 3, "medium": 0, "low": 1, "sequence": 1})


def test_a_match_is_an_entry_for_each_pair() -> None:
    entry = match_entry(ROUND, 7, "AL", "SI", None, {"high": 2}, DIGEST)
    assert entry.kind is EntryKind.MATCH
    assert entry.counts == {"high": 2, "medium": 0, "low": 0}
    assert entry.digests == {"met": DIGEST}
    of_query = match_entry(ROUND, 7, "AL", "SI", OTHER, {}, None)
    assert (of_query.ids["submission"], of_query.digests) == (OTHER, {})


def test_a_refused_statement_may_tell_of_hits() -> None:
    """Which query it is about stands in the statement alone: a copy leaves it out as long as any query is untold."""
    entry = refused_entry(read(Closing), DIGEST, 7)  # type: ignore[arg-type]  # it is a statement
    assert discloses_hits(entry, {ReportKey("SI", "AL", OTHER)})
    assert not discloses_hits(entry, set())


def test_entries_tell_of_hits_pair_by_pair() -> None:
    """Of a query of SI the answer of AL is untold: what names the pair is left out, and nothing of RS."""
    untold = {ReportKey("SI", "AL", OTHER)}
    told = [
        statement_entry(read(kind, submission_id=OTHER), DIGEST, 7)
        for kind in (HitReport, Receipt, ReportCheck, Notes, Confirmation)
    ]
    told += [statement_entry(read(kind, party="AL"), DIGEST, 7) for kind in (Alarm, WithheldAnswer)]
    told.append(match_entry(ROUND, 7, "AL", "SI", OTHER, {}, None))
    assert [discloses_hits(entry, untold) for entry in told] == [True] * 8
    others = [match_entry(ROUND, 7, "RS", "SI", OTHER, {}, None), match_entry(ROUND, 7, "AL", "SI", None, {}, None)]
    others += [statement_entry(read(kind, party="RS"), DIGEST, 7) for kind in (Alarm, WithheldAnswer)]
    others.append(statement_entry(read(Submission), DIGEST, 7))
    assert [discloses_hits(entry, untold) for entry in others] == [False] * 5


def test_what_is_no_statement_has_none() -> None:
    with pytest.raises(InputError, match="no entry for a str"):
        fields_of("consent")


def test_a_check_is_counted() -> None:
    """Its fault and the pairs below; what met stands in the statement and in the match."""
    entry = statement_entry(ReportCheck.model_validate(SAMPLES[ReportCheck]), DIGEST, 1)
    assert (entry.recipient, entry.counts) == ("AL", {"faults": 1, "below": 3, "sequence": 1})
    assert entry.digests.keys() == {"statement", "report"}
