"""The checks that node and matcher have in common: each yields the faults of one subject, or the progress of rounds."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from aquila.crypto.keys import SigningKey
from aquila.errors import AquilaError, LogRewrittenError
from aquila.interface.rounds import Awaited
from aquila.interface.sentence import FaultView
from aquila.interface.service.health import Grade, HealthCheck, RoundHealth, StepSince, Subject, worst
from aquila.protocol.messages import StatementKind
from aquila.sentences import Sentence, hint_of, quoted
from aquila.sentences.sentence import loads
from services.kit.errors import PeerUnavailableError, Pkcs11Error
from services.kit.http.certificates import CertificateEnd, CertificateEnds
from services.kit.log_access.use_cases import LogUseCases
from services.kit.settings import MEBIBYTE
from services.kit.storage.pkcs11 import Pkcs11Key
from services.kit.storage.row_seals import RowKey
from services.kit.work.drivers import Driver
from services.kit.work.executors import ExecutorHandle, WorkersState

DAY = 86_400
WARNING_DAYS = 30
"""So many days before its end a certificate is worth a warning."""
CRITICAL_DAYS = 7
HUNG_SECONDS = 1_200
"""A driver whose step takes longer makes no progress: a lost worker ends a piece of work after 900 seconds."""

_LOST_SECONDS = 3_600
_SLOW_PIECE_SECONDS = 600
_FAILURES = 3
_FEW_TIMES_THE_KEPT = 4

Fault: TypeAlias = tuple[Grade, Sentence]


def checked(subject: Subject, faults: Iterable[Fault]) -> HealthCheck:
    found = list(faults)
    sentences = tuple(FaultView.of(explained(sentence)) for _, sentence in found)
    return HealthCheck(subject=subject, grade=worst(grade for grade, _ in found), sentences=sentences)


def explained(fault: Sentence) -> Sentence:
    """Return a fault that has a hint: itself, or a sentence around it, such as around the text of a peer."""
    return fault if hint_of(fault) else Sentence.of("health_fault_unexplained", fault=fault)


def disk_faults(free: int, kept: int) -> Iterator[Fault]:
    """Yield the faults of the disk: no room, or little. Files may take `free` bytes, and `kept` bytes stay free."""
    if free == 0:
        yield Grade.CRITICAL, Sentence.of("health_disk_full", kept=kept // MEBIBYTE)
    elif free < (_FEW_TIMES_THE_KEPT - 1) * kept:
        yield Grade.WARNING, Sentence.of("health_disk_low", free=free // MEBIBYTE)


def worker_faults(state: WorkersState) -> Iterator[Fault]:
    """Yield the faults of the workers: they cannot be started, were lost, or one does not come to an end."""
    if state.error is not None:
        yield Grade.CRITICAL, state.error.sentence
    if state.lost_seconds is not None and state.lost_seconds < _LOST_SECONDS:
        yield Grade.WARNING, Sentence.of("health_workers_lost", count=state.lost, minutes=int(state.lost_seconds // 60))
    if state.piece_seconds > _SLOW_PIECE_SECONDS:
        yield Grade.WARNING, Sentence.of("health_worker_slow", minutes=int(state.piece_seconds // 60))


def hanging_drivers(drivers: Iterable[Driver], workers: ExecutorHandle) -> list[str]:
    """Return the drivers that make no progress: in one step for long, while no piece of work has ended either."""
    if workers.quiet_seconds <= HUNG_SECONDS:
        return []
    return [driver.name for driver in drivers if driver.state.step_seconds > HUNG_SECONDS]


def driver_faults(drivers: Sequence[Driver], workers: ExecutorHandle) -> Iterator[Fault]:
    """Yield the faults of the drivers: one that hangs, and one that fails again and again.

    A peer that is away is a fault of its own.
    """
    for name in hanging_drivers(drivers, workers):
        yield Grade.CRITICAL, Sentence.of("health_driver_hangs", driver=name, minutes=HUNG_SECONDS // 60)
    for driver in drivers:
        state = driver.state
        if state.failing < _FAILURES or state.error is None or isinstance(state.error, PeerUnavailableError):
            continue
        reason = state.error.sentence if isinstance(state.error, AquilaError) else quoted(type(state.error).__name__)
        yield (
            Grade.WARNING,
            Sentence.of("health_driver_fails", driver=driver.name, count=state.failing, reason=reason),
        )


def log_faults(log: LogUseCases) -> Iterator[Fault]:
    """Yield the faults of logs: the own one is another than it has shown, or an alarm waits for an administrator."""
    try:
        log.own.check()
    except LogRewrittenError as error:
        yield Grade.CRITICAL, error.sentence
    for alarm in log.witness.alarms():
        if alarm.acknowledged_at is None:
            yield Grade.CRITICAL, loads(alarm.sentence)


def row_faults(key: RowKey | None) -> Iterator[Fault]:
    """Yield the faults that rows were met which this service did not write, or hits are gone; work goes on."""
    for table, count in sorted(key.forged().items() if key else ()):
        yield Grade.CRITICAL, Sentence.of("health_rows_not_authentic", count=count, table=table)
    for round_id, count in sorted(key.missing.items() if key else ()):
        yield Grade.CRITICAL, Sentence.of("health_hits_missing", count=count, round=round_id)


def identity_faults(key: SigningKey) -> Iterator[Fault]:
    """Yield the fault of the identity key, if it is in a token and cannot be used there."""
    if isinstance(key, Pkcs11Key):
        try:
            key.check()
        except Pkcs11Error as error:
            yield Grade.CRITICAL, error.sentence


def days_left(end: CertificateEnd, now: int) -> int | None:
    """Return the whole days until a certificate ends, negative after it; None if it cannot be read."""
    return None if end.ends_at is None else (end.ends_at - now) // DAY


def certificate_faults(certificates: CertificateEnds, now: int) -> Iterator[Fault]:
    """Yield the faults of certificates: one that ends soon or has ended, and files that cannot be used."""
    for end in certificates.current():
        days = days_left(end, now)
        if days is None:
            yield Grade.CRITICAL, Sentence.of("health_certificate_unreadable", setting=end.setting)
        elif days < 0:
            yield Grade.CRITICAL, Sentence.of("health_certificate_ended", setting=end.setting)
        elif days < WARNING_DAYS:
            grade = Grade.CRITICAL if days < CRITICAL_DAYS else Grade.WARNING
            yield grade, Sentence.of("health_certificate_ends", setting=end.setting, days=days)
    for fault in certificates.faults:
        yield Grade.CRITICAL, fault.sentence


MOST_ROUNDS = 100
"""The open rounds that are looked at, the oldest first: those are the likeliest to be stuck."""

STUCK_SECONDS = 3_600
"""A round that waits for a service makes progress within this time, or it is stuck."""

_HOUR = 3_600
_OF_SERVICES = frozenset({Awaited.EVALUATIONS, Awaited.TOKENS, Awaited.REPORT, Awaited.RECEIPT})
"""Steps that a service takes by itself; consents and lists wait for persons, and have deadlines."""

DUE_SINCE: Mapping[Awaited, tuple[StatementKind, ...]] = MappingProxyType(
    {
        Awaited.CONSENT: (),
        Awaited.LIST: (StatementKind.OPENING,),
        Awaited.EVALUATIONS: (StatementKind.SUBMISSION,),
        Awaited.TOKENS: (StatementKind.SUBMISSION, StatementKind.EVALUATION),
        Awaited.REPORT: (StatementKind.TOKENS,),
        Awaited.RECEIPT: (StatementKind.TOKENS, StatementKind.HIT_REPORT),
        Awaited.NOTHING: (),
    }
)
"""The statements after which a step becomes due; without one of them it is due since the round began."""


@dataclass(frozen=True, slots=True)
class OpenRound:
    """An open round, as a service's database has it."""

    round_id: str
    phase: str
    began_at: int
    newest: Mapping[str, int]
    awaited: Collection[tuple[str, Awaited]]
    since: Mapping[str, int] = field(default_factory=dict)
    """By party, since when its step is due, where that is known."""


def round_health(found: OpenRound, own: str, now: int) -> RoundHealth:
    """Return the progress of a round."""
    progress_at = max(found.newest.values(), default=found.began_at)
    steps = [
        StepSince(
            party=party,
            step=step,
            since=found.since.get(party)
            or max((found.newest.get(kind, 0) for kind in DUE_SINCE[step]), default=0)
            or found.began_at,
        )
        for party, step in found.awaited
        if step is not Awaited.NOTHING
    ]
    waiting = [step.party for step in steps if step.step in _OF_SERVICES]
    still = now - progress_at > STUCK_SECONDS
    return RoundHealth.of_fields(
        found,
        progress_at=progress_at,
        awaited=tuple(steps),
        stuck=bool(waiting) and still,
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
