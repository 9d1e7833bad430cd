"""Counts of the work that waits for the secretariat's people, from stored rows and the states of rounds."""

from __future__ import annotations

from collections.abc import Collection

from aquila.audit.roles import Action, Role, Service, role_table
from aquila.interface.attention import ALARMS, AttentionKind, RoundAttention, WaitingCounts
from services.kit.serving.notifications.waiting import (
    FaultWatch,
    ServiceFaults,
    Sightings,
    WaitingWork,
    rewritten_logs,
    waiting_requests,
)
from services.matcher.context import MatcherContext
from services.matcher.rounds.attention import attention_list

_ALARMS = ALARMS | {AttentionKind.EVIDENCE}
"""The kinds that are alarms to the secretariat."""


class MatcherWaiting:
    """Counts what waits for persons at one moment; what is the same for several of them is read once."""

    def __init__(self, context: MatcherContext, faults: FaultWatch, alarms: Sightings) -> None:
        """Prepare.

        Args:
            context: The matcher's parts.
            faults: Looks at the matcher's health.
            alarms: Remembers since when there are alarms.
        """
        self._context, self._faults, self._alarms = context, faults, alarms
        self._now = context.clock()
        self._rounds: tuple[RoundAttention, ...] | None = None

    def work_of(self, person: str, roles: Collection[Role]) -> WaitingWork:
        """Return how much waits for a person with these roles."""
        allowed = {action for action in Action if role_table().allows(Service.MATCHER, roles, action)}
        rounds = self._needs() if Action.SEE_ROUNDS in allowed else ()
        alarms = frozenset((one.round_id, one.kind, one.parties, one.count) for one in rounds if one.kind in _ALARMS)
        faults = self._faults.current() if Action.MANAGE_PEOPLE in allowed else ServiceFaults()
        with self._context.store.reading("waiting.count") as session:
            rewritten, rewritten_at = rewritten_logs(session)
            decides = Action.DECIDE_APPROVALS in allowed
            requests, asked_at = waiting_requests(session, person, self._now) if decides else (0, 0)
        counts = WaitingCounts(
            alarms=rewritten + len(alarms), requests=requests, rounds=len(rounds) - len(alarms), faults=faults.number
        )
        raised_at = self._alarms.newest(alarms) if rounds else 0
        return WaitingWork(counts, asked_at, max(raised_at, rewritten_at, faults.found_at))

    def _needs(self) -> tuple[RoundAttention, ...]:
        if self._rounds is None:
            self._rounds = attention_list(self._context).needs
        return self._rounds
