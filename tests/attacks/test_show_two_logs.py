"""A matcher that keeps two logs, or shows a party one that lags behind, is found out by what parties sign anyway."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aquila.audit.checkpoint import Update, log_name, open_checkpoint
from aquila.audit.entries import Entry, EntryKind
from aquila.errors import LogRewrittenError
from aquila.protocol.messages import Statement
from aquila.protocol.messages.feed import ProofRequest, Proofs
from services.kit.log.entries import TABLES, append
from services.kit.log.publication import OwnLog
from services.kit.settings import DatabaseSettings
from services.kit.storage.files import ChunkFiles
from services.kit.storage.store import Store, database_url, declare, new_metadata
from services.node.rounds import statements
from tests.support.clock import Clock
from tests.support.node_world import PartyNode, World, make_world


class SecondLog(httpx.AsyncBaseTransport):
    """What lies between one party and the matcher's log: it shows that party a log of its own."""

    def __init__(self, world: World, folder: Path) -> None:
        self.honest = httpx.ASGITransport(app=world.app)
        self.frozen: Update | None = None
        real = world.app.state.context.log.own
        store = Store(database_url(DatabaseSettings(), folder / "second.db"))
        metadata = new_metadata()
        declare(metadata, TABLES)
        metadata.create_all(store.engine)
        self.own = OwnLog(
            store,
            ChunkFiles(folder / "second"),
            real.holder,
            real.key,
            real.registry,
            real.clock,
            lambda _session, found: [None] * len(found),
            lambda *_: None,
        )

    def fill(self, count: int) -> None:
        """Append entries and sign them."""
        with self.own.store.transaction("test.second") as session:
            for _ in range(count):
                append(session, Entry.of(EntryKind.LOG_EXPORTED, self.own.clock(), "matcher"))
        self.own.publish()

    def update(self, old: int) -> bytes:
        """Return what the party is shown."""
        found = self.frozen or self.own.update(old)
        assert found is not None
        return found.to_bytes()

    def proofs(self, asked: bytes) -> bytes:
        """Return what is proved to the party: nothing, where the log stands still."""
        if self.frozen is not None:
            return Proofs(
                update=self.frozen.to_bytes().decode(), heads=(), statements=(), entries=(), entries_to=None
            ).payload()
        found = self.own.prove(ProofRequest.from_payload(asked), "RS")
        assert found is not None
        return found.payload()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer looks at the log with the second one, and pass on everything else."""
        path = request.url.path
        if path == "/v1/log/checkpoint":
            return _answer(self.update(int(request.url.params["old"])))
        if path == "/v1/log/proofs":
            return _answer(self.proofs(await request.aread()))
        if path == "/v1/log/cosignatures":
            return _answer(b"")
        return await self.honest.handle_async_request(request)


class Twin(SecondLog):
    """A second log that always has as many entries as another party saw of the first one."""

    def __init__(self, world: World, folder: Path, model: PartyNode) -> None:
        super().__init__(world, folder)
        self.model = model
        self.filled = 0

    def update(self, old: int) -> bytes:
        """Return what the party is shown, after it was made as large."""
        self.grow()
        return super().update(old)

    def proofs(self, asked: bytes) -> bytes:
        """Return what is proved to the party, as `update`."""
        self.grow()
        return super().proofs(asked)

    def grow(self) -> None:
        """Append as many entries as are missing."""
        try:
            size = max(1, self.model.node.log.witness.seen_size("matcher"))
        except LogRewrittenError:  # the other party has found out, and looks no more
            return
        self.fill(size - self.filled)
        self.filled = size


def _answer(content: bytes) -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(content))


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A matcher that passes on whatever heads its parties name, and two nodes."""
    monkeypatch.setattr(OwnLog, "check_head", lambda *_: None)  # the liar's own program, not ours
    made = make_world(tmp_path, Clock(), ("AL", "RS"))
    yield made
    await made.close()


