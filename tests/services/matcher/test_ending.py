"""Endings: by wish, by refusal, after tokens; and what is left of the round afterwards."""

import pytest
from sqlalchemy import select

from aquila.audit.statistics import statistics_of
from services.matcher.log import round_statistics
from services.matcher.storage.tables import ChunkRow, EventRow, RoundRow
from tests.support.matcher_world import NOW, Node, World
from tests.support.stored_log import entries

pytestmark = [pytest.mark.rounds, pytest.mark.postgresql_soak]


async def abort(world: World) -> None:
    answer = await world.operate("POST", f"/{world.round_id}/abort", json={"reason": "the court says so"})
    assert answer.status_code == 202
    world.advance()


async def ending_of(node: Node) -> str:
    """Return how the round ended as a party knows it."""
    await node.sync()
    return node.round.phase.value


async def test_a_wish_to_close_waits_for_the_receipts(world: World) -> None:
    """It is stored, shown, and fulfilled when every party has its hits and every note was confirmed."""
    await world.reported()
    assert (await world.operate("POST", f"/{world.round_id}/close")).status_code == 202
    world.advance()
    view = await world.view()
    assert (view["entry"]["phase"], view["ending"]["text"]) == ("reporting", "to be closed: every party has its hits")
    for node in world.nodes.values():
        await node.acknowledge()
    world.advance()
    assert await ending_of(world.nodes["AL"]) == "reporting"
    await world.exchange_notes()
    world.advance()
    assert await ending_of(world.nodes["AL"]) == "closed"


async def test_statistics_have_the_times_of_the_log(world: World) -> None:
    """Whoever verifies the log compares them to the second, and a second passes at each look at the clock."""
    world.clock.step = 1
    window = {"consent_by": NOW + 200, "submit_by": NOW + 300, "evaluate_by": NOW + 400, "closes_at": NOW + 500}
    assert (await world.propose(window=window)).status_code == 202
    await abort(world)
    with world.context.store.reading("test.statistics") as session:
        published = round_statistics(world.context.registry, session, world.round_id)
        stored = [entry for _, entry in entries(session) if entry is not None and entry.round == world.round_id]
    assert published == statistics_of(world.round_id, stored).to_bytes()


async def test_a_wish_to_abort_stands(world: World) -> None:
    """A wish to close does not replace it."""
    await world.opened()
    path = f"/{world.round_id}"
    assert (await world.operate("POST", path + "/abort", json={"reason": "first"})).status_code == 202
    assert (await world.operate("POST", path + "/abort", json={"reason": "second"})).status_code == 409
    assert (await world.operate("POST", path + "/close")).status_code == 409
    world.advance()
    assert (await world.view())["ending"]["text"] == "aborted: first"


async def test_a_refusal_aborts(world: World) -> None:
    """A party that goes takes the round with it, and is named; a long reason is cut, not refused."""
    await world.opened()
    node = world.nodes["RS"]
    await node.sync()
    assert (await node.say(node.party.refuse(node.round, node.next(), "x" * 500))).status_code == 201
    world.advance()
    assert (await world.view())["ending"]["text"].startswith("aborted: RS takes no further part: xxx")
    assert await ending_of(world.nodes["AL"]) == "aborted"


async def test_abort_after_tokens(world: World) -> None:
    """Tokens of one list are there, the other never comes: nothing of them is left."""
    await world.evaluated()
    await world.nodes["AL"].finalize(world.nodes["AL"].list)
    assert any("/tokens/" in name for name in world.chunk_files())
    await abort(world)
    assert world.chunk_files() == []
    for node in world.nodes.values():
        await node.close()
    assert all(party["closed"] for party in (await world.view())["parties"])


async def test_reports_are_kept_until_their_party_has_them(world: World) -> None:
    """One that was not acknowledged before the end stays until its party closes; then the round is finished."""
    await world.reported()
    await world.nodes["AL"].acknowledge()
    await abort(world)
    assert reports_left(world) == ["RS"]
    assert finished_at(world) is None
    world.restart()
    world.advance()
    await world.nodes["RS"].sync()
    assert len(world.nodes["RS"].hits()) == 1
    await world.nodes["RS"].close()
    world.advance()
    assert reports_left(world) == []
    assert finished_at(world) == NOW
    world.restart()
    await world.nodes["AL"].close()
    assert (await world.view())["parties"][0]["closed"]


async def test_a_report_that_nobody_fetches(world: World) -> None:
    """It goes with the round's retention."""
    await world.reported(retention_days=1)
    await abort(world)
    assert reports_left(world) == ["AL", "RS"]
    world.clock.time += 86_401
    world.advance()
    assert reports_left(world) == []


async def test_nothing_is_left_of_tokens_and_reports(three: World) -> None:
    """After the close no chunk file is there, and neither database file holds bytes of a chunk, token or report."""
    world = three
    await world.acknowledged()
    contents = [row for node in world.nodes.values() for row in token_rows(node)]
    contents += [octets[:32] for node in world.nodes.values() for _, _, octets in node.list.chunks]
    handles = [hit.handle for node in world.nodes.values() for hit in node.hits()]
    await world.operate("POST", f"/{world.round_id}/close")
    world.advance()
    for node in world.nodes.values():
        await node.close()
    world.advance()
    assert finished_at(world) == NOW
    assert world.chunk_files() == []
    assert [path for path in world.context.scratch.rglob("*") if path.name != "lock"] == []
    with world.context.store.reading("test") as session:
        assert all(row.deleted_at == NOW for row in session.scalars(select(ChunkRow)))
    stored = b"".join(
        path.read_bytes()
        for path in world.folder.rglob("*")
        if path.is_file() and path.suffix not in {".pem", ".token"}
    )
    if world.context.store.is_sqlite:
        database = world.context.store.engine.url.database
        stored += b"".join(path.read_bytes() for path in world.folder.parent.glob(f"{database.rpartition('/')[2]}*"))
    for content in contents:
        assert content not in stored
        assert content.hex().encode() not in stored
    for handle in handles:
        assert handle.encode() not in stored
        assert bytes.fromhex(handle) not in stored
    assert reports_left(world) == []


def token_rows(node: Node) -> list[bytes]:
    """Return the tokens of a party's list, 16 bytes each."""
    chunks = [rows for of_column in node.list.tokens.values() for rows in of_column]
    return [rows[i + 17 : i + 33] for rows in chunks for i in range(0, len(rows), 33)]


def reports_left(world: World) -> list[str]:
    """Return whose reports the database still holds."""
    with world.context.store.reading("test") as session:
        query = select(EventRow.party).where(EventRow.statement == "hitreport", EventRow.envelope.is_not(None))
        return sorted(session.scalars(query))


def finished_at(world: World) -> int | None:
    with world.context.store.reading("test") as session:
        return session.scalar(select(RoundRow.finished_at))
