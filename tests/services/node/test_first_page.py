"""The first page of a node: what it says of hits, and that it costs the same however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from sqlalchemy import event

from aquila.audit.roles import Role, Service
from clients.web.wiring import front_of
from services.kit.storage.store import Store
from tests.support.node_world import World
from tests.support.people import signed_in
from tests.support.stored_hits import StoredHit, store_hits
from tests.support.web_world import ORIGIN, Browser, endpoint

MANY = 240


pytestmark = pytest.mark.parties("AL", "RS")


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    noted: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        noted.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    yield noted
    event.remove(store.engine, "before_cursor_execute", note)


async def test_it_takes_no_more_statements_with_many_hits(world: World) -> None:
    """Hits are counted by the same four statements for the cards and for the number in the bar."""
    party_node, round_id = world.nodes["AL"], await world.propose()
    front = front_of(Service.NODE, "Albania")(party_node.app, endpoint())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=front), base_url=ORIGIN) as client:
        client.cookies.set(front._site.cookie("session"), signed_in(party_node.node.people, "eva", Role.ANALYST))
        browser = Browser(client)
        await browser.open("/")
        with statements(party_node.node.store) as without:
            await browser.open("/")
        levels = ("low", "medium", "high")
        hits = [StoredHit(number, "RS", levels[min(number % 4, 2)]) for number in range(MANY)]
        store_hits(party_node.node.store, round_id, hits, world.clock.time)
        with statements(party_node.node.store) as with_many:
            page = await browser.open("/")
        assert "By certainty: high: 120, medium: 60, low: 60." in page
        assert with_many == without
        assert sum("hit_life" in statement for statement in with_many) == 4
        world.clock.time += 30 * 86_400
        assert f"Hits whose next step is overdue: {MANY}." in await browser.open("/")
    front.end()
