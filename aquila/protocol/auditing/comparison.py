"""Logs held against each other, and against checkpoints that somebody kept (PROTOCOL.md 10.6.2).

One log alone cannot show that it is not an older one, nor that others were not shown another. What each owner has seen
of the others, and what a party's own log says that it signed, does.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, permutations
from typing import NamedTuple

from aquila.audit.checkpoint import Checkpoint, open_checkpoint
from aquila.audit.entries import Entry, EntryKind
from aquila.errors import AuditError
from aquila.protocol.auditing.log_record import LogRecord, UnprovenClaim
from aquila.protocol.auditing.round_audit import Ranges
from aquila.protocol.log_entries import REFUSED, SEQUENCE
from aquila.protocol.messages import Message, Statement
from aquila.protocol.registry import MATCHER, Registry
from aquila.protocol.rounds.verified_round import read_statement
from aquila.sentences import Sentence

_LAST_WORDS = frozenset({EntryKind.CLOSING, EntryKind.REFUSAL})


def check_at_least(log: LogRecord, note: bytes, registry: Registry) -> None:
    """Check that a log contains a checkpoint of it that somebody kept.

    Raises:
        AuditError: The checkpoint is not one of this log, the log is older, or it is another log.
    """
    kept, _ = open_checkpoint(note, registry.origin_of(log.holder), *registry.keys_of(log.holder))
    _check_contains(log, kept, Sentence.of("kept_checkpoint"))


def compare(logs: Sequence[LogRecord], registry: Registry) -> Iterator[UnprovenClaim]:
    """Check some logs against each other; yield the open points.

    Raises:
        AuditError: Two of them contradict each other.
    """
    for one, other in combinations(logs, 2):
        if one.holder == other.holder:
            older, newer = sorted((one, other), key=lambda log: log.checkpoint.size)
            _check_contains(newer, older.checkpoint, Sentence.of("another_copy_of_log"))
    for witness, log in permutations(logs, 2):
        if log.holder in witness.seen:
            _check_contains(log, witness.seen[log.holder], Sentence.of("seen_by_witness", witness=witness.holder))
    for log in logs:
        yield from _alarms(log)
    for matchers, own in permutations(logs, 2):
        if matchers.holder == MATCHER != own.holder:
            yield from _compare_statements(matchers, own, registry)


def still_unproven(claims: Iterable[UnprovenClaim], others: Sequence[LogRecord]) -> list[UnprovenClaim]:
    """Return the open points about a log that no other party's own log settles; `compare` holds the logs together."""
    shown = {
        (log.holder, entry.digests["statement"])
        for log in others
        for _, entry in _about_statements(log)
        if entry.kind not in REFUSED
    }
    return [claim for claim in claims if (claim.shown_by, claim.digest) not in shown]


def _alarms(log: LogRecord) -> Iterator[UnprovenClaim]:
    """Yield the alarms that the owner of a log raised over logs, with or without its administrator's acknowledgement.

    The entries are in the order of the alarms' numbers, and alarms are numbered from 1.
    """
    there = [(index, entry) for index, entry in enumerate(log.entries) if entry is not None]
    settled = {entry.counts.get("alarm"): index for index, entry in there if entry.kind is EntryKind.ALARM_ACKNOWLEDGED}
    raised = [(index, entry) for index, entry in there if entry.kind is EntryKind.LOG_ALARM]
    for number, (index, entry) in enumerate(raised, start=1):
        at = settled.get(number)
        state = Sentence.of("log_alarm_not_acknowledged")
        if at is not None:
            state = Sentence.of("log_alarm_acknowledged", index=at)
        yield UnprovenClaim(
            "log_alarm",
            Sentence.of(
                "log_alarm_found",
                index=index,
                holder=log.holder,
                counterpart=str(entry.recipient),
                what=str(entry.ids.get("what")),
                state=state,
            ),
        )


def _check_contains(log: LogRecord, checkpoint: Checkpoint, whose: Sentence) -> None:
    """Check that a checkpoint is the head of the first entries of a log."""
    if checkpoint.size > log.checkpoint.size:
        raise AuditError(
            "log_copy_older",
            what="older",
            holder=log.holder,
            expected=checkpoint.size,
            got=log.checkpoint.size,
            whose=whose,
        )
    if log.head(checkpoint.size) != checkpoint.root:
        raise AuditError(
            "log_forked_between_copies", what="fork", holder=log.holder, expected=checkpoint.size, whose=whose
        )


def _compare_statements(matchers: LogRecord, own: LogRecord, registry: Registry) -> Iterator[UnprovenClaim]:
    """Check that a party's log and the matcher's agree on the statements that it signed, or was sent."""
    known = {
        entry.digests["statement"]: index for index, entry in _about_statements(matchers) if entry.kind not in REFUSED
    }
    # What the matcher refused it has to show: the audit of its log took that through the round. The word alone that
    # something was refused, in either log, proves nothing.
    refused, said_refused = _refused(matchers)
    said_refused |= set().union(*_refused(own))
    given_up = _given_up(own, registry)
    shown, gaps = _shown_to(matchers, own), _Gaps.of(matchers)
    said: dict[str, Entry] = {}
    for index, entry in _about_statements(own):
        digest = entry.digests["statement"]
        if entry.kind in REFUSED:
            continue
        said[digest] = entry
        if digest in known:
            _check_same(index, entry, _there(matchers, known[digest]), own.holder)
        elif digest not in refused and not _is_given_up(entry, given_up):
            yield from _not_entered(gaps, own, index, shown, registry, was_refused=digest in said_refused)
    _check_all_known(matchers, known, said, own)


