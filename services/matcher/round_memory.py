"""The records of rounds in memory: rebuilt from stored events, caught up before each use.

An event that was committed counts; the record in memory is only a faster way to read the events. Several processes
may share the database: each catches up by the ids of events, which ascend in the order of commits because the store
has one writer at a time. Whatever fails after a statement was taken into the record drops the record.
"""

import contextlib
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from aquila.crypto.group import Group
from aquila.errors import AquilaError
from aquila.protocol.log_entries import statement_entry
from aquila.protocol.messages.feed import EventKind
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.round_state import ReportKey, SentNotes
from aquila.protocol.rounds.verified_round import AcceptedStatement, Round, read_erased
from services.kit.errors import NotFoundError, RoundDamagedError
from services.kit.log.entries import append
from services.kit.storage.row_seals import REFUSED
from services.kit.storage.store import Store
from services.matcher.events import ALL, FOLLOWED_BY_BYTES, NOBODY, NOTES, SUBMISSION, statement_event
from services.matcher.storage.round_marks import NEWEST_EVENT
from services.matcher.storage.tables import EventRow, RoundRow

_KEPT = 64
_DAMAGED_SECONDS = 60.0  # after which the events of a round that did not hold together are read again
_KEPT_SECONDS = 60.0  # for which the record of a finished round is kept that nobody reads
_LOCKS = 64
_PAGE = 16  # events read at once: a page of a report has some megabytes

# Made once: each look at a round and each change of one begins with it.
_ROUND = (
    select(RoundRow, NEWEST_EVENT)
    .where(RoundRow.round_id == bindparam("round_id"))
    .execution_options(**{REFUSED: True})
)


@dataclass(slots=True)
class CachedRound:
    """The contents of a round's events."""

    round: Round
    stored: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """How many chunks came, by what they are (`blinded`, `evaluation`, `tokens`), submission, and sender, or of tokens
    for whom their column is; deleted ones are counted still."""
    last_event: int = 0
    is_finished: bool = False
    """Whether nothing but statements of its parties can still come."""
    read_last: float = 0.0
    """When it was read last, by a clock that only counts, in seconds."""

    def apply_event(self, event: EventRow) -> None:
        """Apply one stored event; raises AquilaError if the stored events do not hold together."""
        if event.kind != EventKind.STATEMENT:
            self.stored[event.kind, event.submission_id or "", event.party] += 1
        elif event.statement == SUBMISSION and event.audience == NOBODY:
            # Its justification was erased; the rest still says what evaluations and tokens are of.
            self.round.accept_read(read_erased((event.envelope or "").encode(), event.digest or ""))
        elif event.envelope is not None:
            self.round.accept(event.envelope.encode())
        elif event.statement == NOTES:
            # Notes that were confirmed are deleted; who sent them to whom still says what the confirmation was of.
            sent = SentNotes(event.party, event.reader or "", event.submission_id, event.chunk_index)
            self.round.keep_notes(event.digest or "", sent)
        else:
            # A report that its party has was deleted; its digest, of pages that of the last one, still says what the
            # receipt was for.
            report = ReportKey(event.party, event.counterpart or "", event.submission_id)
            self.round.reports[report] = event.digest or ""
        self.last_event = event.event_id


class _Damage(NamedTuple):
    """A finding that the events of a round do not hold together: up to which one, why, and when it was found."""

    newest: int
    reason: str
    found_at: float


@dataclass(slots=True)
class RoundTransaction:
    """One look at a round, or one change of it: its row, its record, and the transaction that both belong to."""

    session: Session
    row: RoundRow
    cached: CachedRound
    clock: Callable[[], int]
    touched: bool = False
    added: list[int] = field(default_factory=list)
    readers: set[str] = field(default_factory=set)
    """The parties to which one of the events that were added is news."""

    @property
    def round(self) -> Round:
        return self.cached.round

    def accept(self, envelope: bytes, now: int | None = None, taken_at: int | None = None) -> AcceptedStatement:
        """Verify a statement, and store it with its entry in the log if it is new; raises as `Round.accept` does.

        Args:
            now: For the manifest's deadlines, as `Round.accept` has it.
            taken_at: The time of the entry; that of `now`, or of the clock, if not given.
        """
        accepted = self.round.accept(envelope, now=now)
        if accepted.new:
            self.touched = True
            event = statement_event(self.round, accepted, envelope)
            if taken_at is None:
                taken_at = self.clock() if now is None else now
            event.log_index = append(self.session, statement_entry(accepted.message, accepted.digest, taken_at))
            self.add(event)
            self.row.phase = self.round.phase.value
        return accepted

    def add_bytes(self, event: EventRow) -> None:
        """Store the event of bytes that came."""
        self.touched = True
        self.cached.stored[event.kind, event.submission_id or "", event.party] += 1
        self.add(event)

    def add(self, event: EventRow) -> None:
        """Store an event whose effect the record has already."""
        self.session.add(event)
        self.session.flush()
        self.cached.last_event = event.event_id
        self.added.append(event.event_id)
        if event.statement not in FOLLOWED_BY_BYTES:
            everyone = [one.party for one in self.round.manifest.participants]
            self.readers.update(everyone if event.audience == ALL else (event.reader or "").split())


