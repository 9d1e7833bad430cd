"""Checks of entries against what stands in the log besides (PROTOCOL.md 10.2, 10.6 and 10.6.1).

Check 8: a match is nobody's statement, and reports, sealed notes and some of what was refused are not kept in the log's
files. Such an entry is made again from its own numbers and names, so that whatever else stands in it is found here and
not by what reads it later.

Check 14: what the parties signed to have seen of the log is what it begins with (3.2.5). A log that was rewritten
behind what its parties have worked on contradicts what they signed, whoever's keys sign it. A statement that the
matcher refused may name another head: nothing tells whether its party was shown another log, or made the head up, so
that is reported and not a fault.

10.6.1: what needs two different persons was asked for by one and approved by another. What a log does not show is
unproven and not wrong: a service that was restored from a backup has lost entries, too.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aquila.audit.entries import Entry, EntryKind, Word
from aquila.audit.merkle import Frontier
from aquila.audit.statistics import LEVELS
from aquila.errors import AuditError, InputError
from aquila.protocol.approvals import TwoPersons
from aquila.protocol.auditing.hits import query_of
from aquila.protocol.auditing.log_record import LogRecord, UnprovenClaim
from aquila.protocol.auditing.round_audit import RoundAudit
from aquila.protocol.log_entries import REFUSED, SEQUENCE, match_entry
from aquila.protocol.messages import Consent, Ending, LogHead, Message, Outcome, Statement, Submission
from aquila.protocol.registry import MATCHER
from aquila.sentences import Sentence


def check_forms(log: LogRecord) -> None:
    """Check that each of these entries has the form of its kind; raises AuditError if one has another."""
    for index, entry in enumerate(log.entries):
        if entry is not None and entry.kind in _FORMS and not _has_form(entry):
            raise AuditError("entry_form_wrong", what="form", kind=entry.kind.value, index=index)


def _has_form(entry: Entry) -> bool:
    try:
        return _FORMS[entry.kind](entry).salted(entry.salt) == entry
    except (KeyError, InputError):
        return False


def _match(entry: Entry) -> Entry:
    left, right = str(entry.ids["left"]), str(entry.ids["right"])
    if entry.round is None or not left < right:
        raise KeyError
    hits = {level: entry.counts[level] for level in LEVELS}
    query = query_of(entry)
    met = entry.digests.get("met")
    return match_entry(entry.round, entry.time, left, right, query, hits, met)


def _report(entry: Entry) -> Entry:
    counts = {name: entry.counts[name] for name in ("hits", *LEVELS)}
    if "page" in entry.counts:
        counts |= {name: entry.counts[name] for name in ("page", "pages")}
    return _said(entry, MATCHER, counts, counterpart=entry.ids["counterpart"])


def _notes(entry: Entry) -> Entry:
    return _said(entry, entry.party, {name: entry.counts[name] for name in ("notes", "batch", SEQUENCE)})


def _refused(entry: Entry) -> Entry:
    if entry.round is None or entry.recipient is None:
        raise KeyError
    counts, digests = {SEQUENCE: entry.counts[SEQUENCE]}, {"statement": entry.digests["statement"]}
    fields: dict[str, Any] = {"round": entry.round, "recipient": entry.recipient, "counts": counts, "digests": digests}
    return Entry.of(entry.kind, entry.time, MATCHER, **fields)


def _said(entry: Entry, party: str, counts: dict[str, int], **ids: str) -> Entry:
    if entry.recipient is None or entry.round is None:
        raise KeyError
    query = query_of(entry)
    of: dict[str, Any] = {"of": "lists"} if query is None else {"of": "query", "submission": query}
    return Entry.of(
        entry.kind,
        entry.time,
        party,
        round=entry.round,
        recipient=entry.recipient,
        counts=counts,
        ids=of | ids,
        digests={"statement": entry.digests["statement"]},
    )


_FORMS: dict[EntryKind, Callable[[Entry], Entry]] = {
    EntryKind.MATCH: _match,
    EntryKind.REPORT: _report,
    EntryKind.DISCLOSURE: _notes,
    EntryKind.EVIDENCE: _refused,
    EntryKind.STATEMENT_REFUSED: _refused,
}


def wrong_heads(log: LogRecord, said: Mapping[int, Message]) -> dict[int, AuditError]:
    """Compare the head that each statement names with the tree, and return the errors, by the index of the entry.

    Args:
        log: The matcher's log.
        said: Its statements, by the index of their entries.
    """
    named: list[tuple[LogHead, int, str]] = []
    for index, message in said.items():
        if isinstance(message, Statement) and message.log_head is not None:
            named.append((message.log_head, index, message.party))
    tree, found = Frontier(), dict[int, AuditError]()
    for head, index, party in sorted(named, key=lambda one: (one[0].size, one[1])):
        if head.size > index:
            found[index] = AuditError(
                "entry_seen_size_too_large", what="head_later", expected=index, got=head.size, party=party
            )
            continue
        for leaf in log.leaves[tree.size : head.size]:
            tree.append(leaf)
        if tree.root.hex() != head.root:
            found[index] = AuditError(
                "entry_seen_head_differs",
                what="head_differs",
                expected=tree.root.hex(),
                got=head.root,
                index=index,
                party=party,
                size=head.size,
            )
    return found


def check_heads(log: LogRecord, wrong: Mapping[int, AuditError]) -> None:
    """Refuse a log in which a statement that counts names a wrong head.

    Args:
        log: The matcher's log.
        wrong: What `wrong_heads` found.

    Raises:
        AuditError: A statement names a head of more entries than came before it, or of another log.
    """
    for index, error in wrong.items():
        if not _is_refused(log, index):
            raise error


def _is_refused(log: LogRecord, index: int) -> bool:
    """Return whether an entry is about a statement that the matcher refused."""
    entry = log.entries[index]
    return entry is not None and entry.kind in REFUSED


def persons_of(log: LogRecord) -> TwoPersons:
    """Return the requests and approvals of a log."""
    return TwoPersons((index, entry) for index, entry in enumerate(log.entries) if entry is not None)


def check_registry(persons: TwoPersons, log: LogRecord) -> Iterator[UnprovenClaim]:
    """Yield the registries that a log's owner stated or accepted without an approval by two persons."""
    kind = EntryKind.REGISTRY_CHANGED if log.holder == MATCHER else EntryKind.REGISTRY_ACCEPTED
    for index, entry in enumerate(log.entries):
        if entry is None or entry.kind is not kind:
            continue
        if persons.registry(entry.digests.get("registry", ""), index):
            yield UnprovenClaim("dual_control", Sentence.of("registry_without_two_persons", index=index))


