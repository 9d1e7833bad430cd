"""The log entry of a signed statement: one for each, made from the statement alone (PROTOCOL.md 10.2).

Matcher, nodes and auditors make the same entry from the same statement, so an auditor makes it again and compares.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from functools import singledispatch
from typing import Any

from aquila.audit.entries import Entry, EntryKind
from aquila.errors import InputError
from aquila.matching.certainty import Level
from aquila.protocol.messages import (
    Acknowledgement,
    Alarm,
    Closing,
    Confirmation,
    Consent,
    Ending,
    Evaluation,
    FollowUp,
    HitReport,
    LevelCounts,
    Locks,
    Manifest,
    Message,
    Notes,
    Opening,
    Outcomes,
    Receipt,
    Refusal,
    ReportCheck,
    Statement,
    Submission,
    Tokens,
    Withdrawal,
    WithheldAnswer,
)
from aquila.protocol.registry import MATCHER
from aquila.protocol.rounds.round_state import ReportKey

WITHOUT_ENVELOPE = frozenset({EntryKind.REPORT, EntryKind.DISCLOSURE})
"""Kinds whose statement is not kept in the log's files: reports hold handles, and notes go when they are collected."""

REFUSED = frozenset({EntryKind.EVIDENCE, EntryKind.STATEMENT_REFUSED})
"""Kinds of entries about a statement that does not count; its number stays empty where nothing else has it."""

MOST_REFUSED = 100
"""How many statements of a party in a round the matcher keeps of each of these kinds: a liar cannot fill the disk."""

SEQUENCE = "sequence"
"""The count of an entry that says which number its party gave the statement."""

_BEFORE_HITS = frozenset({EntryKind.SUBMISSION, EntryKind.EVALUATION, EntryKind.TOKENS})

_PERSON = re.compile(r"p-[0-9a-f]{12}")


def statement_entry(message: Message, digest: str, time: int) -> Entry:
    """Return the entry of a signed statement.

    Args:
        message: The statement.
        digest: Its digest, as its envelope signs it.
        time: When the log's owner took or signed it, in seconds since 1970.

    Raises:
        InputError: The log has no entry for statements of this kind.
    """
    kind, fields = fields_of(message)
    party = MATCHER if isinstance(message, HitReport) else getattr(message, "party", MATCHER)
    digests = {"statement": digest} | fields.pop("digests", {})
    if isinstance(message, Statement):
        fields["counts"] = fields.get("counts", {}) | {SEQUENCE: message.sequence}
    return Entry.of(kind, time, party, round=message.round_id, digests=digests, **fields)  # type: ignore[attr-defined]  # every statement names its round


def refused_entry(message: Statement, digest: str, time: int, kind: EntryKind = EntryKind.STATEMENT_REFUSED) -> Entry:
    """Return the entry of a statement that the matcher refused.

    Args:
        message: The statement.
        digest: Its digest, as its envelope signs it.
        time: When it was refused, in seconds since 1970.
        kind: `STATEMENT_REFUSED`, or `EVIDENCE` where it contradicts another one that counts.
    """
    return Entry.of(
        kind,
        time,
        MATCHER,
        round=message.round_id,
        recipient=message.party,
        counts={SEQUENCE: message.sequence},
        digests={"statement": digest},
    )


@singledispatch
def fields_of(message: object) -> tuple[EntryKind, dict[str, Any]]:
    """Return the kind of a statement's entry and its fields besides time, party, round and digest.

    Raises:
        InputError: There is no entry for such a statement; whoever adds a statement adds its entry here.
    """
    raise InputError("log_entry_kind_without_entry", kind=type(message).__name__)


@fields_of.register(Manifest)
def _manifest(message: Manifest) -> tuple[EntryKind, dict[str, Any]]:
    reason = {"legal_basis": message.legal_basis, "purpose": message.purpose, "category": message.category}
    counts = {"participants": len(message.participants), "pairs": len(message.pairs)}
    counts["retention_days"] = message.retention_days
    return EntryKind.PROPOSAL, {"reason": reason, "counts": counts, "ids": {"mode": message.mode.value}}


@fields_of.register(Consent)
def _consent(message: Consent) -> tuple[EntryKind, dict[str, Any]]:
    earlier = {"earlier_rounds": len(message.earlier_rounds)}
    return EntryKind.CONSENT, {"counts": earlier, "digests": {"manifest": message.manifest_digest}}


