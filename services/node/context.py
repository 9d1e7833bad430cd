"""The parts of a running node, made once and handed to handlers and steps."""

from __future__ import annotations

import contextlib
from asyncio import to_thread
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from aquila.errors import InputError
from aquila.records.rules import BUILT_IN, load_rules
from services.node.round_memory import Parts, RoundMemory, round_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from aquila.crypto.group import Group
    from aquila.errors import AquilaError
    from aquila.protocol.messages import Manifest
    from aquila.protocol.messages.suggestions import SuggestionAnswer
    from aquila.protocol.party import Party
    from aquila.protocol.registry import Registry
    from aquila.protocol.rounds.verified_round import Round
    from aquila.records.rules import RuleTable
    from services.kit.http.peer import Peer
    from services.kit.log_access.use_cases import LogUseCases
    from services.kit.people.context import People
    from services.kit.storage.files import ChunkFiles
    from services.kit.storage.store import Store
    from services.kit.work.executors import ExecutorHandle
    from services.node.settings import NodeSettings
    from services.node.storage.high_water import HighWater


@dataclass(slots=True)
class Contact:
    """Result of the last call to the matcher.

    Attributes:
        reachable: Whether it answered.
        clock_difference: How its clock differs from ours in seconds.
        obstacle: Why the matcher's log could not be found to have only grown; while there is one, nothing is signed or
            sent.
        witnessed: The size of the own log that the matcher has cosigned.
        cosigned: The size of the matcher's log whose cosignature by this node the matcher has from this process.
        news: For rounds in which counterparts withdrew hits or acknowledged: the newest such event.
        answers: What became of this party's suggestions, as it was taken last.
    """

    reachable: bool = False
    clock_difference: int | None = None
    obstacle: AquilaError | None = None
    witnessed: int = 0
    cosigned: int = 0
    news: Mapping[str, int] = field(default_factory=dict)
    answers: tuple[SuggestionAnswer, ...] = ()


@dataclass(slots=True)
class NodeContext:
    """A node: its identity, its store and files, and its connection to the matcher.

    Attributes:
        tables: The match rules that this node can apply, by digest.
        clock: Seconds since 1970.
        random: Gives random bytes.
        log: This node's log, and the node as a witness of the matcher's.
        high_water: How far this node has gone, outside the database.
        books: What is in memory of each round; see `services.node.round_memory`.
        workers: Where the heavy pieces of work are done.
        people: Accounts, sessions and approvals.
        wake: Tells the driver that there is something to do; set when it is made.
        stopping: Tells whether the node is about to end; set with `wake`.
    """

    calls: ClassVar[int] = 4
    """How many uploads or acknowledgements are on their way at the same time."""

    settings: NodeSettings
    party: Party
    registry: Registry
    group: Group
    tables: Mapping[str, RuleTable]
    store: Store
    files: ChunkFiles
    keys: Path
    peer: Peer
    workers: ExecutorHandle
    people: People
    clock: Callable[[], int]
    random: Callable[[int], bytes]
    log: LogUseCases
    high_water: HighWater
    contact: Contact = field(default_factory=Contact)
    books: dict[str, RoundMemory] = field(default_factory=dict)
    wake: Callable[[], None] = lambda: None
    stopping: Callable[[], bool] = lambda: False

    @property
    def code(self) -> str:
        """The party's code."""
        return self.party.code

    async def ahead(self) -> int:
        """Return how many pieces of one kind may be in flight; raises as `ExecutorHandle.start` does."""
        return (await to_thread(self.workers.start)).ahead

    def close(self) -> None:
        """End the workers and close the database's connections."""
        self.workers.close()
        self.store.close()

    def table_named(self, name: str) -> RuleTable:
        """Return a rule table by name.

        Raises:
            InputError: The node has none of this name.
        """
        for table in self.tables.values():
            if table.name == name:
                return table
        known = ", ".join(sorted(table.name for table in self.tables.values()))
        raise InputError("the node has no rule table of this name", hint=f"it has {known}")

    def table_of(self, manifest: Manifest) -> RuleTable:
        """Return the round's rule table; without its rules, and as one that is refused, where the node has not got it.

        A version that came after the round may have other rules. Its words still name the families of stored hits.
        """
        if self.has_rules_of(manifest):
            return self.tables[manifest.rules.digest]
        tables = list(self.tables.values())
        return replace(next((table for table in tables if table.name == manifest.rules.name), tables[0]), rules=())

    def has_rules_of(self, manifest: Manifest) -> bool:
        """Return whether the node has the round's match rules."""
        return manifest.rules.digest in self.tables


def rule_tables(own: Path | None) -> dict[str, RuleTable]:
    """Return the built-in tables and one of the operator's own, by digest.

    Raises:
        InputError: The own table cannot be read.
    """
    names = [*BUILT_IN, *([] if own is None else [str(own)])]
    return {table.digest: table for table in map(load_rules, names)}


def round_memory_of(node: NodeContext, round_id: str) -> RoundMemory:
    """Return the book of a round, the same one each time."""
    parts = Parts(node.store, node.registry, node.group, node.keys, node.clock, node.random)
    return node.books.setdefault(round_id, RoundMemory(parts, round_id))


@contextlib.contextmanager
def reading_round(node: NodeContext, round_id: str) -> Iterator[Round]:
    """Lend a round's record to a handler, before its transaction begins: the driver takes the two in this order too.

    Raises:
        NotFoundError: The node knows no such round.
    """
    with node.store.reading("round.known") as session:
        round_row(session, round_id)
    with round_memory_of(node, round_id).reading() as round_:
        yield round_
