"""No action without its entry, no entry without its action: rows and entries of a round, also when commits fail."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Connection, event, func, select
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind
from aquila.protocol.log_entries import REFUSED
from services.kit.storage.store import Store
from services.matcher.storage.tables import EventRow, EvidenceRow, HitCountRow, RefusedStatementRow
from services.matcher.storage.tables import RoundRow as MatcherRound
from services.node.storage.tables import ImportRow, RoundRow, StatementRow
from tests.support.clock import Clock
from tests.support.node_world import World, make_world
from tests.support.stored_log import entries

pytestmark = pytest.mark.rounds


class FailedCommitError(Exception):
    """The power went, at the moment of a commit."""


class FailingCommits:
    """Lets some commits of a store fail, by the dice; whatever they would have stored is rolled back."""

    def __init__(self, store: Store, seed: int) -> None:
        self.random, self.on, self.failed = Random(seed), False, 0
        event.listen(store.engine, "commit", self)

    def __call__(self, _connection: Connection) -> None:
        if self.on and self.random.random() < 0.15:
            self.failed += 1
            raise FailedCommitError


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make_world(tmp_path, Clock(), ("AL", "RS"))
    yield made
    await made.close()


def test_the_forms_match_what_is_there(world: World) -> None:
    check(world)


async def test_rows_and_entries_are_one(world: World) -> None:
    stores = [world.app.state.context.store, *(party_node.node.store for party_node in world.nodes.values())]
    failing = [FailingCommits(store, number) for number, store in enumerate(stores)]
    round_id = await world.begin()
    for one in failing:
        one.on = True
    for number in range(60):
        await _step(world)
        if number % 10 == 0:
            check(world)
    for one in failing:
        one.on = False
    assert sum(one.failed for one in failing) > 5
    await world.settle()
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    assert await world.phase(round_id) == "closed"
    check(world)


async def test_a_round_is_told_in_the_order_of_what_was_done(world: World) -> None:
    round_id = await world.begin()
    await world.settle()
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    party_node = world.nodes["AL"]
    assert list(kinds(party_node.node.store)) == [
        EntryKind.DISCOVERY,
        EntryKind.APPROVAL_REQUESTED,
        EntryKind.APPROVED,
        EntryKind.IMPORT,
        EntryKind.CONSENT,
        EntryKind.LOCKS,
        EntryKind.SUBMISSION,
        EntryKind.EVALUATION,
        EntryKind.TOKENS,
        EntryKind.REPORT,
        EntryKind.CHECKED,
        EntryKind.RECEIPT,
        EntryKind.DISCLOSURE,
        EntryKind.HIT_CONFIRMED,
        EntryKind.NOTE_RECEIVED,
        EntryKind.KEY_DESTRUCTION,
        EntryKind.CLOSING,
    ]
    assert list(kinds(world.app.state.context.store)) == [
        EntryKind.APPROVAL_REQUESTED,
        EntryKind.APPROVED,
        EntryKind.PROPOSAL,
        EntryKind.CONSENT,
        EntryKind.OPENING,
        EntryKind.LOCKS,
        EntryKind.SUBMISSION,
        EntryKind.EVALUATION,
        EntryKind.TOKENS,
        EntryKind.REPORT,
        EntryKind.MATCH,
        EntryKind.CHECKED,
        EntryKind.RECEIPT,
        EntryKind.DISCLOSURE,
        EntryKind.NOTE_RECEIVED,
        EntryKind.END_ASKED,
        EntryKind.ENDING,
        EntryKind.ERASURE,
        EntryKind.CLOSING,
    ]


async def test_reading_the_log_is_an_entry(world: World) -> None:
    """Its entries, or those of a round, with who read them; how large it is and whether it holds is no reading."""
    party_node = world.nodes["AL"]
    round_id = await world.begin()
    await party_node.get("/log")
    assert EntryKind.LOG_CONSULTED not in kinds(party_node.node.store)
    await party_node.post("/log/entries", json={})
    await party_node.get(f"/log/rounds/{round_id}")
    found = [entry for entry in all_entries(party_node.node.store) if entry.kind is EntryKind.LOG_CONSULTED]
    assert [entry.round for entry in found] == [None, round_id]
    assert all(entry.person and entry.role for entry in found)


async def test_looking_is_an_entry_or_no_look(world: World) -> None:
    round_id = await world.begin()
    await world.settle()
    party_node = world.nodes["AL"]
    failing = FailingCommits(party_node.node.store, 1)
    failing.on, failing.random = True, Random(0)
    failing.random.random = lambda: 0.0  # type: ignore[method-assign]  # every commit fails from here on
    answer = await party_node.operator.get(f"/v1/rounds/{round_id}/hits")
    assert answer.status_code == 500
    assert "Hoxha" not in answer.text
    answer = await party_node.post("/records/search", json={"text": "al-list-1"})
    assert answer.status_code == 500
    assert "Hoxha" not in answer.text
    failing.on = False
    assert EntryKind.CONSULTATION not in kinds(party_node.node.store)
    await party_node.get(f"/rounds/{round_id}/hits")
    assert kinds(party_node.node.store)[EntryKind.CONSULTATION] == 1


async def test_who_asked_for_an_end_is_an_entry(world: World) -> None:
    """A person closes a round at the matcher or a node, or leaves it; asked again at a node, nothing new was done."""
    round_id = await world.begin()
    await world.settle()
    party_node = world.nodes["AL"]
    for _ in range(2):
        assert (await party_node.post(f"/rounds/{round_id}/close")).status_code == 202
    left = await world.propose()
    assert (await party_node.post(f"/rounds/{left}/abort", json={"reason": "not ours"})).status_code == 202
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    asked = [entry for entry in all_entries(party_node.node.store) if entry.kind is EntryKind.END_ASKED]
    assert [(entry.round, entry.ids["what"]) for entry in asked] == [(round_id, "close"), (left, "abort")]
    assert all(entry.person and entry.role for entry in asked)
    assert kinds(world.app.state.context.store)[EntryKind.END_ASKED] == 1


async def _step(world: World) -> None:
    """Take a step everywhere, whatever becomes of it; what is in memory is read anew, as after a kill."""
    context = world.app.state.context
    try:
        world.matcher_step()
    except FailedCommitError:
        for row in list(context.round_cache._known):
            context.round_cache.forget(row)
    for party_node in world.nodes.values():
        try:
            await party_node.look()
        except Exception:
            party_node.node.rounds.clear()
            for row in list(context.round_cache._known):
                context.round_cache.forget(row)


def kinds(store: Store) -> Counter[EntryKind]:
    return Counter(entry.kind for entry in all_entries(store))


def all_entries(store: Store) -> list[Entry]:
    with store.reading("test.entries") as session:
        return [entry for _, entry in entries(session) if entry is not None]


def check(world: World) -> None:
    _check_matcher(world.app.state.context.store)
    for party_node in world.nodes.values():
        _check_node(party_node.node.store)


def _check_matcher(store: Store) -> None:
    found, counted = all_entries(store), kinds(store)
    with store.reading("test.rows") as session:
        said = Counter(session.scalars(select(EventRow.digest).where(EventRow.statement.is_not(None))))
        proposed = set(session.scalars(select(MatcherRound.round_id)))
        assert counted[EntryKind.EVIDENCE] == _count(session, EvidenceRow)
        assert counted[EntryKind.STATEMENT_REFUSED] == _count(session, RefusedStatementRow)
        finished = session.scalar(select(func.count()).where(MatcherRound.finished_at.is_not(None)))
        hits = session.scalar(select(func.sum(HitCountRow.hits))) or 0
    statements = [entry for entry in found if "statement" in entry.digests and entry.kind not in REFUSED]
    logged = Counter(entry.digests["statement"] for entry in statements if entry.kind is not EntryKind.PROPOSAL)
    assert logged == said
    assert {entry.round for entry in found if entry.kind is EntryKind.PROPOSAL} == proposed
    assert counted[EntryKind.ERASURE] == finished
    assert sum(sum(entry.counts.values()) for entry in found if entry.kind is EntryKind.MATCH) == hits


def _check_node(store: Store) -> None:
    found, counted = all_entries(store), kinds(store)
    with store.reading("test.rows") as session:
        said = set(session.scalars(select(StatementRow.digest).where(StatementRow.own)))
        imports = set(session.scalars(select(ImportRow.import_id).where(ImportRow.complete)))
        known = set(session.scalars(select(RoundRow.round_id)))
        destroyed = session.scalar(select(func.count()).where(RoundRow.state == "destroyed"))
    own = [e for e in found if "statement" in e.digests and e.kind not in REFUSED | {EntryKind.REPORT}]
    assert {entry.digests["statement"] for entry in own} == said
    assert len(own) == len(said)
    assert {entry.ids["import"] for entry in found if entry.kind is EntryKind.IMPORT} == imports
    assert {entry.round for entry in found if entry.kind is EntryKind.DISCOVERY} == known
    assert counted[EntryKind.KEY_DESTRUCTION] == destroyed


def _count(session: Session, table: type[EvidenceRow | RefusedStatementRow]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0
