"""Checks 8 to 14: every statement, every round, the statistics and the witnesses (PROTOCOL.md 10.6)."""

from bisect import bisect
from collections.abc import Callable, Iterator, Mapping

from aquila.audit.entries import Entry, EntryKind
from aquila.audit.statistics import statistics_of
from aquila.crypto.envelope import open_envelope
from aquila.crypto.group import Group
from aquila.errors import AquilaError, AuditError
from aquila.protocol.auditing import entry_checks, hits
from aquila.protocol.auditing.coverage import check_witnessed
from aquila.protocol.auditing.log_files import Files
from aquila.protocol.auditing.log_record import KeyPeriods, LogRecord, ShownBy, UnprovenClaim, shown_by
from aquila.protocol.auditing.round_audit import RoundAudit, check_numbers
from aquila.protocol.log_entries import REFUSED, WITHOUT_ENVELOPE, refused_entry, statement_entry
from aquila.protocol.messages import ANNOUNCEMENTS, PARTY_STATEMENTS, Manifest, Message, Notes, Outcome, Statement
from aquila.protocol.registry import MATCHER, Registry
from aquila.protocol.rounds.verified_round import LARGEST_STATEMENT, Round
from aquila.sentences import Sentence

_KINDS: tuple[type[Message], ...] = (Manifest, *PARTY_STATEMENTS, *ANNOUNCEMENTS)
_MESSAGES: dict[str, type[Message]] = {kind.payload_type: kind for kind in _KINDS if kind is not Notes}
_SIGNED = frozenset({ShownBy.PARTY, ShownBy.MATCHER})
_OF_ROUNDS: Mapping[EntryKind, Callable[[RoundAudit, int, Entry], None]] = {
    EntryKind.REPORT: hits.take_report,
    EntryKind.MATCH: hits.take_match,
    EntryKind.DISCLOSURE: hits.take_notes,
}


def audit_rounds(log: LogRecord, files: Files, registry: Registry, group: Group) -> list[RoundAudit]:
    """Check every statement and every round of a log whose files hold together.

    Of a node's log only its own statements are checked (8): what all parties did stands in the matcher's.

    Raises:
        AuditError: The first thing that is wrong, and where.
    """
    # 8. Statements.
    entry_checks.check_forms(log)
    said = dict(_statements(log, registry))
    persons = entry_checks.persons_of(log)
    log.unproven += entry_checks.check_registry(persons, log)  # 10.6.1
    if log.holder != MATCHER:
        log.unproven += entry_checks.check_party(persons, log, said)  # 10.6.1
        return []
    wrong = entry_checks.wrong_heads(log, said)
    # 9. Rounds.
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
        audit.unproven += entry_checks.check_round(persons, audit)  # 10.6.1
        if audit.left_out:
            audit.statistics = statistics_of(audit.round.round_id, audit.entries.values())
            audit.unproven += check_numbers(audit.round, audit.numbers, audit.left_out)
            audit.unproven += check_witnessed(audit, log)
            continue
        # 10. and 11.
        hits.check_told_with_ending(audit)
        audit.unproven += hits.check_hits(audit)
        audit.unproven += hits.check_left_out(audit)
        audit.unproven += _check_complete(audit, log)
        audit.unproven += hits.check_queries(audit)
        audit.unproven += check_numbers(audit.round, audit.numbers)
        # 12.
        _check_statistics(audit, files)
        # 13.
        audit.unproven += check_witnessed(audit, log)
    # 14.
    entry_checks.check_heads(log, wrong)
    return list(rounds.values())


def _proposals(log: LogRecord) -> dict[str, int]:
    """Return for each round the index of its proposal."""
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
    for index, (entry, envelope) in enumerate(zip(log.entries, log.statements, strict=True)):
        digest = _digest_of(log, index, entry, envelope)
        if entry is None or digest is None:
            continue
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


def _digest_of(log: LogRecord, index: int, entry: Entry | None, envelope: bytes) -> str | None:
    """Return the digest of an entry's statement, which is in the log's files, or None where it needs none."""
    digest = None if entry is None else entry.digests.get("statement")
    if entry is None or digest is None or entry.kind in WITHOUT_ENVELOPE:
        if envelope:
            raise AuditError("entry_statement_unexpected", index=index)
        if entry is None or digest is not None or log.holder != MATCHER or shown_by(entry.kind) not in _SIGNED:
            return None
    elif envelope or entry.kind in REFUSED:
        return digest if envelope else None  # what is said to have been refused proves nothing without it
    raise AuditError("entry_statement_missing", kind=entry.kind.value, index=index)


