"""Last contacts of parties: kept over restarts, written once a minute at most."""

import httpx
import pytest
from sqlalchemy import select

from services.matcher.rounds.contacts import Contact, StoredContacts
from services.matcher.storage.tables import ContactRow
from tests.support.clock import Clock
from tests.support.matcher_world import BASE, NOW, World
from tests.support.people import FourEyes

pytestmark = pytest.mark.postgresql_soak


def written(world: World) -> dict[str, tuple[int, str]]:
    with world.context.store.reading("test.read") as session:
        return {row.party: (row.called_at, row.release) for row in session.scalars(select(ContactRow))}


async def test_a_restart_forgets_no_contact(world: World) -> None:
    await world.nodes["AL"].call("GET", "/v1/rounds", headers={"user-agent": "aquila/0.1.0"})
    world.restart()
    transport = FourEyes(httpx.ASGITransport(world.app), world.secretariat)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        parties = (await client.get("/v1/operator/parties")).json()["parties"]
    found = {one["party"]: (one["called_at"], one["release"]) for one in parties}
    assert found == {"AL": (NOW, "0.1.0"), "RS": (None, "")}


def test_once_a_minute(world: World) -> None:
    """The newest contact is shown at once and written a minute after the last one; parties do not wait for another.

    Another release is written at once: a proposal depends on it.
    """
    clock = Clock()
    contacts = StoredContacts(world.context.store, clock)
    contacts.record("AL", "1")
    clock.time += 59
    contacts.record("AL", "1")
    contacts.record("RS", "")
    assert written(world) == {"AL": (NOW, "1"), "RS": (NOW + 59, "")}
    assert contacts.by_party() == {"AL": Contact(NOW + 59, "1"), "RS": Contact(NOW + 59, "")}
    clock.time += 1
    contacts.record("AL", "1")
    assert written(world)["AL"] == (NOW + 60, "1")
    clock.time += 1
    contacts.record("AL", "2")
    assert written(world)["AL"] == (NOW + 61, "2")


def test_two_processes(world: World) -> None:
    """What another process wrote since is newer than what this one saw."""
    clock = Clock()
    one, other = StoredContacts(world.context.store, clock), StoredContacts(world.context.store, clock)
    one.record("AL", "1")
    clock.time += 70
    other.record("AL", "2")
    assert one.by_party() == {"AL": Contact(NOW + 70, "2")}
