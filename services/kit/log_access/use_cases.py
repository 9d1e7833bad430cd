"""Use cases of a service's log that node and matcher share: look at it, export it, acknowledge an alarm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.checkpoint import parse_checkpoint
from aquila.audit.entries import Entry, EntryKind
from aquila.audit.note import parse_note
from aquila.audit.roles import Action
from aquila.interface.log import EntriesPage, LogAlarmView, LogView, RoundEntries
from aquila.interface.sentence import SentenceView
from aquila.sentences.sentence import loads
from services.kit.errors import NotFoundError
from services.kit.http.rate_limit import Rate, RateLimiter
from services.kit.log.copies import Scope, write_copy
from services.kit.log.entries import CHECKPOINTS, actor_fields, append, entries_down, entries_of_round, size
from services.kit.log.publication import OwnLog
from services.kit.log.verification import checked
from services.kit.log.witness import Witness
from services.kit.log_access.cosignatures import cosigned
from services.kit.people import Actor

_LOOKED_AT = 500
_COPIES = Rate(per_second=1 / 600, size=6)


def _everything(_session: Session, _party: str | None) -> Scope:
    return Scope({})


@dataclass(frozen=True, slots=True)
class LogUseCases:
    """The two sides of a service's log: the own one, and it as a witness of others.

    Attributes:
        own: The own log.
        witness: What it has seen of others.
        scope: Gives what a copy of the own log is of, for a party or, with None, for the service's own people.
        copies: How often a party may have a copy, which takes a while to write.
    """

    own: OwnLog
    witness: Witness
    scope: Callable[[Session, str | None], Scope] = _everything
    copies: RateLimiter = field(default_factory=lambda: RateLimiter(_COPIES, refusal="log_copied_too_often"))

    def view(self) -> LogView:
        """Return the log at a glance."""
        with self.own.store.reading("log.view") as session:
            query = select(CHECKPOINTS.c.note).order_by(CHECKPOINTS.c.size.desc()).limit(_LOOKED_AT)
            notes = [parse_note(bytes(note)) for note in session.scalars(query)]
            entries = size(session)
        signed = parse_checkpoint(notes[0].text).size if notes else 0
        return LogView(
            origin=self.own.origin,
            size=signed,
            newer=entries - signed,
            checkpoint=notes[0].to_bytes().decode() if notes else "",
            witnesses=tuple(cosigned(self.own.registry, notes)),
            alarms=tuple(
                LogAlarmView(
                    alarm_id=row.alarm_id,
                    origin=row.origin,
                    what=row.what,
                    sentence=SentenceView.of(loads(row.sentence)),
                    seen=bytes(row.seen or b"").decode(),
                    got=bytes(row.got).decode(),
                    found_at=row.found_at,
                    acknowledged_at=row.acknowledged_at,
                    acknowledged_by=row.acknowledged_by,
                )
                for row in self.witness.alarms()
            ),
        )

    def page(
        self, actor: Actor, below: int | None, limit: int, kind: EntryKind | None, round_id: str | None
    ) -> EntriesPage:
        """Return entries from the newest down; looking at the log is an entry of it.

        Args:
            actor: Who looks.
            below: Only entries before this index; from the newest if None.
            limit: At most so many.
            kind: Only of this kind.
            round_id: Only of this round.
        """
        own = self.own
        with own.store.transaction("log.browse") as session:
            rows = entries_down(session, below, limit + 1, kind.value if kind else None, round_id)
            (shown, broken), total = checked(session, own, rows[:limit]), size(session)
            fields = actor_fields(actor, Action.SEE_LOG) | {"round": round_id, "counts": {"entries": len(shown)}}
            append(session, Entry.of(EntryKind.LOG_CONSULTED, own.clock(), own.holder, **fields))
        return EntriesPage(
            size=total, entries=shown, broken=tuple(broken), earlier=shown[-1].index if len(rows) > limit else None
        )

    def round_entries(self, actor: Actor, round_id: str) -> RoundEntries:
        """Return the entries of a round; looking at the log is an entry of it.

        Raises:
            NotFoundError: The log has none of this round.
        """
        own = self.own
        with own.store.transaction("log.consult") as session:
            found, broken = checked(session, own, entries_of_round(session, round_id))
            if not found:
                raise NotFoundError("log_without_round", round=round_id)
            entry = Entry.of(
                EntryKind.LOG_CONSULTED,
                own.clock(),
                own.holder,
                round=round_id,
                counts={"entries": len(found)},
                **actor_fields(actor, Action.SEE_LOG),
            )
            append(session, entry)
        return RoundEntries(round_id=round_id, entries=found, broken=tuple(broken))

    def export(self, actor: Actor, into: BinaryIO) -> None:
        """Write the log's files as a tar archive, up to the entry about this export.

        What tells the hits of a query that its asker was not told of is left out.

        Raises:
            LogRewrittenError: The files show another log than the database.
            StoreError: The database or the disk failed.
        """
        own = self.own
        entry = Entry.of(EntryKind.LOG_EXPORTED, own.clock(), own.holder, **actor_fields(actor, Action.EXPORT_LOG))
        self._copy(entry, into, None)

    def export_for(self, party: str, into: BinaryIO) -> None:
        """Write what a party may audit: the entries of the rounds that name it, and of all others the leaves alone.

        Raises:
            LogRewrittenError, StoreError: As `export`.
        """
        entry = Entry.of(EntryKind.LOG_EXPORTED, self.own.clock(), self.own.holder, recipient=party)
        self._copy(entry, into, party)

    def _copy(self, entry: Entry, into: BinaryIO, party: str | None) -> None:
        own = self.own
        with own.store.transaction("log.export") as session:
            append(session, entry)
        own.publish()

        def scope() -> Scope:
            with own.store.reading("log.scope") as session:
                return self.scope(session, party)

        with own.reading_files() as files:
            write_copy(files, into, scope, own.clock())
