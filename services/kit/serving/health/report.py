"""The report on a service's health, and the call with which people and their programs see it.

It is found out when somebody asks, and kept for a few seconds. A service puts its `HealthReport` into
`app.state.health`.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter

import aquila
from aquila.audit.roles import Action, Service
from aquila.interface.log import CosignatureView
from aquila.interface.service import health as forms
from services.kit.approvals.requests import waiting_count
from services.kit.errors import NotReadyError, StoreError
from services.kit.http.certificates import CertificateEnds
from services.kit.http.routing import ServiceRoute, state_part
from services.kit.log.entries import size
from services.kit.log_access.use_cases import LogUseCases, NewestCosignatures
from services.kit.people.permissions import requires
from services.kit.serving.health import checks
from services.kit.serving.health.checks import Fault, checked, round_faults
from services.kit.settings import MEBIBYTE, ServiceSettings
from services.kit.storage.files import ChunkFiles
from services.kit.storage.outages import ended_outages
from services.kit.storage.store import Store
from services.kit.work.drivers import Driver
from services.kit.work.executors import ExecutorHandle
from services.kit.work.memory import EventCounts

FRESH_SECONDS = 5.0
"""A report is kept for this time: strangers who ask `/ready` cost one look in it."""


@dataclass(frozen=True, slots=True)
class OwnPart:
    """The part of a report that only a node or only the matcher has."""

    rounds: tuple[forms.RoundHealth, ...]
    left_out: int
    """Open rounds that were not looked at."""
    contacts: tuple[forms.ContactHealth, ...]
    chunks_waiting: int
    outages: tuple[forms.Outage, ...] = ()
    """Those that last."""
    statements_waiting: int = 0
    faults: Mapping[forms.Subject, Sequence[Fault]] = field(default_factory=lambda: MappingProxyType({}))
    """Faults of subjects that the other service does not have, or not in this way."""
    clock_difference: int | None = None


@dataclass(frozen=True, slots=True)
class HealthParts:
    """The parts of a service whose health is reported."""

    service: Service
    name: str
    backend: str
    settings: ServiceSettings
    store: Store
    files: ChunkFiles
    workers: ExecutorHandle
    log: LogUseCases
    clock: Callable[[], int]
    counts: EventCounts
    certificates: Callable[[], CertificateEnds]
    """Returns those that are in use now."""
    drivers: Sequence[Driver]
    read_own: Callable[[], OwnPart]
    """Finds out the part that only this service has; raises `StoreError` where the database failed."""
    subjects: tuple[forms.Subject, ...] = ()
    """The subjects of that part."""


class HealthReport:
    """Finds out the health of a service. Safe in threads."""

    def __init__(self, parts: HealthParts) -> None:
        self._parts = parts
        self._cosignatures = NewestCosignatures(parts.log.own)
        self._started_at = parts.clock()
        self._lock = threading.Lock()
        self._found: forms.ServiceHealth | None = None
        self._fresh_until = 0.0

    def health(self) -> forms.ServiceHealth:
        """Return the report, at most `FRESH_SECONDS` old."""
        with self._lock:
            if self._found is None or time.monotonic() >= self._fresh_until:
                self._found = self._look()
                self._fresh_until = time.monotonic() + FRESH_SECONDS
            return self._found

    def check_ready(self) -> None:
        """Refuse where the service cannot do its work."""
        found = self.health().not_ready
        if found:
            raise NotReadyError("service_not_ready", listed=", ".join(found))

    def check_live(self) -> None:
        """Refuse where a driver hangs, so that only a restart helps. It reads no database.

        Raises:
            NotReadyError: One does.
        """
        found = checks.hanging_drivers(self._parts.drivers, self._parts.workers)
        if found:
            raise NotReadyError("service_not_live", listed=", ".join(found))

    def _look(self) -> forms.ServiceHealth:
        """Find out the health as it is now; a database that fails is a finding too."""
        parts, now = self._parts, self._parts.clock()
        kept, own = parts.settings.limits.free_mebibytes * MEBIBYTE, OwnPart((), 0, (), 0)
        found: list[forms.HealthCheck] = []
        log_size, requests, free = 0, 0, 0
        witnesses: tuple[CosignatureView, ...] = ()
        ended: tuple[forms.Outage, ...] = ()
        try:
            free = parts.files.free_space()
            found.append(checked(forms.Subject.DISK, checks.disk_faults(free, kept)))
        except StoreError as error:
            found.append(checked(forms.Subject.DISK, [(forms.Grade.CRITICAL, error.sentence)]))
        try:
            parts.store.check()
            own = parts.read_own()
            with parts.store.reading("health.counts") as session:
                log_size, requests, ended = size(session), waiting_count(session, now), ended_outages(session)
            witnesses = self._cosignatures.current()
            logs = checked(forms.Subject.LOG, [*checks.log_faults(parts.log), *own.faults.get(forms.Subject.LOG, ())])
            found = [checked(forms.Subject.DATABASE, ()), *found, logs]
        except StoreError as error:
            found = [checked(forms.Subject.DATABASE, [(forms.Grade.CRITICAL, error.sentence)]), *found]
        workers, drivers, certificates = parts.workers.current_state(), parts.drivers, parts.certificates()
        found += [
            checked(forms.Subject.WORKERS, checks.worker_faults(workers)),
            checked(forms.Subject.DRIVERS, checks.driver_faults(drivers, parts.workers)),
            *(checked(subject, own.faults.get(subject, ())) for subject in parts.subjects),
            checked(forms.Subject.IDENTITY, checks.identity_faults(parts.log.own.key)),
            checked(forms.Subject.CERTIFICATES, checks.certificate_faults(certificates, now)),
            checked(forms.Subject.ROUNDS, [*round_faults(own.rounds, now), *own.faults.get(forms.Subject.ROUNDS, ())]),
            checked(forms.Subject.ROWS, checks.row_faults(parts.store.row_key)),
        ]
        return forms.ServiceHealth.of_fields(
            own,
            service=parts.service.value,
            name=parts.name,
            version=aquila.__version__,
            backend=parts.backend,
            at=now,
            started_at=self._started_at,
            grade=forms.worst(one.grade for one in found),
            not_ready=forms.not_ready(found, own.rounds),
            checks=tuple(found),
            certificates=tuple(
                forms.CertificateHealth(setting=end.setting, ends_at=end.ends_at, days_left=checks.days_left(end, now))
                for end in certificates.current()
            ),
            drivers=tuple(map(_driver, drivers)),
            outages=(*own.outages, *ended),
            log_size=log_size,
            witnesses=witnesses,
            requests_waiting=requests,
            pieces_in_hand=workers.pieces,
            disk_free=free,
            workers=workers.workers,
            workers_lost=workers.lost,
            proofs_refused=parts.counts.of("ProofError"),
            sign_ins_refused=parts.counts.of("SignInError"),
        )


def _driver(driver: Driver) -> forms.DriverHealth:
    state = driver.state
    return forms.DriverHealth(
        driver=driver.name, failures=state.failures, failing=state.failing, step_seconds=int(state.step_seconds)
    )


def contacts_of(at: Mapping[str, int | None]) -> tuple[forms.ContactHealth, ...]:
    return tuple(forms.ContactHealth(party=party, at=when) for party, when in sorted(at.items()))


router = APIRouter(route_class=ServiceRoute, prefix="/v1/service", tags=["service"])


@router.get("/health", summary="The health of the service", dependencies=[requires(Action.SEE_STATUS)])
def get_service_health(report: Annotated[HealthReport, state_part("health")]) -> forms.ServiceHealth:
    return report.health()
