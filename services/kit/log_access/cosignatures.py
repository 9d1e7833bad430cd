"""The newest cosignature of a service's own log by each of its witnesses, however long ago it was."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.checkpoint import cosigned_at, parse_checkpoint
from aquila.audit.note import Note, parse_note
from aquila.interface.log import CosignatureView
from aquila.protocol.registry import MATCHER, Registry
from services.kit.log.entries import CHECKPOINTS
from services.kit.log.publication import OwnLog

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
    """Yield for each possible witness the first of these checkpoints that it cosigned.

    Args:
        registry: Whose parties are possible witnesses, as is the matcher.
        notes: The checkpoints, the newest first.
        holders: The witnesses that are looked for; all if not given.
    """
    for holder in [MATCHER, *sorted(registry.parties)] if holders is None else holders:
        name, keys = registry.witness_of(holder), registry.keys_of(holder)
        for note in notes:
            at = cosigned_at(note, name, *keys)
            if at is not None:
                yield CosignatureView(witness=holder, size=parse_checkpoint(note.text).size, at=at)
                break
