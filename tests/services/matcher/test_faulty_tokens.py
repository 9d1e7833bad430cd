"""Tokens that are no tokens: the party is named, the round is aborted, and the matcher lives on."""

from collections.abc import Callable

import pytest

from aquila.protocol.messages import Kind
from tests.support.matcher_world import LISTS, Sent, World
from tests.support.sentence_texts import texts

pytestmark = pytest.mark.postgresql_soak


def unknown_rule(rows: bytes) -> bytes:
    return rows[:16] + bytes([63]) + rows[17:]


def impossible_rule(rows: bytes) -> bytes:
    return rows[:16] + bytes([200]) + rows[17:]


def other_class(rows: bytes) -> bytes:
    """Name the same rule in all rows, so that the classes' counts differ from the elements'."""
    return b"".join(rows[i : i + 16] + b"\x01" + rows[i + 17 : i + 33] for i in range(0, len(rows), 33))


async def send(world: World, code: str, sent: Sent, change: Callable[[bytes], bytes]) -> None:
    node = world.nodes[code]
    node.finalized(sent)
    node.sequence -= 1
    sent.tokens = {other: [change(rows) for rows in chunks] for other, chunks in sent.tokens.items()}
    assert (await node.say(node.tokens_statement(sent))).status_code == 201
    await node.put_tokens(sent)


@pytest.mark.parametrize("change", [unknown_rule, impossible_rule, other_class])
async def test_of_a_list(world: World, change: Callable[[bytes], bytes]) -> None:
    """The round ends with the party's name, and the next round is as good as ever."""
    await world.evaluated()
    await world.nodes["AL"].finalize(world.nodes["AL"].list)
    await send(world, "RS", world.nodes["RS"].list, change)
    world.advance()
    view = await world.view()
    assert view["entry"]["phase"] == "aborted"
    assert view["ending"]["text"].startswith("aborted: RS sent faulty tokens: ")
    assert texts(view["problems"]) == [view["ending"]["text"].removeprefix("aborted: ")]
    assert world.chunk_files() == []
    await world.opened()


async def test_of_a_query(world: World) -> None:
    await world.acknowledged(mode="lists_and_queries", caps=[])
    sent = await world.nodes["AL"].submit(Kind.QUERY, LISTS["RS"][:1])
    await world.evaluate()
    await send(world, "AL", sent, unknown_rule)
    world.advance()
    assert (await world.view())["ending"]["text"].startswith("aborted: AL sent faulty tokens: ")


async def test_a_file_that_was_changed_on_our_disk(world: World) -> None:
    """It is nobody's fault but ours: the step fails, and goes on when the file is back."""
    await world.evaluated()
    for node in world.nodes.values():
        await node.finalize(node.list)
    name = next(name for name in world.chunk_files() if "/tokens/" in name)
    path = world.context.files.path(name)
    content = path.read_bytes()
    path.write_bytes(bytes(len(content)))
    with pytest.raises(Exception, match="was changed"):
        world.steps["matching"]()
    assert (await world.view())["ending"] is None
    path.write_bytes(content)
    world.advance()
    assert (await world.view())["entry"]["phase"] == "reporting"
