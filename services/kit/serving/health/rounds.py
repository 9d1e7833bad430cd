"""The progress of open rounds: the steps that they wait for, since when, and whether they are stuck."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from aquila.interface.progress import Awaited
from aquila.interface.service.health import AwaitedStep, Grade, RoundHealth
from aquila.protocol.messages.kinds import StatementKind
from aquila.sentences import Sentence
from services.kit.serving.health.checks import Fault

MOST_ROUNDS = 100
"""The open rounds that are looked at, the oldest first: those are the likeliest to be stuck."""

STUCK_SECONDS = 3_600
"""A round that waits for a service makes progress within this time, or it is stuck."""

_HOUR = 3_600
_OF_SERVICES = frozenset({Awaited.EVALUATIONS, Awaited.TOKENS, Awaited.REPORT, Awaited.RECEIPT})
"""Steps that a service takes by itself; consents and lists wait for persons, and have deadlines."""

_DUE_SINCE: Mapping[Awaited, tuple[StatementKind, ...]] = MappingProxyType(
    {
        Awaited.CONSENT: (),
        Awaited.LIST: (StatementKind.OPENING,),
        Awaited.EVALUATIONS: (StatementKind.SUBMISSION,),
        Awaited.TOKENS: (StatementKind.SUBMISSION, StatementKind.EVALUATION, StatementKind.AMENDMENT),
        Awaited.REPORT: (StatementKind.TOKENS, StatementKind.AMENDMENT),
        Awaited.RECEIPT: (StatementKind.TOKENS, StatementKind.HIT_REPORT),
        Awaited.NOTHING: (),
    }
)
"""The statements after which a step becomes due; without one of them it is due since the round began."""


@dataclass(frozen=True, slots=True)
class OpenRound:
    """An open round, as a service's database has it.

    Attributes:
        round_id: Its id.
        phase: Its phase.
        began_at: When it was proposed or discovered.
        newest: For each kind of statement, when the newest came.
        awaited: The steps that it waits for, with the party or `matcher`.
        late: Parties that missed a deadline.
    """

    round_id: str
    phase: str
    began_at: int
    newest: Mapping[str, int]
    awaited: Collection[tuple[str, Awaited]]
    late: Collection[str] = ()


def round_health(found: OpenRound, own: str, now: int) -> RoundHealth:
    """Return the progress of a round.

    Args:
        found: The round.
        own: The name of this service.
        now: Seconds since 1970.
    """
    progress_at = max(found.newest.values(), default=found.began_at)
    steps = [
        AwaitedStep(
            party=party,
            step=step,
            since=max((found.newest.get(kind, 0) for kind in _DUE_SINCE[step]), default=0) or found.began_at,
        )
        for party, step in found.awaited
        if step is not Awaited.NOTHING
    ]
    waiting = [step.party for step in steps if step.step in _OF_SERVICES]
    still = now - progress_at > STUCK_SECONDS
    return RoundHealth(
        round_id=found.round_id,
        phase=found.phase,
        began_at=found.began_at,
        progress_at=progress_at,
        awaited=tuple(steps),
        stuck=bool(found.late) or (bool(waiting) and still),
        here=own in waiting and still,
    )


def round_faults(rounds: Iterable[RoundHealth], now: int) -> Iterator[Fault]:
    """Yield a fault for each round that is stuck."""
    for one in rounds:
        if one.stuck:
            parties = ", ".join(dict.fromkeys(step.party for step in one.awaited)) or "-"
            hours = (now - one.progress_at) // _HOUR
            yield (
                Grade.CRITICAL,
                Sentence.of("health_round_stuck", round=one.round_id[:8], parties=parties, hours=hours),
            )
