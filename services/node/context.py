"""The parts of a running node, made once; a function is handed those that it needs.

Parts that go together have a name: a `Journal` writes rows and entries, a `Signer` signs statements. The whole context
is for a step or a call that needs most of it, and for nothing below (`tests/contract/test_contexts.py`).
"""

import asyncio
from asyncio import to_thread
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, TypeAlias

from aquila.crypto.group import Group
from aquila.errors import AquilaError, InputError
from aquila.protocol.messages import Manifest
from aquila.protocol.messages.feed import LongPollAnswer
from aquila.protocol.messages.templates import RoundTemplate
from aquila.protocol.party import Party
from aquila.protocol.registry import Registry
from aquila.records.conformance import normalizer_reference
from aquila.records.indicators import IndicatorTable
from aquila.records.rules import BUILT_IN, RuleTable, load_rules
from services.kit.http.peer import Peer
from services.kit.http.signed_calls import Rate, RateLimiter
from services.kit.log.entries import Journal
from services.kit.log_access.use_cases import LogUseCases
from services.kit.logging import Log
from services.kit.people.context import People
from services.kit.storage.files import ChunkFiles
from services.kit.storage.store import Store
from services.kit.work.executors import ExecutorHandle
from services.kit.work.memory import EventCounts, KeptResults, ListsInProgress
from services.node.round_memory import RoundMemories
from services.node.settings import NodeSettings
from services.node.storage.high_water import HighWater
from services.node.storage.imports import FoundDuplicates

_LOG = Log("node.contact")

Clock: TypeAlias = Callable[[], int]
"""Seconds since 1970."""

_SUBJECT_SEARCHES = Rate(per_second=1 / 600, size=20)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs this party's statements, and never two under one number."""

    party: Party
    registry: Registry
    high_water: HighWater
    """How far this node has gone, outside the database."""
    clock: Clock

    @property
    def code(self) -> str:
        return self.party.code


@dataclass(frozen=True, slots=True)
class LongPollResult:
    """The answer of a long poll."""

    news: LongPollAnswer
    """The list of rounds, with what came with it."""
    asked_at: int
    """When the call was made, in seconds since 1970."""
    read: Mapping[str, int]
    """The newest event that had been read of each round."""
    log_size: int
    """The size of the matcher's log that was seen last."""


@dataclass(slots=True)
class Contact:
    """Result of the last call to the matcher."""

    reachable: bool = False
    answered_at: int | None = None
    """When it answered last, in seconds since 1970; None before the first time."""
    lost_at: int | None = None
    """Since when it does not answer; None while it does."""
    failure: AquilaError | None = None
    clock_difference: int | None = None
    """How its clock differs from ours in seconds."""
    obstacle: AquilaError | None = None
    """Why the matcher's log could not be found to have only grown; while there is one, nothing is signed or sent."""
    witnessed: int = 0
    """The size of the own log that the matcher has cosigned."""
    cosigned: int = 0
    """The size of the matcher's log that this process has cosigned last."""
    cosignature: bytes | None = None
    """The own cosignature of the matcher's newest checkpoint, until the matcher has it."""
    cosignature_failed: bool = False
    """Whether sending it failed: nothing more is signed before the matcher has it."""
    held: LongPollResult | None = None
    """The answer of a long poll, until the next step takes it."""
    state: str | None = None
    """The name of the state of the list that was taken last; None where the matcher's version names none."""
    showing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while the own log is shown to the matcher, by the driver of rounds or by that of looks."""
    entries_due: int = 0
    """When the matcher's log is looked through for entries that name this party at the latest."""
    outages: deque[tuple[int, int]] = field(default_factory=deque)
    """Times in which it did not answer, from and until, that are not stored yet."""
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while the matcher's log is looked at: rounds at work at the same time do it one after another."""

    def answered(self, now: int) -> None:
        if self.lost_at is not None:
            _LOG.info("matcher_back", seconds=now - self.lost_at)
            self.outages.append((self.lost_at, now))
        self.reachable, self.answered_at, self.lost_at, self.failure = True, now, None, None

    def lost(self, now: int, error: AquilaError) -> None:
        self.reachable, self.failure = False, error
        if self.lost_at is None:
            self.lost_at = now
            _LOG.warning("matcher_lost", error=error)


