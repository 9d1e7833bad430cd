"""Decisions on several hits at once, undoing them, and closing several hits.

A large filter is decided in several transactions, so that nobody waits long for the writer: a crash in between leaves
the rest undecided, and what was decided can be undone as a whole.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.errors import InputError, OrderError
from aquila.followup.lifecycle import LifecycleStep, LifecycleStepKind, Stage
from aquila.interface.hits import (
    MOST_DECIDED,
    HitKey,
    HitSearch,
    ManyClosings,
    ManyClosingsRequest,
    ManyDecisions,
    ManyDecisionsRequest,
    UndoResult,
)
from services.kit.actor import Actor
from services.node.context import Journal
from services.node.hits import lifecycle, review
from services.node.round_memory import RoundMemories
from services.node.rounds.reported_hits import Key, untrusted
from services.node.storage.tables import HitRow, HitStatusRow

_AT_ONCE = 100
_UNDECIDED = frozenset({Stage.NEW, Stage.ACKNOWLEDGED})
_DECIDED = frozenset({Stage.KNOWN, Stage.DECIDED, Stage.FOLLOW_UP})


def decide_many(journal: Journal, rounds: RoundMemories, actor: Actor, wanted: ManyDecisionsRequest) -> ManyDecisions:
    """Store one decision on several hits; those that somebody else changed in the database are left out.

    Of a filter only hits that have no decision are decided.

    Raises:
        InputError: Neither hits nor a filter are given, or no reason for several hits.
        NotFoundError: The node holds no such hit.
        OrderError: The filter leaves another number of hits than the person saw.
        PolicyError: The filter leaves more hits than are decided at once.
    """
    stages = _UNDECIDED if wanted.every is not None else _UNDECIDED | _DECIDED
    step = LifecycleStep(
        LifecycleStepKind.DECIDED, journal.clock(), actor.person, wanted.decision.value, remark=wanted.remark
    )
    number, hits, left_out = _take(journal, rounds, actor, wanted, step, stages)
    return ManyDecisions(number=number, hits=hits, left_out=left_out)


def close_many(journal: Journal, rounds: RoundMemories, actor: Actor, wanted: ManyClosingsRequest) -> ManyClosings:
    """Close several hits with one outcome; raises as `decide_many`."""
    step = LifecycleStep(
        LifecycleStepKind.CLOSED, journal.clock(), actor.person, wanted.outcome.value, remark=wanted.remark
    )
    _, hits, left_out = _take(journal, rounds, actor, wanted, step, _DECIDED)
    return ManyClosings(hits=hits, left_out=left_out)


def _take(
    journal: Journal,
    rounds: RoundMemories,
    actor: Actor,
    wanted: ManyDecisionsRequest | ManyClosingsRequest,
    step: LifecycleStep,
    stages: Collection[Stage],
) -> tuple[int | None, int, int]:
    """Take those of some hits a step further that are at one of these stages.

    Returns:
        The number of the first step, and how many hits were taken further and how many were left out.
    """
    keys = _chosen(journal, actor, wanted)
    wrong = untrusted(journal, rounds, keys)
    trusted = [key for key in keys if key not in wrong]
    number, done = None, 0
    for first in range(0, len(trusted), _AT_ONCE):
        with journal.store.transaction(f"hit.{step.kind.value}_many") as session:
            for hit in _hits(session, trusted[first : first + _AT_ONCE]):
                if lifecycle.status_row(session, hit).stage in stages:
                    taken = lifecycle.apply_step(session, journal, hit, step, actor, number=number)
                    number, done = number or taken, done + 1
    return number, done, len(keys) - done


def undo(journal: Journal, actor: Actor, number: int) -> UndoResult:
    """Undo an own decision on the hits of which it is the last step.

    Raises:
        OrderError: There is no such hit: another step followed, or it was undone already.
    """
    query = select(HitStatusRow.round_id, HitStatusRow.hit_id).where(
        HitStatusRow.undo_person == actor.person, HitStatusRow.undo_number == number
    )
    with journal.store.reading("hit.undoable") as session:
        keys = session.execute(query.order_by(HitStatusRow.round_id, HitStatusRow.hit_id)).all()
    step = LifecycleStep(LifecycleStepKind.UNDONE, journal.clock(), actor.person)
    undone: list[Key] = []
    for first in range(0, len(keys), _AT_ONCE):
        with journal.store.transaction("hit.undo") as session:
            for hit in _hits(session, [(round_id, hit_id) for round_id, hit_id in keys[first : first + _AT_ONCE]]):
                if lifecycle.status_row(session, hit).undo_number == number:  # nobody took a step meanwhile
                    lifecycle.apply_step(session, journal, hit, step, actor)
                    undone.append((hit.round_id, hit.hit_id))
    if not undone:
        raise OrderError("decision_not_undoable")
    return UndoResult(hits=len(undone), first=HitKey(round_id=undone[0][0], hit_id=undone[0][1]))


def _chosen(journal: Journal, actor: Actor, wanted: ManyDecisionsRequest | ManyClosingsRequest) -> list[Key]:
    """Return the hits that a person chose, or that a filter leaves, with a reason if they are several."""
    if bool(wanted.hits) == (wanted.every is not None):
        raise InputError("decision_hits_ambiguous")
    chosen = [(key.round_id, key.hit_id) for key in dict.fromkeys(wanted.hits)]
    keys = chosen if wanted.every is None else _seen(journal, actor, wanted.every, wanted.total)
    if len(keys) > 1 and not wanted.remark.strip():
        raise InputError("decision_reason_missing")
    return keys


def _seen(journal: Journal, actor: Actor, every: HitSearch, total: int) -> list[Key]:
    """Return the hits that a filter leaves, if they are as many as the person saw."""
    with journal.store.reading("hit.every") as session:
        keys = review.keys_of(session, every, review.conditions(every, journal.clock(), actor), MOST_DECIDED)
    if len(keys) != total:
        raise OrderError("filter_hits_changed", count=len(keys), total=total)
    return keys


def _hits(session: Session, keys: Sequence[Key]) -> list[HitRow]:
    return [lifecycle.hit_row(session, round_id, hit_id) for round_id, hit_id in keys]
