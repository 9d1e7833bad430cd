"""The log in a service's database: in the transaction of what it records, in order, with proofs."""

import contextlib
import threading

import pytest
from sqlalchemy import select, update

from aquila.audit.entries import Entry, EntryKind
from aquila.audit.merkle import (
    EMPTY_ROOT,
    prove_consistency,
    prove_inclusion,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from aquila.audit.roles import Action, Role
from aquila.errors import AuditError
from services.kit.actor import Actor
from services.kit.log.entries import (
    EDGE,
    ENTRIES,
    TABLES,
    TileReader,
    actor_fields,
    append,
    entries_of_round,
    frontier,
    leaves,
    size,
)
from services.kit.storage.store import Store, declare, new_metadata
from tests.support.stored_log import entries


@pytest.fixture
def log(store: Store) -> Store:
    metadata = new_metadata()
    declare(metadata, TABLES)
    metadata.create_all(store.engine)
    return store


def entry(number: int) -> Entry:
    return Entry.of(EntryKind.IMPORT, number, "SI", counts={"records": number}, round=None if number % 3 else "0" * 32)


def fill(log: Store, count: int) -> None:
    with log.transaction("test.fill") as session:
        for number in range(count):
            assert append(session, entry(number)) == number


def test_it_begins_empty(log: Store) -> None:
    with log.reading("test.read") as session:
        assert size(session) == 0
        assert frontier(session).root == EMPTY_ROOT
        assert list(entries(session)) == []


def test_entries_come_back_in_order(log: Store) -> None:
    fill(log, 7)
    with log.reading("test.read") as session:
        found = [(index, one.salted(None)) for index, one in entries(session, 2, 5)]
        assert found == [(n, entry(n)) for n in (2, 3, 4)]
        assert [row.index for row in entries_of_round(session, "0" * 32)] == [0, 3, 6]
        assert size(session) == 7


def test_nobody_can_guess_an_entry_from_its_hash(log: Store) -> None:
    with log.transaction("test.twice") as session:
        append(session, entry(0))
        append(session, entry(0))
        assert len({*leaves(session, 0, 2), entry(0).leaf()}) == 3


def test_a_failed_action_leaves_no_entry(log: Store) -> None:
    """What is rolled back takes its entry with it, and the next one has its number."""
    with contextlib.suppress(RuntimeError), log.transaction("test.fail") as session:
        append(session, entry(0))
        raise RuntimeError
    fill(log, 1)
    with log.reading("test.read") as session:
        assert size(session) == 1


def test_proofs_hold_over_many_entries(log: Store) -> None:
    """Inclusion and consistency are proved from the rows, across the edges of tiles."""
    fill(log, 600)
    with log.reading("test.read") as session:
        read, root, all_leaves = TileReader(session), frontier(session).root, leaves(session, 0, 600)
        assert root == tree_root(all_leaves)
        for index in (0, 255, 256, 599):
            verify_inclusion(all_leaves[index], index, 600, root, prove_inclusion(index, 600, read))
        for earlier in (1, 255, 256, 257, 512, 600):
            verify_consistency(
                earlier, 600, tree_root(all_leaves[:earlier]), root, prove_consistency(earlier, 600, read)
            )
        with pytest.raises(AuditError, match="no such node"):
            read(0, 600)


def test_writers_take_turns(log: Store) -> None:
    threads = [threading.Thread(target=_append_some, args=(log,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with log.reading("test.read") as session:
        assert [index for index, _ in entries(session)] == list(range(15))
        assert frontier(session).root == tree_root(leaves(session, 0, 15))


def _append_some(log: Store) -> None:
    for number in range(5):
        with log.transaction("test.append") as session:
            append(session, entry(number))


def test_an_erased_content_leaves_its_leaf(log: Store) -> None:
    """Where retention emptied a row, the entry is gone and the head stays."""
    fill(log, 3)
    with log.transaction("test.erase") as session:
        before = frontier(session).root
        session.execute(update(ENTRIES).where(ENTRIES.c.index == 1).values(content=None))
    with log.reading("test.read") as session:
        assert [found is None for _, found in entries(session)] == [False, True, False]
        assert tree_root(session.scalars(select(ENTRIES.c.leaf_hash).order_by(ENTRIES.c.index))) == before


def test_a_damaged_edge_is_noticed(log: Store) -> None:
    fill(log, 3)
    with log.transaction("test.damage") as session:
        session.execute(update(EDGE).values(size=4))
    with pytest.raises(AuditError, match="edge"), log.transaction("test.append") as session:
        append(session, entry(4))


def test_who_acted_in_which_role() -> None:
    actor = Actor("p-0123456789ab", frozenset({Role.OFFICER, Role.ANALYST}))
    assert actor_fields(actor, Action.SEE_HITS) == {"person": "p-0123456789ab", "role": "analyst"}
