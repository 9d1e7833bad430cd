"""Use cases of a service's log that node and matcher share: look at it, verify it, export it, acknowledge an alarm."""

import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.checkpoint import parse_checkpoint, parse_note
from aquila.audit.entries import Entry, EntryKind
from aquila.audit.roles import Action
from aquila.interface.log import (
    CosignatureView,
    EntriesPage,
    EntrySearch,
    EntryView,
    LogAlarmView,
    LogCheck,
    LogView,
    RoundEntries,
)
from aquila.interface.looks import LookReview, LookReviewRequest
from aquila.interface.sentence import SentenceView
from aquila.protocol.registry import MATCHER
from aquila.sentences.sentence import loads
from services.kit.actor import Actor
from services.kit.errors import NotFoundError
from services.kit.http.signed_calls import Rate, RateLimiter
from services.kit.log.copies import Scope, write_copy
from services.kit.log.entries import CHECKPOINTS, actor_fields, append, entries_between, entries_of_round, size
from services.kit.log.publication import OwnLog
from services.kit.log.witness import Witness
from services.kit.log_access.checks import (
    LOOKED_AT,
    checked,
    cosigned,
    matching,
    proof_of,
    readable_notes,
    signatures_of,
    stored_log_check,
)
from services.kit.log_access.looks import review_looks

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
            self._known |= {one.witness: one for one in cosigned(own, newest)}
            absent = [one for one in expected if one not in self._known]
            if absent:
                self._known |= {one.witness: one for one in self._older(session, absent)}
        for one in absent:
            self._known.setdefault(one, CosignatureView(witness=one, size=0, at=own.clock()))
        return tuple(self._known[one] for one in own.registry.witnesses(own.holder) if one in self._known)

    def _older(self, session: Session, holders: Collection[str]) -> Iterator[CosignatureView]:
        """Yield the newest cosignatures of some holders, from all checkpoints."""
        registry = self._own.registry
        names = {holder: registry.witness_of(holder).encode() for holder in holders}
        query = select(CHECKPOINTS.c.note).order_by(CHECKPOINTS.c.size.desc()).execution_options(yield_per=_AT_ONCE)
        with session.scalars(query) as notes:
            for note in map(bytes, notes):
                # A line of a note begins with the name of its signer: years of notes are not parsed for an absent one.
                if any(name in note for name in names.values()):
                    for found in cosigned(self._own, [parse_note(note)], tuple(names)):
                        del names[found.witness]
                        yield found
                if not names:
                    return


_COPIES = Rate(per_second=1 / 600, size=6)
_CHECKS = Rate(per_second=1 / 60, size=5)


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
    checks: RateLimiter = field(default_factory=lambda: RateLimiter(_CHECKS, refusal="log_checked_too_often"))
    """How often the own log may be checked, whoever asks: a long one takes the service's time."""
    checking: threading.Lock = field(default_factory=threading.Lock)

    def view(self) -> LogView:
        with self.own.store.reading("log.view") as session:
            query = select(CHECKPOINTS.c.note).order_by(CHECKPOINTS.c.size.desc()).limit(LOOKED_AT)
            notes = list(readable_notes(map(bytes, session.scalars(query))))
            entries = size(session)
        signed = parse_checkpoint(notes[0].text).size if notes else 0
        return LogView(
            origin=self.own.origin,
            size=signed,
            newer=entries - signed,
            checkpoint=notes[0].to_bytes().decode() if notes else "",
            witnesses=tuple(cosigned(self.own, notes)),
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

    def page(self, actor: Actor, wanted: EntrySearch) -> EntriesPage:
        """Return entries from the newest down; looking at the log is an entry of it."""
        own = self.own
        with own.store.reading("log.browse") as session:
            rows, earlier = matching(session, wanted)
            (shown, broken), total = checked(session, own, rows), size(session)
        with own.store.transaction("log.browsed") as session:
            self._log_look(session, actor, len(shown), wanted.round_id)
        return EntriesPage(size=total, entries=shown, broken=tuple(broken), earlier=earlier)

    def entry(self, actor: Actor, index: int) -> EntryView:
        """Return an entry with its proof; looking at it is an entry of the log."""
        own = self.own
        with own.store.reading("log.entry") as session:
            rows = entries_between(session, index, index + 1)
            if not rows:
                raise NotFoundError("log_entry_unknown", index=index)
            (shown,), broken = checked(session, own, rows)
            entries = [shown.entry] if shown.entry else []
            envelope = next((kept for _, kept in signatures_of(session, own, entries)), None)
            proof = b"" if broken or shown.entry is None else proof_of(session, index, shown.entry)
        with own.store.transaction("log.entry_seen") as session:
            self._log_look(session, actor, 1, shown.entry.round if shown.entry else None)
        return EntryView(
            numbered=shown,
            broken=bool(broken),
            proof=proof.decode(),
            witnesses=tuple(one for one in self.view().witnesses if one.size > index),
            statement=(envelope or b"").decode(errors="replace"),
        )

    def check(self, actor: Actor) -> LogCheck:
        """Check the whole log as it is stored, and return what was checked; that it was looked at is an entry of it.

        The tree, the contents and the checkpoints are checked whole, and of statements the newest. One check runs at a
        time.

        Raises:
            TooManyCallsError: It was checked too often.
        """
        own = self.own
        self.checks.take(own.holder)
        with self.checking, own.store.reading("log.recheck") as session:
            found = stored_log_check(session, own)
        with own.store.transaction("log.rechecked") as session:
            self._log_look(session, actor, found.contents)
        return found

    def review_looks(self, actor: Actor, wanted: LookReviewRequest) -> LookReview:
        """Return who looked at how much and when; the review is a look at the log, and so an entry of it.

        Raises:
            InputError: The period cannot be reviewed.
        """
        with self.own.store.reading("log.looks") as session:
            found = review_looks(session, wanted)
        with self.own.store.transaction("log.looked_through") as session:
            looks = sum(one.looks for one in found.days)
            self._log_look(session, actor, looks, action=Action.REVIEW_LOOKS)
        return found

    def _log_look(
        self, session: Session, actor: Actor, entries: int, round_id: str | None = None, action: Action = Action.SEE_LOG
    ) -> None:
        """Log that somebody looked at entries."""
        fields = {"round": round_id, "counts": {"entries": entries}, **actor_fields(actor, action)}
        append(session, Entry.of(EntryKind.LOG_CONSULTED, self.own.clock(), self.own.holder, **fields))

    def round_entries(self, actor: Actor, round_id: str) -> RoundEntries:
        """Return the entries of a round; looking at the log is an entry of it."""
        own = self.own
        with own.store.reading("log.consult") as session:
            found, broken = checked(session, own, entries_of_round(session, round_id))
        if not found:
            raise NotFoundError("log_without_round", round=round_id)
        with own.store.transaction("log.consulted") as session:
            self._log_look(session, actor, len(found), round_id)
        return RoundEntries(round_id=round_id, entries=found, broken=tuple(broken))

    def export(self, actor: Actor, into: BinaryIO) -> None:
        """Write the log's files as a tar archive, up to the entry about this export.

        What tells the hits of a query that its asker was not told of is left out.

        Raises:
            LogRewrittenError: The files show another log than the database.
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