def _made(entry: Entry, message: Message, digest: str) -> Entry:
    """Make the entry of a statement again."""
    if entry.kind in REFUSED and isinstance(message, Statement):
        return refused_entry(message, digest, entry.time, entry.kind).salted(entry.salt)
    return statement_entry(message, digest, entry.time).salted(entry.salt)


def _proposed(index: int, entry: Entry, envelope: bytes, registry: Registry, group: Group, left_out: int) -> RoundAudit:
    """Begin a round from its manifest; one of which something is left out is taken through as a party would."""
    try:
        round_ = Round.from_manifest(registry, group, envelope, sees_everything=not left_out)
    except AquilaError as error:
        raise AuditError("entry_manifest_invalid", index=index, round=entry.round, reason=error.sentence) from None
    return RoundAudit(round_, left_out=left_out)


def _take(audit: RoundAudit, index: int, entry: Entry, envelope: bytes, message: Message | None) -> None:
    """Take the next entry of a round."""
    audit.entries[index] = entry
    if entry.kind is EntryKind.ENDING:
        audit.told_with_ending = None
    elif message is not None or entry.kind in {EntryKind.MATCH, EntryKind.DISCLOSURE}:
        hits.check_told_with_ending(audit)
    if entry.kind in _OF_ROUNDS:
        _OF_ROUNDS[entry.kind](audit, index, entry)
    elif entry.kind in REFUSED:
        _take_refused(audit, index, entry, envelope)
    elif message is not None and entry.kind is not EntryKind.PROPOSAL:
        _take_statement(audit, index, entry, envelope, message)


def _take_statement(audit: RoundAudit, index: int, entry: Entry, envelope: bytes, message: Message) -> None:
    round_ = audit.round
    try:
        round_.accept(envelope, now=entry.time)
    except AquilaError as error:
        raise AuditError(
            "entry_not_allowed_by_round", index=index, round_id=round_.round_id, reason=error.sentence
        ) from None
    if entry.kind is EntryKind.OPENING:
        _check_opening(audit, index, entry)
    if isinstance(message, Statement):
        audit.last_words[message.party] = index
        audit.numbers_of(message.party).add(message)


def _check_opening(audit: RoundAudit, index: int, entry: Entry) -> None:
    """Check that everybody had answered before a round was opened, or the time for it was over (3.3.4)."""
    audit.opened_at, round_ = index, audit.round
    is_due = round_.everybody_answered or entry.time > round_.manifest.window.consent_by
    if not audit.left_out and not (is_due and round_.manifest.has_pair_among(round_.consents)):
        raise AuditError("entry_opening_too_early", **_of(round_), index=index)


def _take_refused(audit: RoundAudit, index: int, entry: Entry, envelope: bytes) -> None:
    """Take a statement that the matcher refused: the round must refuse it here, too, if nothing of it is left out."""
    audit.numbers_of(str(entry.recipient)).add_refused(entry, is_shown=bool(envelope))
    if envelope and not audit.left_out and _allows(audit.round, envelope, entry.time):
        raise AuditError(
            "entry_statement_wrongly_refused",
            what="refused_unduly",
            party=str(entry.recipient),
            **_of(audit.round),
            index=index,
            recipient=entry.recipient,
        )


def _take_unheard(audit: RoundAudit, index: int, entry: Entry, wrong: AuditError, message: Message) -> None:
    """Take a statement that the matcher refused for the head that it names, which is not a head of this log."""
    assert isinstance(message, Statement)  # no other names a head
    audit.entries[index] = entry
    why = Sentence.of("named_head_refused", reason=wrong.sentence, party=message.party)
    audit.unproven.append(UnprovenClaim("head_refused", why))
    audit.numbers_of(message.party).add_refused(entry, is_shown=True)


def _allows(round_: Round, envelope: bytes, now: int) -> bool:
    try:
        round_.accept(envelope, now=now)
    except AquilaError:
        return False
    return True


def _check_complete(audit: RoundAudit, log: LogRecord) -> Iterator[UnprovenClaim]:
    """Check that nothing of a closed round is missing; yield what parties that were away may have caused."""
    round_ = audit.round
    if round_.ending is None or round_.ending.outcome is not Outcome.CLOSED:
        return
    yield from hits.check_pairs(audit)
    hits.check_exchanged(audit)
    if log.newest > round_.manifest.window.closes_at:
        for party in sorted({*round_.participants} - {*round_.closings} - {*round_.refusals}):
            yield hits.claim(audit, "closing", "round_closing_missing", party=party)


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


def _of(round_: Round) -> dict[str, str]:
    return {"round": round_.round_id}
