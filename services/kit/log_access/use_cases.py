"""Use cases of a service's log that node and matcher share: look at it, verify it, export it, acknowledge an alarm."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.checkpoint import Note, cosigned_at, open_checkpoint, parse_checkpoint, parse_note
from aquila.audit.entries import Entry, EntryKind, read_entry
from aquila.audit.merkle import leaf_hash, prove_inclusion, verify_inclusion
from aquila.audit.roles import Action
from aquila.errors import AuditError
from aquila.interface.log import CosignatureView, EntriesPage, LogAlarmView, LogView, NumberedEntry, RoundEntries
from aquila.interface.sentence import SentenceView
from aquila.protocol.registry import MATCHER, Registry
from aquila.sentences.sentence import loads
from services.kit.actor import Actor
from services.kit.errors import NotFoundError
from services.kit.http.signed_calls import Rate, RateLimiter
from services.kit.log.copies import Scope, write_copy
from services.kit.log.entries import (
    CHECKPOINTS,
    StoredEntry,
    TileReader,
    actor_fields,
    append,
    entries_down,
    entries_of_round,
    size,
)
from services.kit.log.publication import OwnLog
from services.kit.log.witness import Witness


def checked(session: Session, own: OwnLog, rows: Iterable[StoredEntry]) -> tuple[tuple[NumberedEntry, ...], list[int]]:
    """Return entries to be shown, and the indices of those that are not what the log's tree holds.

    An entry that was changed in the database differs from its leaf, or its leaf from the tree whose head is signed.
    Entries that no checkpoint covers yet are held against their leaf alone. What cannot be read has no content here.
    """
    size, root = _signed(session, own)
    read = TileReader(session)
    shown, broken = [], []
    for row in rows:
        entry = None
        try:
            if row.content is not None:
                entry = read_entry(row.content)
            if row.content is not None and leaf_hash(row.content) != row.leaf:
                broken.append(row.index)
            elif row.index < size:
                verify_inclusion(row.leaf, row.index, size, root, prove_inclusion(row.index, size, read))
        except AuditError:
            broken.append(row.index)
        shown.append(NumberedEntry(index=row.index, entry=entry))
    return tuple(shown), broken


def _signed(session: Session, own: OwnLog) -> tuple[int, bytes]:
    """Return size and head of the newest checkpoint; one that this service did not sign does not count."""
    note = session.scalar(select(CHECKPOINTS.c.note).order_by(CHECKPOINTS.c.size.desc()).limit(1))
    if note is None:
        return 0, b""
    checkpoint, _ = open_checkpoint(bytes(note), own.origin, *own.keys)
    return checkpoint.size, checkpoint.root


_NEWEST = 20
"""Checkpoints that are looked at each time: witnesses cosign the newest ones."""

_AT_ONCE = 500


class NewestCosignatures:
    """They are found among the newest checkpoints, and the older ones are looked for once. For one thread at a time."""

    def __init__(self, own: OwnLog) -> None:
        self._own = own
        self._known: dict[str, CosignatureView] = {}

    def current(self) -> tuple[CosignatureView, ...]:
        """Return the newest cosignature of each witness.

        A witness that the log waits for and that has never cosigned has size 0, and the time since when this process
        misses it.
        """
        own = self._own
        expected = sorted(own.registry.parties) if own.holder == MATCHER else [MATCHER]
        query = select(CHECKPOINTS.c.note).order_by(CHECKPOINTS.c.size.desc())
        with own.store.reading("log.cosigned") as session:
            newest = [parse_note(bytes(note)) for note in session.scalars(query.limit(_NEWEST))]
            self._known |= {one.witness: one for one in cosigned(own.registry, newest)}
            absent = [one for one in expected if one not in self._known]
            if absent:
                self._known |= {one.witness: one for one in self._older(session, absent)}
        for one in absent:
            self._known.setdefault(one, CosignatureView(witness=one, size=0, at=own.clock()))
        holders = (MATCHER, *sorted(own.registry.parties))
        return tuple(self._known[one] for one in holders if one in self._known)

    def _older(self, session: Session, holders: Collection[str]) -> Iterator[CosignatureView]:
        """Yield the newest cosignatures of some holders, from all checkpoints."""
        registry = self._own.registry
        names = {holder: registry.witness_of(holder).encode() for holder in holders}
        query = select(CHECKPOINTS.c.note).order_by(CHECKPOINTS.c.size.desc()).execution_options(yield_per=_AT_ONCE)
        with closing(session.scalars(query)) as notes:
            for note in map(bytes, notes):
                # A line of a note begins with the name of its signer: years of notes are not parsed for an absent one.
                if any(name in note for name in names.values()):
                    for found in cosigned(registry, [parse_note(note)], tuple(names)):
                        del names[found.witness]
                        yield found
                if not names:
                    return


def cosigned(
    registry: Registry, notes: Sequence[Note], holders: Collection[str] | None = None
) -> Iterator[CosignatureView]:
    """Yield for each possible witness the first of these checkpoints that it cosigned."""
    for holder in [MATCHER, *sorted(registry.parties)] if holders is None else holders:
        name, keys = registry.witness_of(holder), registry.keys_of(holder)
        for note in notes:
            at = cosigned_at(note, name, *keys)
            if at is not None:
                yield CosignatureView(witness=holder, size=parse_checkpoint(note.text).size, at=at)
                break


_LOOKED_AT = 500
_COPIES = Rate(per_second=1 / 600, size=6)


def _everything(_session: Session, _party: str | None) -> Scope:
    return Scope({})


@dataclass(frozen=True, slots=True)
class LogUseCases:
    """The two sides of a service's log: the own one, and it as a witness of others."""

    own: OwnLog
    witness: Witness
    scope: Callable[[Session, str | None], Scope] = _everything
    """Gives what a copy of the own log is of, for a party or, with None, for the service's own people."""
    copies: RateLimiter = field(default_factory=lambda: RateLimiter(_COPIES, refusal="log_copied_too_often"))
    """How often a party may have a copy, which takes a while to write."""

    def view(self) -> LogView:
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
                LogAlarmView.of_fields(
                    row,
                    sentence=SentenceView.of(loads(row.sentence)),
                    seen=bytes(row.seen or b"").decode(),
                    got=bytes(row.got).decode(),
                )
                for row in self.witness.alarms()
            ),
        )

    def page(
        self, actor: Actor, below: int | None, limit: int, kind: EntryKind | None, round_id: str | None
    ) -> EntriesPage:
        """Return entries from the newest down; looking at the log is an entry of it."""
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
            NotFoundError: The log has no entry of this round.
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
