"""The node's part of the report on its health: its rounds, the matcher, and the clock."""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.errors import LogRewrittenError
from aquila.interface.attention import AttentionKind
from aquila.interface.rounds import Awaited
from aquila.interface.service.health import Grade, Subject
from aquila.protocol.messages import StatementKind
from aquila.protocol.registry import MATCHER
from aquila.protocol.rounds.round_state import ENDED_PHASES
from aquila.sentences import Sentence
from services.kit.errors import PeerUnavailableError
from services.kit.serving.health.checks import MOST_ROUNDS, Fault, OpenRound, round_health
from services.kit.serving.health.report import OwnPart, contacts_of
from services.kit.storage.outages import lasting, log_outage
from services.node.context import NodeContext
from services.node.rounds import attention, progress, work
from services.node.rounds.views import clock_difference
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import (
    ChunkDownloadRow,
    ChunkRow,
    EvaluationDownloadRow,
    EvaluationRow,
    RoundRow,
    StatementRow,
    TokenPartRow,
)

SUBJECTS = (Subject.MATCHER, Subject.CLOCK)

_SHORT_BREAK_SECONDS = 60
_WARNING_SECONDS = 60
_REFUSED_SECONDS = 300  # calls whose time differs by more are refused
_FOR_PEOPLE = frozenset({AttentionKind.REFUSED, AttentionKind.FAILED, AttentionKind.PROBLEM})
_OPEN = (RoundRow.state == LocalRoundState.ACTIVE, RoundRow.refused.is_(None), RoundRow.phase.not_in(ENDED_PHASES))
# Of a round that this node has refused, it sends its refusal and nothing else.
_UNSENT = (
    select(func.count())
    .select_from(StatementRow)
    .join(RoundRow, RoundRow.round_id == StatementRow.round_id)
    .where(
        StatementRow.own,
        ~StatementRow.sent,
        StatementRow.refusal.is_(None),
        RoundRow.refused.is_(None) | (StatementRow.kind == StatementKind.REFUSAL.value),
    )
)


def read_health(node: NodeContext) -> OwnPart:
    """Find out the node's part of the report; raises StoreError if the database failed."""
    now, difference = node.clock(), clock_difference(node)
    with node.store.reading("health.rounds") as session:
        query = select(RoundRow).where(*_OPEN).order_by(RoundRow.discovered_at, RoundRow.round_id)
        rows = session.scalars(query).all()
        waiting, unsent = _chunks_waiting(session), session.scalar(_UNSENT) or 0
    rounds = [round_health(found, node.code, now) for row in rows[:MOST_ROUNDS] if (found := _open_round(node, row))]
    return OwnPart(
        rounds=tuple(rounds),
        left_out=max(0, len(rows) - MOST_ROUNDS),
        contacts=contacts_of({MATCHER: node.contact.answered_at}),
        outages=lasting(MATCHER, node.contact.lost_at, now),
        chunks_waiting=waiting,
        statements_waiting=unsent,
        faults={
            Subject.MATCHER: tuple(_matcher_faults(node, now)),
            Subject.CLOCK: tuple(_clock_faults(difference)),
            Subject.ROUNDS: tuple(_attention_faults(node)),
        },
        clock_difference=difference,
    )


def store_outages(node: NodeContext) -> None:
    """Store the outages of the matcher that have ended."""
    while node.contact.outages:
        with node.store.transaction("outage.log") as session:
            log_outage(session, MATCHER, *node.contact.outages[0])
        node.contact.outages.popleft()


def _open_round(node: NodeContext, row: RoundRow) -> OpenRound | None:
    """Return an open round in which this node takes part, or may; else None."""
    with node.rounds.reading(row.round_id) as round_, node.store.reading("health.round") as session:
        if round_.binding and node.code not in round_.participants:
            return None
        parties = list(progress.parties(session, node.code, round_, progress.verified(session, round_), node.clock()))
        awaited = [(one.party, one.awaited) for one in parties]
        if progress.awaits_report(round_, node.code):
            awaited.append((MATCHER, Awaited.REPORT))
        newest = select(StatementRow.kind, func.max(StatementRow.taken_at)).where(StatementRow.round_id == row.round_id)
        return OpenRound(
            round_id=row.round_id,
            phase=round_.phase.value,
            began_at=row.discovered_at,
            newest={kind: at or 0 for kind, at in session.execute(newest.group_by(StatementRow.kind))},
            awaited=awaited,
            since={one.party: one.since for one in parties if one.since is not None},
        )


def _chunks_waiting(session: Session) -> int:
    """Return how many chunks of open rounds this node has still to fetch, compute or send."""
    rounds = select(RoundRow.round_id).where(*_OPEN)
    queues = ChunkDownloadRow, EvaluationDownloadRow
    counted = (
        *(select(func.count()).where(queue.round_id.in_(rounds), queue.is_waiting()) for queue in queues),
        select(func.count()).where(ChunkRow.round_id.in_(rounds), ~ChunkRow.sent),
        *(select(func.count()).where(row.round_id.in_(rounds), ~row.sent) for row in (TokenPartRow, EvaluationRow)),
    )
    return sum(session.scalar(query) or 0 for query in counted)


def _matcher_faults(node: NodeContext, now: int) -> Iterator[Fault]:
    """Yield why the node does not reach the matcher, or signs and sends nothing; a short break is a warning."""
    contact, obstacle = node.contact, node.contact.obstacle
    away = isinstance(obstacle, PeerUnavailableError)
    if contact.reachable and not away:
        # Rewritten logs are faults of the log.
        if obstacle is not None and not isinstance(obstacle, LogRewrittenError):
            yield Grade.CRITICAL, obstacle.sentence
        return
    error = obstacle if away else contact.failure
    since = contact.lost_at or contact.answered_at
    if error is None or since is None:
        yield Grade.WARNING, Sentence.of("health_matcher_not_called", url=node.peer.url)
        return
    grade = Grade.CRITICAL if now - since > _SHORT_BREAK_SECONDS else Grade.WARNING
    yield grade, Sentence.of("health_matcher_away", minutes=(now - since) // 60, reason=error.sentence)


def _clock_faults(difference: int | None) -> Iterator[Fault]:
    if difference is not None and abs(difference) > _WARNING_SECONDS:
        grade = Grade.CRITICAL if abs(difference) > _REFUSED_SECONDS else Grade.WARNING
        yield grade, Sentence.of("health_clock_differs", seconds=abs(difference))


def _attention_faults(node: NodeContext) -> Iterator[Fault]:
    """Yield a fault if rounds have an obstacle that a person has to look at; alarms about hits are not for here."""
    found = {one.round_id for one in attention.attention_list(node.journal).needs if one.kind in _FOR_PEOPLE}
    with node.store.reading("health.failing") as session:
        found |= work.failing(session)  # rounds that are over can have one, too
    if found:
        yield Grade.WARNING, Sentence.of("health_rounds_need_people", count=len(found))
