"""Check 14: two different persons stand behind what needs two (PROTOCOL.md 10.6.1).

A log has an entry of the request and one of the approval, each with the digest of the content. The auditor makes that
digest again from the statement that was signed (`aquila.protocol.approved_contents`). What a log does not show is
unproven and not wrong: a service that was restored from a backup has lost entries, too.

Who stands behind a pseudonymous id is not checked: whoever rules a service can have two accounts.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aquila.audit.entries import EntryKind, Word
from aquila.protocol import approved_contents as contents
from aquila.protocol.auditing.unproven import UnprovenClaim
from aquila.protocol.messages import Consent, Kind, Outcome, Submission
from aquila.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aquila.audit.entries import Entry
    from aquila.protocol.auditing.log_record import LogRecord
    from aquila.protocol.auditing.round_audit import RoundAudit
    from aquila.protocol.messages import Ending, Message


@dataclass(frozen=True, slots=True)
class _Approval:
    """An entry of an approval, with that of the request before it."""

    index: int
    entry: Entry
    request: Entry | None

    def fault(self) -> str:
        """Return the sentence of what is wrong with it, or nothing."""
        asked, granted = self.request, self.entry
        if asked is None or asked.digests != granted.digests or asked.ids != granted.ids:
            return "approval_without_request"
        two = {asked.person, granted.person} - {None}
        return "" if len(two) > 1 and granted.ids.get("author") == asked.person else "approval_by_one_person"


class FourEyes:
    """The requests and approvals of a log."""

    def __init__(self, log: LogRecord) -> None:
        self._log = log
        self._approvals: dict[tuple[str, str | None], list[_Approval]] = defaultdict(list)
        asked: dict[str, Entry] = {}
        for index, entry in enumerate(log.entries):
            if entry is None:
                continue
            name = str(entry.ids.get("approval"))
            if entry.kind is EntryKind.APPROVAL_REQUESTED:
                asked[name] = entry
            elif entry.kind is EntryKind.APPROVAL_DENIED:
                asked.pop(name, None)
            elif entry.kind is EntryKind.APPROVED:
                what = str(entry.ids.get("what")), entry.round
                self._approvals[what].append(_Approval(index, entry, asked.pop(name, None)))

    def of_party(self, said: Mapping[int, Message]) -> Iterator[UnprovenClaim]:
        """Yield the consents, lists and queries of a party's own log that two persons are not shown to have approved.

        Args:
            said: The party's statements by the index of their entries.
        """
        manifests: dict[str, str] = {}
        standing = self._asked_by_themselves()
        for index, message in said.items():
            if isinstance(message, Consent):
                manifests[message.round_id] = message.manifest_digest
                summary = contents.consent(message.round_id, message.manifest_digest)
                yield from self._shown(index, Word.CONSENT, message.round_id, _is(summary))
            elif isinstance(message, Submission):
                asked = standing.get(message.submission_id)
                if asked is not None and asked < index and message.kind is Kind.QUERY:
                    yield from self._standing(index, self._at(asked), message)
                else:
                    manifest = manifests.get(message.round_id, "")
                    yield from self._shown(index, Word.SUBMISSION, message.round_id, _is_list(message, manifest))

    def of_round(self, audit: RoundAudit) -> Iterator[UnprovenClaim]:
        """Yield a round's proposal and end in the matcher's log that two persons are not shown to have approved.

        One person is enough to close a round whose parties have their hits (docs/adr/0015).
        """
        round_ = audit.round
        for index, entry in audit.entries.items():
            if entry.kind is EntryKind.PROPOSAL:
                yield from self._shown(
                    index, Word.PROPOSAL, round_.round_id, _is_proposal(round_.round_id, round_.manifest_digest)
                )
            elif entry.kind is EntryKind.ENDING and round_.ending is not None:
                yield from self._end(audit, index, entry, round_.ending)

    def _end(self, audit: RoundAudit, index: int, entry: Entry, ending: Ending) -> Iterator[UnprovenClaim]:
        if entry.time > audit.round.manifest.window.closes_at:
            return  # its time was over
        before = [one for at, one in audit.entries.items() if at < index]
        if ending.outcome is Outcome.CLOSED:
            if not any(one.kind is EntryKind.END_ASKED and one.ids.get("what") is Word.CLOSE for one in before):
                yield _claim("close_not_asked_for", index, audit.round.round_id)
            return
        if not _had_to_end(audit, entry, before):
            summary = contents.abort(audit.round.round_id, ending.reason)
            yield from self._shown(index, Word.ABORT, audit.round.round_id, _is(summary))

    def _standing(self, index: int, asked: Entry, query: Submission) -> Iterator[UnprovenClaim]:
        """Yield a query of a standing query that was not approved, or not until then."""

        def is_approved(entry: Entry) -> bool:
            ids = {name: str(value) for name, value in entry.ids.items()}
            until = entry.counts.get("until", 0)
            summary = contents.standing_query(query.justification, ids, entry.digests, until)
            return (
                ids.get("standing") == asked.ids["standing"]
                and asked.time < until
                and entry.digests.get("content") == contents.digest(summary)
            )

        # Of a standing query the approval is of no round, and can be erased with the log's first entries.
        if not self._erased_before(index) or self._approvals[Word.STANDING_QUERY, None]:
            yield from self._shown(index, Word.STANDING_QUERY, None, is_approved, query.round_id)

    def _erased_before(self, index: int) -> bool:
        return any(entry is None for entry in self._log.entries[:index])

    def _asked_by_themselves(self) -> dict[str, int]:
        """Return the entries of queries that a node asked under a standing query, by their submissions."""
        return {
            str(entry.ids["submission"]): index
            for index, entry in enumerate(self._log.entries)
            if entry is not None and entry.kind is EntryKind.STANDING_QUERY and "submission" in entry.ids
        }

    def _at(self, index: int) -> Entry:
        entry = self._log.entries[index]
        assert entry is not None  # as `_asked_by_themselves` found it
        return entry

    def _shown(
        self, index: int, what: Word, round_id: str | None, is_it: Callable[[Entry], bool], shown_round: str = ""
    ) -> Iterator[UnprovenClaim]:
        """Yield the entry at an index if no right approval of its content is before it."""
        found = [one for one in self._approvals[what, round_id] if one.index < index and is_it(one.entry)]
        faults = [one.fault() for one in found] or ["approval_missing"]
        if all(faults):
            yield _claim(faults[-1], index, round_id or shown_round, what)


def _is(summary: dict[str, object]) -> Callable[[Entry], bool]:
    wanted = contents.digest(summary)
    return lambda entry: entry.digests.get("content") == wanted


def _is_proposal(round_id: str, manifest_digest: str) -> Callable[[Entry], bool]:
    def is_it(entry: Entry) -> bool:
        suggestion = entry.ids.get("suggestion")
        summary = contents.proposal(round_id, manifest_digest, None if suggestion is None else str(suggestion))
        return entry.digests.get("content") == contents.digest(summary)

    return is_it


def _is_list(message: Submission, manifest_digest: str) -> Callable[[Entry], bool]:
    def is_it(entry: Entry) -> bool:
        summary = contents.submission(message, manifest_digest, entry.digests.get("import", ""))
        return entry.digests.get("content") == contents.digest(summary)

    return is_it


def _had_to_end(audit: RoundAudit, ending: Entry, before: list[Entry]) -> bool:
    """Return whether a round had to be aborted: a party that it needs refused, or too few consented in time."""
    round_ = audit.round
    needed = round_.participants if round_.bindings else tuple(round_.consents)
    refused = {one.party for one in before if one.kind is EntryKind.REFUSAL}
    if refused & {*needed}:
        return True
    answered = refused | {*round_.consents} == {one.party for one in round_.manifest.participants}
    return not round_.bindings and (answered or ending.time > round_.manifest.window.consent_by)


def _claim(why: str, index: int, round_id: str, what: Word | None = None) -> UnprovenClaim:
    fields = {} if what is None else {"what": what.value}
    return UnprovenClaim("four_eyes", Sentence.of(why, index=index, round=round_id, **fields))
