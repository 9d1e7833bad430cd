"""Last contacts of parties: kept over restarts, written once a minute at most."""

import httpx
import pytest
from sqlalchemy import select

from aquila.interface.service.health import Outage
from services.kit.storage.outages import ended_outages
from services.matcher.administration.health import read_health
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


def test_a_silence_of_more_than_a_minute_is_logged_for_three_months(world: World) -> None:
    """Not one of a minute, nor that of a call that was held, nor one in which this service itself was not there."""
    clock = Clock()
    contacts = StoredContacts(world.context.store, clock)

    def logged() -> list[tuple[str, int, int | None]]:
        with world.context.store.reading("test.outages") as session:
            return [
                (one.peer, one.began_at - NOW, one.ended_at and one.ended_at - NOW) for one in ended_outages(session)
            ]

    contacts.record("AL", "1")
    for seconds in (60, 15, 15, 15, 15, 15):
        clock.time += seconds
        (contacts.record_sign_of_life if seconds == 15 else lambda party: contacts.record(party, "1"))("AL")
    contacts.record("AL", "1")
    assert logged() == []
    clock.time += 61
    contacts.record("AL", "1")
    assert logged() == [("AL", 135, 196)]
    clock.time += 500
    later = StoredContacts(world.context.store, clock)
    later.record("AL", "1")
    assert logged() == [("AL", 135, 196)]
    assert later.heard(NOW) == clock.time
    assert later.heard(None) is None
    clock.time += 91 * 86_400
    later.record("AL", "1")
    assert [ended and ended - began for _, began, ended in logged()] == [91 * 86_400]


async def test_a_party_of_an_open_round_that_is_silent_is_an_outage(world: World) -> None:
    await world.opened()
    contacts = StoredContacts(world.context.store, world.clock)
    for party in ("AL", "RS"):
        contacts.record(party, "1")
    world.clock.time += 30
    contacts.record("AL", "1")
    world.clock.time += 31
    assert read_health(world.context, contacts).outages == (
        Outage(peer="RS", began_at=world.clock.time - 61, ended_at=None),
    )
