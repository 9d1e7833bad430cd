"""Analysts' views of hits: those of a round, and one hit with its history. Lists are in `services.node.hits.review`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind, Word
from aquila.audit.roles import Action
from aquila.followup.lifecycle import LifecycleStepKind
from aquila.interface.hits import (
    ChanceOfHit,
    HitEntry,
    HitKey,
    HitQuery,
    HitView,
    QueryReason,
    StepView,
    WithdrawalState,
    WithdrawalView,
)
from aquila.interface.rounds import AnswerState, Hits, OwnHit
from aquila.protocol.rounds.verified_round import ERASED, Round
from aquila.records.rules import RuleTable
from services.kit.actor import Actor
from services.kit.log import entries as log_entries
from services.kit.people.accounts import names_of
from services.node.context import Journal, NodeContext
from services.node.hits import lifecycle
from services.node.hits.answers import answers, awaited_steps
from services.node.hits.exchange_views import exchange_view, why
from services.node.hits.letter import conditions_of
from services.node.hits.notes import handling_of_note
from services.node.hits.report_facts import chances, weights
from services.node.round_memory import round_row
from services.node.rounds.reported_hits import problems_of, reported
from services.node.rounds.views import problems
from services.node.storage.imports import name_counts
from services.node.storage.tables import (
    ExchangeRow,
    HitRow,
    HitStatusRow,
    HitStepRow,
    RecordRow,
    StatementRow,
    WithdrawalRow,
)

_NAMED_HITS = 32


def hits(node: NodeContext, actor: Actor, round_id: str) -> Hits:
    """Return the hits of a round, each with the node's own record: a consultation, which is logged.

    Raises:
        NotFoundError: The node knows no such round.
    """
    with node.rounds.reading(round_id) as round_, node.store.transaction("round.hits") as session:
        table, said = node.table_of(round_.manifest), reported(node.rounds, node.code, round_id)
        query = (
            select(HitRow, RecordRow.content, ExchangeRow)
            .outerjoin(RecordRow, (RecordRow.import_id == HitRow.import_id) & (RecordRow.position == HitRow.position))
            .outerjoin(ExchangeRow, (ExchangeRow.round_id == HitRow.round_id) & (ExchangeRow.hit_id == HitRow.hit_id))
        )
        order = HitRow.counterpart, HitRow.record_id, HitRow.hit_id
        found = session.execute(query.where(HitRow.round_id == round_id).order_by(*order)).all()
        found = [one for one in found if said.agrees(one[0])]
        ids = select(HitRow.hit_id).where(HitRow.round_id == round_id)
        unseen = set(session.scalars(ids)) - {hit.hit_id for hit, *_ in found}
        log_entries.append(session, consultation(node.journal, actor, round_id, [row.hit_id for row, *_ in found]))
        row = round_row(session, round_id)
        answered = tuple(answers(session, node.signer, round_, row))
        awaits = any(answer.state is AnswerState.AWAITED for answer in answered)
        return Hits(
            round_id=round_id,
            phase=row.phase,
            answers=answered,
            awaited=tuple(awaited_steps(session, node.code, round_)) if awaits else (),
            hits=tuple(_own_hit(*one, table) for one in found),
            chance=tuple(chances(node, session, round_)),
            problems=(
                *problems_of(session, {round_id: said}, [(round_id, hit) for hit in unseen]),
                *problems(session, row),
            ),
        )


def consultation(
    journal: Journal, actor: Actor, round_id: str, hit_ids: list[str], action: Action = Action.SEE_HITS
) -> Entry:
    """Return the entry of a look at hits: their number, a digest over all of their ids, and the ids where they are few.

    Args:
        journal: What dates the entry, and in whose name.
        actor: Who looks.
        round_id: In which round.
        hit_ids: At which hits.
        action: By which right.
    """
    ids = {f"hit_{number}": hit_id for number, hit_id in enumerate(sorted(hit_ids), start=1)}
    return Entry.of(
        EntryKind.CONSULTATION,
        journal.clock(),
        journal.code,
        round=round_id,
        counts={"hits": len(hit_ids)},
        digests={"hits": hashlib.sha256("".join(sorted(hit_ids)).encode()).hexdigest()},
        ids={"of": Word.HITS} | (ids if len(ids) <= _NAMED_HITS else {}),
        **log_entries.actor_fields(actor, action),
    )


def _own_hit(row: HitRow, content: bytes | None, exchange: ExchangeRow | None, table: RuleTable) -> OwnHit:
    words, record = dict(table.families), json.loads(content) if content else {}
    return OwnHit(
        hit_id=row.hit_id,
        counterpart=row.counterpart,
        certainty=row.certainty,
        families=tuple(row.families),
        sentences=tuple(words.get(family, family) for family in row.families),
        record_id=row.record_id,
        record=record,
        submission_id=row.submission_id,
        exchange=exchange_view(exchange, record, table),
    )


def hit_view(node: NodeContext, actor: Actor, round_id: str, hit_id: str) -> HitView:
    """Return one hit with its history; that a person looked at it is logged.

    Raises:
        NotFoundError: The node holds no such hit.
    """
    with node.rounds.reading(round_id) as round_, node.store.transaction("hit.show") as session:
        hit = lifecycle.hit_row(session, round_id, hit_id)
        reported(node.rounds, node.code, round_id).check(hit)
        table = node.table_of(round_.manifest)
        log_entries.append(session, consultation(node.journal, actor, round_id, [hit_id]))
        life = lifecycle.lifecycle_of(session, hit)
        code, exchange = hit.handling_code, session.get(ExchangeRow, (round_id, hit_id))
        status = lifecycle.status_row(session, hit)
        [entry] = with_records(session, [(hit, status)], node.clock())
        graded_by, strangers = weights(node, session, round_, hit, exchange)
        place = hit.import_id, hit.position
        name = names_of(session, [status.assignee]).get(status.assignee or "", "")
        view = HitView(
            entry=entry.model_copy(
                update={"assignee_name": name, "query": query_of(node.code, round_, hit.submission_id)}
            ),
            families=tuple(hit.families),
            sentences=why(hit.families, exchange, table),
            submission_id=hit.submission_id,
            channel=life.channel,
            reference=life.reference,
            urgency=life.urgency,
            replied_on=life.replied_on,
            reply=life.reply,
            permission=life.permission,
            handling_code=code,
            blocked_by=life.blocked_by(code),
            conditions=conditions_of([code, handling_of_note(exchange)]),
            possible=life.possible(),
            history=history_of(session, hit),
            withdrawals=tuple(withdrawals_of(session, node.code, hit)),
            exchange=exchange_view(exchange, entry.record, table),
            chance=_chance(node, session, round_, hit),
            earlier=_earlier(session, status),
            weights=graded_by,
            strangers_centibits=strangers,
        )
    with node.store.reading("hit.names") as session:  # a list is counted: neither the round nor a writer waits for it
        own_names, own_records = name_counts(session, *place)
    return view.model_copy(update={"own_names": own_names, "own_records": own_records})


def with_records(session: Session, rows: Sequence[tuple[HitRow, HitStatusRow]], now: int) -> Iterator[HitEntry]:
    """Yield hits with own records, which are read for these hits alone."""
    for hit, life in rows:
        record = session.get(RecordRow, (hit.import_id, hit.position))
        yield entry_of(hit, life, record.content if record else None, now)


def entry_of(hit: HitRow, life: HitStatusRow, content: bytes | None, now: int) -> HitEntry:
    """Return a hit as a list shows it.

    Args:
        hit: The hit.
        life: Its status.
        content: The own record as stored; None where its list was deleted.
        now: Seconds since 1970.
    """
    return HitEntry(
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
        record=json.loads(content) if content else {},
        known=life.known,
        assignee=life.assignee or "",
    )


def query_of(code: str, round_: Round, submission_id: str | None) -> HitQuery | None:
    """Return the query that a hit comes from; None of a hit between lists, or where its asker was left out."""
    query = round_.submissions.get(submission_id or "")
    if query is None:
        return None
    why = query.justification
    reason = None if why == ERASED else QueryReason(**why.model_dump(exclude={"officer"}))
    return HitQuery(asker=query.party, own=query.party == code, reason=reason)


def _earlier(session: Session, status: HitStatusRow) -> HitKey | None:
    """Return the hit whose decision one carries, unless it is erased."""
    if status.earlier_round_id is None or status.earlier_hit_id is None:
        return None
    key = HitKey(round_id=status.earlier_round_id, hit_id=status.earlier_hit_id)
    return key if session.get(HitRow, (key.round_id, key.hit_id)) is not None else None


def _chance(node: NodeContext, session: Session, round_: Round, hit: HitRow) -> ChanceOfHit | None:
    """Return the number of hits like this one expected by chance; None if its report is gone."""
    for said in chances(node, session, round_):
        if (said.counterpart, said.submission_id) == (hit.counterpart, hit.submission_id):
            alike = select(func.count()).where(
                HitRow.round_id == hit.round_id,
                HitRow.counterpart == hit.counterpart,
                HitRow.certainty == hit.certainty,
                HitRow.submission_id.is_not_distinct_from(hit.submission_id),
            )
            return ChanceOfHit(hits=session.scalar(alike) or 0, expected=said.chance_hits.model_dump()[hit.certainty])
    return None


def history_of(session: Session, hit: HitRow) -> tuple[StepView, ...]:
    """Return the steps taken on a hit, in their order."""
    steps = lifecycle.steps_of(session, hit)
    assigned = [step.reference for step in steps if step.kind == LifecycleStepKind.ASSIGNED]
    names = names_of(session, [*(step.person for step in steps), *assigned])
    return tuple(_step_view(step, names) for step in steps)


def _step_view(row: HitStepRow, names: Mapping[str, str]) -> StepView:
    assigned = row.kind == LifecycleStepKind.ASSIGNED
    return StepView(
        name=names.get(row.person, ""),
        to=names.get(row.reference, "") if assigned else "",
        kind=row.kind,
        at=row.at,
        person=row.person,
        value=row.value,
        reference=row.reference,
        urgency=row.urgency,
        remark=row.remark,
    )


def withdrawals_of(session: Session, code: str, hit: HitRow) -> Iterator[WithdrawalView]:
    """Yield withdrawals by either party with their delivery state."""
    query = select(WithdrawalRow).where(WithdrawalRow.round_id == hit.round_id, WithdrawalRow.hit_id == hit.hit_id)
    for row in session.scalars(query.order_by(WithdrawalRow.withdrawal_id)):
        statement = session.get(StatementRow, (row.round_id, row.digest)) if row.digest else None
        told = statement is not None and statement.sent
        yield WithdrawalView(
            by=code if row.own else row.counterpart,
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
