"""Use cases of analysts: what they do with a hit, until it is closed or withdrawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from aquila.errors import InputError, OrderError, PolicyError
from aquila.followup.lifecycle import Ground, HitLifecycle, LifecycleStep, LifecycleStepKind, Stage, is_late
from aquila.interface.hits import (
    CloseRequest,
    DecisionRequest,
    FollowUpRequest,
    LetterView,
    PermissionRequest,
    ReplyRequest,
    WithdrawRequest,
)
from aquila.protocol.messages import Manifest
from aquila.protocol.registry import Registry
from services.kit.actor import Actor
from services.kit.log.entries import append
from services.node.context import Journal, NodeContext
from services.node.hits import lifecycle
from services.node.hits.letter import Letter
from services.node.hits.notes import handling_of_note, references
from services.node.hits.views import consultation
from services.node.round_memory import RoundMemories
from services.node.rounds.reported_hits import reported
from services.node.storage.tables import ExchangeRow, HitRow, WithdrawalRow

_EASTERNMOST = timedelta(hours=14)
"""How far local time may be ahead of UTC: a date is in the future only where it is so everywhere."""


def acknowledge(journal: Journal, actor: Actor, round_id: str, hit_id: str) -> None:
    """Note that a person has taken a hit up; raises as `_take`."""
    _take(
        journal, actor, round_id, hit_id, LifecycleStep(LifecycleStepKind.ACKNOWLEDGED, journal.clock(), actor.person)
    )


def decide(journal: Journal, actor: Actor, round_id: str, hit_id: str, wanted: DecisionRequest) -> None:
    """Store a person's decision on a hit; raises as `_take`."""
    step = LifecycleStep(
        LifecycleStepKind.DECIDED, journal.clock(), actor.person, wanted.decision.value, remark=wanted.remark
    )
    _take(journal, actor, round_id, hit_id, step)


def open_follow_up(journal: Journal, actor: Actor, round_id: str, hit_id: str, wanted: FollowUpRequest) -> None:
    """Open a follow-up by an existing channel, whose clock runs from now; raises as `_take`."""
    step = LifecycleStep(
        LifecycleStepKind.OPENED,
        journal.clock(),
        actor.person,
        wanted.channel.value,
        wanted.reference.strip(),
        wanted.urgency,
        wanted.remark,
    )
    _take(journal, actor, round_id, hit_id, step)


def record_reference(journal: Journal, actor: Actor, round_id: str, hit_id: str, reference: str) -> None:
    """Note the channel's own number of a follow-up; raises as `_take`."""
    step = LifecycleStep(LifecycleStepKind.REFERENCED, journal.clock(), actor.person, reference=reference.strip())
    _take(journal, actor, round_id, hit_id, step)


def record_reply(journal: Journal, actor: Actor, round_id: str, hit_id: str, wanted: ReplyRequest) -> None:
    """Record that the counterpart replied by the channel, and when; what it wrote stays in the channel.

    Raises:
        InputError: The date is in the future.
        NotFoundError, OrderError: As `_take`.
    """
    if wanted.date > (datetime.fromtimestamp(journal.clock(), UTC) + _EASTERNMOST).date():
        raise InputError("reply_date_in_future")
    step = LifecycleStep(
        LifecycleStepKind.REPLIED,
        journal.clock(),
        actor.person,
        wanted.date.isoformat(),
        wanted.number.strip(),
        remark=wanted.remark,
    )
    _take(journal, actor, round_id, hit_id, step)


def permit(journal: Journal, actor: Actor, round_id: str, hit_id: str, wanted: PermissionRequest) -> None:
    """Record the originator's permission to export what a handling code blocks; raises as `_take`."""
    step = LifecycleStep(
        LifecycleStepKind.PERMITTED,
        journal.clock(),
        actor.person,
        reference=wanted.reference.strip(),
        remark=wanted.remark,
    )
    _take(journal, actor, round_id, hit_id, step)


def remark(journal: Journal, actor: Actor, round_id: str, hit_id: str, words: str) -> None:
    """Add a remark to a hit; raises as `_take`."""
    step = LifecycleStep(LifecycleStepKind.REMARKED, journal.clock(), actor.person, remark=words)
    _take(journal, actor, round_id, hit_id, step)


def close(journal: Journal, actor: Actor, round_id: str, hit_id: str, wanted: CloseRequest) -> None:
    """Close a hit with what came of it; raises as `_take`."""
    step = LifecycleStep(
        LifecycleStepKind.CLOSED, journal.clock(), actor.person, wanted.outcome.value, remark=wanted.remark
    )
    _take(journal, actor, round_id, hit_id, step)


