"""Four eyes at the matcher: a round is proposed and aborted by two officers of the secretariat."""

from typing import Any

import httpx
import pytest

from aquila.audit.roles import Role
from tests.support.matcher_world import BASE, NOW, World
from tests.support.people import signed_in

pytestmark = pytest.mark.postgresql_soak

PROPOSAL = {"participants": ["AL", "RS"], "area": "a", "legal_basis": "b", "purpose": "c", "category": "d"}


def officer(world: World, login: str, *roles: Role) -> httpx.AsyncClient:
    token = signed_in(world.context.people, login, *(roles or (Role.SECRETARIAT,)))
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(world.app), base_url=f"{BASE}/v1", headers={"authorization": f"Bearer {token}"}
    )


async def decide(person: httpx.AsyncClient, asked: dict[str, Any]) -> httpx.Response:
    return await person.post(f"/approvals/{asked['approval_id']}/approve", json={"digest": asked["digest"]})


async def test_a_round_is_proposed_by_two(world: World) -> None:
    """No party sees it before; what is signed is the manifest that the second officer has read."""
    first, second = officer(world, "cene"), officer(world, "drago")
    asked = (await first.post("/operator/rounds", json=PROPOSAL)).json()
    assert (await first.get("/operator/rounds")).json()["rounds"] == []
    assert (await second.post("/operator/rounds", json=PROPOSAL)).status_code == 409  # the same waits already
    assert (await decide(first, asked)).status_code == 403
    shown = (await second.get(f"/approvals/{asked['approval_id']}")).json()
    assert (await decide(second, asked)).status_code == 200
    view = (await first.get(f"/operator/rounds/{asked['round_id']}")).json()
    assert view["manifest"] == shown["content"]["manifest"]


async def test_a_round_is_aborted_by_two(world: World) -> None:
    """The round goes on until the second officer has approved; a second request for the same is still possible."""
    await world.opened()
    first, second = officer(world, "cene"), officer(world, "drago")
    path = f"/operator/rounds/{world.round_id}/abort"
    asked = (await first.post(path, json={"reason": "the court says so"})).json()
    again = (await second.post(path, json={"reason": "once more"})).json()
    world.advance()
    assert (await world.view())["entry"]["phase"] == "open"
    assert (await decide(second, asked)).status_code == 200
    world.advance()
    assert (await world.view())["ending"]["text"] == "aborted: the court says so"
    assert (await decide(first, again)).status_code == 409


async def test_a_proposal_that_waited_too_long(world: World) -> None:
    first, second = officer(world, "cene"), officer(world, "drago")
    window = dict.fromkeys(("consent_by", "submit_by", "evaluate_by", "closes_at"), NOW + 10)
    asked = (await first.post("/operator/rounds", json=PROPOSAL | {"window": window})).json()
    world.clock.time = NOW + 11
    assert (await decide(second, asked)).status_code == 409
    assert (await first.post("/operator/rounds", json=PROPOSAL | {"window": window})).status_code == 409
