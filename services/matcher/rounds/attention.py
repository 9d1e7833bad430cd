"""Rounds that need the secretariat's attention: contradictions, withheld reports, suspected guesses.

Of rounds that are over, evidence and flags stand on the first page for a while; the page of the round keeps them.
"""

import contextlib
from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.interface.attention import AttentionKind, AttentionList, RoundAttention
from services.kit.errors import RoundDamagedError
from services.kit.rounds import manifest_in
from services.matcher.context import MatcherContext
from services.matcher.round_memory import RoundTransaction
from services.matcher.rounds.held_reports import undecided_alarms
from services.matcher.rounds.views import disputed_pairs
from services.matcher.storage.tables import EvidenceRow, FaultRow, FlagRow, RoundRow

MOST = 40
"""Rounds that a page shows; no more are looked at."""

REMEMBERED = 30 * 86_400
"""How long after a round's end its evidence and its flags stand on the first page."""

_ORDER = list(AttentionKind)


def attention_list(context: MatcherContext) -> AttentionList:
    """Return the rounds that need the secretariat's attention, the most pressing first and of these the newest."""
    now = context.clock()
    with context.store.reading("needs.list") as session:
        found = [*_stored(session, now)]
        open_ = select(RoundRow.round_id).where(RoundRow.ended_at.is_(None))
        rounds = session.scalars(open_.order_by(RoundRow.created_at.desc(), RoundRow.round_id).limit(MOST)).all()
    for round_id in rounds:
        # The report on health tells of one that is damaged.
        with contextlib.suppress(RoundDamagedError), context.round_cache.reading(round_id) as turn:
            found += _of_round(turn)
    found.sort(key=lambda need: _ORDER.index(need.kind))
    return AttentionList(needs=tuple(found[:MOST]), left_out=max(0, len(found) - MOST))


def _stored(session: Session, now: int) -> Iterator[RoundAttention]:
    """Yield items from table rows: evidence, faulty tokens and flags."""
    fresh = RoundRow.ended_at.is_(None) | (RoundRow.ended_at > now - REMEMBERED)
    for kind, table, which in (
        (AttentionKind.EVIDENCE, EvidenceRow, fresh),
        (AttentionKind.PROBLEM, FaultRow, RoundRow.ended_at.is_(None)),
        (AttentionKind.FLAGS, FlagRow, fresh),
    ):
        counted = (
            select(RoundRow, func.count().label("things"))
            .join(table, table.round_id == RoundRow.round_id)
            .where(which)
            .group_by(RoundRow.round_id)
            .order_by(RoundRow.created_at.desc(), RoundRow.round_id)
        )
        for row, things in session.execute(counted.limit(MOST)):
            yield _need(row, kind, (), things)


def _of_round(turn: RoundTransaction) -> Iterator[RoundAttention]:
    """Yield items from the statements of an open round."""
    if differing := {party for pair in disputed_pairs(turn.round) for party in pair}:
        yield _need(turn.row, AttentionKind.LEFT_OUT, tuple(sorted(differing)), len(differing))
    if holders := {held.party for held in undecided_alarms(turn.round)}:
        yield _need(turn.row, AttentionKind.HELD_BACK, tuple(sorted(holders)), len(holders))


def _need(row: RoundRow, kind: AttentionKind, parties: tuple[str, ...], count: int) -> RoundAttention:
    manifest = manifest_in(row.manifest)
    return RoundAttention(
        round_id=row.round_id, round_title=manifest.title, kind=kind, parties=parties, count=count, until=None
    )