@dataclass(slots=True)
class NodeContext:
    """A node: its identity, its store and files, and its connection to the matcher."""

    calls: ClassVar[int] = 4
    """How many uploads or acknowledgements are on their way at the same time."""

    settings: NodeSettings
    party: Party
    registry: Registry
    group: Group
    tables: Mapping[str, RuleTable]
    """The match rules that this node can apply, by digest."""
    indicators: IndicatorTable
    """The table of the indicators that records can have."""
    store: Store
    files: ChunkFiles
    keys: Path
    peer: Peer
    workers: ExecutorHandle
    """Where the heavy pieces of work are done."""
    people: People
    rounds: RoundMemories
    clock: Clock
    random: Callable[[int], bytes]
    log: LogUseCases
    """This node's log, and the node as a witness of the matcher's."""
    high_water: HighWater
    """How far this node has gone, outside the database."""
    templates: tuple[RoundTemplate, ...] = ()
    """The templates of rounds in the registry in force."""
    contact: Contact = field(default_factory=Contact)
    lists: ListsInProgress = field(default_factory=ListsInProgress)
    """The lists of persons that are read now."""
    duplicates: KeptResults[FoundDuplicates] = field(default_factory=KeptResults)
    """Results of searches for duplicates in stored lists."""
    counts: EventCounts = field(default_factory=EventCounts)
    subject_searches: RateLimiter = field(
        default_factory=lambda: RateLimiter(_SUBJECT_SEARCHES, refusal="subject_searched_too_often")
    )
    """How often each account may search for a person who asks: nobody is to try dates or numbers one by one."""
    wake: Callable[[], None] = lambda: None
    """Lets the driver see at once that a round was woken (`services.node.rounds.work`); set when it is made."""
    stopping: Callable[[], bool] = lambda: False
    """Tells whether the node is about to end; set with `wake`."""

    @property
    def code(self) -> str:
        return self.party.code

    @property
    def journal(self) -> Journal:
        return Journal(self.store, self.clock, self.code)

    @property
    def signer(self) -> Signer:
        return Signer(self.party, self.registry, self.high_water, self.clock)

    async def ahead(self) -> int:
        """Return how many pieces of one kind may be in flight; raises as `ExecutorHandle.start` does."""
        return (await to_thread(self.workers.start)).ahead

    def close(self) -> None:
        self.workers.close()
        self.store.close()

    def table_named(self, name: str) -> RuleTable:
        """Return a rule table by name; raises InputError if the node has none of this name."""
        for table in self.tables.values():
            if table.name == name:
                return table
        known = ", ".join(sorted(table.name for table in self.tables.values()))
        raise InputError("node_rule_table_unknown", known=known)

    def table_of(self, manifest: Manifest) -> RuleTable:
        """Return the round's rule table; without rules, and as one that is refused, where the node matches otherwise.

        A release that came after the round may have other rules, or another normalizer. The words of its table still
        name the families of stored hits.
        """
        if self.has_rules_of(manifest):
            return self.tables[manifest.rules.digest]
        tables = list(self.tables.values())
        return replace(next((table for table in tables if table.name == manifest.rules.name), tables[0]), rules=())

    def has_rules_of(self, manifest: Manifest) -> bool:
        """Return whether the node has the round's match rules, and normalizes as they need."""
        normalizer = (manifest.normalizer.name, manifest.normalizer.digest)
        return manifest.rules.digest in self.tables and normalizer == normalizer_reference()

    def has_indicators_of(self, manifest: Manifest) -> bool:
        """Return whether the round names the table of indicators that the node has."""
        return manifest.indicators is not None and manifest.indicators.digest == self.indicators.digest


def rule_tables(own: Path | None) -> dict[str, RuleTable]:
    """Return the built-in tables, and one of the operator's own, by digest.

    Raises:
        InputError: The own table cannot be read.
    """
    names = [*BUILT_IN, *([] if own is None else [str(own)])]
    return {table.digest: table for table in map(load_rules, names)}
