"""What of the rounds needs the secretariat: contradictions, answers that are held back, what looks like guesses, delay.

Of rounds that are over, evidence and flags stand on the first page for a while; the page of the round keeps them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from aquila.interface.attention import NeedKind, Needs, RoundNeed
from services.matcher.events import manifest_in
from services.matcher.rounds.progress import late
from services.matcher.rounds.views import held_back, told_apart
from services.matcher.storage.tables import EvidenceRow, FlagRow, RoundRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from services.matcher.context import Desk
    from services.matcher.round_memory import Turn

MOST = 40
"""What a page takes; no more rounds than that are looked at."""

REMEMBERED = 30 * 86_400
"""How long after a round's end its evidence and its flags stand on the first page."""

_ORDER = list(NeedKind)


def needs(desk: Desk) -> Needs:
    """Return what rounds need of the secretariat, the most pressing first and of these the newest round."""
    now = desk.clock()
    with desk.store.reading("needs.list") as session:
        found = [*_stored(session, now)]
        open_ = select(RoundRow.round_id).where(RoundRow.ended_at.is_(None))
        rounds = session.scalars(open_.order_by(RoundRow.created_at.desc(), RoundRow.round_id).limit(MOST)).all()
    for round_id in rounds:
        with desk.known.reading(round_id) as turn:
            found += _of_round(turn, now)
    found.sort(key=lambda need: _ORDER.index(need.kind))
    return Needs(needs=tuple(found[:MOST]), left_out=max(0, len(found) - MOST))


def _stored(session: Session, now: int) -> Iterator[RoundNeed]:
    """Yield what stands in rows: evidence, flags, and what went wrong."""
    fresh = RoundRow.ended_at.is_(None) | (RoundRow.ended_at > now - REMEMBERED)
    for kind, table in ((NeedKind.EVIDENCE, EvidenceRow), (NeedKind.FLAGS, FlagRow)):
        counted = (
            select(RoundRow, func.count().label("things"))
            .join(table, table.round_id == RoundRow.round_id)
            .where(fresh)
            .group_by(RoundRow.round_id)
            .order_by(RoundRow.created_at.desc(), RoundRow.round_id)
        )
        for row, things in session.execute(counted.limit(MOST)):
            yield _need(row, kind, (), things)
    wrong = select(RoundRow).where(RoundRow.problem.is_not(None), RoundRow.ended_at.is_(None))
    for row in session.scalars(wrong.order_by(RoundRow.created_at.desc(), RoundRow.round_id).limit(MOST)):
        yield _need(row, NeedKind.PROBLEM, (), 1)


def _of_round(turn: Turn, now: int) -> Iterator[RoundNeed]:
    """Yield what the statements of an open round tell."""
    if differing := {party for pair in told_apart(turn.round) for party in pair}:
        yield _need(turn.row, NeedKind.CANARIES, tuple(sorted(differing)), len(differing))
    if holders := {party for party, _, _ in held_back(turn.round)}:
        yield _need(turn.row, NeedKind.HELD_BACK, tuple(sorted(holders)), len(holders))
    if missing := late(turn.known, now):
        yield _need(turn.row, NeedKind.LATE, missing, len(missing))


def _need(row: RoundRow, kind: NeedKind, parties: tuple[str, ...], count: int) -> RoundNeed:
    manifest = manifest_in(row.manifest)
    return RoundNeed(
        round_id=row.round_id, area=manifest.area, category=manifest.category, kind=kind, parties=parties, count=count,
        until=None,
    )  # fmt: skip
