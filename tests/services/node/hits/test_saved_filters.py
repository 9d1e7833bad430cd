"""Views of hits that a person keeps: their own, so many at most, and gone with the account."""

from typing import Any

import httpx
import pytest

from aquila.audit.roles import Role
from aquila.interface.hits import MOST_SAVED
from services.kit.people.tables import AccountRow
from services.node.hits.review import forget_views
from services.node.storage.tables import SavedFilterRow
from tests.support.node_world import World

VIEWS = "/v1/hit-views"
SHOWS: dict[str, Any] = {"stage": "new", "certainty": "high", "counterpart": "RS"}


pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.postgresql_soak]


async def kept(person: httpx.AsyncClient) -> list[dict[str, Any]]:
    views: list[dict[str, Any]] = (await person.get(VIEWS)).json()["views"]
    return views


async def test_a_view_is_kept_and_removed(world: World) -> None:
    """By name in their order; one of a known name takes the other's place."""
    analyst = world.nodes["AL"].person(Role.ANALYST)
    for name in ("mine", "another"):
        answer = await analyst.post(VIEWS, json={"name": name, "shows": SHOWS})
        assert answer.status_code == 201, answer.text
    await analyst.post(VIEWS, json={"name": "mine", "shows": {"overdue": True}})
    another, mine = await kept(analyst)
    assert (another["name"], another["shows"]["certainty"], mine["shows"]["overdue"]) == ("another", "high", True)
    assert mine["shows"]["certainty"] is None
    assert (await analyst.delete(f"{VIEWS}/{mine['view_id']}")).status_code == 204
    assert [view["name"] for view in await kept(analyst)] == ["another"]
    assert (await analyst.delete(f"{VIEWS}/{mine['view_id']}")).status_code == 404


async def test_nobody_else_sees_or_removes_it(world: World) -> None:
    party_node = world.nodes["AL"]
    one, other = party_node.person(Role.ANALYST), party_node.person(Role.ANALYST, Role.OFFICER)
    view = (await one.post(VIEWS, json={"name": "mine", "shows": SHOWS})).json()
    assert await kept(other) == []
    assert (await other.delete(f"{VIEWS}/{view['view_id']}")).status_code == 404
    assert len(await kept(one)) == 1
    assert (await party_node.person(Role.AUDITOR).get(VIEWS)).status_code == 403


async def test_there_are_so_many_at_most(world: World) -> None:
    analyst = world.nodes["AL"].person(Role.ANALYST)
    for number in range(MOST_SAVED):
        assert (await analyst.post(VIEWS, json={"name": f"{number}", "shows": SHOWS})).status_code == 201
    assert (await analyst.post(VIEWS, json={"name": "more", "shows": SHOWS})).status_code == 422
    assert (await analyst.post(VIEWS, json={"name": "3", "shows": {}})).status_code == 201
    assert len(await kept(analyst)) == MOST_SAVED


async def test_what_cannot_be_kept(world: World) -> None:
    """A name is one short line, and a filter holds nothing but how hits are chosen."""
    analyst = world.nodes["AL"].person(Role.ANALYST)
    for body in ({"name": ""}, {"name": "a\nb"}, {"name": "x" * 61}, {"shows": {"offset": 3}}):
        answer = await analyst.post(VIEWS, json={"name": "mine", "shows": SHOWS} | body)
        assert answer.status_code == 422
        assert await kept(analyst) == []


async def test_it_goes_with_the_account(world: World) -> None:
    party_node = world.nodes["AL"]
    for person in (party_node.person(Role.ANALYST), party_node.person(Role.ANALYST, Role.OFFICER)):
        await person.post(VIEWS, json={"name": "mine", "shows": SHOWS})
    assert not forget_views(party_node.node.store)
    with party_node.node.store.transaction("test.ended") as session:
        session.query(AccountRow).filter_by(login="person-analyst").one().active = False
    assert forget_views(party_node.node.store)
    with party_node.node.store.reading("test.left") as session:
        assert session.query(SavedFilterRow).count() == 1
