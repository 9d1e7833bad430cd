"""Checks 7 to 13: every statement, every round, the statistics and the witnesses (PROTOCOL.md 10.6)."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from typing import TYPE_CHECKING

from aquila.audit.entries import EntryKind
from aquila.audit.statistics import LEVELS, statistics_of
from aquila.crypto.envelope import open_envelope
from aquila.errors import AquilaError, AuditError
from aquila.protocol.auditing.coverage import check_witnessed
from aquila.protocol.auditing.dual_control import check_party, check_round, persons_of
from aquila.protocol.auditing.heads import check_heads, wrong_heads
from aquila.protocol.auditing.key_periods import KeyPeriods
from aquila.protocol.auditing.numbers import StatementNumbers, check_numbers
from aquila.protocol.auditing.round_audit import RoundAudit
from aquila.protocol.auditing.unproven import UnprovenClaim
from aquila.protocol.log_entries import REFUSED, SEQUENCE, WITHOUT_ENVELOPE, refused_entry, statement_entry
from aquila.protocol.messages import ANNOUNCEMENTS, PARTY_STATEMENTS, Manifest, Message, Outcome, Statement
from aquila.protocol.registry import MATCHER
from aquila.protocol.rounds.round_state import ReportKey, SentNotes
from aquila.protocol.rounds.verified_round import LARGEST_STATEMENT, Round
from aquila.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila.audit.entries import Entry
    from aquila.crypto.group import Group
    from aquila.protocol.auditing.log_files import Files
    from aquila.protocol.auditing.log_record import LogRecord
    from aquila.protocol.registry import Registry

_KINDS: tuple[type[Message], ...] = (Manifest, *PARTY_STATEMENTS, *ANNOUNCEMENTS)
_MESSAGES: dict[str, type[Message]] = {kind.payload_type: kind for kind in _KINDS}
_OF_ROUNDS = frozenset({EntryKind.REPORT, EntryKind.MATCH, EntryKind.DISCLOSURE})
_OF_MATCHER = frozenset({EntryKind.PROPOSAL, EntryKind.OPENING, EntryKind.REPORT, EntryKind.ENDING})


def audit_rounds(log: LogRecord, files: Files, registry: Registry, group: Group) -> list[RoundAudit]:
    """Check every statement and every round of a log whose files hold together.

    Of a node's log only its own statements are checked (7): what all parties did stands in the matcher's.

    Args:
        log: The log, as `read_log` returned it.
        files: Its files.
        registry: The auditor's registry.
        group: The group backend that checks proofs of knowledge.

    Raises:
        AuditError: The first thing that is wrong, and where.
    """
    # 7. Statements.
    said = dict(_statements(log, registry))
    if log.holder != MATCHER:
        log.unproven += check_party(log, said)  # 14
        return []
    persons = persons_of(log)
    wrong = wrong_heads(log, said)
    # 8. Rounds.
    rounds: dict[str, RoundAudit] = {}
    proposed = _proposals(log)
    pruned = _pruned(log, proposed)
    for index, entry in enumerate(log.entries):
        if entry is None or entry.round is None or entry.round in pruned:
            continue
        if entry.kind is EntryKind.PROPOSAL:
            left_out = log.left_out.rounds[entry.round]
            rounds[entry.round] = _proposed(index, entry, log.statements[index], registry, group, left_out)
        if entry.round in rounds:
            if index in wrong and entry.kind in REFUSED:
                _take_unheard(rounds[entry.round], index, entry, wrong[index], said[index])
            else:
                _take(rounds[entry.round], index, entry, log.statements[index], said.get(index))
        # What people asked for and approved may come before. A proposal is erased with the last entry of its round.
        elif index in said or entry.kind in _OF_ROUNDS:
            raise AuditError("entry_round_not_proposed", what="proposal_missing", round=entry.round, index=index)
    for audit in rounds.values():
        audit.unproven += check_round(persons, audit)  # 14
        if audit.left_out:
            audit.statistics = statistics_of(audit.round.round_id, audit.entries.values())
            audit.unproven += check_numbers(audit.round, audit.numbers, audit.left_out)
            audit.unproven += check_witnessed(audit, log)
            continue
        # 9. and 10.
        _check_complete(audit, log)
        audit.unproven += check_numbers(audit.round, audit.numbers)
        # 11.
        _check_statistics(audit, files)
        # 12.
        audit.unproven += check_witnessed(audit, log)
    # 13.
    check_heads(log, wrong)
    return list(rounds.values())


def _proposals(log: LogRecord) -> dict[str, int]:
    """Return for each round the index of its proposal.

    Raises:
        AuditError: A round was proposed twice: what came before the second proposal would count for nothing.
    """
    found: dict[str, int] = {}
    for index, entry in enumerate(log.entries):
        if entry is None or entry.kind is not EntryKind.PROPOSAL or entry.round is None:
            continue
        first = found.setdefault(entry.round, index)
        if first != index:
            raise AuditError(
                "entry_round_proposed_twice", what="proposed_twice", round=entry.round, index=index, first=first
            )
    return found


def _pruned(log: LogRecord, proposed: dict[str, int]) -> set[str]:
    """Return the rounds that cannot be taken through: a content was erased between their proposal and last entry.

    Contents are erased three years old at the earliest, by a witness's clock (6), so such a round is as old. It may
    lack a submission, whose justification goes before the round's other entries do (PROTOCOL.md 8.5). Its proposal
    stays until all of it goes, so that nobody can call a round one of which the beginning was erased.
    """
    listed = set(log.left_out.indices())
    erased = [index for index, entry in enumerate(log.entries) if entry is None and index not in listed]
    last: dict[str, int] = {}
    for index, entry in enumerate(log.entries):
        if entry is not None and entry.round is not None:
            last[entry.round] = index
    return {name for name, start in proposed.items() if bisect(erased, start) < bisect(erased, last[name])}


def _statements(log: LogRecord, registry: Registry) -> Iterator[tuple[int, Message]]:
    """Yield every statement by the index of its entry, after the entry was made again from it and compared."""
    holders = registry.by_fingerprint()
    keys = {fingerprint: key for fingerprint, (_, key) in holders.items()}
    periods = log.keys or KeyPeriods(registry)
    seen: dict[str, int] = {}
    numbered = False
    for index, (entry, envelope) in enumerate(zip(log.entries, log.statements, strict=True)):
        digest = None if entry is None else entry.digests.get("statement")
        numbered = _check_numbered(index, entry, numbered=numbered)
        if entry is None or digest is None or entry.kind in WITHOUT_ENVELOPE:
            if envelope:
                raise AuditError("entry_statement_unexpected", index=index)
            continue
        if not envelope and entry.kind in REFUSED:
            continue  # of sealed notes, of a node's log, or of an earlier version: it explains nothing
        if not envelope:
            raise AuditError("entry_statement_missing", kind=entry.kind.value, index=index)
        try:
            opened = open_envelope(envelope, list(_MESSAGES), keys, limit=LARGEST_STATEMENT)
            message = _MESSAGES[opened.payload_type].from_payload(opened.payload)
        except AquilaError as error:
            raise AuditError("entry_statement_invalid", index=index, reason=error.sentence) from None
        periods.check(*holders[opened.signer.fingerprint], index)
        if opened.digest != digest:
            raise AuditError("entry_statement_differs", expected=digest, got=opened.digest, index=index)
        if entry.kind not in REFUSED and seen.setdefault(digest, index) != index:
            raise AuditError("entry_statement_repeated", index=index, seen=seen[digest])
        made = _made(entry, message, digest)
        if made != entry:
            fields = [name for name in type(entry).model_fields if getattr(entry, name) != getattr(made, name)]
            raise AuditError("entry_differs_from_statement", index=index, listed=", ".join(fields))
        yield index, message


def _check_numbered(index: int, entry: Entry | None, *, numbered: bool) -> bool:
    """Check that entries of statements hold their numbers from the first that does on; return whether one did.

    Raises:
        AuditError: One does not.
    """
    if entry is None or "statement" not in entry.digests or entry.kind in _OF_MATCHER:
        return numbered
    if SEQUENCE in entry.counts:
        return True
    if numbered:
        raise AuditError("entry_statement_number_missing", what="number_missing", kind=entry.kind.value, index=index)
    return False


def _made(entry: Entry, message: Message, digest: str) -> Entry:
    """Make the entry of a statement again, as the version that wrote it did."""
    if entry.kind in REFUSED and isinstance(message, Statement):
        return refused_entry(message, digest, entry.time, entry.kind).salted(entry.salt)
    made = statement_entry(message, digest, entry.time).salted(entry.salt)
    if SEQUENCE in entry.counts:
        return made
    return made.model_copy(update={"counts": {name: made.counts[name] for name in made.counts if name != SEQUENCE}})


def _proposed(  # noqa: PLR0913, PLR0917 - what a round begins with
    index: int, entry: Entry, envelope: bytes, registry: Registry, group: Group, left_out: int
) -> RoundAudit:
    """Begin a round from its manifest; one of which something is left out is taken through as a party would."""
    try:
        round_ = Round.from_manifest(registry, group, envelope, sees_everything=not left_out)
    except AquilaError as error:
        raise AuditError("entry_manifest_invalid", index=index, round=entry.round, reason=error.sentence) from None
    return RoundAudit(round_, left_out=left_out)


def _take(audit: RoundAudit, index: int, entry: Entry, envelope: bytes, message: Message | None) -> None:
    """Take the next entry of a round."""
    audit.entries[index] = entry
    round_ = audit.round
    if entry.kind is EntryKind.OPENING:
        audit.opened_at = index
    elif entry.kind is EntryKind.REPORT:
        _take_report(audit, index, entry)
    elif entry.kind is EntryKind.DISCLOSURE:
        _take_notes(audit, index, entry)
    elif entry.kind is EntryKind.MATCH:
        place = str(entry.ids.get("left")), str(entry.ids.get("right")), _query(entry)
        if place in audit.matched or not round_.manifest.may_match(place[0], place[1]):
            raise AuditError("entry_pair_wrongly_matched", **_of(round_), index=index, left=place[0], right=place[1])
        audit.matched[place] = Counter({level: entry.counts.get(level, 0) for level in LEVELS})
    if message is None or entry.kind is EntryKind.PROPOSAL:
        return
    if entry.kind in REFUSED:
        _take_refused(audit, index, entry, envelope, message)
        return
    try:
        round_.accept(envelope, now=entry.time)
    except AquilaError as error:
        raise AuditError(
            "entry_not_allowed_by_round", index=index, round_id=round_.round_id, reason=error.sentence
        ) from None
    if isinstance(message, Statement):
        audit.last_words[message.party] = index
        _numbers(audit, message.party).add(message, earlier=SEQUENCE not in entry.counts)


def _take_refused(audit: RoundAudit, index: int, entry: Entry, envelope: bytes, message: Message) -> None:
    """Take a statement that the matcher refused: the round must refuse it here, too, if nothing of it is left out."""
    assert isinstance(message, Statement)  # as `_made` found
    if not audit.left_out and _allows(audit.round, envelope, entry.time):
        raise AuditError(
            "entry_statement_wrongly_refused",
            what="refused_unduly",
            party=str(entry.recipient),
            **_of(audit.round),
            index=index,
            recipient=entry.recipient,
        )
    _numbers(audit, message.party).refused.add(message.sequence)


def _take_unheard(audit: RoundAudit, index: int, entry: Entry, wrong: AuditError, message: Message) -> None:
    """Take a statement that the matcher refused for the head that it names, which is none of this log."""
    assert isinstance(message, Statement)  # no other names a head
    audit.entries[index] = entry
    why = Sentence.of("named_head_refused", reason=wrong.sentence, party=message.party)
    audit.unproven.append(UnprovenClaim("head_refused", why))
    _numbers(audit, message.party).refused.add(message.sequence)


def _allows(round_: Round, envelope: bytes, now: int) -> bool:
    try:
        round_.accept(envelope, now=now)
    except AquilaError:
        return False
    return True


def _numbers(audit: RoundAudit, party: str) -> StatementNumbers:
    return audit.numbers.setdefault(party, StatementNumbers())


def _take_report(audit: RoundAudit, index: int, entry: Entry) -> None:
    """Take what is kept of a report: for whom, how many hits, and its digest, which the receipt names."""
    round_, party, query = audit.round, str(entry.recipient), _query(entry)
    known = round_.all_lists_are_in() if query is None else query in round_.tokens
    if party not in round_.participants or not round_.bindings or not known:
        raise AuditError("entry_report_not_due", **_of(round_), index=index, party=party)
    key = ReportKey(party, query)
    if key in audit.reported:
        raise AuditError("entry_report_sent_twice", **_of(round_), index=index, party=party)
    levels = Counter({level: entry.counts.get(level, 0) for level in LEVELS})
    # 3.7.17: a report is there with its last page; the receipt names that one's digest and all hits.
    page, pages = entry.counts.get("page", 0), entry.counts.get("pages", 1)
    taken, before = audit.pages.pop(key, (0, Counter()))
    if page != taken or not page < pages:
        raise AuditError("entry_report_page_out_of_order", **_of(round_), index=index, party=party)
    levels += before
    if page + 1 < pages:
        audit.pages[key] = page + 1, levels
        return
    round_.reports[key] = entry.digests["statement"]
    # By level and not by counterpart, which no entry tells: receipts and notes are held against the total.
    audit.reported[key] = round_.reported[key] = levels


def _take_notes(audit: RoundAudit, index: int, entry: Entry) -> None:
    """Take what is kept of a batch of notes: from whom, to whom, and its digest, which the confirmation names."""
    round_, sender, receiver, query = audit.round, entry.party, str(entry.recipient), _query(entry)
    if not {ReportKey(sender, query), ReportKey(receiver, query)} <= set(
        audit.reported
    ) or not round_.manifest.may_match(sender, receiver):
        raise AuditError("entry_notes_not_due", **_of(round_), index=index, sender=sender, receiver=receiver)
    sent = SentNotes(sender, receiver, query, entry.counts["batch"])
    if round_.has_notes(sent):
        raise AuditError("entry_batch_sent_twice", **_of(round_), index=index, sender=sender)
    round_.keep_notes(entry.digests["statement"], sent)
    number = entry.counts.get(SEQUENCE)
    _numbers(audit, sender).add_unseen(index, entry, number)
    if number is not None:
        round_.sequences.setdefault(sender, {})[number] = entry.digests["statement"]
    audit.last_words[sender] = index


def _check_complete(audit: RoundAudit, log: LogRecord) -> None:
    """Check that nothing of a closed round is missing, and that what was matched is what was reported."""
    round_ = audit.round
    if audit.reported:
        _check_matches(audit)
    if round_.ending is None or round_.ending.outcome is not Outcome.CLOSED:
        return
    for party in round_.participants:
        key = ReportKey(party, None)
        report, receipt = audit.reported.get(key), round_.receipts.get(key)
        if report is None or receipt is None:
            what = "report" if report is None else "receipt"
            raise AuditError(
                "round_closed_without_statement", **_of(round_), round_id=round_.round_id, what=what, party=party
            )
    _check_exchanged(audit)
    if log.newest > round_.manifest.window.closes_at:
        for party in sorted({*round_.participants} - {*round_.closings} - {*round_.refusals}):
            raise AuditError("round_closing_missing", **_of(round_), round_id=round_.round_id, party=party)


def _check_exchanged(audit: RoundAudit) -> None:
    """Check that a round that was closed before its time was over had every note on its lists' hits confirmed."""
    round_ = audit.round
    ended = next(entry.time for entry in audit.entries.values() if entry.kind is EntryKind.ENDING)
    if ended > round_.manifest.window.closes_at:
        return
    found: Counter[tuple[str, str]] = Counter()
    for one in round_.confirmations.values():
        if one.submission_id is None:
            found[one.party, one.to] += one.confirmed + len(one.refuted)
    for (left, right, query), counts in audit.matched.items():
        for party, other in ((left, right), (right, left)):
            if query is None and found[party, other] < counts.total():
                raise AuditError(
                    "round_closed_before_confirmation",
                    **_of(round_),
                    round_id=round_.round_id,
                    party=party,
                    other=other,
                )


