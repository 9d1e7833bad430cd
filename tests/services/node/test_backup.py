"""A node's machine is lost and restored from a backup: what goes on, and what it may not do any more."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from aquila.records.rules import InputClass
from services.node.records.erasure import record_digest
from services.node.storage.tables import ErasedRecordRow, EvaluationRow, RecordRow
from tests.support.backups import Safe
from tests.support.node_steps import kinds_in_log, open_round, spent
from tests.support.node_world import HEADER, PartyNode, World

pytestmark = pytest.mark.more_rounds


@pytest.fixture
def safe(world: World, tmp_path: Path, service_database: Callable[[], str]) -> Safe:
    return Safe(tmp_path / "safe", world, service_database)


def evaluated(party_node: PartyNode) -> int:
    with party_node.node.store.reading("test.evaluated") as session:
        return session.scalar(select(func.count()).select_from(EvaluationRow)) or 0


async def goes_on(world: World) -> None:
    again = await world.begin()
    await world.settle()
    assert await world.phase(again) == "reporting"
    assert (await world.nodes["AL"].get(f"/rounds/{again}/hits"))["hits"]


async def test_in_a_round_it_is_refused_for_good(world: World, safe: Safe) -> None:
    round_id = await open_round(world)
    safe.back_up("AL")
    await world.settle()
    party_node = world.nodes["AL"]
    assert evaluated(party_node)
    restored = await safe.lose_node("AL")
    assert restored.refused == 1
    before = evaluated(party_node)
    await world.settle()
    await world.acknowledge_alarms()
    assert evaluated(party_node) == before
    assert (await party_node.round(round_id))["keys_present"] is False
    answer = await party_node.post(f"/rounds/{round_id}/abort", json={"reason": "the machine was lost"})
    assert answer.status_code == 202, answer.text
    await world.settle()
    assert await world.phase(round_id) == "aborted"
    world.clock.time += 86_400
    await goes_on(world)


async def test_a_round_that_the_backup_does_not_know_is_refused_too(world: World, safe: Safe) -> None:
    """The node meets its own consent in the feed, which its database does not hold."""
    safe.back_up("AL")
    round_id = await world.begin()
    await world.settle()
    await safe.lose_node("AL")
    await world.settle()
    await world.acknowledge_alarms()
    party_node = world.nodes["AL"]
    assert evaluated(party_node) == 0
    assert (await party_node.round(round_id))["keys_present"] is False


async def test_with_the_mark_of_the_old_machine_the_counts_are_exact(world: World, safe: Safe) -> None:
    await open_round(world)
    safe.back_up("AL")
    await world.settle()
    party_node = world.nodes["AL"]
    exact = spent(party_node, "RS", InputClass.FULL)
    assert exact[0] > 0
    restored = await safe.lose_node("AL", mark=True)
    assert restored.counted_days == 0
    assert spent(party_node, "RS", InputClass.FULL) == exact


async def test_days_since_the_backup_count_as_used(world: World, safe: Safe) -> None:
    """An old backup without the mark leaves no room in the longer window: caps are never paid twice."""
    safe.back_up("AL")
    world.clock.time += 5 * 86_400
    restored = await safe.lose_node("AL")
    assert restored.counted_days == 6
    party_node = world.nodes["AL"]
    caps = party_node.node.settings.caps
    assert spent(party_node, "SI", InputClass.PARTIAL) == (caps.day_partial, 6 * caps.day_partial)


async def test_erased_records_are_erased_again(world: World, safe: Safe) -> None:
    """Identifiers of records that were erased since the backup are erased again, and do not come back by a list."""
    party_node = world.nodes["AL"]
    await party_node.load(HEADER + "al-1,Arben,Hoxha,1980-03-04,\nal-2,Ilir,Kola,1975-01-02,\n")
    safe.back_up("AL")
    restored = await safe.lose_node("AL", erased=["al-2", "al-9"])
    assert (restored.erased, restored.not_found, restored.kept) == (1, 1, 0)
    with party_node.node.store.reading("test.records") as session:
        assert session.scalars(select(RecordRow.record_id)).all() == ["al-1"]
    assert "erasure" in kinds_in_log(party_node)
    with party_node.node.store.reading("test.erased") as session:
        known = set(session.scalars(select(ErasedRecordRow.record_digest)))
    assert known == {record_digest("al-2"), record_digest("al-9")}


async def test_a_backup_has_no_key_and_nobodys_session(world: World, safe: Safe) -> None:
    await open_round(world)
    made = safe.back_up("AL")
    assert made.files == ("node.toml", "registry.toml")
    assert {one.file for one in made.head.needed if one.secret} == {"identity.pem", "people.key"}
    assert not made.rows.keys() & {"secret", "note_secret", "session", "provider_sign_in"}
