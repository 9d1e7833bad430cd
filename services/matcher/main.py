"""Putting the matcher together and running it."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from fastapi import FastAPI

import aquila
from aquila.audit.roles import Service
from aquila.errors import ExecutorError
from aquila.executors import share_freed_memory
from aquila.protocol.registry import MATCHER, Callers
from services.kit import logging
from services.kit.administration import upkeep as upkeep_routes
from services.kit.administration.backup.home import FLEETING, BackedService
from services.kit.administration.upkeep import Upkeep
from services.kit.approvals import routes as approval_routes
from services.kit.approvals.requests import Approvals
from services.kit.approvals.tables import ApprovalRows
from services.kit.http.certificates import certificates_of
from services.kit.http.nonces import StoredNonces
from services.kit.http.signatures import CallVerifier
from services.kit.http.signed_calls import Rate, RateLimiter
from services.kit.log_access import routes as log_routes
from services.kit.people import routes as people_routes
from services.kit.people.keys import TOKEN_FILE, OperatorToken
from services.kit.people.permissions import AccessControl
from services.kit.people.tables import PeopleRows
from services.kit.serving.application import application
from services.kit.serving.health import report as health_routes
from services.kit.serving.health.report import HealthParts, HealthReport
from services.kit.serving.notifications import waiting as notification_routes
from services.kit.serving.notifications.driver import Compose, NotificationDriver
from services.kit.serving.notifications.waiting import FaultWatch, Notifications, Sightings, channels_of
from services.kit.serving.server import Endpoint, MiddlewareFactory, bind, lifespan_of, serve, with_middleware
from services.kit.settings import load
from services.kit.storage.migrate import migrate
from services.kit.work import threads
from services.kit.work.drivers import Driver, threaded
from services.kit.work.threads import Pool
from services.matcher.administration.health import MatcherWaiting, read_health
from services.matcher.administration.reminders import Remind, ReminderDriver
from services.matcher.api import registry, statistics
from services.matcher.api.routes import LARGEST_PROPOSAL, PROPOSALS, ROUTERS
from services.matcher.approvals import approvals_of
from services.matcher.context import MatcherContext, open_context, open_store
from services.matcher.rounds.contacts import StoredContacts
from services.matcher.settings import MatcherSettings
from services.matcher.steps.deletion import wipe_leftovers
from services.matcher.steps.schedule import PULSE_SECONDS, QUIET_PULSE_SECONDS, WOKEN_BY, Pulse, steps_of
from services.matcher.storage.home import DATABASE_FILE
from services.matcher.storage.tables import SPENT_NONCES, MatcherRows

PACKAGE = "services.matcher.storage"
BACKED = BackedService(
    name="matcher",
    package=PACKAGE,
    metadata=MatcherRows.metadata,
    tables=(PeopleRows, ApprovalRows, MatcherRows),
    left_out=FLEETING | {SPENT_NONCES.name},
    settings_class=MatcherSettings,
    database_file=DATABASE_FILE,
)
"""The matcher as its backups hold it."""
_OF_PEOPLE = (people_routes.router, approval_routes.router, notification_routes.router)
_QUIET_LOOKS = 30  # how many times as long as after an event a driver waits that finds nothing to do


def run(
    settings_path: Path,
    front: MiddlewareFactory | None = None,
    compose: Compose | None = None,
    remind: Remind | None = None,
) -> None:
    """Serve until a signal ends it; the database is migrated first.

    Raises:
        InputError: The settings, the registry, an address or the executor cannot be used.
        KeyMaterialError: A key or token cannot be read.
        StoreError: The database cannot be opened or is newer than this program.
    """
    share_freed_memory()
    settings = load(settings_path, MatcherSettings)
    logging.configure(settings.log_level)
    prepare(settings)
    endpoint = bind(settings)
    app = build(settings, endpoint, compose=compose, remind=remind)
    context: MatcherContext = app.state.context
    with contextlib.suppress(ExecutorError):  # a cluster that is away may come; one that cannot be used ends us here
        context.workers.start()
    metrics = None
    if settings.metrics is not None:
        # Without metrics the library for them is not loaded.
        from services.kit.serving.health.metrics import MetricsPort  # noqa: PLC0415 - only here

        metrics = MetricsPort(app, app.state.health)
    served, before_end = with_middleware(app, endpoint, front, context.wakeup.stop)
    serve(served, endpoint, settings.tls, before_end, app.state.health.check_live, metrics)


def prepare(settings: MatcherSettings) -> None:
    """Bring the database up to this version; raises as `migrate` does."""
    store = open_store(settings)
    try:
        migrate(store, PACKAGE)
    finally:
        store.close()


def build(
    settings: MatcherSettings,
    endpoint: Endpoint | None = None,
    clock: Callable[[], int] | None = None,
    compose: Compose | None = None,
    remind: Remind | None = None,
) -> FastAPI:
    """Put the application together; it serves a migrated database, and its drivers run within its lifespan.

    Args:
        endpoint: The bound socket; without it calls are taken under the settings' own address.
        compose: Puts notifications into words; without it nobody is told.
        remind: Puts reminders of parties into words; without it none is sent.

    Raises:
        InputError: The registry or the rules cannot be read.
        KeyMaterialError: A key or token cannot be read.
    """
    context = open_context(settings, clock)
    verifier = CallVerifier(
        Callers(context.registry),
        StoredNonces(context.store, SPENT_NONCES),
        [endpoint.authority if endpoint else f"{settings.listen.host}:{settings.listen.port}"],
        context.clock,
    )
    approvals, contacts = approvals_of(context), StoredContacts(context.store, context.clock)
    steps = _drivers(context, approvals)
    drivers = list(steps)
    report = _health(context, contacts, drivers)
    reading = partial(MatcherWaiting, context, FaultWatch(report.health, context.clock), Sightings(context.clock))
    notifications = Notifications(Service.MATCHER, context.store, context.clock, settings.notifications, reading)
    notifier = None
    if settings.notifications is not None and compose is not None:
        notifier = NotificationDriver(notifications, settings.notifications, endpoint.url if endpoint else "", compose)
        # The report names this driver as well: it has the list.
        drivers.append(notifier.driver())
    if settings.notifications is not None and settings.notifications.mail is not None and remind is not None:
        drivers.append(ReminderDriver(context, settings.notifications.mail, remind).driver())
    app = application(
        title="Aquila matcher",
        version=aquila.__version__,
        routers=[
            *ROUTERS,
            statistics.router,
            statistics.signing,
            *_OF_PEOPLE,
            health_routes.router,
            upkeep_routes.router,
        ],
        body_bytes=settings.limits.body_bytes,
        body_limits={PROPOSALS: LARGEST_PROPOSAL, **registry.BODY_LIMITS, **log_routes.BODY_LIMITS},
        health=context.store.check,
        ready=report.check_ready,
        live=report.check_live,
        counts=context.counts,
        lifespan=_lifespan(context, drivers, steps),
        call_verifier=verifier,
        door=AccessControl(Service.MATCHER, OperatorToken.load(settings.home / TOKEN_FILE), context.people),
        contacts=contacts,
        buckets=RateLimiter(Rate(settings.limits.calls_per_second, settings.limits.calls_at_once)),
    )
    app.state.context, app.state.log, app.state.health = context, context.log, report
    app.state.approvals, app.state.notifications = approvals, notifications
    app.state.upkeep = Upkeep(BACKED, settings, context.people, channels_of(settings.notifications), notifier)
    return app


def _health(context: MatcherContext, contacts: StoredContacts, drivers: Sequence[Driver]) -> HealthReport:
    certificates = certificates_of(context.settings)
    return HealthReport(
        HealthParts(
            service=Service.MATCHER,
            name=MATCHER,
            backend=context.round_cache.group.name,
            settings=context.settings,
            store=context.store,
            files=context.files,
            workers=context.workers,
            log=context.log,
            clock=context.clock,
            counts=context.counts,
            certificates=lambda: certificates,
            drivers=drivers,
            read_own=partial(read_health, context, contacts),
        )
    )


def _drivers(context: MatcherContext, approvals: Approvals) -> dict[Driver, frozenset[str] | None]:
    """Return the matcher's drivers, each with the events that wake it; None for all."""
    seconds = context.settings.driver_seconds
    return {
        Driver(name, threaded(step), interval=seconds, longest=_QUIET_LOOKS * seconds): WOKEN_BY.get(name)
        for name, step in steps_of(context, approvals).items()
    }


def _lifespan(
    context: MatcherContext, drivers: Sequence[Driver], woken: Mapping[Driver, frozenset[str] | None]
) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    """Return the application's lifespan: what crashes left is swept, then drivers run until the end."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await threads.run(Pool.DRIVERS, wipe_leftovers, context)
        # It is not woken itself: a look that followed each wake-up would be one more for nothing.
        pulse = Pulse(context)
        beat = Driver(
            "pulse", threaded(pulse.step), interval=PULSE_SECONDS, longest=QUIET_PULSE_SECONDS, wait=pulse.wait
        )
        async with lifespan_of([*drivers, beat], context.close)(app):
            context.wakeup.start(woken)
            try:
                yield
            finally:
                context.wakeup.stop()

    return lifespan