@fields_of.register(Opening)
def _opening(message: Opening) -> tuple[EntryKind, dict[str, Any]]:
    return EntryKind.OPENING, {
        "counts": {"participants": len(message.consents)},
        "digests": {"binding": message.binding},
    }


@fields_of.register(Locks)
def _locks(message: Locks) -> tuple[EntryKind, dict[str, Any]]:
    return EntryKind.LOCKS, {"counts": {"halves": len(message.halves)}, "digests": {"binding": message.binding}}


@fields_of.register(Submission)
def _submission(message: Submission) -> tuple[EntryKind, dict[str, Any]]:
    why = message.justification
    return EntryKind.SUBMISSION, {
        "person": why.officer if _PERSON.fullmatch(why.officer) else None,
        "reason": why.model_dump(mode="json", include={"legal_basis", "purpose", "case_reference", "category"}),
        "counts": {
            "records": message.records,
            "full": message.elements.full,
            "partial": message.elements.partial,
            "coarse": message.elements.coarse,
            "chunks": len(message.chunks),
        },
        "ids": {"submission": message.submission_id, "kind": message.kind.value},
    }


@fields_of.register(Evaluation)
def _evaluation(message: Evaluation) -> tuple[EntryKind, dict[str, Any]]:
    return EntryKind.EVALUATION, {
        "recipient": message.origin,
        "counts": {"chunk": message.index, "elements": message.elements},
        "digests": {"input": message.input_digest, "output": message.output_digest},
        "ids": {"submission": message.submission_id, "class": message.input_class.value},
    }


@fields_of.register(Tokens)
def _tokens(message: Tokens) -> tuple[EntryKind, dict[str, Any]]:
    column = message.column
    return EntryKind.TOKENS, {
        "recipient": column.counterpart,
        "counts": {"rows": sum(chunk.rows for chunk in column.chunks), "chunks": len(column.chunks)},
        "ids": {"submission": message.submission_id},
    }


@fields_of.register(HitReport)
def _report(message: HitReport) -> tuple[EntryKind, dict[str, Any]]:
    levels = LevelCounts.of(Counter(hit.certainty.value for hit in message.hits))
    return EntryKind.REPORT, {
        "recipient": message.party,
        "counts": _hits(levels) | _page(message),
        "ids": _of(message.submission_id) | {"counterpart": message.counterpart},
    }


def _hits(levels: LevelCounts) -> dict[str, int]:
    """Return the counts of an entry of hits: all of them, and those of each level."""
    return {"hits": levels.total} | levels.model_dump()


def _page(message: HitReport) -> dict[str, int]:
    """Return the counts that the entry of a page has besides: its number, from 0, and how many pages there are."""
    return {} if message.page is None else {"page": message.page.number, "pages": message.page.pages}


@fields_of.register(Receipt)
def _receipt(message: Receipt) -> tuple[EntryKind, dict[str, Any]]:
    return EntryKind.RECEIPT, {
        "recipient": message.counterpart,
        "counts": _hits(message.hits),
        "digests": {"report": message.report_digest},
        "ids": _of(message.submission_id),
    }


@fields_of.register(Notes)
def _notes(message: Notes) -> tuple[EntryKind, dict[str, Any]]:
    counts = {"notes": message.hits, "batch": message.index}
    return EntryKind.DISCLOSURE, {"recipient": message.to, "counts": counts, "ids": _of(message.submission_id)}


@fields_of.register(Confirmation)
def _confirmation(message: Confirmation) -> tuple[EntryKind, dict[str, Any]]:
    return EntryKind.NOTE_RECEIVED, {
        "recipient": message.to,
        "counts": {"confirmed": message.confirmed, "refuted": len(message.refuted)},
        "digests": {"notes": message.notes},
        "ids": _of(message.submission_id),
    }


@fields_of.register(Alarm)
def _alarm(message: Alarm) -> tuple[EntryKind, dict[str, Any]]:
    return EntryKind.FISHING_ALARM, {
        "counts": {"hits": message.hits, "expected_thousandths": message.expected},
        "digests": {"report": message.report_digest},
        "ids": _of(message.submission_id),
    }


