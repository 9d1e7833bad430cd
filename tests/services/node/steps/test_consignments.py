"""Statements travel together, with the bytes that they name, where the matcher takes that; refusals count as ever."""

from __future__ import annotations

import httpx
import pytest

from aquila.errors import BindingError, OrderError, PolicyError, SignatureError
from aquila.protocol.encoding import canonical
from aquila.protocol.messages import StatementKind, Tokens
from aquila.protocol.messages.feed import MOST_PARTS, BytesPart, Consignment, ConsignmentAnswer, StatementPart
from aquila.sentences import quoted
from services.kit.errors import problem_of
from services.node.steps import outbox
from services.node.storage.tables import ChunkRow, StatementRow
from tests.support.node_steps import problems, round_for_queries
from tests.support.node_world import HEADER, LISTS, PartyNode, World
from tests.support.played_worlds import WorldAfter

pytestmark = pytest.mark.parties("AL", "RS")


class Answering(httpx.AsyncBaseTransport):
    """The matcher as a node reaches it, which answers consignments as a test says."""

    def __init__(self, transport: httpx.AsyncBaseTransport, answer: ConsignmentAnswer | None = None) -> None:
        self._transport = transport
        self.answer = answer
        self.calls: list[tuple[str, str]] = []
        self.consignments: list[Consignment] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a call on, or answer it."""
        self.calls.append((request.method, request.url.path.rsplit("/", 1)[-1]))
        if not request.url.path.endswith("/consignments"):
            return await self._transport.handle_async_request(request)
        self.consignments.append(Consignment.from_payload(await request.aread()))
        if self.answer is None:
            return await self._transport.handle_async_request(request)
        return httpx.Response(200, stream=httpx.ByteStream(self.answer.payload()), request=request)


def reached(party_node: PartyNode, answer: ConsignmentAnswer | None = None) -> Answering:
    """Return the matcher as a node reaches it from now on."""
    found = Answering(party_node.node.peer._client._transport, answer)
    party_node.node.peer._client._transport = found
    return found


async def signed(world: World) -> str:
    """Play a round until AL has signed for its list, and sent nothing of it yet."""
    party_node = world.nodes["AL"]
    round_id = await world.begin(lists=False)
    await world.settle()
    matcher = party_node.node.peer._client._transport
    party_node.node.peer._client._transport = httpx.MockTransport(lambda request: httpx.Response(503, request=request))
    await party_node.submit(round_id, await party_node.load(HEADER + LISTS["AL"]))
    party_node.node.peer._client._transport = matcher
    reached(party_node, ConsignmentAnswer(taken=0))
    while not unsent(party_node):
        await party_node.step()
    party_node.node.peer._client._transport = matcher
    return round_id


@pytest.fixture
async def waiting(world_after: WorldAfter) -> tuple[str, PartyNode]:
    """A round in which AL's list is signed, and AL, which has sent nothing of it."""
    world, round_id = await world_after(signed)
    return round_id, world.nodes["AL"]


def unsent(party_node: PartyNode) -> list[StatementRow]:
    """Return the statements that the matcher has not got."""
    with party_node.node.store.reading("test.unsent") as session:
        return session.query(StatementRow).filter(StatementRow.own, ~StatementRow.sent).all()


def chunks(party_node: PartyNode) -> list[bool]:
    """Return of each chunk whether the matcher has it."""
    with party_node.node.store.reading("test.chunks") as session:
        return [row.sent for row in session.query(ChunkRow).order_by(ChunkRow.index)]


@pytest.mark.rounds
async def test_a_list_travels_with_its_chunks(world_after: WorldAfter) -> None:
    """One call carries the statement and all chunks, and the world goes on to the hits by consignments alone."""
    world, round_id = await world_after(signed)
    party_node = world.nodes["AL"]
    calls = reached(party_node)
    assert await outbox.send_statements(party_node.node, round_id)
    assert calls.calls == [("POST", "consignments")]
    assert chunks(party_node) == [True] * (len(calls.consignments[0].parts) - 1)
    assert unsent(party_node) == []
    other = world.nodes["RS"]
    reached(other)
    await other.submit(round_id, await other.load(HEADER + LISTS["RS"]))
    await world.settle()
    assert {path for method, path in calls.calls if method == "PUT"} == set()
    assert await world.phase(round_id) == "reporting"


async def test_bytes_that_are_refused_go_by_themselves(waiting: tuple[str, PartyNode]) -> None:
    """The statement counts as sent; its chunks are tried once more together, and then one by one."""
    round_id, party_node = waiting
    answer = ConsignmentAnswer(
        taken=1, problem=canonical(problem_of(OrderError("submission_unknown", submission="x"))).decode()
    )
    reached(party_node, answer)
    assert await outbox.send_statements(party_node.node, round_id)
    assert (unsent(party_node), set(chunks(party_node))) == ([], {False})
    calls = reached(party_node, answer.model_copy(update={"taken": 0}))
    assert not await outbox.send_bytes(party_node.node, round_id, lambda: False)
    assert [method for method, _ in calls.calls] == ["POST", *["PUT"] * len(chunks(party_node))]
    assert "the matcher does not take" in await problems(party_node, round_id)


