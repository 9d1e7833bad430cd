"""Withdrawals from counterparts, acknowledgements that come back, and the outcomes reported so far.

What this node says itself is signed by `services.node.steps.withdraw`.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Collection

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from aquila.errors import OrderError
from aquila.followup.lifecycle import Ground, LifecycleStep, LifecycleStepKind, Stage, is_late
from aquila.matching.certainty import Level
from aquila.protocol.log_entries import statement_entry
from aquila.protocol.messages import Acknowledgement, LevelOutcomes, PairOutcomes, Withdrawal
from aquila.sentences import Sentence
from services.kit.log import entries
from services.kit.logging import Log
from services.node.context import Clock, Journal
from services.node.hits import lifecycle, notes
from services.node.rounds import statements
from services.node.storage.tables import STATUS_OF_HIT, ErasedOutcomeCountRow, HitRow, HitStatusRow, WithdrawalRow

_LOG = Log("node.corrections")


def apply_withdrawal(session: Session, journal: Journal, message: Withdrawal, digest: str) -> None:
    """Mark the hits that a counterpart withdraws, in the transaction that takes its statement.

    The acknowledgement is signed by a step of the driver. Hits that this node does not hold are counted as unknown
    there, and shown: they may be erased here already, or the counterpart is wrong.
    """
    now, unknown = journal.clock(), 0
    entries.append(session, statement_entry(message, digest, now))
    for hit_id in message.hits:
        hit, life = (session.get(table, (message.round_id, hit_id)) for table in (HitRow, HitStatusRow))
        known, late = False, False
        if isinstance(hit, HitRow) and isinstance(life, HitStatusRow) and hit.counterpart == message.party:
            known, late = True, is_late(life.arrived_at, now)
            with contextlib.suppress(OrderError):  # this party withdrew it first: there is no more to mark
                step = LifecycleStep(LifecycleStepKind.WITHDRAWN, now, message.party, message.ground.value)
                lifecycle.apply_step(session, journal, hit, step, None)
            if message.ground is Ground.ERASED:
                notes.forget_note(session, message.round_id, hit_id)
        unknown += not known
        session.add(
            WithdrawalRow(
                round_id=message.round_id,
                hit_id=hit_id,
                counterpart=message.party,
                own=False,
                ground=message.ground.value,
                late=late,
                at=now,
                known=known,
                digest=digest,
            )
        )
    if unknown:
        problem = Sentence.of("withdraws_unknown_hits", party=message.party, hits=unknown)
        statements.report_problem(session, journal.clock, message.round_id, f"withdrawal {digest[:16]}", problem)
    _LOG.info("withdrawal_taken", round=message.round_id, counterpart=message.party, count=len(message.hits))


def apply_acknowledgement(session: Session, clock: Clock, message: Acknowledgement, digest: str) -> None:
    """Note that a counterpart has marked what this node withdrew."""
    own = WithdrawalRow.own & (WithdrawalRow.digest == message.withdrawal)
    session.execute(update(WithdrawalRow).where(own).values(acknowledged_at=clock()))
    entries.append(session, statement_entry(message, digest, clock()))
    _LOG.info("withdrawal_acknowledged", round=message.round_id, counterpart=message.party, count=message.hits)


def outcome_of(stage: str, outcome: str | None) -> str:
    """Return as what a hit counts: its outcome once closed, withdrawn, or open."""
    if stage == Stage.WITHDRAWN:
        return "withdrawn"
    return outcome or "open"


def outcomes_of(session: Session, round_id: str, held: Collection[str] = ()) -> list[PairOutcomes]:
    """Return the outcomes of a round's hits so far, erased ones included, by counterpart and level.

    Args:
        session: A transaction.
        round_id: The round.
        held: Queries whose hits are left out, because no receipt says yet that this node has them.
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    lived = (
        select(HitRow.counterpart, HitRow.certainty, HitStatusRow.stage, HitStatusRow.outcome, func.count())
        .join(HitStatusRow, STATUS_OF_HIT)
        .where(HitRow.round_id == round_id, HitRow.submission_id.is_(None) | HitRow.submission_id.not_in(held))
        .group_by(HitRow.counterpart, HitRow.certainty, HitStatusRow.stage, HitStatusRow.outcome)
    )
    for counterpart, certainty, stage, outcome, hits in session.execute(lived):
        counts[counterpart, certainty, outcome_of(stage, outcome)] += hits
    for row in session.scalars(select(ErasedOutcomeCountRow).where(ErasedOutcomeCountRow.round_id == round_id)):
        counts[row.counterpart, row.certainty, row.outcome] += row.hits
    counterparts = sorted({counterpart for counterpart, _, _ in counts})
    return [PairOutcomes(counterpart=other, levels=tuple(_levels(counts, other))) for other in counterparts]


def _levels(counts: Counter[tuple[str, str, str]], counterpart: str) -> list[LevelOutcomes]:
    words = ("confirmed", "refuted", "unresolved", "withdrawn", "open")
    found = [
        LevelOutcomes(certainty=level, **{word: counts[counterpart, level.value, word] for word in words})
        for level in sorted(Level)
    ]
    return [one for one in found if one.total]
