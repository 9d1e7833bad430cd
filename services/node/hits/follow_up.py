"""Use cases of analysts: what they do with a hit, until it is closed or withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.roles import Action, Role, Service, role_table
from aquila.errors import InputError, OrderError, PolicyError
from aquila.followup.lifecycle import Ground, LifecycleStep, LifecycleStepKind, Stage, Urgency, is_late
from aquila.interface.hits import AssignmentRequest, Colleague, Colleagues, LetterView, ReplyRequest, WithdrawRequest
from services.kit.actor import Actor
from services.kit.log.entries import append
from services.kit.people.tables import AccountRow
from services.kit.storage.store import Store
from services.node.context import NodeContext
from services.node.hits import lifecycle
from services.node.hits.letter import Letter
from services.node.hits.notes import handling_of_note, references
from services.node.hits.views import consultation
from services.node.rounds.reported_hits import Key, check_hits, reported
from services.node.storage.tables import ExchangeRow, HitRow, WithdrawalRow

_EASTERNMOST = timedelta(hours=14)
"""How far local time may be ahead of UTC: a date is in the future only where it is so everywhere."""


def take_step(
    node: NodeContext,
    actor: Actor,
    hit: Key,
    kind: LifecycleStepKind,
    value: str = "",
    *,
    reference: str = "",
    urgency: Urgency | None = None,
    remark: str = "",
) -> None:
    """Take a hit one step further at a person's word.

    Raises:
        NotFoundError: The node holds no such hit.
        ForgedRowError: The signed report says something else of it.
        OrderError: The step is not possible now.
        PolicyError: The step needs a reason.
    """
    check_hits(node.journal, node.rounds, [hit])
    step = LifecycleStep(kind, node.clock(), actor.person, value, reference.strip(), urgency, remark)
    with node.store.transaction(f"hit.{kind.value}") as session:
        lifecycle.apply_step(session, node.journal, lifecycle.hit_row(session, *hit), step, actor)


def record_reply(node: NodeContext, actor: Actor, hit: Key, wanted: ReplyRequest) -> None:
    """Record that the counterpart replied by the channel, and when; what it wrote stays in the channel.

    Raises:
        InputError: The date is in the future.
        AquilaError: As `take_step`.
    """
    if wanted.date > (datetime.fromtimestamp(node.clock(), UTC) + _EASTERNMOST).date():
        raise InputError("reply_date_in_future")
    day, number = wanted.date.isoformat(), wanted.number
    take_step(node, actor, hit, LifecycleStepKind.REPLIED, day, reference=number, remark=wanted.remark)


def list_colleagues(store: Store) -> Colleagues:
    """Return the people who may look after hits now, by name, which only the node's own people see."""
    query = select(AccountRow).where(AccountRow.active, AccountRow.admitted)
    with store.reading("colleague.list") as session:
        rows = [row for row in session.scalars(query) if _may_decide(row)]
    found = [Colleague(person=row.person, name=row.name or row.login) for row in rows]
    return Colleagues(colleagues=tuple(sorted(found, key=lambda one: (one.name, one.person))))


def assign(node: NodeContext, actor: Actor, wanted: AssignmentRequest) -> None:
    """Let a person look after hits, or nobody; all of them, or none where one cannot be assigned.

    Raises:
        InputError: There is no such person, or one who may not decide on hits.
        AquilaError: As `take_step`.
    """
    hits = [(key.round_id, key.hit_id) for key in dict.fromkeys(wanted.hits)]
    check_hits(node.journal, node.rounds, hits)
    person = wanted.person or ""
    step = LifecycleStep(LifecycleStepKind.ASSIGNED, node.clock(), actor.person, reference=person, remark=wanted.remark)
    with node.store.transaction("hit.assign") as session:
        row = session.get(AccountRow, person) if person else None
        if person and (row is None or not row.active or not _may_decide(row)):
            raise InputError("colleague_unknown")
        for hit in hits:
            lifecycle.apply_step(session, node.journal, lifecycle.hit_row(session, *hit), step, actor)


def _may_decide(row: AccountRow) -> bool:
    return role_table().allows(Service.NODE, map(Role, row.roles), Action.DECIDE_HITS)


