"""Checks 6, 7 and 13: what witnesses' cosignatures show of a log (PROTOCOL.md 10.6 and 10.8).

The owner of a log writes what time it likes. A witness that cosigns a checkpoint says with its own clock that the
entries below its size were there, and that those above it were not seen yet: so every entry lies between two
cosignatures.

A party cosigns what it has checked. Entries that no cosignature of their party covers are the word of the log's owner
alone: of a round that was closed they are a fault, of all else they are reported.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from aquila.audit.checkpoint import CLOCK_SKEW
from aquila.audit.entries import Entry, EntryKind
from aquila.errors import AuditError
from aquila.protocol.auditing.log_record import LogRecord, UnprovenClaim
from aquila.protocol.auditing.round_audit import RoundAudit
from aquila.protocol.log_entries import SEQUENCE
from aquila.protocol.messages import Outcome
from aquila.sentences import Sentence

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
    """Return below which size an entry allows that contents are gone."""
    days, size = entry.counts.get("days", 0), entry.counts.get("size", 0)
    if days < retention_days:
        raise AuditError("entry_erased_too_early", what="erased_early", expected=retention_days, got=days, index=index)
    seen = [at for sizes in log.cosigned.values() for covered, at in sizes.items() if covered > index]
    until = min(seen, default=float("inf")) + 2 * CLOCK_SKEW
    passed = max((_days_between(sizes, size, index, until) for sizes in log.cosigned.values()), default=0)
    if passed < days:
        raise AuditError("entry_erased_before_witnessed", what="erased_early", expected=days, got=passed, index=index)
    return size


def _days_between(sizes: dict[int, int], size: int, index: int, until: float) -> int:
    """Return how many days a witness counted from when it saw a size until it saw the log without an entry.

    What it says that it saw after `until`, when another one had seen the entry already, does not count.
    """
    saw = [at for covered, at in sizes.items() if covered >= size]
    without = [at for covered, at in sizes.items() if covered <= index and at <= until]
    return max(0, max(without) - min(saw)) // DAY if saw and without else 0


def _latest(first_seen: dict[int, int], entries: int) -> list[float]:
    """Return for each entry when the first witness saw it."""
    latest, found = [float("inf")] * entries, float("inf")
    for index in reversed(range(entries)):
        found = min(found, first_seen.get(index + 1, found))
        latest[index] = found
    return latest


_LAST_WORDS = frozenset({EntryKind.CLOSING, EntryKind.REFUSAL})


def check_newest(log: LogRecord) -> Iterator[UnprovenClaim]:
    """Yield the last entries of a log that no witness has seen, except entries of exports, as this log is one."""
    covered = max((max(sizes) for sizes in log.cosigned.values()), default=0)
    newest = [
        index
        for index in range(covered, len(log.entries))
        if (entry := log.entries[index]) is None or entry.kind is not EntryKind.LOG_EXPORTED
    ]
    if newest:
        yield UnprovenClaim("uncovered", Sentence.of("newest_entries_not_cosigned", index=newest[0]))


class LastStatement(NamedTuple):
    """The number of the last statement of a party that a log has of a round, and how far it is covered."""

    party: str
    number: int
    by_itself: int
    """The highest number that the party's own cosignatures cover, 0 for none."""
    by_anyone: int
    """The highest number that any witness's cosignatures cover, 0 for none."""


def last_statements(audit: RoundAudit, log: LogRecord) -> list[LastStatement]:
    """Return for each party how far its statements reach in a log, and how far witnesses cover them.

    Whether it said more after the last one no cosignature tells, because none names a number: its own log does.
    """
    placed: dict[str, list[tuple[int, int]]] = {}
    for index, entry in audit.entries.items():
        if entry.party in audit.last_words and SEQUENCE in entry.counts:
            placed.setdefault(entry.party, []).append((index, entry.counts[SEQUENCE]))
    anyone = max((max(sizes) for sizes in log.cosigned.values()), default=0)
    found = []
    for party, said in sorted(placed.items()):
        bounds = log.checkpoint.size, max(log.cosigned.get(party, {0: 0})), anyone
        highest = [max((number for index, number in said if index < size), default=0) for size in bounds]
        found.append(LastStatement(party, *highest))
    return found


def _worked(audit: RoundAudit, party: str, opened_at: int) -> bool:
    """Return whether a party said more after the opening than its Locks or that it refuses.

    Locks follow at once, and a refusal may come at any time: their party may be gone before it sees a checkpoint that
    holds the opening.
    """
    said = {entry.kind for index, entry in audit.entries.items() if index > opened_at and entry.party == party}
    return bool(said - {EntryKind.LOCKS, EntryKind.REFUSAL})


def check_witnessed(audit: RoundAudit, log: LogRecord) -> Iterator[UnprovenClaim]:
    """Check that the parties of a round have cosigned what they must vouch for; yield the rest that nobody vouches for.

    Raises:
        AuditError: A party has not.
    """
    closed = {entry.party: index for index, entry in audit.entries.items() if entry.kind in _LAST_WORDS}
    ended = next((index for index, entry in audit.entries.items() if entry.kind is EntryKind.ENDING), None)
    for party, last in sorted(audit.last_words.items()):
        seen = log.cosigned.get(party, {0: 0})
        covered = max(seen)
        if audit.opened_at is not None and audit.opened_at >= covered and _worked(audit, party, audit.opened_at):
            raise _not_witnessed(audit, party, Sentence.of("round_opening"))
        if ended is not None and party in (audit.round.participants or audit.round.consents):
            yield from _check_ended(audit, party, seen, ended, closed.get(party), log.newest)
        if covered <= max(last, ended or 0):
            yield UnprovenClaim(
                "uncovered",
                Sentence.of(
                    "last_words_not_cosigned" if ended is None else "ending_not_cosigned",
                    round=audit.round.round_id,
                    party=party,
                ),
            )


def _check_ended(
    audit: RoundAudit, party: str, seen: Mapping[int, int], ended: int, closed: int | None, newest: int
) -> Iterator[UnprovenClaim]:
    """Check a party's last word and what it saw of a round that ended, in a log whose last time is `newest`.

    It has a day for either: it looks at the log before it reads that the round ended. Whether a last word that is not
    there was never said or left out, only its own log tells.
    """
    is_closed = audit.round.phase.value == Outcome.CLOSED.value
    if is_closed and closed is not None and max(seen) <= closed and newest > audit.entries[closed].time + DAY:
        raise _not_witnessed(audit, party, Sentence.of("round_ending"))
    first = min((at for size, at in seen.items() if size > ended), default=newest)
    if closed is None and newest > first + DAY and not audit.left_out:
        yield UnprovenClaim(
            "closing", Sentence.of("round_ending_seen_without_closing", round=audit.round.round_id, party=party)
        )


def _not_witnessed(audit: RoundAudit, party: str, what: Sentence) -> AuditError:
    return AuditError(
        "round_checkpoint_not_cosigned", what="not_witnessed", round=audit.round.round_id, party=party, part=what
    )
