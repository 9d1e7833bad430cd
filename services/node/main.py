"""Putting a node together and running it."""

import contextlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import httpx
from fastapi import FastAPI

import aquila
from aquila.audit.roles import Service
from aquila.crypto.backend import load_group
from aquila.errors import ExecutorError, InputError
from aquila.executors import share_freed_memory
from aquila.protocol.party import Party
from aquila.protocol.registry import Registry, read_registry
from aquila.records.indicators import load_indicators
from services.kit.administration import upkeep as upkeep_routes
from services.kit.administration.backup.home import FLEETING, BackedService
from services.kit.administration.upkeep import Upkeep
from services.kit.approvals import routes as approval_routes
from services.kit.approvals.decisions import expire_requests, withdraw_lost
from services.kit.approvals.tables import ApprovalRows
from services.kit.home_folder import CHUNKS_FOLDER
from services.kit.http.certificates import certificates_of
from services.kit.http.peer import Peer
from services.kit.http.signatures import CallSigner
from services.kit.http.signatures import now as system_time
from services.kit.log.retention import Retention
from services.kit.log_access.routes import people_router as log_router
from services.kit.logging import configure
from services.kit.people import routes as people_routes
from services.kit.people.context import People
from services.kit.people.idempotency import erase_old_answers
from services.kit.people.keys import TOKEN_FILE, OperatorToken
from services.kit.people.permissions import AccessControl
from services.kit.people.tables import PeopleRows
from services.kit.serving import server
from services.kit.serving.application import application
from services.kit.serving.health import report as health_routes
from services.kit.serving.health.report import HealthParts, HealthReport
from services.kit.serving.notifications import waiting as notification_routes
from services.kit.serving.notifications.driver import Compose, NotificationDriver
from services.kit.serving.notifications.waiting import FaultWatch, Notifications, channels_of, forget_choices
from services.kit.serving.server import MiddlewareFactory
from services.kit.settings import MEBIBYTE, load
from services.kit.storage.files import ChunkFiles, check_private
from services.kit.storage.migrate import migrate
from services.kit.storage.own_identity import open_identity
from services.kit.storage.registry import in_force, templates_in_force
from services.kit.storage.store import private_store
from services.kit.work import threads
from services.kit.work.drivers import Driver, threaded
from services.kit.work.executors import executor_handle_of
from services.kit.work.threads import Pool
from services.node import approvals as node_approvals
from services.node.api import hits, queries, rounds, safeguards
from services.node.api import records as api_records
from services.node.context import NodeContext, rule_tables
from services.node.hits.review import forget_views
from services.node.logs.checks import open_log, seen_head
from services.node.records import imports
from services.node.records.list_reading import count_deliveries
from services.node.records.queries import standing_queries
from services.node.records.subject_requests import forget_answered
from services.node.round_memory import Parts, RoundMemories
from services.node.rounds import health, work
from services.node.safeguards import registry as safeguards_registry
from services.node.safeguards.registry import followed
from services.node.settings import NodeSettings
from services.node.steps.close import erase_justifications
from services.node.steps.driver import RoundsDriver
from services.node.steps.submissions.tasks import PRELOAD
from services.node.steps.verify_logs import show_looks
from services.node.storage import high_water
from services.node.storage.high_water import HighWater
from services.node.storage.home import DATABASE_FILE, KEYS_FOLDER
from services.node.storage.tables import NodeRows
from services.node.waiting import NodeWaiting

PACKAGE = "services.node.storage"
BACKED = BackedService(
    name="node",
    package=PACKAGE,
    metadata=NodeRows.metadata,
    tables=(PeopleRows, ApprovalRows, NodeRows),
    left_out=FLEETING | {"secret", "note_secret"},
    settings_class=NodeSettings,
    database_file=DATABASE_FILE,
)
"""A node as its backups hold it; what is sealed under round keys, which no backup holds, is left out with them."""
_HOUSEKEEPING_SECONDS = 60
_RETENTION_SECONDS = 3_600.0
_STANDING_SECONDS = 30.0
_REGISTRY_SECONDS = 600.0
_LOOKS_SECONDS = 30.0