def withdraw(node: NodeContext, actor: Actor, key: Key, wanted: WithdrawRequest) -> None:
    """Withdraw a hit on an own record; the driver informs the counterpart, who marks it and acknowledges.

    Raises:
        NotFoundError: The node holds no such hit.
        ForgedRowError: The signed report says something else of it.
        OrderError: It was withdrawn already.
        PolicyError: The correction duty's hours are over and no reason is given, or the ground is an erasure, which
            is what erasing the record says.
    """
    check_hits(node.journal, node.rounds, [key])
    now = node.clock()
    if wanted.ground is Ground.ERASED:
        raise PolicyError("hit_erased_only_with_record")
    with node.store.transaction("hit.withdraw") as session:
        hit = lifecycle.hit_row(session, *key)
        late = is_late(lifecycle.status_row(session, hit).arrived_at, now)
        if late and not wanted.reason.strip():
            raise PolicyError("withdrawal_reason_missing")
        step = LifecycleStep(LifecycleStepKind.WITHDRAWN, now, actor.person, wanted.ground.value, remark=wanted.reason)
        lifecycle.apply_step(session, node.journal, hit, step, actor)
        session.add(
            WithdrawalRow(
                round_id=hit.round_id,
                hit_id=hit.hit_id,
                counterpart=hit.counterpart,
                own=True,
                ground=wanted.ground.value,
                late=late,
                at=now,
                known=True,
            )
        )
    # If we crash here, the driver finds the row at the next start and tells the counterpart then.
    node.wake()


def draft_letter(node: NodeContext, actor: Actor, key: Key) -> LetterView:
    """Return the request as it would be exported now, so that what is made of it is made before the export is logged.

    That the person looked at the hit is logged. Raises as `write_letter` does.
    """
    with _letter_of(node, key, "hit.draft") as (session, _, letter):
        append(session, consultation(node.journal, actor, key[0], [key[1]]))
        return letter.view()


def write_letter(node: NodeContext, actor: Actor, key: Key) -> LetterView:
    """Return the request of a hit's follow-up, and note that it was exported.

    Raises:
        NotFoundError: The node holds no such hit.
        OrderError: No follow-up is open.
        PolicyError: The own record's handling code blocks the letter and no permission is recorded.
    """
    with _letter_of(node, key, "hit.export") as (session, hit, letter):
        step = LifecycleStep(LifecycleStepKind.EXPORTED, node.clock(), actor.person)
        lifecycle.apply_step(session, node.journal, hit, step, actor)
        return letter.view()


@contextmanager
def _letter_of(node: NodeContext, key: Key, name: str) -> Iterator[tuple[Session, HitRow, Letter]]:
    """Lend a transaction of the given name, with a hit and the letter of its follow-up."""
    with node.rounds.reading(key[0]) as round_, node.store.transaction(name) as session:
        hit, manifest = lifecycle.hit_row(session, *key), round_.manifest
        reported(node.rounds, node.code, hit.round_id).check(hit)
        life, exchange = lifecycle.lifecycle_of(session, hit), session.get(ExchangeRow, key)
        life.check_export(hit.handling_code)
        if life.channel is None or life.urgency is None or life.stage is not Stage.FOLLOW_UP:
            raise OrderError("follow_up_not_open")
        own_number, other_number = references(exchange)
        known = node.registry.parties
        yield (
            session,
            hit,
            Letter(
                sender=node.code,
                receiver=hit.counterpart,
                round_id=hit.round_id,
                hit_id=hit.hit_id,
                certainty=hit.certainty,
                channel=life.channel,
                reference=life.reference,
                urgency=life.urgency,
                opened_at=life.since,
                area=manifest.area,
                legal_basis=manifest.legal_basis,
                purpose=manifest.purpose,
                handling=hit.handling_code or "",
                other_handling=handling_of_note(exchange) or "",
                permission=life.permission,
                own_number=own_number,
                other_number=other_number,
                names={code: known[code].name for code in (node.code, hit.counterpart) if code in known},
                practice=node.settings.practice,
            ),
        )
