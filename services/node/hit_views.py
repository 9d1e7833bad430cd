"""What analysts see of hits: pages that a filter leaves, and one hit with its history."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import case, func, select

from aquila.followup.life import HOUR
from aquila.protocol.messages.followup_views import (
    ChanceOfHit,
    HitEntry,
    HitPage,
    HitView,
    StepView,
    WithdrawalState,
    WithdrawalView,
)
from services.kit import audit_log
from services.node import lives
from services.node.book import reading_round
from services.node.exchange_views import exchange_view, why
from services.node.hits.answers import rounds_without_report
from services.node.notes import handling_of_note
from services.node.tables import ExchangeRow, HitLifeRow, HitRow, HitStepRow, RecordRow, StatementRow, WithdrawalRow
from services.node.views import chances, consultation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from aquila.protocol.messages.followup_views import HitFilter
    from aquila.protocol.rounds import Round
    from services.kit.people import Actor
    from services.node.node import Node

_RANK = case({"high": 0, "medium": 1, "low": 2}, value=HitRow.certainty)
_BOTH = (HitLifeRow.round_id == HitRow.round_id) & (HitLifeRow.hit_id == HitRow.hit_id)


def hit_page(node: Node, actor: Actor, wanted: HitFilter) -> HitPage:
    """Return a page of the hits that a filter leaves; that a person looked at them is logged."""
    now = node.clock()
    where = _where(wanted, now)
    with node.store.reading("hit.list") as session:
        entries = tuple(_entries(session, wanted, where, now))
        by_stage = _by_stage(session, where)
        late = select(func.count()).select_from(HitRow).join(HitLifeRow, _BOTH).where(*where, HitLifeRow.due_at < now)
        overdue = session.scalar(late) or 0
        unanswered = rounds_without_report(session, wanted.round_id)
    if entries:
        with node.store.transaction("hit.list_consulted") as session:
            for round_id in sorted({entry.round_id for entry in entries}):
                seen = [entry.hit_id for entry in entries if entry.round_id == round_id]
                audit_log.append(session, consultation(node, actor, round_id, seen))
    return HitPage(
        hits=entries, offset=wanted.offset, total=sum(by_stage.values()), by_stage=by_stage, overdue=overdue,
        unanswered=unanswered,
    )  # fmt: skip


def hit_view(node: Node, actor: Actor, round_id: str, hit_id: str) -> HitView:
    """Return one hit with its history; that a person looked at it is logged.

    Raises:
        NotFoundError: The node holds no such hit.
    """
    with reading_round(node, round_id) as round_, node.store.transaction("hit.show") as session:
        hit = lives.hit_row(session, round_id, hit_id)
        table = node.table_of(round_.manifest)
        audit_log.append(session, consultation(node, actor, round_id, [hit_id]))
        life = lives.life_of(session, hit)
        code, exchange = hit.handling_code, session.get(ExchangeRow, (round_id, hit_id))
        [entry] = with_records(session, [(hit, lives.life_row(session, hit))], node.clock())
        return HitView(
            entry=entry,
            families=tuple(hit.families),
            sentences=why(hit.families, exchange, table),
            submission_id=hit.submission_id,
            channel=life.channel,
            reference=life.reference,
            urgency=life.urgency,
            permission=life.permission,
            handling_code=code,
            blocked_by=life.blocked_by([code, handling_of_note(exchange)]),
            possible=life.possible(),
            history=history_of(session, hit),
            withdrawals=tuple(withdrawals_of(session, node, hit)),
            exchange=exchange_view(exchange, entry.record, table),
            chance=_chance(node, session, round_, hit),
        )


def _where(wanted: HitFilter, now: int) -> list[ColumnElement[bool]]:
    conditions = [
        (wanted.round_id, HitRow.round_id == wanted.round_id),
        (wanted.hit, HitRow.hit_id.startswith(wanted.hit or "")),
        (wanted.counterpart, HitRow.counterpart == wanted.counterpart),
        (wanted.certainty, HitRow.certainty == (wanted.certainty and wanted.certainty.value)),
        (wanted.stage, HitLifeRow.stage == (wanted.stage and wanted.stage.value)),
        (wanted.overdue or None, HitLifeRow.due_at < now),
        (wanted.older_than_hours, HitLifeRow.arrived_at < now - (wanted.older_than_hours or 0) * HOUR),
    ]
    return [condition for given, condition in conditions if given is not None]


def _by_stage(session: Session, where: Sequence[ColumnElement[bool]]) -> dict[str, int]:
    query = (
        select(HitLifeRow.stage, func.count().label("hits")).select_from(HitRow).join(HitLifeRow, _BOTH).where(*where)
    )
    return {row.stage: row.hits for row in session.execute(query.group_by(HitLifeRow.stage))}


def _entries(session: Session, wanted: HitFilter, where: Sequence[ColumnElement[bool]], now: int) -> Iterator[HitEntry]:
    query = (
        select(HitRow, HitLifeRow)
        .join(HitLifeRow, _BOTH)
        .where(*where)
        .order_by(HitLifeRow.arrived_at.desc(), _RANK, HitRow.round_id, HitRow.hit_id)
    )
    rows = session.execute(query.offset(wanted.offset).limit(wanted.limit)).all()
    yield from with_records(session, [(hit, life) for hit, life in rows], now)


def with_records(session: Session, rows: Sequence[tuple[HitRow, HitLifeRow]], now: int) -> Iterator[HitEntry]:
    """Yield hits beside own records, which are read for these hits alone."""
    for hit, life in rows:
        record = session.get(RecordRow, (hit.import_id, hit.position))
        yield HitEntry(
            round_id=hit.round_id,
            hit_id=hit.hit_id,
            counterpart=hit.counterpart,
            certainty=hit.certainty,
            stage=life.stage,
            decision=life.decision,
            outcome=life.outcome,
            arrived_at=life.arrived_at,
            due_at=life.due_at,
            overdue=life.due_at is not None and life.due_at < now,
            record_id=hit.record_id,
            record=json.loads(record.content) if record else {},
        )


def _chance(node: Node, session: Session, round_: Round, hit: HitRow) -> ChanceOfHit | None:
    """Return what chance alone would give of hits like this one; nothing where its report is not there any more."""
    for said in chances(node, session, round_):
        if (said.counterpart, said.submission_id) == (hit.counterpart, hit.submission_id):
            alike = select(func.count()).where(
                HitRow.round_id == hit.round_id,
                HitRow.counterpart == hit.counterpart,
                HitRow.certainty == hit.certainty,
                HitRow.submission_id.is_not_distinct_from(hit.submission_id),
                ~HitRow.canary,
            )
            return ChanceOfHit(
                hits=session.scalar(alike) or 0, expected=said.chance_hits.model_dump()[hit.certainty],
                drift_centibits=said.drift_centibits,
            )  # fmt: skip
    return None


def history_of(session: Session, hit: HitRow) -> tuple[StepView, ...]:
    """Return what was done with a hit, in its order."""
    return tuple(map(_step_view, lives.steps_of(session, hit)))


def _step_view(row: HitStepRow) -> StepView:
    return StepView(
        kind=row.kind, at=row.at, person=row.person, value=row.value, reference=row.reference, urgency=row.urgency,
        remark=row.remark,
    )  # fmt: skip


def withdrawals_of(session: Session, node: Node, hit: HitRow) -> Iterator[WithdrawalView]:
    """Yield what either side withdrew, and how far the word of it came."""
    query = select(WithdrawalRow).where(WithdrawalRow.round_id == hit.round_id, WithdrawalRow.hit_id == hit.hit_id)
    for row in session.scalars(query.order_by(WithdrawalRow.withdrawal_id)):
        statement = session.get(StatementRow, (row.round_id, row.digest)) if row.digest else None
        told = statement is not None and statement.sent
        yield WithdrawalView(
            by=node.code if row.own else row.counterpart,
            ground=row.ground,
            late=row.late,
            at=row.at,
            state=_state(told=told, acknowledged=row.acknowledged_at is not None),
            acknowledged_at=row.acknowledged_at,
        )


def _state(*, told: bool, acknowledged: bool) -> WithdrawalState:
    if acknowledged:
        return WithdrawalState.ACKNOWLEDGED
    return WithdrawalState.TOLD if told else WithdrawalState.WAITING
