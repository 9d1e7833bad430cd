"""Check 7b: entries that no kept statement is made again from have the one form that there is (PROTOCOL.md 10.2).

A match is nobody's statement, and reports and sealed notes are not kept in the log's files. Such an entry is made again
from its own numbers and names, so that whatever else stands in it is found here and not by what reads it later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aquila.audit.entries import Entry, EntryKind
from aquila.audit.statistics import LEVELS
from aquila.errors import AuditError, InputError
from aquila.protocol.auditing.hits import query_of
from aquila.protocol.auditing.log_record import LogRecord
from aquila.protocol.log_entries import SEQUENCE, match_entry
from aquila.protocol.registry import MATCHER


def check_forms(log: LogRecord) -> None:
    """Check that each of these entries has the form of its kind.

    Raises:
        AuditError: One has another.
    """
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
    met = entry.digests.get("met") if query is None else None
    return match_entry(entry.round, entry.time, left, right, query, hits, met)


def _report(entry: Entry) -> Entry:
    counts = {name: entry.counts[name] for name in ("hits", *LEVELS)}
    if "page" in entry.counts:
        counts |= {name: entry.counts[name] for name in ("page", "pages")}
    return _said(entry, MATCHER, counts)


def _notes(entry: Entry) -> Entry:
    return _said(entry, entry.party, {name: entry.counts[name] for name in ("notes", "batch", SEQUENCE)})


def _said(entry: Entry, party: str, counts: dict[str, int]) -> Entry:
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
        ids=of,
        digests={"statement": entry.digests["statement"]},
    )


_FORMS: dict[EntryKind, Callable[[Entry], Entry]] = {
    EntryKind.MATCH: _match,
    EntryKind.REPORT: _report,
    EntryKind.DISCLOSURE: _notes,
}
