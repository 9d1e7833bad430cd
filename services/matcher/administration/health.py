"""The matcher's part of the report on its health, and counts of the work that waits for its people."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property

from sqlalchemy import func, select

from aquila.audit.entries import EntryKind
from aquila.audit.roles import Action, Role, Service, role_table
from aquila.interface.attention import ALARMS, AttentionKind, RoundAttention, WaitingCounts
from aquila.interface.service.health import Grade, Subject
from aquila.protocol.messages import StatementKind
from aquila.protocol.messages.feed import EventKind
from aquila.protocol.registry import MATCHER
from aquila.protocol.rounds.round_state import Phase
from aquila.sentences import Sentence
from services.kit.errors import RoundDamagedError
from services.kit.log.entries import newest_of_round
from services.kit.serving.health.checks import MOST_ROUNDS, Fault, OpenRound, round_health
from services.kit.serving.health.report import OwnPart, contacts_of
from services.kit.serving.notifications.waiting import (
    FaultWatch,
    ServiceFaults,
    Sightings,
    WaitingRequests,
    WaitingWork,
    rewritten_logs,
    waiting_requests,
)
from services.kit.settings import MEBIBYTE
from services.kit.storage.outages import lasting
from services.matcher.context import MatcherContext
from services.matcher.round_memory import RoundTransaction
from services.matcher.rounds.attention import attention_list
from services.matcher.rounds.contacts import StoredContacts
from services.matcher.rounds.disk_space import bytes_to_reserve, unreserved_bytes
from services.matcher.rounds.overview import awaited_in
from services.matcher.storage.tables import ChunkRow, FaultRow, RoundRow

_SILENT_SECONDS = 2 * 3_600


def read_health(context: MatcherContext, contacts: StoredContacts) -> OwnPart:
    """Find out the matcher's part of the report; raises StoreError if the database failed."""
    now, open_ = context.clock(), RoundRow.ended_at.is_(None)
    evaluations = (ChunkRow.what == EventKind.EVALUATION.value, ChunkRow.deleted_at.is_(None))
    with context.store.reading("health.rounds") as session:
        query = select(RoundRow.round_id).where(open_).order_by(RoundRow.created_at, RoundRow.round_id)
        ids = session.scalars(query).all()
        rounds = select(RoundRow.round_id).where(open_)
        faulty = select(func.count(FaultRow.round_id.distinct())).where(FaultRow.round_id.in_(rounds))
        failed = session.scalar(faulty) or 0
        waiting = session.scalar(select(func.count()).where(ChunkRow.round_id.in_(rounds), *evaluations)) or 0
    faults: list[Fault] = []
    found, parties, wanted = [], set[str](), dict[str, int]()
    for round_id in ids[:MOST_ROUNDS]:
        try:
            with context.round_cache.reading(round_id) as turn:
                found.append(round_health(_open_round(turn, now), MATCHER, now))
                parties |= set(turn.round.participants)
                if turn.round.phase is Phase.PROPOSED:
                    wanted[round_id] = bytes_to_reserve(turn.round, context.settings.quotas.evaluation_bytes)
        except RoundDamagedError as error:
            faults.append((Grade.CRITICAL, error.sentence))
    called = contacts.by_party()
    last = {code: called[code].at if code in called else None for code in context.registry.parties}
    faults += [*_without_room(context, wanted), *_silent(parties, last, now)]
    if failed:
        faults.append((Grade.CRITICAL, Sentence.of("health_rounds_failed", count=failed)))
    return OwnPart(
        rounds=tuple(found),
        left_out=max(0, len(ids) - MOST_ROUNDS),
        contacts=contacts_of(last),
        outages=tuple(one for code in sorted(parties) for one in lasting(code, contacts.heard(last.get(code)), now)),
        chunks_waiting=waiting,
        faults={Subject.ROUNDS: tuple(faults)},
    )


def _without_room(context: MatcherContext, wanted: Mapping[str, int]) -> Iterator[Fault]:
    """Yield the faults of proposed rounds for whose consents, which take these bytes, the disk has no room."""
    if not wanted:
        return
    with context.store.reading("health.room") as session:
        free = unreserved_bytes(context, session)
    for round_id, needed in wanted.items():
        if needed > free:
            missing = -(-(needed - free) // MEBIBYTE)
            yield Grade.WARNING, Sentence.of("health_consents_without_room", round=round_id[:8], missing=missing)


def _open_round(turn: RoundTransaction, now: int) -> OpenRound:
    newest = dict(newest_of_round(turn.session, turn.row.round_id))
    # The log names a report otherwise than its message is named.
    newest[StatementKind.HIT_REPORT] = newest.pop(EntryKind.REPORT, 0)
    return OpenRound(
        round_id=turn.row.round_id,
        phase=turn.round.phase.value,
        began_at=turn.row.created_at,
        newest=newest,
        awaited=list(dict.fromkeys(awaited_in(turn, now))),
    )


def _silent(parties: Iterable[str], last: Mapping[str, int | None], now: int) -> Iterator[Fault]:
    """Yield the parties of open rounds that have not called for hours."""
    for party in sorted(parties):
        at = last.get(party)
        if at is not None and now - at > _SILENT_SECONDS:
            yield Grade.WARNING, Sentence.of("health_party_silent", party=party, hours=(now - at) // 3_600)


_ALARMS = ALARMS | {AttentionKind.EVIDENCE}
"""The kinds that are alarms to the secretariat."""


class MatcherWaiting:
    """Counts what waits for persons at one moment; what is the same for several of them is read once."""

    def __init__(self, context: MatcherContext, faults: FaultWatch, alarms: Sightings) -> None:
        self._context, self._faults, self._alarms = context, faults, alarms
        self._now = context.clock()

    def work_of(self, person: str, roles: Collection[Role]) -> WaitingWork:
        allowed = {action for action in Action if role_table().allows(Service.MATCHER, roles, action)}
        rounds = self._needs if Action.SEE_ROUNDS in allowed else ()
        alarms = frozenset((one.round_id, one.kind, one.parties, one.count) for one in rounds if one.kind in _ALARMS)
        faults = self._faults.current() if Action.MANAGE_PEOPLE in allowed else ServiceFaults()
        with self._context.store.reading("waiting.count") as session:
            rewritten, rewritten_at = rewritten_logs(session)
            decides = Action.DECIDE_APPROVALS in allowed
            requests = waiting_requests(session, person, self._now) if decides else WaitingRequests()
        counts = WaitingCounts(
            alarms=rewritten + len(alarms),
            requests=requests.number,
            rounds=len(rounds) - len(alarms),
            faults=faults.number,
            outages=faults.outages,
        )
        raised_at = self._alarms.newest(alarms) if rounds else 0
        urgent = max(raised_at, rewritten_at, faults.found_at)
        return WaitingWork(counts, requests.newest, urgent, faults.newest_outage)

    @cached_property
    def _needs(self) -> tuple[RoundAttention, ...]:
        return attention_list(self._context).needs
