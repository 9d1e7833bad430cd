"""Check 12: witnessing. Each party vouches for its own statements and for the end of its rounds (PROTOCOL.md 10.6).

A party cosigns what it has checked. Entries that no cosignature of their party covers are the word of the log's owner
alone: of a round that was closed they are a fault, of all else they are said.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from aquila.audit.entries import EntryKind
from aquila.errors import AuditError
from aquila.protocol.auditing.log_record import LogRecord
from aquila.protocol.auditing.round_audit import RoundAudit
from aquila.protocol.auditing.unproven import UnprovenClaim
from aquila.protocol.log_entries import SEQUENCE
from aquila.protocol.messages import Outcome
from aquila.sentences import Sentence

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
    """The number of the last statement of a party that a log has of a round, and how far it is covered.

    Attributes:
        party: Whose statements they are.
        number: The highest number.
        by_itself: The highest number that the party's own cosignatures cover, 0 for none.
        by_anyone: The highest number that any witness's cosignatures cover, 0 for none.
    """

    party: str
    number: int
    by_itself: int
    by_anyone: int


def last_statements(audit: RoundAudit, log: LogRecord) -> list[LastStatement]:
    """Return for each party how far its statements reach in a log, and how far witnesses cover them.

    Whether it said more after the last one no cosignature tells, because none names a number: its own log does.
    """
    placed: dict[str, list[tuple[int, int]]] = {}
    for index, entry in audit.entries.items():
        if entry.party in audit.last_words:
            placed.setdefault(entry.party, []).append((index, entry.counts[SEQUENCE]))
    anyone = max((max(sizes) for sizes in log.cosigned.values()), default=0)
    found = []
    for party, said in sorted(placed.items()):
        bounds = log.checkpoint.size, max(log.cosigned.get(party, {0: 0})), anyone
        highest = [max((number for index, number in said if index < size), default=0) for size in bounds]
        found.append(LastStatement(party, *highest))
    return found


def check_witnessed(audit: RoundAudit, log: LogRecord) -> Iterator[UnprovenClaim]:
    """Check that the parties of a round have cosigned what they must vouch for; yield the rest that nobody vouches for.

    Raises:
        AuditError: A party has not.
    """
    closed = {entry.party: index for index, entry in audit.entries.items() if entry.kind in _LAST_WORDS}
    ended = next((index for index, entry in audit.entries.items() if entry.kind is EntryKind.ENDING), None)
    for party, last in sorted(audit.last_words.items()):
        covered = max(log.cosigned.get(party, {0: 0}))
        if audit.opened_at is not None and last > audit.opened_at >= covered:
            raise _not_witnessed(audit, party, Sentence.of("round_opening"))
        if ended is not None and party in _takers(audit):
            _check_ended(audit, party, covered, ended, closed.get(party))
        if covered <= max(last, ended or 0):
            yield UnprovenClaim(
                "uncovered",
                Sentence.of(
                    "last_words_not_cosigned" if ended is None else "ending_not_cosigned",
                    round=audit.round.round_id,
                    party=party,
                ),
            )


def _check_ended(audit: RoundAudit, party: str, covered: int, ended: int, closed: int | None) -> None:
    """Check a party's required statements and views of a round that ended."""
    if audit.round.phase.value == Outcome.CLOSED.value and covered <= max(ended, closed or 0):
        raise _not_witnessed(audit, party, Sentence.of("round_ending"))
    if closed is None and covered > ended and not audit.left_out:
        raise AuditError(
            "round_ending_seen_without_closing", what="last_word_missing", round=audit.round.round_id, party=party
        )


def _takers(audit: RoundAudit) -> set[str]:
    """Return the participants; for a round that never opened, the parties that consented."""
    return {*(audit.round.participants or audit.round.consents)}


def _not_witnessed(audit: RoundAudit, party: str, what: Sentence) -> AuditError:
    return AuditError(
        "round_checkpoint_not_cosigned", what="not_witnessed", round=audit.round.round_id, party=party, part=what
    )
