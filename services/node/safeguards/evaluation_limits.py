"""Caps by day: what this node evaluates for one party over all rounds, repeated ones too (PROTOCOL.md 3.5.4).

A matcher can propose as many rounds as it likes. These caps are the node's own: it counts by its own clock, in the
transaction of each evaluation, and what does not fit waits until there is room again. They follow from what the party
declared in the rounds in which this node evaluated for it: twice the most in a day, and in the longer window as often
as it has days; the settings bound them.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import NamedTuple, TypeAlias

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from aquila.protocol.messages import ClassCounts, EarlierRound, Evaluation, Manifest, Spent
from aquila.protocol.party import chunk_of
from aquila.protocol.rounds.verified_round import Round
from aquila.records.rules import InputClass
from aquila.sentences import Sentence
from services.node.context import Clock, NodeContext
from services.node.rounds import statements
from services.node.settings import EvaluationCaps
from services.node.storage.tables import DAY, ChunkDownloadRow, DailyEvaluationRow, EvaluationCountRow

OriginClass: TypeAlias = tuple[str, InputClass]
"""For whom, and in which class."""

ROUNDS_A_DAY = 2
"""How often a party may have evaluated in a day what it declared for one round."""

FAR_MORE = 1.5
"""A party that declares more than so many times what it declared last is told of before anybody consents."""


class Allowance(NamedTuple):
    """Limits on the evaluations for a party in a class: caps of a day and of the longer window, and elements left."""

    day_cap: int
    window_cap: int
    left: int


def spent(
    session: Session, clock: Clock, caps: EvaluationCaps, origin: str, input_class: InputClass
) -> tuple[int, int]:
    """Return the elements evaluated for a party today, and in the longer window."""
    in_day, in_window = (
        _counted(session, origin, input_class, since)[0] for since in (_today(clock), _first_day(clock, caps))
    )
    return in_day, in_window


def allowance(session: Session, clock: Clock, caps: EvaluationCaps, place: OriginClass, declared: int) -> Allowance:
    """Return the limits on the evaluations for a party in a class, in a round for which it declared some elements.

    The settings bound everything that was counted. What a restore counted as lost (`high_water`) is of no round, and no
    part of what the declared elements bound.
    """
    day = _room(session, place, _today(clock), caps.in_day(place[1]), ROUNDS_A_DAY, declared)
    window = _room(session, place, _first_day(clock, caps), caps.in_window(place[1]), caps.window_days, declared)
    return Allowance(day[0], window[0], min(day[1], window[1]))


def _room(session: Session, place: OriginClass, since: int, most: int, rounds: int, declared: int) -> tuple[int, int]:
    """Return the cap on the elements since a day, and how many are left of it."""
    every, of_rounds, largest = _counted(session, *place, since)
    by_rounds = rounds * max(largest, declared)
    return min(most, by_rounds), min(most - every, by_rounds - of_rounds)


def _today(clock: Clock) -> int:
    return clock() // DAY


def _first_day(clock: Clock, caps: EvaluationCaps) -> int:
    return _today(clock) - caps.window_days + 1


def _counted(session: Session, origin: str, input_class: InputClass, since: int) -> tuple[int, int, int]:
    """Return the elements evaluated since a day, those of known rounds, and the most that was declared for one.

    A day after today stands there only if the clock was set back: it counts too, or setting it would make room.
    """
    row = DailyEvaluationRow
    of_rounds = func.sum(case((row.declared > 0, row.elements), else_=0))
    query = select(func.sum(row.elements), of_rounds, func.max(row.declared)).where(
        row.origin == origin, row.input_class == input_class.value, row.day >= since
    )
    every, known, largest = session.execute(query).one()
    return int(every or 0), int(known or 0), int(largest or 0)


def far_more_declared(session: Session, code: str, round_: Round) -> Iterator[Sentence]:
    """Yield of each other party that it declares far more than in the last round in which this node evaluated for it.

    A class in which this node evaluated nothing then is not compared; of those that grew, the one that is easiest to
    guess is told.
    """
    for party, consent in sorted(round_.consents.items()):
        before = {} if party == code else _last_declared(session, party, round_.round_id)
        grown = [
            Sentence.of("declares_far_more", party=party, input_class=kind.value, expected=before[kind], got=got)
            for kind in reversed(InputClass)
            if kind in before and (got := consent.elements.of(kind)) > FAR_MORE * before[kind]
        ]
        yield from grown[:1]


def _last_declared(session: Session, party: str, round_id: str) -> dict[InputClass, int]:
    """Return what a party declared by class in the round, but this one, of which something was evaluated last."""
    row = DailyEvaluationRow
    of_rounds = (row.origin == party, row.round_id != round_id, row.declared > 0)
    last = select(row.round_id).where(*of_rounds).order_by(row.day.desc(), row.declared.desc()).limit(1)
    declared = select(row.input_class, row.declared).where(row.origin == party, row.round_id == last.scalar_subquery())
    return {InputClass(kind): elements for kind, elements in session.execute(declared)}


def has_remaining(session: Session, clock: Clock, caps: EvaluationCaps, round_: Round, row: ChunkDownloadRow) -> bool:
    """Return whether one chunk still fits, within the transaction that counts it."""
    submission = round_.submissions.get(row.submission_id)
    if submission is None:
        return True  # its origin left; whoever works on it says so
    reference = chunk_of(submission, row.index)
    place = submission.party, reference.input_class
    return reference.elements <= allowance(session, clock, caps, place, round_.cap_of(*place)).left


def count(session: Session, clock: Clock, round_: Round, evaluation: Evaluation) -> None:
    """Count an evaluation in the transaction that commits it."""
    place = evaluation.origin, evaluation.input_class.value, clock() // DAY, round_.round_id
    counted = session.get(DailyEvaluationRow, place)
    if counted is None:
        counted = DailyEvaluationRow(
            origin=place[0],
            input_class=place[1],
            day=place[2],
            round_id=place[3],
            elements=0,
            declared=round_.cap_of(evaluation.origin, evaluation.input_class),
        )
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

    `waiting` gives the next chunks that wait, without those of the given submissions.
    """
    room = cache(lambda *place: allowance(session, clock, caps, place, round_.cap_of(*place)).left)
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
        by_class = counts.setdefault(row.round_id, {}).setdefault(row.origin, dict.fromkeys(InputClass, 0))
        by_class[row.input_class] = row.elements
    return tuple(
        EarlierRound(
            round_id=round_id,
            spent=tuple(Spent(origin=origin, elements=ClassCounts(**spent)) for origin, spent in sorted(by.items())),
        )
        for round_id, by in sorted(counts.items())
    )


def report_exhausted(
    session: Session, node: NodeContext, round_: Round, before: frozenset[OriginClass], full: frozenset[OriginClass]
) -> None:
    """Report the parties whose limit is exhausted, and clear the problem for those whose limit is not any more."""
    caps = node.settings.caps
    for place in full:
        found = allowance(session, node.clock, caps, place, round_.cap_of(*place))
        problem = Sentence.of(
            "evaluation_limit_reached",
            input_class=place[1].value,
            party=place[0],
            in_day=f"{found.day_cap:,}",
            in_window=f"{found.window_cap:,}",
            days=caps.window_days,
        )
        statements.report_problem(session, node.clock, round_.round_id, _place(*place), problem)
    for place in before - full:
        statements.clear_problem(session, round_.round_id, _place(*place))


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
