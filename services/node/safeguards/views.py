"""Safeguards against fishing in a round, for the operator: evaluation counts, alarms, checks, withheld values."""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.interface.safeguard import (
    EarlierRoundView,
    EarlierSpent,
    FishingAlarmView,
    PairCheckView,
    Safeguards,
    SpentView,
)
from aquila.interface.sentence import SentenceView
from aquila.protocol.messages import CheckFault
from aquila.protocol.rounds.verified_round import Round
from aquila.records.rules import InputClass
from services.node.context import NodeContext
from services.node.safeguards import evaluation_limits
from services.node.storage.tables import (
    DAY,
    AlarmRow,
    DailyEvaluationRow,
    EvaluationCountRow,
    PairCheckRow,
    RoundRow,
    SubmissionRow,
)

_MOST_EARLIER = 50
COMPARED = (
    "A party with the reports of two rounds can compare them: "
    "a hit in only one of them shows what a list gained or lost."
)


def safeguards(node: NodeContext, round_id: str) -> Safeguards:
    """Return the safeguards against fishing in a round; raises NotFoundError if the node knows no such round."""
    with node.rounds.reading(round_id) as round_, node.store.reading("round.safeguards") as session:
        raised = session.scalars(select(AlarmRow).where(AlarmRow.round_id == round_id).order_by(AlarmRow.raised_at))
        earlier, all_earlier = _earlier(session, node.code, round_)
        return Safeguards(
            round_id=round_id,
            spent=tuple(_spent(session, node, round_)),
            warnings=tuple(map(SentenceView.of, evaluation_limits.far_more_declared(session, node.code, round_))),
            earlier_rounds=earlier,
            earlier_left_out=all_earlier - len(earlier),
            earlier_sentence=COMPARED if earlier else "",
            held_back=_held_back(session, round_id),
            frequency_limit=round_.manifest.frequency_limit,
            alarms=tuple(_alarm(round_, row) for row in raised),
            checks=pair_checks(session, round_id),
        )


def pair_checks(session: Session, round_id: str, query: str | None = None) -> tuple[PairCheckView, ...]:
    """Return what was found of a round's reports, those of the lists first; or of one query."""
    found = select(PairCheckRow).where(PairCheckRow.round_id == round_id)
    if query is not None:
        found = found.where(PairCheckRow.submission_id == query)
    order = PairCheckRow.submission_id != "", PairCheckRow.counterpart, PairCheckRow.checked_at
    return tuple(
        PairCheckView(
            submission_id=row.submission_id or None,
            counterpart=row.counterpart,
            below=row.below,
            fault=row.fault and CheckFault(row.fault),
            told=row.agreed is not None,
            agreed=bool(row.agreed),
            their_fault=row.their_fault and CheckFault(row.their_fault),
        )
        for row in session.scalars(found.order_by(*order))
    )


def _alarm(round_: Round, row: AlarmRow) -> FishingAlarmView:
    query = round_.submissions.get(row.submission_id)
    return FishingAlarmView.of_fields(
        row, asked_records=query.records if query else 0, justification=query.justification if query else None
    )


def _earlier(session: Session, code: str, round_: Round) -> tuple[tuple[EarlierRoundView, ...], int]:
    """Return the newest earlier rounds between these parties, and how many there are.

    The own ones count before any consent, because it rests on them.
    """
    told = {party: one.earlier_rounds for party, one in round_.consents.items()}
    if code not in told:
        told[code] = evaluation_limits.earlier_rounds(session, round_.manifest)
    found: dict[str, list[EarlierSpent]] = {}
    for evaluator, rounds in sorted(told.items()):
        for one in rounds:
            found.setdefault(one.round_id, []).extend(
                EarlierSpent.of_fields(spent.elements, evaluator=evaluator, origin=spent.origin) for spent in one.spent
            )
    came = {
        round_id: discovered_at
        for round_id, discovered_at in session.execute(select(RoundRow.round_id, RoundRow.discovered_at))
        if round_id in found
    }
    order = sorted(found, key=lambda round_id: (-came.get(round_id, 0), round_id))
    newest = tuple(
        EarlierRoundView(round_id=round_id, came_at=came.get(round_id), spent=tuple(found[round_id]))
        for round_id in order[:_MOST_EARLIER]
    )
    return newest, len(found)


def _spent(session: Session, node: NodeContext, round_: Round) -> Iterator[SpentView]:
    caps = node.settings.caps
    for participant in round_.manifest.participants:
        origin = participant.party
        if origin == node.code:
            continue
        for kind in InputClass:
            row = session.get(EvaluationCountRow, (round_.round_id, origin, kind.value))
            in_day, in_window = evaluation_limits.spent(session, node.clock, caps, origin, kind)
            declared = round_.cap_of(origin, kind)
            allowed = evaluation_limits.allowance(session, node.clock, caps, (origin, kind), declared)
            days = select(func.count(func.distinct(DailyEvaluationRow.round_id))).where(
                DailyEvaluationRow.origin == origin, DailyEvaluationRow.day > node.clock() // DAY - caps.window_days
            )
            yield SpentView(
                origin=origin,
                input_class=kind,
                in_round=row.elements if row else 0,
                round_cap=declared,
                in_day=in_day,
                day_cap=allowed.day_cap,
                in_window=in_window,
                window_cap=allowed.window_cap,
                window_days=caps.window_days,
                window_rounds=session.scalar(days) or 0,
            )


def _held_back(session: Session, round_id: str) -> int:
    rows = session.scalars(select(SubmissionRow.held_back).where(SubmissionRow.round_id == round_id))
    return sum(sum(counts.values()) for counts in rows)
