"""Verification that the entries in the database are those that the newest checkpoint signed."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.checkpoint import open_checkpoint
from aquila.audit.entries import read_entry
from aquila.audit.merkle import leaf_hash
from aquila.audit.proofs import prove_inclusion, verify_inclusion
from aquila.errors import AuditError
from aquila.interface.log import NumberedEntry
from services.kit.log.entries import CHECKPOINTS, StoredEntry, node_reader
from services.kit.log.publication import OwnLog


def checked(session: Session, own: OwnLog, rows: Iterable[StoredEntry]) -> tuple[tuple[NumberedEntry, ...], list[int]]:
    """Return entries to be shown, and the indices of those that are not what the log's tree holds.

    An entry that was changed in the database differs from its leaf, or its leaf from the tree whose head is signed.
    Entries that no checkpoint covers yet are held against their leaf alone. What cannot be read has no content here.
    """
    size, root = _signed(session, own)
    read = node_reader(session)
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
    """Return size and head of the newest checkpoint; a checkpoint that this service did not sign is none."""
    note = session.scalar(select(CHECKPOINTS.c.note).order_by(CHECKPOINTS.c.size.desc()).limit(1))
    if note is None:
        return 0, b""
    checkpoint, _ = open_checkpoint(bytes(note), own.origin, *own.keys)
    return checkpoint.size, checkpoint.root