def _check_matches(audit: RoundAudit) -> None:
    """Compare matches with reports."""
    round_ = audit.round
    queries = {query for _, query in audit.reported}
    due = {
        (min(left, right), max(left, right), query)
        for query in queries
        for left in ([round_.submissions[query].party] if query else round_.participants)
        for right in round_.counterparts_of(left)
    }
    for left, right, query in sorted(due - set(audit.matched), key=str):
        raise AuditError(
            "round_pair_not_matched",
            **_of(round_),
            round_id=round_.round_id,
            left=left,
            right=right,
            of_query=_words(query),
        )
    totals: dict[tuple[str, str | None], Counter[str]] = {}
    for (left, right, query), counts in audit.matched.items():
        for party, other in ((left, right), (right, left)):
            if round_.has_refused(other, query) and round_.submissions[query or ""].party == party:
                continue  # 3.7.16: the asker's report has nothing of an owner that refused its answer
            totals.setdefault((party, query), Counter()).update(counts)
    for (party, query), counts in audit.reported.items():
        matched = totals.get((party, query), Counter())
        for level in LEVELS:
            if counts[level] != matched[level]:
                raise AuditError(
                    "round_hit_count_differs",
                    **_of(round_),
                    round_id=round_.round_id,
                    party=party,
                    got=counts[level],
                    level=level,
                    of_query=_words(query),
                    expected=matched[level],
                )


def _check_statistics(audit: RoundAudit, files: Files) -> None:
    """Compare what the matcher published of a round with what its entries give."""
    round_ = audit.round
    audit.statistics = statistics_of(round_.round_id, audit.entries.values())
    if round_.ending is None:
        return
    name = f"statistics/{round_.round_id}.json"
    published = files(name)
    if published is None:
        raise AuditError("log_file_missing", name=name)
    if published != audit.statistics.to_bytes():
        raise AuditError("published_statistics_differ_from_log", name=name)


def _query(entry: Entry) -> str | None:
    """Return the query that a report or a match is of, or None for the lists."""
    return str(entry.ids["submission"]) if "submission" in entry.ids else None


def _words(query: str | None) -> str:
    return "for the lists" if query is None else f"for the query {query}"


def _of(round_: Round) -> dict[str, str]:
    return {"round": round_.round_id}
