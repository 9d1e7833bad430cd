"""Retention: contents of entries are erased after their time; their leaves, all checkpoints and all proofs stay.

The age of contents is judged by the witnesses, not by this service's clock: contents go below a size that a witness
cosigned, by its own clock, that many days before its newest cosignature, so that an auditor can see that nothing went
too early (PROTOCOL.md 10.8). A round whose manifest asks for longer keeps its entries for as long, but for those that
hold a justification. The proposal of a round and what people asked for and approved in it go with the last of its
entries, and a request that is of no round with its approval.
"""

import json
from collections.abc import Iterable, Iterator

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from aquila.audit.checkpoint import parse_note
from aquila.audit.entries import Entry, EntryKind, read_entry
from aquila.audit.merkle import TILE_WIDTH
from services.kit.log.entries import CHECKPOINTS, ENTRIES, append
from services.kit.log.publication import OwnLog
from services.kit.logging import Log

_LOG = Log("kit.retention")
_DAY, _HOUR = 86_400, 3_600
_MARK = "erasing"
_AT_ONCE = 500
_LOOKED_AT = 500
_JUSTIFIED = (
    EntryKind.SUBMISSION.value,
    EntryKind.SUBMISSION_REFUSED.value,
    EntryKind.EVIDENCE.value,
    EntryKind.STATEMENT_REFUSED.value,
)
_WITH_ROUND = frozenset(
    kind.value
    for kind in (
        EntryKind.PROPOSAL,
        EntryKind.APPROVAL_REQUESTED,
        EntryKind.APPROVED,
        EntryKind.CONSENT,
        EntryKind.END_ASKED,
    )
)
"""Kinds that go with the last entry of their round: an audit shows from them who wanted the others."""
_KEPT = frozenset({EntryKind.KEY_REPLACED.value})
"""Kinds that stay: they name nobody, and without them nobody can tell which key was valid at an entry."""
_BEGINNINGS = (EntryKind.PROPOSAL.value, EntryKind.DISCOVERY.value)


class Retention:
    """Erases what is over its time, at most once an hour."""

    def __init__(self, own: OwnLog, days: int) -> None:
        self._own = own
        self._days = days
        self._looked_at = -_HOUR

    def step(self) -> bool:
        """Erase contents whose time is over; return whether there were any.

        Raises:
            StoreError: The database or the disk failed; it is done again.
        """
        own, now = self._own, self._own.clock()
        if now - self._looked_at < _HOUR:
            return False
        # 1. What a crash left: rows without contents whose files still have them.
        if own.files.exists(_MARK):
            self._rewrite(json.loads(own.files.read(_MARK))["bundles"])
        # 2. The mark comes before the rows. If we crash after it, the files are written again for nothing.
        with own.store.reading("retention.look") as session:
            size = self._covered(session, now)
            due = self._due(session, size, now)
        if due:
            bundles = sorted({index // TILE_WIDTH for index in due})
            own.files.write(_MARK, json.dumps({"bundles": bundles}).encode())
            with own.store.transaction("retention.erase") as session:
                for first in range(0, len(due), _AT_ONCE):
                    some = ENTRIES.c.index.in_(due[first : first + _AT_ONCE])
                    session.execute(update(ENTRIES).where(some).values(content=None))
                counts = {"size": size, "days": self._days, "entries": len(due)}
                append(session, Entry.of(EntryKind.LOG_PRUNED, now, own.holder, counts=counts))
            self._rewrite(bundles)
            _LOG.info("contents_erased", count=len(due))
        self._looked_at = now
        return bool(due)

    def _rewrite(self, bundles: Iterable[int]) -> None:
        """Write the files without what was erased, empty the database's own files of it, and take the mark away."""
        self._own.refresh(bundles)
        self._own.store.erase_deleted(ENTRIES)
        self._own.files.delete(_MARK)

    def _covered(self, session: Session, now: int) -> int:
        """Return the largest size that a witness cosigned long enough before its newest cosignature."""
        passed, newest = self._days * _DAY, None
        for size, holder, at in self._cosigned(session, now - passed):
            if newest is None:  # a log in which nothing is that old is not read for it
                newest = self._newest(session, now)
            if at + passed <= newest.get(holder, 0):
                return size
        return 0

    def _newest(self, session: Session, now: int) -> dict[str, int]:
        """Return the time of each witness's newest cosignature."""
        newest: dict[str, int] = {}
        for _, holder, at in self._cosigned(session, now, _LOOKED_AT):
            newest.setdefault(holder, at)
        return newest

    def _cosigned(self, session: Session, until: int, most: int | None = None) -> Iterator[tuple[int, str, int]]:
        """Yield the cosigners of checkpoints signed until a time, and when they cosigned, the largest first."""
        own = self._own
        query = select(CHECKPOINTS.c.size, CHECKPOINTS.c.note).where(CHECKPOINTS.c.signed_at <= until)
        for size, note in session.execute(query.order_by(CHECKPOINTS.c.size.desc()).limit(most)):
            for holder, _, at in own.registry.cosigners(parse_note(bytes(note)), own.holder):
                yield int(size), holder, at

    def _due(self, session: Session, size: int, now: int) -> list[int]:
        """Return the entries below a size whose contents are to go."""
        if size == 0:
            return []
        longer = self._longer(session, size, now)
        query = select(ENTRIES.c.index, ENTRIES.c.round_id, ENTRIES.c.kind).where(
            ENTRIES.c.index < size, ENTRIES.c.content.is_not(None)
        )
        rows = session.execute(query.order_by(ENTRIES.c.index))
        later = select(ENTRIES.c.round_id).where(ENTRIES.c.index >= size, ENTRIES.c.round_id.is_not(None))
        goes_on = set(session.scalars(later.distinct()))
        kept = self._asked_before(session, size)
        return [
            index
            for index, round_id, kind in rows
            if kind not in _KEPT
            and index not in kept
            and (round_id not in longer or kind in _JUSTIFIED)
            and not (round_id in goes_on and kind in _WITH_ROUND)
        ]

    def _asked_before(self, session: Session, size: int) -> set[int]:
        """Return the indices below a size of requests that are of no round and were approved at or above it."""
        query = (
            select(ENTRIES.c.index, ENTRIES.c.kind, ENTRIES.c.content)
            .where(
                ENTRIES.c.round_id.is_(None),
                ENTRIES.c.content.is_not(None),
                (ENTRIES.c.kind == EntryKind.APPROVED.value) & (ENTRIES.c.index >= size)
                | (ENTRIES.c.kind == EntryKind.APPROVAL_REQUESTED.value) & (ENTRIES.c.index < size),
            )
            .order_by(ENTRIES.c.index.desc())
        )
        approved, kept = set[object](), set[int]()
        for index, kind, content in session.execute(query):
            request = read_entry(bytes(content)).ids.get("approval")
            if kind == EntryKind.APPROVED.value:
                approved.add(request)
            elif request in approved:
                kept.add(index)
        return kept

    def _longer(self, session: Session, size: int, now: int) -> set[str]:
        """Return the rounds whose manifest asks for longer, and for longer than has passed."""
        query = select(ENTRIES.c.content).where(
            ENTRIES.c.index < size, ENTRIES.c.content.is_not(None), ENTRIES.c.kind.in_(_BEGINNINGS)
        )
        begun = [read_entry(bytes(content)) for content in session.scalars(query)]
        return {
            entry.round
            for entry in begun
            if entry.round and entry.time + entry.counts.get("retention_days", 0) * _DAY > now
        }