def assemble(
    settings: NodeSettings,
    *,
    clock: Callable[[], int] = system_time,
    random: Callable[[int], bytes] = secrets.token_bytes,
    transport: httpx.AsyncBaseTransport | None = None,
) -> NodeContext:
    """Make a node's parts and bring its database up to date; nothing runs yet.

    `transport` takes the place of the network in tests.

    Raises:
        InputError: The registry is missing, or names another key for this party than its own.
        KeyMaterialError: The identity key cannot be read.
    """
    registry = _registry(settings)
    identity = open_identity(settings.identity, registry, settings.code)
    check_private(settings.home)
    store = private_store(settings.database, settings.home / DATABASE_FILE)
    migrate(store, PACKAGE)
    # It has the key of the rows that are read and written from here on.
    tables = ApprovalRows, NodeRows
    people = People.of(Service.NODE, settings.code, store, settings, clock, withdraw_lost, tables, settings.name)
    keys = settings.home / KEYS_FOLDER
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = ChunkFiles(settings.home / CHUNKS_FOLDER, settings.limits.free_mebibytes * MEBIBYTE)
    files.remove_leftovers(older_than=0)  # no other process writes here
    group = load_group(settings.workers or None)
    party = Party(settings.code, identity, group)
    log = open_log(settings.home, store, party, registry, clock)
    with store.reading("registry.address") as session:
        address = followed(settings.matcher, in_force(session, registry), settings.home)
        templates = templates_in_force(session, registry)
    node = NodeContext(
        settings=settings,
        party=replace(party, log_head=partial(seen_head, log.witness)),
        registry=registry,
        group=group,
        tables=rule_tables(settings.rules),
        indicators=load_indicators(settings.indicators),
        store=store,
        files=files,
        keys=keys,
        peer=Peer(address, CallSigner(identity, settings.code, clock), transport),
        workers=executor_handle_of(settings, PRELOAD),
        people=people,
        rounds=RoundMemories(Parts(store, registry, group, keys, clock, random, party.code)),
        clock=clock,
        random=random,
        log=log,
        high_water=HighWater(keys / high_water.FILE, store, clock, settings.caps.window_days),
        templates=templates,
    )
    safeguards_registry.take_over(node)
    imports.remove_incomplete(node.journal, node.settings.home)
    work.wake_all(store, everything=True)  # what came while it did not run is in no row
    return node


def build(
    settings: NodeSettings, node: NodeContext | None = None, compose: Compose | None = None, address: str = ""
) -> FastAPI:
    """Return the node's application; its drivers run while it serves. Raises as `assemble` does.

    Without `compose`, which puts notifications into words, nobody is told; they name `address`.
    """
    made = node or assemble(settings)
    standing = _standing_queries(made)
    newer_registry = Driver("registry", partial(safeguards_registry.fetch_newer, made), interval=_REGISTRY_SECONDS)
    looks = Driver("looks", partial(show_looks, made), interval=_LOOKS_SECONDS)
    drivers = [RoundsDriver(made).driver(), looks, _retention(made), _housekeeping(made), standing, newer_registry]
    report = _health(made, drivers)
    reading = partial(NodeWaiting, made.journal, settings.deliveries, FaultWatch(report.health, made.clock))
    notifications = Notifications(Service.NODE, made.store, made.clock, settings.notifications, reading)
    wakes = [standing.wake, newer_registry.wake]
    notifier = None
    if settings.notifications is not None and compose is not None:
        notifier = NotificationDriver(notifications, settings.notifications, address, compose)
        # The report names this driver as well: it has the list.
        drivers.append(notifier.driver())
        wakes.append(drivers[-1].wake)
    app = application(
        title="Aquila node",
        version=aquila.__version__,
        routers=[
            rounds.router,
            hits.router,
            queries.router,
            queries.standing_router,
            queries.persons_router,
            api_records.router,
            api_records.subjects_router,
            safeguards.router,
            hits.filters_router,
            notification_routes.router,
            safeguards.registry_router,
            people_routes.router,
            approval_routes.router,
            log_router("/v1/log"),
            safeguards.log_router,
            health_routes.router,
            upkeep_routes.router,
        ],
        body_bytes=settings.limits.body_bytes,
        body_limits={
            **dict.fromkeys(rounds.LISTS, settings.limits.import_bytes),
            **dict.fromkeys(hits.MANY, hits.LARGEST_MANY),
            safeguards.STATEMENTS: safeguards.LARGEST_STATEMENTS,
        },
        health=made.store.check,
        ready=report.check_ready,
        live=report.check_live,
        counts=made.counts,
        lifespan=server.lifespan_of(drivers, made.close),
        door=AccessControl(Service.NODE, OperatorToken.load(settings.home / TOKEN_FILE), made.people),
    )
    app.state.node, app.state.log, app.state.health = made, made.log, report
    app.state.notifications = notifications
    app.state.upkeep = Upkeep(
        BACKED, settings, made.people, channels_of(settings.notifications), notifier, _count_deliveries(made)
    )
    app.state.approvals = node_approvals.approvals_of(made, *wakes)
    return app


