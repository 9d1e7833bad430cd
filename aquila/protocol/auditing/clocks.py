"""Check 6: the times of entries and the erasure of contents, by the clocks of witnesses (PROTOCOL.md 10.6 and 10.8).

The owner of a log writes what time it likes. A witness that cosigns a checkpoint says with its own clock that the
entries below its size were there, and that those above it were not seen yet: so every entry lies between two
cosignatures.
"""

from __future__ import annotations

from aquila.audit.entries import Entry, EntryKind
from aquila.audit.witness import CLOCK_SKEW
from aquila.errors import AuditError
from aquila.protocol.auditing.log_record import LogRecord

DAY = 86_400
PUBLISHED_WITHIN = 3_600
"""How long after an entry a checkpoint without it may still be cosigned: the service signs one when entries are new."""


def check_times(log: LogRecord) -> None:
    """Check that every entry was written between the cosignatures around it.

    Raises:
        AuditError: One is dated before a witness saw the log without it, or after one saw the log with it.
    """
    first_seen: dict[int, int] = {}
    for sizes in log.cosigned.values():
        for size, at in sizes.items():
            first_seen[size] = min(at, first_seen.get(size, at))
    after = 0
    before = _latest(first_seen, len(log.entries))
    for index, entry in enumerate(log.entries):
        after = max(after, first_seen.get(index, 0))
        if entry is None:
            continue
        if entry.time < after - PUBLISHED_WITHIN:
            raise AuditError(
                "entry_dated_before_witnessed", what="time_too_early", expected=after, got=entry.time, index=index
            )
        if entry.time > before[index] + CLOCK_SKEW:
            raise AuditError(
                "entry_dated_after_witnessed",
                what="time_too_late",
                expected=int(before[index]),
                got=entry.time,
                index=index,
            )


def check_erased(log: LogRecord, retention_days: int) -> None:
    """Check that each erased content was old enough when it was erased, by one witness's clock.

    An entry of the log says that contents below a size were erased, and after how many days. A witness must have seen
    that size, and so many days later, by the same clock, the log without that entry.

    Raises:
        AuditError: A content was erased too early, or without an entry that says so.
    """
    allowed = 0
    for index, entry in enumerate(log.entries):
        if entry is not None and entry.kind is EntryKind.LOG_PRUNED:
            allowed = max(allowed, _pruned_below(log, index, entry, retention_days))
    listed = set(log.left_out.indices())
    gone = (index for index, entry in enumerate(log.entries) if entry is None and index not in listed)
    early = next((index for index in gone if index >= allowed), None)
    if early is not None:
        raise AuditError("entry_erased_without_retention_entry", what="erased_unsaid", early=early)


def _pruned_below(log: LogRecord, index: int, entry: Entry, retention_days: int) -> int:
    """Return below which size an entry allows that contents are gone.

    Raises:
        AuditError: It was too early for that.
    """
    days, size = entry.counts.get("days", 0), entry.counts.get("size", 0)
    if days < retention_days:
        raise AuditError("entry_erased_too_early", what="erased_early", expected=retention_days, got=days, index=index)
    passed = max((_days_between(sizes, size, index) for sizes in log.cosigned.values()), default=0)
    if passed < days:
        raise AuditError("entry_erased_before_witnessed", what="erased_early", expected=days, got=passed, index=index)
    return size


def _days_between(sizes: dict[int, int], size: int, index: int) -> int:
    """Return how many days a witness counted from when it saw a size until it saw the log without an entry."""
    saw = [at for covered, at in sizes.items() if covered >= size]
    without = [at for covered, at in sizes.items() if covered <= index]
    return max(0, max(without) - min(saw)) // DAY if saw and without else 0


def _latest(first_seen: dict[int, int], entries: int) -> list[float]:
    """Return for each entry when the first witness saw it."""
    latest, found = [float("inf")] * entries, float("inf")
    for index in reversed(range(entries)):
        found = min(found, first_seen.get(index + 1, found))
        latest[index] = found
    return latest
