"""Caps by day: what this node evaluates for one party over all rounds, repeated ones too (PROTOCOL.md 3.5.4).

A matcher can propose as many rounds as it likes, and a round's caps are the manifest's. These are the node's own: it
counts by its own clock, in the transaction of each evaluation, and what does not fit waits until there is room again.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import case, func, select

from aquila.protocol.messages import ClassCounts, EarlierRound, Spent
from aquila.protocol.party import chunk_of
from aquila.records.rules import InputClass
from aquila.sentences import Sentence
from services.node.rounds import statements
from services.node.storage.tables import DAY, DailyEvaluationRow, EvaluationCountRow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from aquila.protocol.messages import Evaluation, Manifest
    from aquila.protocol.rounds.verified_round import Round
    from aquila.records.rules import InputClass
    from services.node.context import Clock, NodeContext
    from services.node.settings import EvaluationCaps
    from services.node.storage.tables import ChunkDownloadRow


OriginClass: TypeAlias = "tuple[str, InputClass]"
"""For whom, and in which class."""


def spent(
    session: Session, clock: Clock, caps: EvaluationCaps, origin: str, input_class: InputClass
) -> tuple[int, int]:
    """Return the elements evaluated for a party today, and in the longer window."""
    today = clock() // DAY
    # A day after today stands there only if the clock was set back: it counts too, or setting it would make room.
    elements = case((DailyEvaluationRow.day >= today, DailyEvaluationRow.elements), else_=0)
    query = select(func.sum(elements), func.sum(DailyEvaluationRow.elements)).where(
        DailyEvaluationRow.origin == origin,
        DailyEvaluationRow.input_class == input_class.value,
        DailyEvaluationRow.day > today - caps.window_days,
    )
    in_day, in_window = session.execute(query).one()
    return int(in_day or 0), int(in_window or 0)


def remaining(session: Session, clock: Clock, caps: EvaluationCaps, origin: str, input_class: InputClass) -> int:
    """Return how many more elements of a class are evaluated for a party today."""
    in_day, in_window = spent(session, clock, caps, origin, input_class)
    return min(caps.in_day(input_class) - in_day, caps.in_window(input_class) - in_window)


def has_remaining(session: Session, clock: Clock, caps: EvaluationCaps, round_: Round, row: ChunkDownloadRow) -> bool:
    """Return whether one chunk still fits, within the transaction that counts it."""
    submission = round_.submissions.get(row.submission_id)
    if submission is None:
        return True  # its origin left; whoever works on it says so
    reference = chunk_of(submission, row.index)
    return reference.elements <= remaining(session, clock, caps, submission.party, reference.input_class)


def count(session: Session, clock: Clock, round_id: str, evaluation: Evaluation) -> None:
    """Count an evaluation in the transaction that commits it."""
    place = evaluation.origin, evaluation.input_class.value, clock() // DAY, round_id
    counted = session.get(DailyEvaluationRow, place)
    if counted is None:
        counted = DailyEvaluationRow(origin=place[0], input_class=place[1], day=place[2], round_id=round_id, elements=0)
        session.add(counted)
    counted.elements += evaluation.elements


def allowed(
    session: Session,
    clock: Clock,
    caps: EvaluationCaps,
    round_: Round,
    waiting: Callable[[frozenset[str]], Sequence[ChunkDownloadRow]],
) -> tuple[Sequence[ChunkDownloadRow], frozenset[OriginClass]]:
    """Return the next chunks that fit together, and for whom and in which class some do not.

    Args:
        session: A transaction that reads.
        clock: Tells the day.
        caps: The node's own caps.
        round_: The record of the round.
        waiting: Gives the next chunks that wait, without those of the given submissions.
    """
    room = cache(partial(remaining, session, clock, caps))
    held: set[str] = set()
    full: set[OriginClass] = set()
    while True:
        taken, short = _fitting(round_, waiting(frozenset(held)), room)
        full |= set(short)
        held |= set(short.values())
        if taken or not short:
            return taken, frozenset(full)


def earlier_rounds(session: Session, manifest: Manifest) -> tuple[EarlierRound, ...]:
    """Return the elements evaluated in earlier rounds for parties of this one (PROTOCOL.md 3.3.6)."""
    parties = [participant.party for participant in manifest.participants]
    stored = EvaluationCountRow
    query = select(stored.round_id, stored.origin, stored.input_class, stored.elements).where(
        stored.origin.in_(parties), stored.round_id != manifest.round_id
    )
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for row in session.execute(query):
        by_class = counts.setdefault(row.round_id, {}).setdefault(row.origin, {"full": 0, "partial": 0})
        by_class[row.input_class] = row.elements
    return tuple(
        EarlierRound(
            round_id=round_id,
            spent=tuple(Spent(origin=origin, elements=ClassCounts(**spent)) for origin, spent in sorted(by.items())),
        )
        for round_id, by in sorted(counts.items())
    )


def report_exhausted(
    session: Session,
    node: NodeContext,
    round_id: str,
    before: frozenset[OriginClass],
    full: frozenset[OriginClass],
) -> None:
    """Report the parties whose limit is exhausted, and clear the problem for those whose limit is not any more."""
    for place in full:
        statements.report_problem(session, node.clock, round_id, _place(*place), _problem(node.settings.caps, *place))
    for place in before - full:
        statements.clear_problem(session, round_id, _place(*place))


def _fitting(
    round_: Round, rows: Sequence[ChunkDownloadRow], room: Callable[[str, InputClass], int]
) -> tuple[list[ChunkDownloadRow], dict[OriginClass, str]]:
    """Return the chunks that fit together, and the submissions, by party and class, of which one does not."""
    taken: list[ChunkDownloadRow] = []
    left: dict[OriginClass, int] = {}
    short: dict[OriginClass, str] = {}
    for row in rows:
        submission = round_.submissions.get(row.submission_id)
        if submission is not None:
            reference = chunk_of(submission, row.index)
            place = submission.party, reference.input_class
            if reference.elements > left.setdefault(place, room(*place)):
                short[place] = row.submission_id
                continue
            left[place] -= reference.elements
        taken.append(row)
    return taken, short


def _place(origin: str, input_class: InputClass) -> str:
    return f"allowance {origin} {input_class.value}"


def _problem(caps: EvaluationCaps, origin: str, input_class: InputClass) -> Sentence:
    word = input_class.value
    return Sentence.of(
        "evaluation_limit_reached",
        input_class=word,
        party=origin,
        in_day=f"{caps.in_day(input_class):,}",
        in_window=f"{caps.in_window(input_class):,}",
        days=caps.window_days,
    )