@fields_of.register(WithheldAnswer)
def _withheld_answer(message: WithheldAnswer) -> tuple[EntryKind, dict[str, Any]]:
    return EntryKind.ANSWER_WITHHELD, {"ids": _of(message.submission_id) | {"value": message.state.value}}


@fields_of.register(ReportCheck)
def _checked(message: ReportCheck) -> tuple[EntryKind, dict[str, Any]]:
    return EntryKind.CHECKED, {
        "recipient": message.counterpart,
        "counts": {"faults": int(message.fault is not None), "below": message.below},
        "digests": {"report": message.report_digest},
        "ids": _of(message.submission_id),
    }


@fields_of.register(Closing)
def _closing(message: Closing) -> tuple[EntryKind, dict[str, Any]]:
    return EntryKind.CLOSING, {"counts": {"hits": message.hits}}


@fields_of.register(Refusal)
def _refusal(_message: Refusal) -> tuple[EntryKind, dict[str, Any]]:
    return EntryKind.REFUSAL, {}


@fields_of.register(Withdrawal)
def _withdrawal(message: Withdrawal) -> tuple[EntryKind, dict[str, Any]]:
    return EntryKind.WITHDRAWAL, {
        "recipient": message.counterpart,
        "counts": {"hits": len(message.hits)},
        "ids": {"value": message.ground.value} | ({} if message.submission_id is None else _of(message.submission_id)),
    }


@fields_of.register(Acknowledgement)
def _acknowledgement(message: Acknowledgement) -> tuple[EntryKind, dict[str, Any]]:
    return EntryKind.WITHDRAWAL_ACKNOWLEDGED, {
        "counts": {"hits": message.hits, "erased": int(message.erased)},
        "digests": {"withdrawal": message.withdrawal},
    }


@fields_of.register(Outcomes)
def _outcomes(message: Outcomes) -> tuple[EntryKind, dict[str, Any]]:
    counts = Counter({"hits": message.total})
    for pair in message.pairs:
        for level in pair.levels:
            counts.update(level.model_dump(exclude={"certainty"}))
    return EntryKind.OUTCOME, {"counts": dict(counts)}


@fields_of.register(FollowUp)
def _follow_up(message: FollowUp) -> tuple[EntryKind, dict[str, Any]]:
    return EntryKind.FOLLOW_UP_TOLD, {"recipient": message.to, "counts": {"part": message.part}}


@fields_of.register(Ending)
def _ending(message: Ending) -> tuple[EntryKind, dict[str, Any]]:
    return EntryKind.ENDING, {"ids": {"outcome": message.outcome.value}}


def match_entry(
    round_id: str, time: int, left: str, right: str, query: str | None, hits: Mapping[str, int], met: str | None
) -> Entry:
    """Return the entry of the combination of two parties' records.

    Args:
        round_id: In which round.
        time: When, in seconds since 1970.
        left: The one party.
        right: The other, later in the alphabet.
        query: The query's submission id, or None for the lists.
        hits: How many at each level.
        met: The digest of the tags that met (3.7.13); none where their columns do not fit.
    """
    ids = {"left": left, "right": right} | _of(query)
    return Entry.of(
        EntryKind.MATCH,
        time,
        MATCHER,
        round=round_id,
        ids=ids,
        counts={level.value: hits.get(level.value, 0) for level in Level},
        digests={} if met is None else {"met": met},
    )


def discloses_hits(entry: Entry, untold: Collection[ReportKey]) -> bool:
    """Return whether an entry reveals hits of a query that its asker was not told of: all of it but how it was made.

    Which query a refused statement is about stands in the statement alone, so that each counts.

    Args:
        entry: The entry.
        untold: The reports of queries that their askers lack; each names the owner of the list as the counterpart.
    """
    if entry.kind in REFUSED:
        return bool(untold)
    if entry.kind in _BEFORE_HITS:
        return False
    named = {entry.party, entry.recipient, *map(entry.ids.get, ("left", "right", "counterpart"))}
    return any(entry.ids.get("submission") == one.submission_id and one.counterpart in named for one in untold)


def _of(submission_id: str | None) -> dict[str, str]:
    """Return the ids that a match or a report is about: the lists, or a query."""
    return {"of": "lists"} if submission_id is None else {"of": "query", "submission": submission_id}
