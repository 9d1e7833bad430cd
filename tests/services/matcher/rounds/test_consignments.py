"""Several parts in one call: each is taken as if it had come by itself, up to the first that is refused."""

import base64
import json

import httpx
import pytest

from aquila.protocol.messages import Kind
from aquila.protocol.messages.feed import BytesPart, Consignment, ConsignmentAnswer, StatementPart
from services.kit.errors import StoreFullError
from services.matcher.api import routes
from services.matcher.storage.tables import ChunkRow
from tests.services.matcher.rounds.test_statements import problem
from tests.support.matcher_world import Node, World

pytestmark = pytest.mark.postgresql_soak


async def consignment_of(node: Node) -> Consignment:
    await node.sync()
    envelope, sent = node.prepared(Kind.LIST, None)
    chunks = [
        BytesPart(part="blinded", submission_id=sent.submission_id, index=index, content=_text(octets))
        for index, (_, _, octets) in enumerate(sent.chunks)
    ]
    return Consignment(parts=(StatementPart(envelope=envelope.decode()), *chunks))


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


async def send(node: Node, consignment: Consignment) -> httpx.Response:
    return await node.call(
        "POST", "consignments", content=consignment.payload(), headers={"content-type": "application/json"}
    )


def answered(answer: httpx.Response) -> ConsignmentAnswer:
    assert answer.status_code == 200, answer.text
    return ConsignmentAnswer.from_payload(answer.content)


async def test_a_list_in_one_call(world: World) -> None:
    """Statement and chunks are stored and told as if they had come one by one; the same again is taken too."""
    await world.opened()
    node = world.nodes["AL"]
    consignment = await consignment_of(node)
    for _ in range(2):
        assert answered(await send(node, consignment)) == ConsignmentAnswer(taken=len(consignment.parts))
    assert world.count(ChunkRow) == len(consignment.parts) - 1
    other = world.nodes["RS"]
    await other.sync()
    assert [event.kind for event in other.seen[-len(consignment.parts) :]] == [
        "statement",
        *["blinded"] * (len(consignment.parts) - 1),
    ]


async def test_what_follows_a_refused_part_is_not_looked_at(world: World) -> None:
    await world.opened()
    node = world.nodes["AL"]
    consignment = await consignment_of(node)
    statement, first, *others = consignment.parts
    assert isinstance(first, BytesPart)
    for content, kind in ((_text(b"x" * 32), "malformed"), ("?", "malformed")):
        wrong = first.model_copy(update={"content": content})
        found = answered(await send(node, Consignment(parts=(statement, wrong, first, *others))))
        assert found.taken == 1
        assert json.loads(found.problem or "")["type"].endswith(kind)
    assert world.count(ChunkRow) == 0
    *before, last = others
    assert isinstance(last, BytesPart)
    wrong = last.model_copy(update={"content": _text(b"x" * 32)})
    found = answered(await send(node, Consignment(parts=(statement, first, *before, wrong, last))))
    assert found.taken == len(consignment.parts) - 1
    assert world.count(ChunkRow) == 1 + len(before)
    early = answered(await send(world.nodes["RS"], consignment))
    assert (early.taken, json.loads(early.problem or "")["type"]) == (0, "urn:aquila:problem:signature")


async def test_a_store_that_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first part was taken the call fails; later the answer says how far it came, without a problem."""
    await world.opened()
    node = world.nodes["AL"]
    consignment = await consignment_of(node)

    def full(*_: object) -> bool:
        raise StoreFullError("database_disk_full", transaction="test", cause="test", code="test", place="test")

    monkeypatch.setattr(routes, "put_chunks", full)
    assert answered(await send(node, consignment)) == ConsignmentAnswer(taken=1)
    assert problem(await send(node, Consignment(parts=consignment.parts[1:]))) == (503, "store-full")
