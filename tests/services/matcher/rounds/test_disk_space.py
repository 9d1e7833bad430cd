"""Room on the matcher's disk: consents reserve it, proposals do not, and a consent without room waits."""

from collections.abc import Callable

import httpx
import pytest

from aquila.interface.service.health import Subject
from aquila.protocol.matcher import disk_bytes
from services.kit.rounds import manifest_in
from services.kit.storage.files import ChunkFiles
from services.matcher.administration.health import read_health
from services.matcher.rounds.contacts import StoredContacts
from services.matcher.rounds.disk_space import reserved_bytes
from services.matcher.settings import QuotaSettings
from services.matcher.storage.tables import EventRow, RefusedStatementRow, RoundRow
from tests.support.matcher_world import NOW, World

pytestmark = pytest.mark.postgresql_soak

LATER = {"consent_by": NOW + 50, "submit_by": NOW + 100, "evaluate_by": NOW + 200, "closes_at": NOW + 300}


def reserved(world: World) -> int:
    with world.context.store.reading("test") as session:
        return reserved_bytes(session, world.settings.quotas.evaluation_bytes)


def round_bytes(world: World, parties: int = 3) -> int:
    with world.context.store.reading("test") as session:
        manifest = manifest_in(session.get_one(RoundRow, world.round_id).manifest)
    return disk_bytes(manifest, 0, list(world.nodes)[:parties])


def without_room(world: World) -> list[str]:
    faults = read_health(world.context, StoredContacts(world.context.store, world.clock)).faults
    return [sentence.code for _, sentence in faults[Subject.ROUNDS]]


async def consented(world: World, *codes: str) -> list[httpx.Response]:
    answers = []
    for code in codes:
        await world.nodes[code].sync()
        answers.append(await world.nodes[code].consent())
    return answers


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    free = {"bytes": 1 << 40}
    monkeypatch.setattr(ChunkFiles, "free_space", lambda _: free["bytes"])
    return free


@pytest.fixture
def world(worlds: Callable[..., World]) -> World:
    return worlds("AL RS SI", quotas=QuotaSettings.model_construct(evaluation_mebibytes=0))


async def test_proposals_reserve_nothing(world: World, disk: dict[str, int]) -> None:
    assert (await world.propose(window=LATER)).status_code == 202
    disk["bytes"] = round_bytes(world)
    assert (await world.propose(window=LATER)).status_code == 202
    assert reserved(world) == 0
    assert without_room(world) == []
    disk["bytes"] -= 1
    refused = await world.propose(window=LATER)
    assert refused.status_code == 403
    assert "what other rounds have reserved leaves" in refused.json()["detail"]


async def test_consents_reserve_what_their_lists_may_take(world: World, disk: dict[str, int]) -> None:
    """Each its part; the room is there again when the round has ended."""
    await world.propose(window=LATER)
    whole = round_bytes(world)
    await consented(world, "AL")
    assert reserved(world) == round_bytes(world, 1)
    await consented(world, "RS", "SI")
    assert reserved(world) == whole
    disk["bytes"] = 2 * whole - 1
    assert (await world.propose(window=LATER)).status_code == 403
    await world.operate("POST", f"/{world.round_id}/abort", json={"reason": "test"})
    world.advance()
    assert reserved(world) == 0
    assert (await world.propose(window=LATER)).status_code == 202


async def test_a_consent_without_room_waits(world: World, disk: dict[str, int]) -> None:
    """Nothing of it is stored, the matcher's administrator is told, and it is taken as soon as there is room."""
    await world.propose(window=LATER)
    whole = round_bytes(world)
    await consented(world, "AL")
    disk["bytes"] = round_bytes(world, 2) - 1
    assert without_room(world) == ["health_consents_without_room"]
    (refused,) = await consented(world, "RS")
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:aquila:problem:store-full")
    assert int(refused.headers["retry-after"]) > 0
    assert reserved(world) == round_bytes(world, 1)
    assert world.count(RefusedStatementRow) == 0
    events = world.count(EventRow)
    disk["bytes"] = whole
    assert without_room(world) == []
    world.nodes["RS"].sequence = 0
    (taken,) = await consented(world, "RS")
    assert taken.status_code == 201
    assert world.count(EventRow) == events + 1
    assert reserved(world) == round_bytes(world, 2)


async def test_a_consent_that_does_not_count_is_refused_though_there_is_no_room(
    world: World, disk: dict[str, int]
) -> None:
    await world.propose(window=LATER)
    for node in world.nodes.values():
        await node.sync()
    disk["bytes"], world.clock.time = 0, LATER["consent_by"] + 1
    assert (await world.nodes["RS"].consent()).status_code == 409


async def test_nobody_waits_for_the_room_of_a_party_that_refused(world: World, disk: dict[str, int]) -> None:
    await world.propose(window=LATER)
    await consented(world, "AL")
    disk["bytes"] = round_bytes(world, 2)
    assert without_room(world) == ["health_consents_without_room"]
    node = world.nodes["RS"]
    await node.sync()
    assert (await node.say(node.party.refuse(node.round, node.next(), "test"))).status_code == 201
    assert without_room(world) == []
    assert [answer.status_code for answer in await consented(world, "SI")] == [201]


async def test_what_a_round_has_taken_is_not_reserved_twice(world: World) -> None:
    await world.opened()
    before = reserved(world)
    sent = await world.nodes["AL"].submit()
    assert reserved(world) == before - sum(len(octets) for _, _, octets in sent.chunks)
