"""Room on the disk: what open rounds may still take of it, and whether another one fits (PROTOCOL.md 3.1).

A round that passes here cannot fill the disk: its caps bound elements and tokens, and the quota bounds evaluations,
which are deleted as their origins acknowledge them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from aquila.errors import PolicyError
from aquila.protocol.matcher import disk_bytes
from services.kit.settings import MEBIBYTE
from services.matcher.storage.round_marks import manifest_in
from services.matcher.storage.tables import ChunkRow, RoundRow

if TYPE_CHECKING:
    from aquila.protocol.messages import Manifest
    from services.matcher.context import MatcherContext


def check_disk_space(context: MatcherContext, manifest: Manifest) -> None:
    """Refuse a round whose caps may take more than the disk has left after the other open rounds.

    Raises:
        PolicyError: They may.
    """
    needed = disk_bytes(manifest, context.settings.quotas.evaluation_bytes)
    free = max(0, context.files.free_space() - reserved_bytes(context))
    if needed > free:
        raise PolicyError(
            "caps_exceed_free_disk", expected=free, got=needed, needed=needed // MEBIBYTE, free=free // MEBIBYTE
        )


def reserved_bytes(context: MatcherContext) -> int:
    """Return the bytes that open rounds may still take, besides what they have taken."""
    taken = (
        select(ChunkRow.round_id, func.sum(ChunkRow.size).label("bytes"))
        .where(ChunkRow.deleted_at.is_(None))
        .group_by(ChunkRow.round_id)
        .subquery()
    )
    query = select(RoundRow.manifest, taken.c.bytes).outerjoin(taken, taken.c.round_id == RoundRow.round_id)
    with context.store.reading("rounds.promised") as session:
        rows = session.execute(query.where(RoundRow.ended_at.is_(None))).all()
    quota = context.settings.quotas.evaluation_bytes
    return sum(max(0, disk_bytes(manifest_in(manifest), quota) - int(used or 0)) for manifest, used in rows)