def _count_deliveries(node: NodeContext) -> Callable[[], int] | None:
    """Return what counts the delivered list files that wait, or None where no folder is watched."""
    folder = node.settings.deliveries
    return None if folder is None else lambda: count_deliveries(folder, node.clock())[0]


def _health(node: NodeContext, drivers: Sequence[Driver]) -> HealthReport:
    # The matcher may move to an address with another CA while the node runs.
    certificates_with = lru_cache(maxsize=1)(partial(certificates_of, node.settings))
    return HealthReport(
        HealthParts(
            service=Service.NODE,
            name=node.code,
            backend=node.group.name,
            settings=node.settings,
            store=node.store,
            files=node.files,
            workers=node.workers,
            log=node.log,
            clock=node.clock,
            counts=node.counts,
            certificates=lambda: certificates_with(node.peer.settings),
            drivers=drivers,
            read_own=partial(health.read_health, node),
            subjects=health.SUBJECTS,
        )
    )


def _housekeeping(node: NodeContext) -> Driver:
    """Return the driver that ends requests and erases contents whose time is over.

    What persons kept for themselves goes with their accounts.
    """
    approvals, days = node_approvals.approvals_of(node), node.settings.log.retention_days

    def step() -> bool:
        health.store_outages(node)
        return any([expire_requests(approvals, days), forget_views(node.store), forget_choices(node.store)])

    return Driver("people", threaded(step), interval=_HOUSEKEEPING_SECONDS)


def _standing_queries(node: NodeContext) -> Driver:
    """Return the driver that asks standing queries in new rounds."""

    async def step() -> bool:
        asked = await threads.run(Pool.DRIVERS, standing_queries.advance, node)
        if asked:
            node.wake()
        return asked

    return Driver("standing", step, interval=_STANDING_SECONDS)


def _retention(node: NodeContext) -> Driver:
    """Return the driver that erases contents of the log, justifications, and answers whose time is over."""
    retention = Retention(node.log.own, node.settings.log.retention_days)

    def step() -> bool:
        erase_old_answers(node.people)
        forget_answered(node.store, node.clock, node.settings.log.retention_days)
        return any([retention.step(), erase_justifications(node)])

    return Driver("retention", threaded(step), interval=_RETENTION_SECONDS)


def run(
    settings_path: Path, port: int | None = None, front: MiddlewareFactory | None = None, compose: Compose | None = None
) -> None:
    """Serve a node until it is stopped.

    Port 0 takes a free one; `front` makes what stands before the service at the same address: its pages.

    Raises:
        AquilaError: The node cannot start; the message says why.
    """
    share_freed_memory()
    settings = load(settings_path, NodeSettings)
    if port is not None:
        settings = settings.model_copy(update={"listen": settings.listen.model_copy(update={"port": port})})
    configure(settings.log_level)
    endpoint = server.bind(settings)
    made = assemble(settings)
    with contextlib.suppress(ExecutorError):  # a cluster that is away may come; one that cannot be used ends us here
        made.workers.start()
    built = build(settings, made, compose, endpoint.url)
    metrics = None
    if settings.metrics is not None:
        # Without metrics the library for them is not loaded.
        from services.kit.serving.health.metrics import MetricsPort  # noqa: PLC0415 - only here

        metrics = MetricsPort(built, built.state.health)
    app, before_end = server.with_middleware(built, endpoint, front)
    server.serve(app, endpoint, settings.tls, before_end, built.state.health.check_live, metrics)


def _registry(settings: NodeSettings) -> Registry:
    try:
        return read_registry(settings.registry.read_bytes())
    except OSError as error:
        raise InputError(
            "node_registry_unreadable", file=str(settings.registry), registry=settings.registry, fault=error.strerror
        ) from None
