"""A service as the witness of other logs: what it saw last, whether they only grew, and alarms (PROTOCOL.md 10.5).

The last checkpoint of each log lies in the database *and* in a small file of the home, `log/seen/`, and the larger of
the two counts: a database from a backup does not make the service forget. When a log forks or shrinks, both checkpoints
are kept as evidence, the own log gets an entry, and until an administrator has acknowledged it every further look
raises the same error.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.orm import Session

from aquila.audit.checkpoint import (
    Checkpoint,
    Note,
    Update,
    check_growth,
    cosign,
    cosigned_at,
    open_checkpoint,
    parse_note,
    parse_update,
)
from aquila.audit.entries import Entry, EntryKind
from aquila.audit.roles import Action
from aquila.crypto.keys import SigningKey
from aquila.errors import AquilaError, LogRewrittenError, OrderError
from aquila.protocol.registry import Registry
from aquila.sentences.sentence import dumps, loads
from services.kit.actor import Actor
from services.kit.errors import NotFoundError
from services.kit.log.entries import ALARMS, WITNESSED, actor_fields, append
from services.kit.log.publication import CHECKPOINT_FILE
from services.kit.logging import Log
from services.kit.storage.files import ChunkFiles
from services.kit.storage.store import Store

_LOG = Log("kit.witness")


@dataclass(frozen=True, slots=True)
class Accusation:
    """A log contradicts what is known of it."""

    error: LogRewrittenError
    evidence: bytes | None
    """What it contradicts: the checkpoint that was seen before, or a statement; None where there is nothing."""


Check: TypeAlias = Callable[[Session, Checkpoint], Accusation | None]
"""Checks what a log shows beyond its growth; raises AuditError where that cannot be checked."""


def _nothing_else(_session: Session, _shown: Checkpoint) -> None:
    """Check nothing more."""


@dataclass(frozen=True, slots=True)
class Witness:
    """The witness of other logs."""

    store: Store
    files: ChunkFiles
    holder: str
    """Who is the witness: a party's code, or `matcher`."""
    key: SigningKey
    registry: Registry
    clock: Callable[[], int]
    explained: Callable[[Session, int, str], None] = lambda _session, _now, _what: None
    """Called in the transaction in which an administrator acknowledges an alarm over another log, with the time and
    what was found: what the service held against that log up to now is explained."""
    _latest: dict[str, Checkpoint] = field(default_factory=dict)

    def latest(self, holder: str) -> Checkpoint | None:
        """Return the checkpoint of another log that was seen last, or None before the first time."""
        if holder not in self._latest:
            with self.store.reading("log.latest") as session:
                seen = self._seen(session, holder)
            if seen is None:
                return None
            self._latest[holder] = seen[0]
        return self._latest[holder]

    def seen_size(self, holder: str) -> int:
        """Return how many entries another log had when it was seen last, 0 before the first time.

        Raises:
            LogRewrittenError: That log, or our own, is under alarm, and no administrator has acknowledged it.
        """
        with self.store.reading("log.seen") as session:
            self._refuse_known(session, holder)
            seen = self._seen(session, holder)
        return 0 if seen is None else seen[0].size

    def read(self, holder: str, content: bytes) -> Checkpoint:
        """Return the content of another log's update, signed by its owner; `cosign` checks that the log only grew.

        Raises:
            AuditError: It cannot be read, or is not signed.
        """
        origin, key = self.registry.origin_of(holder), self.registry.key_of(holder)
        return open_checkpoint(parse_update(content).note.to_bytes(), origin, key)[0]

    def cosign(self, holder: str, content: bytes, check: Check = _nothing_else) -> Note:
        """Check what another log shows and cosign it; return its checkpoint with the cosignature.

        If we crash between the database and the file, the larger of the two counts, which is what was cosigned.

        Args:
            content: The update, with a proof from `seen_size`.
            check: What else must fit what is shown, in the same transaction and before it is cosigned.

        Raises:
            LogRewrittenError: The log forked or shrank; both checkpoints are stored before this is raised.
            AuditError: What it shows cannot be read, is not signed by its owner, or proves nothing.
        """
        # The pinned key alone: a key that was replaced shows nothing new.
        origin, key = self.registry.origin_of(holder), self.registry.key_of(holder)
        shown = parse_update(content)
        got, note = open_checkpoint(shown.note.to_bytes(), origin, key)
        with self.store.transaction("log.witness") as session:
            self._refuse_known(session, holder)
            seen = self._seen(session, holder)
            accusation = _shrunk_or_forked(seen, got, shown) or check(session, got)
            if accusation is not None:
                self._alarm(session, holder, accusation.error, accusation.evidence, note.to_bytes())
            elif seen is None or seen[0] != got or not self._has_cosigned(seen[1]):
                cosigned = cosign(note, self.registry.witness_of(self.holder), self.key, self.clock())
                self._remember(session, holder, got, cosigned.to_bytes())
            else:
                cosigned = parse_note(seen[1])
        if accusation is not None:
            _LOG.error("log_rewritten", counterpart=holder, error=accusation.error)
            raise accusation.error
        self._latest[holder] = got
        return cosigned

    def vanished(self, holder: str) -> None:
        """Raise the alarm, and LogRewrittenError, over a log that is empty now and had entries before."""
        with self.store.transaction("log.vanished") as session:
            self._refuse_known(session, holder)
            seen = self._seen(session, holder)
            if seen is None:
                return
            origin = seen[0].origin
            error = LogRewrittenError(
                "log_shrank_to_nothing", what="shrunk", expected=seen[0].size, got=0, origin=origin
            )
            self._alarm(session, holder, error, seen[1], b"")
        _LOG.error("log_rewritten", counterpart=holder, error=error)
        raise error

    def report_contradiction(self, error: AquilaError, own: bytes, follow: Callable[[Session], None]) -> None:
        """Keep that another witness, or our own files, contradict our own log; raises nothing.

        Args:
            error: What contradicts it.
            own: The newest checkpoint of our own log, or nothing.
            follow: What follows from it, in the same transaction, each time that it is found.
        """
        with self.store.transaction("log.contradicted") as session:
            follow(session)
            origin = self.registry.origin_of(self.holder)
            if _open_alarm(session, [origin]) is None:
                self._alarm(session, self.holder, error, None, own)
        _LOG.error("log_rewritten", counterpart=self.holder, error=error)

    def alarms(self) -> Sequence[Row[Any]]:
        with self.store.reading("log.alarms") as session:
            return session.execute(select(ALARMS).order_by(ALARMS.c.alarm_id)).all()

    def acknowledge(self, actor: Actor, alarm_id: int) -> None:
        """Go on after the log's owner has explained itself: what it showed last becomes what was seen last."""
        with self.store.transaction("log.acknowledge") as session:
            alarm = session.execute(select(ALARMS).where(ALARMS.c.alarm_id == alarm_id)).one_or_none()
            if alarm is None:
                raise NotFoundError("alarm_unknown")
            if alarm.acknowledged_at is not None:
                raise OrderError("alarm_already_acknowledged", alarm=alarm_id)
            now = self.clock()
            session.execute(
                update(ALARMS)
                .where(ALARMS.c.alarm_id == alarm_id)
                .values(acknowledged_at=now, acknowledged_by=actor.person)
            )
            holder = alarm.origin.split("/")[1]
            fields = {"counts": {"alarm": alarm_id}, "ids": {"what": alarm.what}}
            by = actor_fields(actor, Action.ACKNOWLEDGE_LOG)
            append(session, Entry.of(EntryKind.ALARM_ACKNOWLEDGED, now, self.holder, recipient=holder, **fields, **by))
            if holder == self.holder:
                self.files.delete(CHECKPOINT_FILE)  # from here on the database says what the own log is
            else:
                self._begin_again(session, holder, alarm.origin, bytes(alarm.got))
                self.explained(session, now, alarm.what)
        self._latest.clear()
        _LOG.warning("alarm_acknowledged", counterpart=holder, count=alarm_id)

    def _refuse_known(self, session: Session, holder: str) -> None:
        """Refuse to go on while an alarm over a log, or over our own, is open; raises LogRewrittenError if one is."""
        origins = [self.registry.origin_of(name) for name in (holder, self.holder)]
        alarm = _open_alarm(session, origins)
        if alarm is not None:
            # Whose log it is about goes with it: a caller may have to look at its own.
            raise LogRewrittenError("log_alarm_open", alarm=loads(alarm.sentence), origin=alarm.origin)

    def _has_cosigned(self, seen: bytes) -> bool:
        """Return whether a checkpoint has our cosignature: an accused one came without, until it was explained."""
        return cosigned_at(parse_note(seen), self.registry.witness_of(self.holder), self.key.public) is not None

    def _begin_again(self, session: Session, holder: str, origin: str, got: bytes) -> None:
        """Take what a log showed last as seen last; what it showed before stays in the alarm."""
        session.execute(delete(WITNESSED).where(WITNESSED.c.origin == origin))
        self.files.delete(_file(holder))
        if got:
            checkpoint, note = open_checkpoint(got, origin, *self.registry.keys_of(holder))
            self._remember(session, holder, checkpoint, note.to_bytes())

    def _seen(self, session: Session, holder: str) -> tuple[Checkpoint, bytes] | None:
        """Return the largest checkpoint of a log that the database or the file knows, with its note."""
        origin, keys = self.registry.origin_of(holder), self.registry.keys_of(holder)
        query = select(WITNESSED.c.note).where(WITNESSED.c.origin == origin).order_by(WITNESSED.c.size.desc())
        contents: list[bytes | None] = [session.scalar(query.limit(1))]
        with contextlib.suppress(NotFoundError):
            contents.append(self.files.read(_file(holder)))
        known = [(open_checkpoint(bytes(found), origin, *keys)[0], bytes(found)) for found in contents if found]
        return max(known, key=lambda found: found[0].size, default=None)

    def _remember(self, session: Session, holder: str, checkpoint: Checkpoint, note: bytes) -> None:
        """Store the newest checkpoint, in the database and in the file, in place of the one it has grown from."""
        session.execute(delete(WITNESSED).where(WITNESSED.c.origin == checkpoint.origin))
        session.execute(
            insert(WITNESSED).values(origin=checkpoint.origin, size=checkpoint.size, note=note, seen_at=self.clock())
        )
        self.files.write(_file(holder), note)

    def _alarm(self, session: Session, holder: str, error: AquilaError, seen: bytes | None, got: bytes) -> None:
        """Store an alarm with its evidence, and its entry."""
        what, now = str(error.fields.get("what", "fork")), self.clock()
        session.execute(
            insert(ALARMS).values(
                origin=self.registry.origin_of(holder),
                what=what,
                sentence=dumps(error.sentence),
                seen=seen,
                got=got,
                found_at=now,
            )
        )
        append(session, Entry.of(EntryKind.LOG_ALARM, now, self.holder, recipient=holder, ids={"what": what}))


def _shrunk_or_forked(seen: tuple[Checkpoint, bytes] | None, got: Checkpoint, shown: Update) -> Accusation | None:
    """Return how a log did not only grow since it was seen last, or None where it did; raises as `check_growth`."""
    try:
        check_growth(seen[0] if seen else None, got, shown)
    except LogRewrittenError as error:
        return Accusation(error, seen[1] if seen else None)
    return None


def _open_alarm(session: Session, origins: list[str]) -> Row[Any] | None:
    """Return the first alarm over one of these logs that nobody has acknowledged."""
    query = select(ALARMS).where(ALARMS.c.acknowledged_at.is_(None), ALARMS.c.origin.in_(origins))
    return session.execute(query.order_by(ALARMS.c.alarm_id).limit(1)).one_or_none()


def _file(holder: str) -> str:
    return f"seen/{holder}"
