"""What a node does next stands in rows: it is killed at every commit in turn, and no round stays asleep."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from aquila.errors import OrderError
from aquila.followup.lifecycle import Ground
from aquila.protocol.messages import StatementKind
from aquila.sentences import quoted
from services.node.context import NodeContext
from services.node.hits import lifecycle
from services.node.rounds import statements, work
from services.node.rounds.due_steps import due_in
from services.node.steps import driver, exchange_notes, outbox
from services.node.steps.driver import Listener
from services.node.storage.states import Step
from services.node.storage.tables import (
    ChunkRow,
    EvaluationRow,
    HitRow,
    NoteBatchRow,
    RoundRow,
    StatementRow,
    TokenPartRow,
    WorkRow,
)
from tests.services.node.test_whole_round import pairs
from tests.support.node_world import HEADER, PartyNode, World
from tests.support.sentence_texts import texts

pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.more_rounds, pytest.mark.postgresql_soak]


class KilledError(Exception):
    """The process is gone: nothing that comes after is committed."""


def kill_at(party_node: PartyNode, number: int) -> None:
    """Let a node's commits fail from this one on; every other time it is itself committed, and those behind it fail."""
    transaction, done = party_node.node.store.transaction, count(1)

    @contextmanager
    def ends(name: str) -> Iterator[Session]:
        at = next(done)
        if at > number:
            raise KilledError
        with transaction(name) as session:
            yield session
            if at == number and number % 2:
                raise KilledError
        if at == number:
            raise KilledError

    party_node.node.store.transaction = ends  # type: ignore[method-assign]  # until it starts again


async def hear(party_node: PartyNode) -> bool:
    """Take the news that the matcher has for a node now, and return whether there were any."""
    node = party_node.node
    if node.contact.state is None:
        return True
    node.contact.held = await Listener(node)._hold(work.open_rounds(node.store, without_failing=True))
    news = node.contact.held.news
    return bool(news.rounds) or any(page.events for page in (news.feeds or {}).values())


async def run(party_node: PartyNode) -> None:
    """Take what the rows of a node say and what it hears, until nothing is due and there are no news."""
    for _ in range(100):
        heard = await hear(party_node)
        while await party_node.rounds._turn():
            heard = True
        if not heard:
            return
    raise AssertionError("it does not come to rest")


def made(party_node: PartyNode) -> list[int]:
    """Return how much a node has signed, sent and made."""
    counted = (
        (StatementRow, StatementRow.own),
        (StatementRow, StatementRow.own & StatementRow.sent),
        (ChunkRow, ChunkRow.sent),
        (TokenPartRow, TokenPartRow.is_rows),
        (TokenPartRow, TokenPartRow.sent),
        (EvaluationRow, EvaluationRow.sent),
        (NoteBatchRow, NoteBatchRow.done),
    )
    with party_node.node.store.reading("test.made") as session:
        return [session.scalar(select(func.count()).select_from(table).where(of)) or 0 for table, of in counted]


async def check_awake(party_node: PartyNode) -> None:
    """A node at rest has a row for each round that goes on, and a look at everything makes nothing more."""
    node = party_node.node
    with node.store.reading("test.rounds") as session:
        rounds = session.scalars(select(RoundRow.round_id)).all()
    going = {round_id for round_id in rounds if not due_in(node.store, round_id).is_over}
    assert going <= set(work.open_rounds(node.store))
    assert work.due(node.store, node.clock) == {}
    before = made(party_node)
    work.wake_all(node.store, everything=True)
    await run(party_node)
    assert made(party_node) == before


async def play(world: World, round_id: str, commits: Iterator[int] | None) -> None:
    """Play a round of lists, a query and its close, by rows and news alone; `commits` says after how many AL dies."""
    al, rs = world.nodes["AL"], world.nodes["RS"]

    async def until(phase: str, hits: int) -> None:
        for turn in range(100):
            if commits is not None:
                kill_at(al, next(commits))
                with suppress(KilledError):
                    await run(al)
                al.restart()
            else:
                await run(al)
                await check_awake(al)
            await run(rs)
            world.matcher_step()
            view = await al.round(round_id)
            if turn and (view["entry"]["phase"], view["hits"]) == (phase, hits) and await is_quiet():
                return
        raise AssertionError(f"the round never came to {phase}")

    async def is_quiet() -> bool:
        before = made(al), made(rs)
        for _ in range(3):
            for party_node in (al, rs):
                await run(party_node)
            world.matcher_step()
        return (made(al), made(rs)) == before

    await until("reporting", 1)
    query = await al.load(HEADER + "q-1,Dragan,Petrović,1971-05-06,\n")
    assert (await al.submit(round_id, query, "query")).status_code == 202
    await until("reporting", 2)
    assert (await world.operator.post(f"/v1/operator/rounds/{round_id}/close")).status_code == 202
    await until("closed", 2)
    world.clock.time += 301  # by when counterparts are told of the hits
    await until("closed", 2)
    await check_awake(al)
    assert work.open_rounds(al.node.store) == []
    view = await al.round(round_id)
    assert texts(view["problems"]) == []
    found = pairs(await al.get(f"/rounds/{round_id}/hits"))
    assert found == {("al-list-1", "RS"), ("q-1", "RS")}