def check_party(persons: TwoPersons, log: LogRecord, said: Mapping[int, Message]) -> Iterator[UnprovenClaim]:
    """Yield the consents, lists and queries of a party's own log that two persons are not shown to have approved.

    Args:
        persons: Its requests and approvals.
        log: The log.
        said: The party's statements by the index of their entries.
    """
    manifests = dict[str, str]()
    for index, message in said.items():
        if isinstance(message, Consent):
            manifests[message.round_id] = message.manifest_digest
            fault = persons.consent(message.round_id, message.manifest_digest, message.elements, index)
            yield from _claims(fault, index, message.round_id, Word.CONSENT)
        elif isinstance(message, Submission):
            # Of a standing query the approval is of no round, and can be erased with the log's first entries.
            if None in log.entries[:index] and persons.rests_on_standing_query(message):
                continue
            fault = persons.submission(message, manifests.get(message.round_id, ""), index)
            yield from _claims(fault, index, message.round_id, Word.SUBMISSION)


def check_round(persons: TwoPersons, audit: RoundAudit) -> Iterator[UnprovenClaim]:
    """Yield a round's proposal and end in the matcher's log that two persons are not shown to have approved.

    One person is enough to close a round whose parties have their hits (docs/adr/0015).
    """
    round_ = audit.round
    for index, entry in audit.entries.items():
        if entry.kind is EntryKind.PROPOSAL:
            fault = persons.proposal(round_.round_id, round_.manifest_digest, index)
            yield from _claims(fault, index, round_.round_id, Word.PROPOSAL)
        elif entry.kind is EntryKind.ENDING and round_.ending is not None:
            yield from _check_end(persons, audit, index, round_.ending)


def _check_end(persons: TwoPersons, audit: RoundAudit, index: int, ending: Ending) -> Iterator[UnprovenClaim]:
    round_, at = audit.round, audit.entries[index].time
    if at > round_.manifest.window.closes_at:
        return  # its time was over
    before = [one for place, one in audit.entries.items() if place < index]
    if ending.outcome is Outcome.CLOSED:
        if not any(one.kind is EntryKind.END_ASKED and one.ids.get("what") is Word.CLOSE for one in before):
            yield from _claims("close_not_asked_for", index, round_.round_id, Word.CLOSE)
    elif not _had_to_end(audit, at, before):
        fault = persons.abort(round_.round_id, ending.reason, index)
        yield from _claims(fault, index, round_.round_id, Word.ABORT)


def _had_to_end(audit: RoundAudit, at: int, before: list[Entry]) -> bool:
    """Return whether a round had to be aborted: a party that it needs refused, or too few consented in time."""
    round_ = audit.round
    needed = round_.participants if round_.binding else tuple(round_.consents)
    refused = {one.party for one in before if one.kind is EntryKind.REFUSAL}
    if refused & {*needed}:
        return True
    answered = refused | {*round_.consents} == {one.party for one in round_.manifest.participants}
    return not round_.binding and (answered or at > round_.manifest.window.consent_by)


def _claims(fault: str, index: int, round_id: str, what: Word) -> Iterator[UnprovenClaim]:
    if fault:
        yield UnprovenClaim("dual_control", Sentence.of(fault, index=index, round=round_id, what=what.value))