def reopen(journal: Journal, actor: Actor, round_id: str, hit_id: str, reason: str) -> None:
    """Reopen a closed hit with a reason; raises as `_take`, and PolicyError without one."""
    step = LifecycleStep(LifecycleStepKind.REOPENED, journal.clock(), actor.person, remark=reason)
    _take(journal, actor, round_id, hit_id, step)


def withdraw(node: NodeContext, actor: Actor, round_id: str, hit_id: str, wanted: WithdrawRequest) -> None:
    """Withdraw a hit on an own record; the driver informs the counterpart, who marks it and acknowledges.

    Raises:
        NotFoundError: The node holds no such hit.
        OrderError: It was withdrawn already.
        PolicyError: The correction duty's hours are over and no reason is given, or the ground is an erasure, which
            is what erasing the record says.
    """
    now = node.clock()
    if wanted.ground is Ground.ERASED:
        raise PolicyError("hit_erased_only_with_record")
    with node.store.transaction("hit.withdraw") as session:
        hit = lifecycle.hit_row(session, round_id, hit_id)
        late = is_late(lifecycle.status_row(session, hit).arrived_at, now)
        if late and not wanted.reason.strip():
            raise PolicyError("withdrawal_reason_missing")
        step = LifecycleStep(LifecycleStepKind.WITHDRAWN, now, actor.person, wanted.ground.value, remark=wanted.reason)
        lifecycle.apply_step(session, node.journal, hit, step, actor)
        session.add(
            WithdrawalRow(
                round_id=round_id,
                hit_id=hit_id,
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


def draft_letter(
    journal: Journal,
    rounds: RoundMemories,
    registry: Registry,
    actor: Actor,
    round_id: str,
    hit_id: str,
    *,
    practice: bool = False,
) -> LetterView:
    """Return the request as it would be exported now, so that what is made of it is made before the export is logged.

    That the person looked at the hit is logged. Raises as `write_letter` does.
    """
    with rounds.reading(round_id) as round_, journal.store.transaction("hit.draft") as session:
        hit = lifecycle.hit_row(session, round_id, hit_id)
        reported(rounds, journal.code, round_id).check(hit)
        append(session, consultation(journal, actor, round_id, [hit_id]))
        return _letter_view(registry, journal.code, session, round_.manifest, hit, practice=practice)


def write_letter(
    journal: Journal,
    rounds: RoundMemories,
    registry: Registry,
    actor: Actor,
    round_id: str,
    hit_id: str,
    *,
    practice: bool = False,
) -> LetterView:
    """Return the request of a hit's follow-up, and note that it was exported.

    Raises:
        NotFoundError: The node holds no such hit.
        OrderError: No follow-up is open.
        PolicyError: The own record's handling code blocks the letter and no permission is recorded.
    """
    with rounds.reading(round_id) as round_, journal.store.transaction("hit.export") as session:
        hit = lifecycle.hit_row(session, round_id, hit_id)
        reported(rounds, journal.code, round_id).check(hit)
        letter = _letter_view(registry, journal.code, session, round_.manifest, hit, practice=practice)
        step = LifecycleStep(LifecycleStepKind.EXPORTED, journal.clock(), actor.person)
        lifecycle.apply_step(session, journal, hit, step, actor)
    return letter


def _letter_view(
    registry: Registry, code: str, session: Session, manifest: Manifest, hit: HitRow, *, practice: bool
) -> LetterView:
    life, exchange = lifecycle.lifecycle_of(session, hit), session.get(ExchangeRow, (hit.round_id, hit.hit_id))
    life.check_export(hit.handling_code)
    letter = replace(
        _letter(code, manifest, hit, life, references(exchange)),
        other_handling=handling_of_note(exchange) or "",
        names={party: registry.parties[party].name for party in (code, hit.counterpart) if party in registry.parties},
        practice=practice,
    )
    return letter.view()


def _letter(code: str, manifest: Manifest, hit: HitRow, life: HitLifecycle, numbers: tuple[str, str]) -> Letter:
    if life.channel is None or life.urgency is None or life.stage is not Stage.FOLLOW_UP:
        raise OrderError("follow_up_not_open")
    return Letter(
        sender=code,
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
        permission=life.permission,
        own_number=numbers[0],
        other_number=numbers[1],
    )


def _take(journal: Journal, actor: Actor, round_id: str, hit_id: str, step: LifecycleStep) -> None:
    """Take a hit one step further.

    Raises:
        NotFoundError: The node holds no such hit.
        OrderError: The step is not possible now.
    """
    with journal.store.transaction(f"hit.{step.kind.value}") as session:
        hit = lifecycle.hit_row(session, round_id, hit_id)
        lifecycle.apply_step(session, journal, hit, step, actor)
