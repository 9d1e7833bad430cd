"""Two different persons behind what needs two, from the entries of a log (PROTOCOL.md 10.6.1).

An auditor looks at a whole log with it, and a service at its own one before it signs. Who stands behind a pseudonymous
id it cannot tell: whoever rules a service can have two accounts.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aquila.audit.entries import EntryKind, Word
from aquila.protocol import approved_contents as contents
from aquila.protocol.messages import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aquila.audit.entries import Entry
    from aquila.protocol.messages import Submission

KINDS = frozenset(
    {EntryKind.APPROVAL_REQUESTED, EntryKind.APPROVED, EntryKind.APPROVAL_DENIED, EntryKind.STANDING_QUERY}
)
"""The kinds of entries that are looked at."""


@dataclass(frozen=True, slots=True)
class _Approval:
    """An entry of an approval, with that of the request before it."""

    index: int
    entry: Entry
    request: Entry | None

    def fault(self) -> str:
        """Return the id of the sentence of what is wrong with it, or nothing."""
        asked, granted = self.request, self.entry
        if asked is None or asked.digests != granted.digests or asked.ids != granted.ids:
            return "approval_without_request"
        two = {asked.person, granted.person} - {None}
        return "" if len(two) > 1 and granted.ids.get("author") == asked.person else "approval_by_one_person"


class TwoPersons:
    """The requests and approvals of a log.

    Each method returns the id of a sentence that says why two persons are not shown, or nothing where they are:
    `approval_missing`, `approval_without_request` or `approval_by_one_person`.
    """

    def __init__(self, entries: Iterable[tuple[int, Entry]]) -> None:
        """Read the entries.

        Args:
            entries: Those of `KINDS` with their indices, ascending; others are passed over.
        """
        self._approvals: dict[tuple[str, str | None], list[_Approval]] = defaultdict(list)
        self._by_themselves: dict[str, tuple[int, Entry]] = {}
        asked: dict[str, Entry] = {}
        for index, entry in entries:
            name = str(entry.ids.get("approval"))
            if entry.kind is EntryKind.APPROVAL_REQUESTED:
                asked[name] = entry
            elif entry.kind is EntryKind.APPROVAL_DENIED:
                asked.pop(name, None)
            elif entry.kind is EntryKind.APPROVED:
                what = str(entry.ids.get("what")), entry.round
                self._approvals[what].append(_Approval(index, entry, asked.pop(name, None)))
            elif entry.kind is EntryKind.STANDING_QUERY and "submission" in entry.ids:
                self._by_themselves[str(entry.ids["submission"])] = index, entry

    def proposal(self, round_id: str, manifest_digest: str, before: int) -> str:
        """Look for the approval of a proposal before an index."""

        def is_it(entry: Entry) -> bool:
            suggestion = entry.ids.get("suggestion")
            named = None if suggestion is None else str(suggestion)
            return _is(contents.proposal(round_id, manifest_digest, named), entry)

        return self._fault(Word.PROPOSAL, round_id, is_it, before)

    def abort(self, round_id: str, reason: str, before: int) -> str:
        """Look for the approval of an abort before an index."""
        summary = contents.abort(round_id, reason)
        return self._fault(Word.ABORT, round_id, lambda entry: _is(summary, entry), before)

    def consent(self, round_id: str, manifest_digest: str, before: int) -> str:
        """Look for the approval of a consent before an index."""
        summary = contents.consent(round_id, manifest_digest)
        return self._fault(Word.CONSENT, round_id, lambda entry: _is(summary, entry), before)

    def submission(self, signed: Submission, manifest_digest: str, before: int) -> str:
        """Look for the approval of a list or a query before an index, or of the standing query under which it is."""
        index, asked = self._by_themselves.get(signed.submission_id, (before, None))
        if asked is not None and index < before and signed.kind is Kind.QUERY:
            return self._standing(signed, asked, before)

        def is_it(entry: Entry) -> bool:
            return _is(contents.submission(signed, manifest_digest, entry.digests.get("import", "")), entry)

        return self._fault(Word.SUBMISSION, signed.round_id, is_it, before)

    def rests_on_standing_query(self, signed: Submission) -> bool:
        """Return whether a query says to be asked under a standing query, and no approval of any is there."""
        return signed.submission_id in self._by_themselves and not self._approvals[Word.STANDING_QUERY, None]

    def _standing(self, signed: Submission, asked: Entry, before: int) -> str:
        def is_it(entry: Entry) -> bool:
            ids = {name: str(value) for name, value in entry.ids.items()}
            until = entry.counts.get("until", 0)
            summary = contents.standing_query(signed.justification, ids, entry.digests, until)
            return ids.get("standing") == asked.ids["standing"] and asked.time < until and _is(summary, entry)

        return self._fault(Word.STANDING_QUERY, None, is_it, before)

    def _fault(self, what: Word, round_id: str | None, is_it: Callable[[Entry], bool], before: int) -> str:
        found = [one for one in self._approvals[what, round_id] if one.index < before and is_it(one.entry)]
        faults = [one.fault() for one in found] or ["approval_missing"]
        return "" if "" in faults else faults[-1]


def _is(summary: dict[str, object], entry: Entry) -> bool:
    return entry.digests.get("content") == contents.digest(summary)
