"""Tokens that are no tokens: the party is named, its pair is never joined, and the round goes on without it."""

import hashlib
from collections.abc import Callable

import pytest

from aquila.interface.service.health import Subject
from aquila.protocol.messages import Kind
from services.matcher.administration.health import read_health
from tests.support.matcher_world import LISTS, NOW, Sent, World
from tests.support.sentence_texts import texts

pytestmark = [pytest.mark.rounds, pytest.mark.postgresql_soak]


def unknown_rule(rows: bytes) -> bytes:
    return rows[:16] + bytes([63]) + rows[17:]


def other_rule(rows: bytes) -> bytes:
    """Name another rule of the same class, of which other numbers of rows were signed."""
    return b"".join(
        rows[i : i + 16] + (b"\x07" if rows[i + 16] == 1 else rows[i + 16 : i + 17]) + rows[i + 17 : i + 33]
        for i in range(0, len(rows), 33)
    )


async def send(world: World, code: str, sent: Sent, change: Callable[[bytes], bytes], to: str) -> None:
    """Send the tokens of a submission, to one party others than the signed rules are of."""
    node = world.nodes[code]
    await node.sync()
    statements = node.finalized(sent)
    column, changed = node.token_column(sent, to), [change(rows) for rows in sent.tokens[to]]
    digests = [{"digest": hashlib.sha256(rows).hexdigest()} for rows in changed]
    chunks = [one.model_copy(update=digest) for one, digest in zip(column.chunks, digests, strict=True)]
    wrong = column.model_copy(update={"chunks": tuple(chunks)})
    statements[list(sent.tokens).index(to)] = node.party.tokens(node.round, node.next(), sent.submission_id, wrong)
    sent.tokens[to] = changed
    for envelope in statements:
        assert (await node.say(envelope)).status_code == 201
    await node.put_tokens(sent)


@pytest.mark.more_rounds
@pytest.mark.parametrize("change", [unknown_rule, other_rule])
async def test_of_a_list(three: World, change: Callable[[bytes], bytes]) -> None:
    """The other pairs have their hits, and the next round is as good as ever."""
    world = three
    await world.evaluated()
    for code in ("AL", "SI"):
        await world.nodes[code].finalize(world.nodes[code].list)
    await send(world, "RS", world.nodes["RS"].list, change, "AL")
    world.advance()
    [problem] = texts((await world.view())["problems"])
    assert problem.startswith("RS sent faulty tokens for AL: ")
    faults = read_health(world.context, world.app.state.contacts).faults[Subject.ROUNDS]
    assert [sentence.code for _, sentence in faults] == ["health_rounds_failed"]
    assert await world.pairs() == {"AL RS": "faulty", "AL SI": "reported", "RS SI": "reported"}
    for node in world.nodes.values():
        await node.acknowledge()
    await world.exchange_notes()
    assert {code: len(node.hits()) for code, node in world.nodes.items()} == {"AL": 0, "RS": 1, "SI": 1}
    assert world.steps["matching"]() is False
    world.clock.time = NOW + 301
    world.advance()
    assert (await world.view())["ending"]["text"] == "closed: its time is over"
    world.clock.time = NOW
    await world.opened()


async def test_of_a_query(three: World) -> None:
    """It is not answered by the one owner, nor is what comes after it; the other owner's answers come."""
    world = three
    await world.acknowledged(mode="lists_and_queries", caps=[])
    asker, sent = world.nodes["AL"], []
    for change in (unknown_rule, bytes):
        sent.append(await asker.submit(Kind.QUERY, LISTS["SI"][:1]))
        await world.evaluate()
        await send(world, "AL", sent[-1], change, "RS")
    world.advance()
    [problem] = texts((await world.view())["problems"])
    assert problem.startswith("AL sent faulty tokens for RS: ")
    for owner, queries in (("RS", []), ("SI", [one.submission_id for one in sent])):
        await world.nodes[owner].sync()
        assert [key.submission_id for key in world.nodes[owner].reports if key.submission_id] == queries
