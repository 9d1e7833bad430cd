"""A party repeats what counts once, again and again: all is refused and counted, a hundred are kept, no round ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from aquila.crypto.group import Group
from aquila.errors import RepeatedError
from aquila.protocol.log_entries import MOST_REFUSED
from services.kit.log.entries import size
from services.matcher.rounds.statements import accept_statement
from services.matcher.storage.tables import EventRow, EvidenceRow, RefusedStatementRow, RepeatedStatementRow
from tests.support.matcher_world import Node, World
from tests.support.sentence_texts import texts

MANY = 150
"""More than what is kept of refused statements; 1,500 are said to a record alone, which is faster."""


@pytest.fixture
def world(tmp_path: Path, group: Group) -> Iterator[World]:
    """A matcher with AL, RS and SI."""
    made = World(tmp_path / "matcher", "", group, "AL RS SI")
    yield made
    made.context.close()


def refuse_often(world: World, node: Node) -> None:
    """Sign and send refusals without a connection in between, which would only cost time."""
    assert node.round is not None
    for number in range(MANY):
        envelope = node.party.refuse(node.round, node.next(), f"reason {number}")
        if number == 0:
            assert accept_statement(world.context, world.round_id, node.code, envelope)
            continue
        with pytest.raises(RepeatedError):
            accept_statement(world.context, world.round_id, node.code, envelope)


def stored(world: World, table: type) -> int:
    """Return how many rows there are of SI."""
    with world.context.store.reading("test") as session:
        return len(session.scalars(select(table).where(table.party == "SI")).all())


async def test_refusals_of_who_never_consented(world: World) -> None:
    """The round opens without SI as soon as the others have consented, and goes on to its hits."""
    await world.propose()
    outside = world.nodes.pop("SI")
    await outside.sync()
    refuse_often(world, outside)
    with world.context.store.reading("test") as session:
        entries = size(session)
        assert session.get_one(RepeatedStatementRow, (world.round_id, "SI")).statements == MANY - 1
    assert [stored(world, table) for table in (EventRow, EvidenceRow, RefusedStatementRow)] == [1, 0, MOST_REFUSED]
    assert entries < 20 + MOST_REFUSED
    for node in world.nodes.values():
        assert (await node.consent()).status_code == 201
    world.advance()
    view = await world.view()
    assert (view["entry"]["phase"], view["participants"]) == ("open", ["AL", "RS"])
    assert texts(view["problems"]) == [f"SI said {MANY - 1} times more what it had said as often as it can"]
    for node in world.nodes.values():
        await node.submit()
    await world.evaluate()
    for node in world.nodes.values():
        await node.finalize(node.list)
    world.advance()
    await world.nodes["AL"].sync()
    assert len(world.nodes["AL"].hits()) == 1


async def test_a_refusal_of_a_participant_still_ends_it(world: World) -> None:
    """Its share is needed, so the round cannot go on: it ends once, with the first reason."""
    await world.opened()
    node = world.nodes["SI"]
    await node.sync()
    for reason in ("first", "second"):
        await node.say(node.party.refuse(node.round, node.next(), reason))
    world.advance()
    assert (await world.view())["ending"]["text"] == "aborted: SI takes no further part: first"