def _refused(log: LogRecord) -> tuple[set[str], set[str]]:
    """Return the digests of refused statements, first of those that the log shows, then of those without envelope."""
    shown, said = set[str](), set[str]()
    for index, entry in _about_statements(log):
        if entry.kind in REFUSED:
            (shown if log.statements[index] else said).add(entry.digests["statement"])
    return shown, said


def _there(log: LogRecord, index: int) -> Entry:
    entry = log.entries[index]
    assert entry is not None
    return entry


def _about_statements(log: LogRecord) -> Iterator[tuple[int, Entry]]:
    return (
        (index, entry) for index, entry in enumerate(log.entries) if entry is not None and "statement" in entry.digests
    )


def _check_same(index: int, own: Entry, entered: Entry, party: str) -> None:
    """Check that two logs agree on a statement; each has its own time and salt."""
    differing = [
        name
        for name in ("kind", "party", "person", "round", "reason", "recipient", "counts", "digests", "ids")
        if getattr(own, name) != getattr(entered, name)
    ]
    if differing:
        raise AuditError(
            "entry_differs_from_matcher_log", what="differs", party=party, fields=", ".join(differing), index=index
        )


class _Gaps(NamedTuple):
    """What the matcher's log lacks by right."""

    erased: int
    """All contents that retention erased lie below this size."""
    leaves_out: bool
    """Whether it is a copy that leaves entries out."""
    whole: frozenset[str | None]
    """The rounds that are there with all of their entries."""

    @classmethod
    def of(cls, log: LogRecord) -> "_Gaps":
        listed = set(log.left_out.indices())
        erased = (index for index, entry in enumerate(log.entries) if entry is None and index not in listed)
        there = {entry.round for entry in log.entries if entry and entry.kind is EntryKind.PROPOSAL}
        return cls(max(erased, default=-1) + 1, bool(listed), frozenset(there - log.left_out.rounds.keys()))

    def may_have_held(self, message: Message, round_id: str | None) -> bool:
        """Return whether the entry of a statement may be among it: it lies behind the head that the statement names."""
        head = message.log_head if isinstance(message, Statement) else None
        return self.erased > (head.size if head else 0) or (self.leaves_out and round_id not in self.whole)


def _not_entered(
    gaps: _Gaps, own: LogRecord, index: int, shown: int, registry: Registry, *, was_refused: bool
) -> Iterator[UnprovenClaim]:
    """Judge a statement that the matcher's log does not have."""
    entry = _there(own, index)
    lacking = Sentence.of(
        "statement_not_entered",
        index=index,
        holder=own.holder,
        kind=entry.kind.value,
        number=entry.counts.get(SEQUENCE, 0),
        round=str(entry.round),
    )
    if was_refused:
        yield UnprovenClaim("refused_unshown", Sentence.of("statement_refused_unshown", lacking=lacking))
        return
    # Without what the party signed, its log blames nobody.
    envelope = own.statements[index]
    if envelope and index < shown and not gaps.may_have_held(read_statement(registry, envelope).message, entry.round):
        raise AuditError(
            "statement_left_out", what="statement_left_out", party=own.holder, round=str(entry.round), lacking=lacking
        )
    yield UnprovenClaim("not_entered", Sentence.of("statement_perhaps_not_sent", lacking=lacking))


def _check_all_known(matchers: LogRecord, known: dict[str, int], said: dict[str, Entry], own: LogRecord) -> None:
    """Check that a party's log has every statement of it that the matcher has, up to the newest that it has itself."""
    newest: dict[str | None, int] = {}
    for entry in said.values():
        if entry.party == own.holder:
            newest[entry.round] = max(newest.get(entry.round, 0), entry.counts.get(SEQUENCE, 0))
    for digest, index in known.items():
        entry = _there(matchers, index)
        number = entry.counts.get(SEQUENCE, 0)
        if entry.party != own.holder or digest in said or own.erased or own.left_out.count:
            continue
        if number < newest.get(entry.round, 0):
            # An entry without an envelope blames nobody: anyone with the matcher's key can make one up.
            is_signed = bool(matchers.statements[index])
            raise AuditError(
                "log_lacks_own_statement" if is_signed else "statement_nobody_signed",
                what="statement_unknown" if is_signed else "nobody_signed",
                party=own.holder,
                round=str(entry.round),
                number=number,
            )


def _given_up(own: LogRecord, registry: Registry) -> dict[str, Ranges]:
    """Return by round the numbers that a party states it gave up."""
    found: dict[str, Ranges] = {}
    for index, entry in _about_statements(own):
        if entry.kind in _LAST_WORDS and own.statements[index]:
            message = read_statement(registry, own.statements[index]).message
            found.setdefault(entry.round or "", []).extend(getattr(message, "given_up", None) or ())
    return found


def _is_given_up(entry: Entry, given_up: dict[str, Ranges]) -> bool:
    number = entry.counts.get(SEQUENCE, 0)
    return any(first <= number <= last for first, last in given_up.get(entry.round or "", ()))


def _shown_to(matchers: LogRecord, own: LogRecord) -> int:
    """Return how many entries of a party's log the matcher had seen when its own log was exported."""
    seen = matchers.seen.get(own.holder)
    cosigned = [size for size, at in own.cosigned.get(MATCHER, {}).items() if at <= matchers.newest]
    return max([0 if seen is None else seen.size, *cosigned])
