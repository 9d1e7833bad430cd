"""Rounds in a table, for the secretariat: what is due next, who is awaited, and how far each pair is."""

from collections import Counter
from collections.abc import Collection, Iterator

from sqlalchemy import func, select, true

from aquila.interface.rounds import Awaited, AwaitedStep, DeadlineKind, RoundOverview, RoundsOverview, RoundSummary
from aquila.protocol.messages import Kind, Window
from aquila.protocol.registry import MATCHER
from aquila.protocol.rounds.round_state import ENDED_PHASES, Phase
from services.kit.errors import RoundDamagedError
from services.kit.rounds import manifest_in
from services.matcher.context import MatcherContext
from services.matcher.round_memory import RoundTransaction
from services.matcher.rounds.progress import faulty_columns, pairs_of, state_of
from services.matcher.storage.round_marks import NEWEST_EVENT, marks_of
from services.matcher.storage.tables import FaultRow, RoundRow


def overview(
    context: MatcherContext,
    offset: int = 0,
    limit: int | None = None,
    *,
    phase: Phase | None = None,
    ongoing: bool = False,
) -> RoundsOverview:
    """Return rounds, newest first; one in which nothing has happened since it was shown last is not read again."""
    wanted = RoundRow.ended_at.is_(None) if ongoing else true() if phase is None else RoundRow.phase == phase.value
    faults = select(func.count()).where(FaultRow.round_id == RoundRow.round_id).scalar_subquery()
    newest = select(RoundRow.round_id, NEWEST_EVENT, RoundRow.wish, RoundRow.ended_at, faults).where(wanted)
    newest = newest.order_by(RoundRow.created_at.desc(), RoundRow.round_id).offset(offset).limit(limit)
    now = context.clock()
    with context.store.reading("rounds.overview") as session:
        total = session.scalar(select(func.count()).select_from(RoundRow).where(wanted)) or 0
        marks = marks_of(session, newest)
        found = {one: context.overviews.get(one, mark, now) for one, mark in marks.items()}
        rows = [session.get_one(RoundRow, one) for one, known in found.items() if known is None]
        terms = context.terms.of(session, [row.round_id for row in rows])
    for row in rows:
        one, mark = row.round_id, marks[row.round_id]
        found[one] = made = _of_round(context, row)
        context.overviews.keep(one, mark, terms[one].until(mark, now), made)
    return RoundsOverview(rounds=tuple(filter(None, found.values())), offset=offset, total=total)


def overview_of(context: MatcherContext, round_id: str) -> RoundOverview:
    """Return one round; raises `NotFoundError` for an unknown one."""
    with context.round_cache.reading(round_id) as turn:
        row = turn.row
    return _of_round(context, row)


def _of_round(context: MatcherContext, row: RoundRow) -> RoundOverview:
    manifest, now = manifest_in(row.manifest), context.clock()
    awaited: tuple[AwaitedStep, ...] = ()
    pairs: Counter[str] = Counter()
    if row.phase not in ENDED_PHASES:
        try:
            with context.round_cache.reading(row.round_id) as turn:
                faulty = faulty_columns(turn)
                pairs.update(state_of(turn.cached, faulty, one, now)[0].value for one in pairs_of(turn.round, None))
                awaited = tuple(AwaitedStep(party=party, step=step) for party, step in awaited_of_parties(turn, now))
        except RoundDamagedError:  # the report on health tells of it
            pass
    kind = due_next(Phase(row.phase), {one.step for one in awaited}, manifest.window, now)
    return RoundOverview.of_fields(
        RoundSummary.of(manifest, row.phase),
        proposed_at=row.created_at,
        window=manifest.window,
        due=kind,
        due_at=None if kind is None else moment_of(manifest.window, kind),
        awaited=awaited,
        pairs=dict(pairs),
    )


def due_next(phase: Phase, steps: Collection[Awaited], window: Window, now: int) -> DeadlineKind | None:
    """Return the deadline that counts now, or None where a round is over.

    In `open` lists and evaluations come one after the other: the time is for lists until they are all there or their
    time is over (PROTOCOL.md 3.10).
    """
    if phase in ENDED_PHASES:
        return None
    if phase is Phase.PROPOSED:
        return DeadlineKind.CONSENT
    if phase is Phase.OPEN and Awaited.LIST in steps and now <= window.submit_by:
        return DeadlineKind.LISTS
    return DeadlineKind.EVALUATION if phase is Phase.OPEN and now <= window.evaluate_by else DeadlineKind.END


def moment_of(window: Window, kind: DeadlineKind) -> int:
    """Return when a deadline ends; seconds since 1970."""
    by_kind = dict(zip(DeadlineKind, window.model_dump().values(), strict=True))
    return int(by_kind[kind])


def awaited_in(turn: RoundTransaction, now: int) -> Iterator[tuple[str, Awaited]]:
    """Yield the steps that a round waits for, each with the party that takes it, or the matcher."""
    record = turn.round
    if record.phase is Phase.PROPOSED:
        for one in record.manifest.participants:
            if one.party not in record.consents and one.party not in record.refusals:
                yield one.party, Awaited.CONSENT
        return
    faulty = faulty_columns(turn)
    for query in (None, *(one.submission_id for one in record.submissions.values() if one.kind is Kind.QUERY)):
        for pair in pairs_of(record, query):
            yield from state_of(turn.cached, faulty, pair, now)[1]


def awaited_of_parties(turn: RoundTransaction, now: int) -> list[tuple[str, Awaited]]:
    """Return the parties for which a round waits, in their order, each with the first step that it has to take."""
    order, first = list(Awaited), dict[str, Awaited]()
    for party, step in awaited_in(turn, now):
        if party != MATCHER:
            first[party] = min(first.get(party, step), step, key=order.index)
    return sorted(first.items())