class RoundCache:
    """The records of all rounds, for one process. Safe in threads.

    Attributes:
        kept_seconds: For how long the record of a finished round is kept that nobody reads.
    """

    def __init__(self, store: Store, registry: Registry, group: Group, clock: Callable[[], int]) -> None:
        self.kept_seconds = _KEPT_SECONDS
        self._store = store
        self._clock = clock
        self._registry = registry
        self.group = group
        self._known: OrderedDict[str, CachedRound] = OrderedDict()
        self._damaged: dict[str, _Damage] = {}
        self._committed: set[int] = set()
        # A round's lock is taken before a transaction begins and held until after it ended, so that nobody sees
        # what may still be rolled back. Nobody holds two.
        self._locks = [threading.Lock() for _ in range(_LOCKS)]
        self._guard = threading.Lock()

    @contextlib.contextmanager
    def reading(self, round_id: str) -> Iterator[RoundTransaction]:
        """Look at a round as it is now; the record must not be kept beyond the block.

        Raises:
            RoundDamagedError: What is stored of the round does not hold together.
        """
        with self._lock(round_id), self._store.reading("round.read") as session:
            row, newest = _row(session, round_id)
            yield RoundTransaction(session, row, self._caught_up(session, row, newest), self._clock)

    @contextlib.contextmanager
    def writing(self, name: str, round_id: str) -> Iterator[RoundTransaction]:
        """Change a round: what the block accepts is committed when it ends, or forgotten.

        Raises:
            RoundDamagedError: What is stored of the round does not hold together.
        """
        with self._lock(round_id):
            turn: RoundTransaction | None = None
            try:
                with self._store.transaction(name) as session:
                    row, newest = _row(session, round_id)
                    turn = RoundTransaction(session, row, self._caught_up(session, row, newest), self._clock)
                    yield turn
                with self._guard:
                    self._committed.update(turn.added)
            except BaseException:
                # The record may be ahead of the database now, or the commit may have come through unnoticed.
                if turn is None or turn.touched:
                    self.forget(round_id)
                raise

    def take_committed(self, newest: int) -> set[int]:
        """Return the events up to a number that this process committed since the last call."""
        with self._guard:
            taken = {event for event in self._committed if event <= newest}
            self._committed -= taken
        return taken

    def forget(self, round_id: str) -> None:
        """Drop a record; the next use rebuilds it."""
        with self._guard:
            self._known.pop(round_id, None)
            self._damaged.pop(round_id, None)

    def _lock(self, round_id: str) -> threading.Lock:
        return self._locks[hash(round_id) % _LOCKS]

    def _caught_up(self, session: Session, row: RoundRow, newest: int) -> CachedRound:
        with self._guard:
            known, damage = self._known.get(row.round_id), self._damaged.get(row.round_id)
        if damage is not None and damage.newest == newest and time.monotonic() - damage.found_at < _DAMAGED_SECONDS:
            raise RoundDamagedError("stored_events_invalid", round=row.round_id, reason=damage.reason)
        try:
            if known is None:
                known = CachedRound(Round.from_manifest(self._registry, self.group, row.manifest, sees_everything=True))
            if known.last_event < newest:
                _catch_up(session, row.round_id, known)
        except AquilaError as error:
            self.forget(row.round_id)
            with self._guard:
                self._damaged[row.round_id] = _Damage(newest, error.message, time.monotonic())
            raise RoundDamagedError("stored_events_invalid", round=row.round_id, reason=error.message) from None
        known.is_finished, known.read_last = row.finished_at is not None, time.monotonic()
        with self._guard:
            self._known[row.round_id] = known
            oldest = known.read_last - self.kept_seconds
            for round_id in [one for one, of in self._known.items() if of.is_finished and of.read_last < oldest]:
                del self._known[round_id]
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return known


def _row(session: Session, round_id: str) -> tuple[RoundRow, int]:
    """Return the row of a round, and its newest event; 0 before the first."""
    found = session.execute(_ROUND, {"round_id": round_id}).one_or_none()
    if found is None:
        raise NotFoundError("round_unknown", round=round_id)
    row, newest = found
    return row, newest or 0


def _catch_up(session: Session, round_id: str, known: CachedRound) -> None:
    """Apply the events that came since the last look; raises as `CachedRound.apply_event` does."""
    newer = select(EventRow).where(EventRow.round_id == round_id, EventRow.event_id > known.last_event)
    with session.scalars(newer.order_by(EventRow.event_id).execution_options(yield_per=_PAGE)) as events:
        for event in events:
            known.apply_event(event)
