"""Context of the matcher's use cases and steps, made once from the settings."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aquila.audit.roles import Service
from aquila.crypto.backend import load_group
from aquila.errors import InputError, KeyMaterialError, PolicyError
from aquila.interface.rounds import RoundOverview
from aquila.protocol.matcher import Matcher
from aquila.protocol.registry import MATCHER, Registry, read_registry
from aquila.records.rules import BUILT_IN, RuleTable, load_rules
from services.kit.approvals.decisions import withdraw_lost
from services.kit.approvals.tables import ApprovalRows
from services.kit.home_folder import CHUNKS_FOLDER
from services.kit.http.signatures import now
from services.kit.log.entries import Journal, log_replaced
from services.kit.log_access.use_cases import LogUseCases
from services.kit.people.context import People
from services.kit.settings import MEBIBYTE
from services.kit.storage.files import ChunkFiles, check_private
from services.kit.storage.own_identity import open_identity
from services.kit.storage.store import Store, private_store
from services.kit.work.executors import ExecutorHandle, executor_handle_of
from services.kit.work.memory import EventCounts, KeptColumns
from services.matcher.log import open_log
from services.matcher.round_memory import RoundCache
from services.matcher.settings import MatcherSettings
from services.matcher.storage.home import DATABASE_FILE, SCRATCH_FOLDER
from services.matcher.storage.round_marks import KnownTerms, RoundFacts
from services.matcher.storage.tables import MatcherRows
from services.matcher.wakeup import LongPolls, Wakeup


@dataclass(frozen=True, slots=True)
class MatcherContext:
    """The matcher's parts."""

    settings: MatcherSettings
    store: Store
    files: ChunkFiles
    """The chunks, by `round/submission/...`."""
    registry: Registry
    matcher: Matcher
    rules: Mapping[str, RuleTable]
    """The match rules that rounds may use, by name."""
    round_cache: RoundCache
    workers: ExecutorHandle
    people: People
    wakeup: Wakeup
    held: LongPolls
    """The calls that parties hold open in this process."""
    log: LogUseCases
    clock: Callable[[], int]
    random: Callable[[int], bytes]
    counts: EventCounts = field(default_factory=EventCounts)
    terms: KnownTerms = field(default_factory=KnownTerms)
    """Terms of the rounds' manifests."""
    rows: KeptColumns = field(default_factory=KeptColumns)
    """Token rows of rounds that go on, for queries."""
    overviews: RoundFacts[RoundOverview] = field(default_factory=RoundFacts)
    """The lines of the secretariat's table."""

    @property
    def scratch(self) -> Path:
        """The folder of joins, which is empty between them."""
        return self.settings.home / SCRATCH_FOLDER

    def table_of(self, digest: str) -> RuleTable:
        """Return the match rules of a digest; raises PolicyError if the matcher has none of that digest."""
        for table in self.rules.values():
            if table.digest == digest:
                return table
        raise PolicyError("match_rules_of_round_missing", expected=digest)

    @property
    def journal(self) -> Journal:
        return Journal(self.store, self.clock, MATCHER)

    def close(self) -> None:
        self.workers.close()
        self.store.close()


def open_store(settings: MatcherSettings) -> Store:
    """Return the store of the settings, by default `matcher.db` in home.

    Raises:
        KeyMaterialError: The home, the database or the file with its password is open to others.
    """
    check_private(settings.home)
    return private_store(settings.database, settings.home / DATABASE_FILE)


def open_context(settings: MatcherSettings, clock: Callable[[], int] | None = None) -> MatcherContext:
    """Read keys, registry and rules, and put the parts together. Nothing runs yet.

    Raises:
        InputError: Registry or rules cannot be read.
    """
    registry = _registry(settings)
    tables = list(map(load_rules, [*BUILT_IN, *([] if settings.rules is None else [str(settings.rules)])]))
    try:
        identity = open_identity(settings.identity, registry, MATCHER)
    except InputError:
        raise KeyMaterialError("registry_matcher_key_differs") from None
    if identity.public != registry.matcher:  # a matcher does not begin with a key that nobody has accepted
        raise KeyMaterialError("registry_matcher_key_differs")
    store = open_store(settings)
    clock = clock or now
    # First of all: it has the key of the rows that are read and written from here on.
    people = People.of(Service.MATCHER, MATCHER, store, settings, clock, withdraw_lost, (ApprovalRows, MatcherRows))
    if registry.former.get(MATCHER):
        # Before anything is signed with the new key.
        with store.transaction("key.take_over") as session:
            log_replaced(session, registry, MATCHER, MATCHER, clock())
    return MatcherContext(
        settings=settings,
        store=store,
        files=ChunkFiles(settings.home / CHUNKS_FOLDER, settings.limits.free_mebibytes * MEBIBYTE),
        registry=registry,
        matcher=Matcher(identity),
        rules={table.name: table for table in tables},
        round_cache=RoundCache(store, registry, load_group(settings.workers or None), clock),
        workers=executor_handle_of(settings, ["aquila.matching.join_tasks"]),
        people=people,
        wakeup=Wakeup(),
        held=LongPolls(),
        log=open_log(settings.home, store, identity, registry, clock),
        clock=clock,
        random=secrets.token_bytes,
    )


def _registry(settings: MatcherSettings) -> Registry:
    try:
        return read_registry(settings.registry.read_bytes())
    except OSError as error:
        raise InputError(
            "matcher_registry_unreadable", file=str(settings.registry), registry=settings.registry, fault=error.strerror
        ) from None
