"""The health of a service, for its administrator and for programs that supervise it.

Counts are of rounds, statements, chunks, requests, calls, files and days. Nothing here tells of a hit, a record or a
person.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from aquila.interface.log import CosignatureView
from aquila.interface.rounds import Awaited
from aquila.interface.sentence import FaultView
from aquila.protocol.messages.base import Count, Identifier, Message, Seconds
from aquila.protocol.rounds.round_state import Phase

Name = Annotated[str, Field(max_length=64)]


class Grade(StrEnum):
    """The grade of a check, as programs that supervise services know it; the best first."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"


class Subject(StrEnum):
    """The subject of a check."""

    DATABASE = "database"
    DISK = "disk"
    WORKERS = "workers"
    DRIVERS = "drivers"
    LOG = "log"
    MATCHER = "matcher"
    CLOCK = "clock"
    CERTIFICATES = "certificates"
    IDENTITY = "identity"
    ROUNDS = "rounds"
    ROWS = "rows"


NEEDED = frozenset(
    {Subject.DATABASE, Subject.DISK, Subject.WORKERS, Subject.DRIVERS, Subject.LOG, Subject.MATCHER, Subject.IDENTITY}
)
"""The subjects without which a service cannot do its work: it is not ready while one of them is critical."""


ATTENDED = frozenset({Subject.LOG, Subject.ROUNDS})
"""The subjects whose faults people hear of otherwise: as alarms, and as needs of rounds."""


class HealthCheck(Message):
    """One check."""

    subject: Subject
    grade: Grade
    sentences: tuple[FaultView, ...] = ()
    """The faults that were found, each with what to do about it; none where the grade is `ok`."""


class StepSince(Message):
    """A step that a round waits for."""

    party: Name
    """The code of the party that has to take it, or `matcher`."""
    step: Awaited
    since: Seconds
    """When it became due."""


class RoundHealth(Message):
    """The progress of an open round."""

    round_id: Identifier
    phase: Phase
    began_at: Seconds
    """When it was proposed, or discovered by this node."""
    progress_at: Seconds
    """When the newest statement about it was signed or came."""
    awaited: tuple[StepSince, ...]
    stuck: bool
    """Whether it waits for a service and has made no progress for an hour, or a party missed a deadline."""
    here: bool
    """Whether it is stuck at this service itself."""


class CertificateHealth(Message):
    """The end of a certificate that a setting names."""

    setting: Name
    ends_at: Seconds | None
    """When the certificate ends; of a file of CAs when the last of them does. None if it cannot be read."""
    days_left: int | None
    """Whole days until then; negative after it."""


class DriverHealth(Message):
    """A loop of the service that advances what is stored."""

    driver: Name
    failures: Count
    """Failed steps since the service started."""
    failing: Count
    """Failed steps in a row, up to now."""
    step_seconds: Count
    """Seconds that the present step has taken; 0 between steps."""


class Outage(Message):
    """A time in which another service was not heard of for more than a minute."""

    peer: Name
    """The code of a party, or `matcher`."""
    began_at: Seconds
    """When it was heard of last, or a call to it failed first."""
    ended_at: Seconds | None
    """When it was heard of again; None while it lasts."""


class ContactHealth(Message):
    """The last contact with another service: at a node with the matcher, at the matcher with each party."""

    party: Name
    at: Seconds | None


class ServiceHealth(Message):
    """The health of a service."""

    service: Literal["node", "matcher"]
    name: Name
    """The party's code; `matcher` for the matcher."""
    version: Name
    backend: Name
    """The group backend in use."""
    at: Seconds
    started_at: Seconds
    grade: Grade
    not_ready: tuple[Subject, ...]
    """The subjects that keep the service from its work; none while it is ready."""
    checks: tuple[HealthCheck, ...]
    rounds: tuple[RoundHealth, ...]
    """The open rounds, the oldest first."""
    left_out: Count
    """Open rounds that were not looked at, because there are too many."""
    certificates: tuple[CertificateHealth, ...]
    drivers: tuple[DriverHealth, ...]
    contacts: tuple[ContactHealth, ...]
    outages: tuple[Outage, ...] = ()
    """Those that last, then the newest of those that have ended."""
    log_size: Count
    """Entries of the service's own log."""
    witnesses: tuple[CosignatureView, ...]
    """The newest cosignature of each witness of the own log. One that has never cosigned has size 0, and is missed
    since `at`."""
    chunks_waiting: Count
    """Chunks that this service has still to fetch, compute or send; at the matcher, evaluated chunks that their origins
    have not fetched."""
    statements_waiting: Count
    """Statements that this node has signed and the matcher has not taken; none at the matcher."""
    requests_waiting: Count
    """Requests of people that wait for a second person."""
    pieces_in_hand: Count
    """Pieces of heavy work that wait for a worker or are with one."""
    disk_free: Count
    """Bytes that files may still take."""
    workers: Count
    """Processes or threads for heavy work; 0 before the first piece."""
    workers_lost: Count
    """How often the workers were lost since the service started."""
    clock_difference: int | None
    """Seconds by which the matcher's clock is ahead of the node's; None where it is not known."""
    proofs_refused: Count
    sign_ins_refused: Count


def worst(grades: Iterable[Grade]) -> Grade:
    """Return the worst of some grades; `ok` of none."""
    return max(grades, key=list(Grade).index, default=Grade.OK)


def not_ready(checks: Iterable[HealthCheck], rounds: Iterable[RoundHealth]) -> tuple[Subject, ...]:
    """Return the subjects that keep a service from its work.

    A round that waits for another service is no reason: to take this one away would stop the others too.
    """
    found = [one.subject for one in checks if one.subject in NEEDED and one.grade is Grade.CRITICAL]
    return tuple([*found, Subject.ROUNDS] if any(one.here for one in rounds) else found)
