"""Entries of a log that lack what their kind has: its owner may write any, and no auditor may stop over one unsaid."""

from collections.abc import Iterator

from aquila.audit.entries import Entry, EntryKind
from tests.support.exported import Exported

_OPTIONAL = ("person", "role", "round", "reason", "recipient")
_NAMED = ("counts", "digests", "ids")


def odd_entries(log: Exported) -> Iterator[tuple[int, Entry]]:
    """Yield entries, each with the place of the one that it stands for.

    They are one of each kind that the log has, without each of its members, and two of every kind with nothing in them:
    the matcher's, and a party's about a statement that is not there.
    """
    seen = set[EntryKind]()
    for index in range(log.size):
        entry = log.entry(index)
        if entry.kind in seen:
            continue
        seen.add(entry.kind)
        for field in _OPTIONAL:
            if getattr(entry, field) is not None:
                yield index, entry.model_copy(update={field: None})
        for field in _NAMED:
            values = getattr(entry, field)
            for name in values:
                yield index, entry.model_copy(update={field: {k: v for k, v in values.items() if k != name}})
    place = log.index("end_asked")
    asked = log.entry(place)
    for kind in EntryKind:
        for party, digests in (("matcher", {}), ("AL", {"statement": "0" * 64})):
            yield place, Entry.of(kind, asked.time, party, round=asked.round, digests=digests)
