"""Check 14: what needs two different persons was asked for by one and approved by another one (PROTOCOL.md 10.6.1).

What a log does not show is unproven and not wrong: a service that was restored from a backup has lost entries, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aquila.audit.entries import Entry, EntryKind, Word
from aquila.protocol.approvals import TwoPersons
from aquila.protocol.auditing.log_record import LogRecord
from aquila.protocol.auditing.round_audit import RoundAudit
from aquila.protocol.auditing.unproven import UnprovenClaim
from aquila.protocol.messages import Consent, Ending, Message, Outcome, Submission
from aquila.protocol.registry import MATCHER
from aquila.sentences import Sentence


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
    needed = round_.participants if round_.bindings else tuple(round_.consents)
    refused = {one.party for one in before if one.kind is EntryKind.REFUSAL}
    if refused & {*needed}:
        return True
    answered = refused | {*round_.consents} == {one.party for one in round_.manifest.participants}
    return not round_.bindings and (answered or at > round_.manifest.window.consent_by)


def _claims(fault: str, index: int, round_id: str, what: Word) -> Iterator[UnprovenClaim]:
    if fault:
        yield UnprovenClaim("dual_control", Sentence.of(fault, index=index, round=round_id, what=what.value))
