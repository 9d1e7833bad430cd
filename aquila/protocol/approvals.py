"""Approvals by two different persons, as the entries of a log show them (PROTOCOL.md 10.2.1 and 10.6.1).

A content is approved as a whole. Its digest is over its canonical JSON, in which some members stand for what the log
does not tell: the manifest for the digest that every consent names, the statement on the registry for that which its
entry names, the list, the terms of a standing query and the changes of a registry for SHA-256 digests, which the
entries of the request and of its approval hold. So whoever has the log and what was signed makes the digest again: an
auditor over a whole log, and a service over its own one before it signs.

No log says who stands behind a pseudonymous id: whoever runs a service can have two accounts.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aquila.audit.entries import Entry, EntryKind, Word
from aquila.crypto.envelope import digest_of_payload
from aquila.protocol.encoding import canonical
from aquila.protocol.messages import ClassCounts, Kind, Manifest, Submission
from aquila.protocol.registration.statements import RegistryStatement

KINDS = frozenset(
    {EntryKind.APPROVAL_REQUESTED, EntryKind.APPROVED, EntryKind.APPROVAL_DENIED, EntryKind.STANDING_QUERY}
)
"""The kinds of entries that are looked at."""


def content_digest(content: Mapping[str, Any]) -> str:
    """Return the digest of what two persons approve, hexadecimal.

    Args:
        content: As it is stored and shown: JSON.
    """
    return digest(summary(content))


def summary(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a content with digests in place of large members; a list's salt goes into its digest."""
    found = dict(content)
    for name, signed in (("manifest", Manifest), ("statement", RegistryStatement)):
        if name in found:
            found[name] = digest_of_payload(signed.payload_type, canonical(found[name]))
    if "import" in found:
        found["import"] = digest({"import": found["import"], "salt": found.pop("salt", "")})
    for name in ("terms", "changes"):
        if name in found:
            found[name] = digest(found[name])
    return found


def digest(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document's canonical JSON, hexadecimal."""
    return hashlib.sha256(canonical(dict(document))).hexdigest()


def named_in_entry(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the fields of an entry that an auditor needs to make a content's digest again: ids, digests and counts."""
    found = summary(content)
    ids = {"standing": "standing_id", "like_round": "like_round"}
    return {
        "ids": {name: found[member] for name, member in ids.items() if member in found},
        "digests": {name: found[name] for name in ("import", "terms", "changes") if name in found},
        "counts": {"until": found["until"]} if "until" in found else {},
    }


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
        summary: dict[str, object] = {"kind": "proposal", "round_id": round_id, "manifest": manifest_digest}
        return self._fault(Word.PROPOSAL, round_id, lambda entry: _is(summary, entry), before)

    def abort(self, round_id: str, reason: str, before: int) -> str:
        """Look for the approval of an abort before an index."""
        summary: dict[str, object] = {"kind": "abort", "round_id": round_id, "reason": reason}
        return self._fault(Word.ABORT, round_id, lambda entry: _is(summary, entry), before)

    def consent(self, round_id: str, manifest_digest: str, elements: ClassCounts, before: int) -> str:
        """Look for the approval of a consent, with the elements that it declares, before an index."""
        named = {"manifest_digest": manifest_digest, "manifest": manifest_digest}
        summary = {"kind": "consent", "round_id": round_id, "elements": elements.model_dump(mode="json")} | named
        return self._fault(Word.CONSENT, round_id, lambda entry: _is(summary, entry), before)

    def submission(self, signed: Submission, manifest_digest: str, before: int) -> str:
        """Look for the approval of a list or a query before an index, or of the standing query under which it is."""
        index, asked = self._by_themselves.get(signed.submission_id, (before, None))
        if asked is not None and index < before and signed.kind is Kind.QUERY:
            return self._standing(signed, asked, before)

        def is_it(entry: Entry) -> bool:
            summary: dict[str, object] = {
                "kind": "submission",
                "round_id": signed.round_id,
                "manifest_digest": manifest_digest,
                "submission_id": signed.submission_id,
                "submission_kind": signed.kind.value,
                "import": entry.digests.get("import", ""),
                "justification": signed.justification.model_dump(mode="json"),
            }
            return _is(summary, entry)

        return self._fault(Word.SUBMISSION, signed.round_id, is_it, before)

    def registry(self, statement: str, before: int) -> str:
        """Look for the approval of a statement on the registry, by its digest, before an index."""

        def is_it(entry: Entry) -> bool:
            changes = entry.digests.get("changes", "")
            return _is({"kind": "registry", "round_id": None, "statement": statement, "changes": changes}, entry)

        return self._fault(Word.REGISTRY, None, is_it, before)

    def rests_on_standing_query(self, signed: Submission) -> bool:
        """Return whether a query belongs to a standing query while no approval of any standing query is there."""
        return signed.submission_id in self._by_themselves and not self._approvals[Word.STANDING_QUERY, None]

    def _standing(self, signed: Submission, asked: Entry, before: int) -> str:
        def is_it(entry: Entry) -> bool:
            ids = {name: str(value) for name, value in entry.ids.items()}
            until = entry.counts.get("until", 0)
            summary: dict[str, object] = {
                "kind": "standing_query",
                "round_id": None,
                "like_round": ids.get("like_round"),
                "standing_id": ids.get("standing"),
                "import": entry.digests.get("import"),
                "justification": signed.justification.model_dump(mode="json"),
                "terms": entry.digests.get("terms"),
                "until": until,
            }
            return ids.get("standing") == asked.ids["standing"] and asked.time < until and _is(summary, entry)

        return self._fault(Word.STANDING_QUERY, None, is_it, before)

    def _fault(self, what: Word, round_id: str | None, is_it: Callable[[Entry], bool], before: int) -> str:
        found = [one for one in self._approvals[what, round_id] if one.index < before and is_it(one.entry)]
        faults = [one.fault() for one in found] or ["approval_missing"]
        return "" if "" in faults else faults[-1]


def _is(summary: Mapping[str, object], entry: Entry) -> bool:
    return entry.digests.get("content") == digest(summary)