async def deceive(world: World, party_node: PartyNode, path: Path, model: PartyNode | None = None) -> SecondLog:
    """Show a party a log of its own from now on, as large as the one that another party sees."""
    second = SecondLog(world, path) if model is None else Twin(world, path, model)
    await party_node.operator.aclose()
    await party_node.node.peer.close()
    party_node.transport = second
    party_node.restart()
    return second


async def alarm_of(party_node: PartyNode) -> dict[str, Any]:
    """Return the one open alarm of a node, whose evidence must be the checkpoint that it was shown."""
    (alarm,) = (await party_node.get("/log"))["alarms"]
    key = party_node.node.registry.matcher
    open_checkpoint(alarm["got"].encode(), log_name("matcher", key), key)
    assert alarm["sentence"]["text"] in (await party_node.get("/status"))["log_alarm"]
    found: dict[str, Any] = alarm
    return found


def accused_by(party_node: PartyNode, alarm: dict[str, Any]) -> Statement:
    message: Any = statements.message_of(statements.open_statement(party_node.node.registry, alarm["seen"].encode()))
    return message


@pytest.mark.parametrize(("size", "what"), [(1, "fork"), (500, "shrunk")])
async def test_two_parties_two_logs(world: World, tmp_path: Path, size: int, what: str) -> None:
    """What each party signed names the log that it was shown, so that each finds the other's: both stop."""
    (await deceive(world, world.nodes["RS"], tmp_path)).fill(size)
    round_id = await world.begin()
    await world.settle()
    alarms = {code: await alarm_of(party_node) for code, party_node in world.nodes.items()}
    assert alarms["AL"]["what"] == what
    for code, other in (("AL", "RS"), ("RS", "AL")):
        statement = accused_by(world.nodes[code], alarms[code])
        assert (statement.party, statement.round_id) == (other, round_id)
        assert statement.log_head is not None
        view = await world.nodes[code].round(round_id)
        assert view["consented"]
        assert await world.phase(round_id) != "matching"


@pytest.fixture
async def three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A matcher that passes on whatever heads its parties name, and three nodes."""
    monkeypatch.setattr(OwnLog, "check_head", lambda *_: None)  # the liar's own program, not ours
    made = make_world(tmp_path, Clock())
    yield made
    await made.close()


async def test_three_parties_and_two_heads_of_one_size(three: World, tmp_path: Path) -> None:
    """RS is shown another log of the very size that AL sees: AL and SI accuse with RS's statement, RS with theirs."""
    party_nodes = three.nodes
    await deceive(three, party_nodes["RS"], tmp_path, party_nodes["AL"])
    round_id = await three.begin(lists=False)
    await three.settle()
    with three.app.state.context.round_cache.reading(round_id) as turn:
        heads = {code: consent.log_head for code, consent in turn.round.consents.items()}
    assert set(heads) == set(party_nodes)
    assert heads["AL"].size == heads["RS"].size
    assert heads["AL"].root != heads["RS"].root
    for code, party_node in party_nodes.items():
        alarm = await alarm_of(party_node)
        assert alarm["what"] == "fork"
        statement = accused_by(party_node, alarm)
        assert (statement.party == "RS") == (code != "RS")
        assert statement.log_head == heads[statement.party]
    assert await three.phase(round_id) in {"proposed", "open"}


async def test_a_log_that_stands_still(world: World, tmp_path: Path) -> None:
    """A party to which the log shows nothing new hears from others' statements that it went on."""
    round_id = await world.begin(lists=False)
    await world.settle()
    party_node, other = world.nodes["RS"], world.nodes["AL"]
    second = await deceive(world, party_node, tmp_path)
    second.frozen = world.app.state.context.log.own.update(party_node.node.log.witness.seen_size("matcher"))
    await world.propose()
    await other.submit(round_id, await other.load("record_id,given_names,family_names\nal-1,Ana,Novak\n"))
    await world.settle()
    alarm = await alarm_of(party_node)
    assert alarm["what"] == "shrunk"
    assert accused_by(party_node, alarm).party == "AL"
    assert not (await other.get("/log"))["alarms"]