@pytest.fixture(autouse=True)
def short_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The matcher answers a long poll at once, with or without news."""
    monkeypatch.setattr(driver, "_LONGEST_HOLD", 0)


async def test_rows_and_news_play_a_round(world: World) -> None:
    """From the consent to the close a node takes what its rows say; at each rest a look at everything finds nothing."""
    await play(world, await world.begin(mode="lists_and_queries"), None)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a killed node closes no connection
async def test_a_node_killed_at_every_commit(world: World) -> None:
    """Within its first commit, after its second, within its third and so on, again and again: it ends with the same."""
    round_id = await world.begin(mode="lists_and_queries")
    await play(world, round_id, iter(number % 23 + 1 for number in count()))
    gc.collect()


async def test_rounds_without_rows_are_opened(world: World) -> None:
    """A start brings back rows that are gone: of a round at work, and of one that is over but has a hit to withdraw."""
    round_id = await world.begin(mode="lists_and_queries")
    al = world.nodes["AL"]
    await lose_rows(al)
    await play(world, round_id, None)
    await lose_rows(al)
    assert work.open_rounds(al.node.store) == []
    with al.node.store.transaction("test.withdraw") as session:
        hit = session.scalars(select(HitRow).where(HitRow.round_id == round_id)).first()
        assert hit is not None
        lifecycle.add_withdrawal(session, round_id, hit.hit_id, hit.counterpart, Ground.INCORRECT, 1, late=False)
    before = made(al)[1]
    await lose_rows(al)
    assert made(al)[1] == before + 1


async def lose_rows(party_node: PartyNode) -> None:
    """Delete all rows of work, start again, and take what is due then."""
    with party_node.node.store.transaction("test.lose") as session:
        session.execute(delete(WorkRow))
    party_node.restart()
    await run(party_node)


async def test_a_statement_wakes_its_round(world: World) -> None:
    """Whoever signs something, or refuses a round, wakes it by that: also one that is at rest."""
    round_id = await world.begin()
    node = world.nodes["AL"].node
    for step, wakes in (
        (Step.WORK, lambda session, round_: statements.sign_refusal(session, node.signer, round_, "test")),
        (Step.LOOK, lambda session, _: statements.refuse(session, node.clock, round_id, "test", quoted("test"))),
    ):
        with node.store.transaction("test.rest") as session:
            session.execute(delete(WorkRow))
        with node.rounds.reading(round_id) as round_, node.store.transaction("test.says") as session:
            wakes(session, round_)
        assert work.due(node.store, node.clock) == {round_id: {step}}


async def test_own_tokens_are_looked_for(world: World) -> None:
    """A query's bytes wait for their statement in the feed, and no news tells that it is there."""
    round_id = await world.begin()
    node = world.nodes["AL"].node
    tokens = select(StatementRow).where(StatementRow.own, StatementRow.kind == StatementKind.TOKENS.value)

    def signed() -> list[StatementRow]:
        with node.store.reading("test.tokens") as session:
            return list(session.scalars(tokens))

    await world.until(signed)
    with node.store.transaction("test.rest") as session:
        session.execute(delete(WorkRow))
    outbox._mark_sent(node.store, signed())
    assert work.due(node.store, node.clock) == {round_id: {Step.LOOK}}


async def test_a_step_that_is_woken_while_it_is_taken_stays_due(world: World) -> None:
    """What a person asks for while a look goes on is seen by the next look."""
    round_id = await world.propose()
    await world.settle()
    node = world.nodes["AL"].node
    assert work.due(node.store, node.clock) == {}
    for is_woken in (False, True):
        work.wake_all(node.store)
        taken = work.due_step(node.store, node.clock, round_id, Step.LOOK)
        assert taken is not None
        with node.store.transaction("test.settle") as session:
            if is_woken:
                work.wake(session, round_id)
            work.put_off(session, taken, None)
        assert bool(work.due(node.store, node.clock)) is is_woken
        with node.store.transaction("test.rest") as session:
            work.rest(session, round_id)
        assert bool(work.open_rounds(node.store)) is is_woken
        with node.store.transaction("test.open") as session:
            work.put(session, round_id, Step.LOOK)


async def test_a_follow_up_that_fails_holds_up_no_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that cannot exchange notes evaluates a query; its waits outlive a restart, and end when it can."""
    exchange = exchange_notes.exchange_notes
    al, rs = world.nodes["AL"], world.nodes["RS"]

    def fails(node: NodeContext, round_id: str) -> bool:
        if node.code == "AL":
            raise OrderError(quoted("no notes now"))
        return exchange(node, round_id)

    with monkeypatch.context() as patch:
        patch.setattr(exchange_notes, "exchange_notes", fails)
        round_id = await world.begin(mode="lists_and_queries")
        await world.settle()
        before = made(al)[5]
        query = await rs.load(HEADER + "q-1,Ilir,Kola,1975-01-02,\n")
        assert (await rs.submit(round_id, query, "query")).status_code == 202
        await world.settle()
        assert made(al)[5] > before
        assert texts((await al.round(round_id))["problems"]) == ["no notes now"]
        al.restart()
        with al.node.store.reading("test.failing") as session:
            assert work.failing(session) == {round_id}
    await world.settle()
    assert (await al.round(round_id))["problems"] == []