async def test_a_refused_statement(waiting: tuple[str, PartyNode]) -> None:
    """It is given up with its reason, as one that was sent by itself."""
    round_id, party_node = waiting
    reached(
        party_node,
        ConsignmentAnswer(taken=0, problem=canonical(problem_of(BindingError(quoted("another round")))).decode()),
    )
    assert not await outbox.send_statements(party_node.node, round_id)
    (row,) = unsent(party_node)
    assert row.refusal is not None
    assert (await party_node.round(round_id))["submissions"][0]["state"] == "failed"


async def test_a_refusal_that_is_not_about_the_statement(waiting: tuple[str, PartyNode]) -> None:
    """It is raised, and nothing is given up."""
    round_id, party_node = waiting
    reached(
        party_node, ConsignmentAnswer(taken=0, problem=canonical(problem_of(SignatureError(quoted("no")))).decode())
    )
    with pytest.raises(SignatureError):
        await outbox.send_statements(party_node.node, round_id)
    assert [row.refusal for row in unsent(party_node)] == [None]


async def test_many_bytes_do_not_travel_along(waiting: tuple[str, PartyNode], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a statement names many bytes they are sent by themselves; a consignment has one statement at least."""
    round_id, party_node = waiting
    monkeypatch.setattr(outbox, "_FEW_BYTES", 1)
    monkeypatch.setattr(outbox, "MOST_PARTS", 1)
    calls = reached(party_node)
    assert await outbox.send_statements(party_node.node, round_id)
    assert [len(consignment.parts) for consignment in calls.consignments] == [1]
    assert MOST_PARTS > 1
    assert set(chunks(party_node)) == {False}
    (row, *_) = _own(party_node)
    monkeypatch.setattr(outbox, "_TOGETHER_BYTES", 1)
    assert len(outbox._packed(party_node.node, [row, row])) == 1


ASKED = HEADER + "q-1,Mira,Janković,1988-08-08,\n"


class Refusing(Answering):
    """A matcher that refuses the statement of a query's tokens, and would keep whatever travels with it."""

    puts = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Refuse a consignment that begins with such a statement; pass everything else on."""
        self.puts += request.method == "PUT" and "/tokens/" in request.url.path
        if not request.url.path.endswith("/consignments"):
            return await self._transport.handle_async_request(request)
        self.consignments.append(Consignment.from_payload(await request.aread()))
        part = self.consignments[-1].parts[0]
        if not isinstance(part, StatementPart) or Tokens.payload_type not in part.envelope:
            return await self._transport.handle_async_request(request)
        answer = ConsignmentAnswer(taken=0, problem=canonical(problem_of(PolicyError(quoted("no")))).decode())
        return httpx.Response(200, stream=httpx.ByteStream(answer.payload()), request=request)

    def sent_tokens(self) -> int:
        """Return how many bytes of tokens came, in consignments or by themselves."""
        parts = (part for one in self.consignments for part in one.parts)
        return self.puts + sum(isinstance(part, BytesPart) and part.part == "tokens" for part in parts)


@pytest.mark.rounds
async def test_a_querys_tokens_travel_together(world_after: WorldAfter) -> None:
    """They wait for their statement in the feed, and go in one call then."""
    world, round_id = await world_after(round_for_queries)
    party_node = world.nodes["AL"]
    calls = reached(party_node)
    await party_node.submit(round_id, await party_node.load(ASKED, "query"), "query")
    await world.settle()
    assert not [path for method, path in calls.calls if method == "PUT"]
    parts = [[part for part in one.parts if part.part == "tokens"] for one in calls.consignments]
    assert len([some for some in parts if some]) == 1


@pytest.mark.rounds
async def test_a_query_whose_tokens_are_refused(world_after: WorldAfter) -> None:
    """The matcher has no column of it, and gets none of a later query, which would have the same dummies."""
    world, round_id = await world_after(round_for_queries)
    party_node = world.nodes["AL"]
    calls = Refusing(party_node.node.peer._client._transport)
    party_node.node.peer._client._transport = calls
    for _ in range(2):  # the first one's tokens are to begin their consignment, so the second waits
        await party_node.submit(round_id, await party_node.load(ASKED, "query"), "query")
        await world.settle()
    tokens = [row for row in _own(party_node) if row.kind == StatementKind.TOKENS]
    assert [row.refusal is None for row in tokens] == [True, False]  # of the list, and of one query
    assert calls.sent_tokens() == 0
    assert "the matcher refuses the tokens for RS" in await problems(party_node, round_id)
    # One that it took goes on when its feed has it, and that is missed after a while.
    node = party_node.node
    with node.store.transaction("test.taken") as session:
        row = session.get_one(StatementRow, (round_id, tokens[1].digest))
        row.refusal, row.sent = None, True
    for later, told in ((0, False), (3_600, True)):
        world.clock.time += later
        await party_node.step()
        found = await problems(party_node, round_id)
        assert ("later queries to RS in this round wait" in found) is told
        assert "refuses" not in found
        assert calls.sent_tokens() == 0


def _own(party_node: PartyNode) -> list[StatementRow]:
    with party_node.node.store.reading("test.own") as session:
        return session.query(StatementRow).filter(StatementRow.own).all()
