"""What the matcher takes of parties' suggestions: canonical, of known parties, once, and so many at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from aquila.protocol.encoding import canonical
from aquila.protocol.messages.suggestions import LARGEST_SUGGESTION, MOST_WAITING
from tests.support.matcher_world import BASE
from tests.support.people import FourEyes

if TYPE_CHECKING:
    from tests.support.matcher_world import World

TERMS: dict[str, Any] = {
    "participants": ["AL", "RS"], "area": "a", "legal_basis": "b", "purpose": "c", "category": "d", "mode": "lists",
    "minimum_certainty": "low",
}  # fmt: skip
PROPOSAL: dict[str, Any] = {
    name: TERMS[name] for name in ("participants", "area", "legal_basis", "purpose", "category")
}


async def put(world: World, number: int, terms: dict[str, Any] = TERMS, octets: bytes = b"", code: str = "AL") -> int:
    """Send a suggestion and return the answer's status."""
    content, headers = octets or canonical(terms), {"content-type": "application/json"}
    path = f"/v1/suggestions/{number:032x}"
    return (await world.nodes[code].call("PUT", path, content=content, headers=headers)).status_code


async def operate(world: World, method: str, path: str = "", **options: Any) -> httpx.Response:
    """Make a call of the secretariat about suggestions."""
    transport = FourEyes(httpx.ASGITransport(world.app), world.secretariat)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        return await client.request(method, f"/v1/operator/suggestions{path}", **options)


async def test_the_same_again_is_known(world: World) -> None:
    """A party that did not hear the answer says it again; something else, or another party, is refused."""
    assert [await put(world, 1), await put(world, 1)] == [201, 200]
    assert await put(world, 1, TERMS | {"area": "another"}) == 409
    assert await put(world, 1, code="RS") == 409
    assert len((await operate(world, "GET")).json()["suggestions"]) == 1


@pytest.mark.parametrize(
    ("terms", "octets", "status"),
    [
        (TERMS | {"participants": ["AL", "XX"]}, b"", 422),
        (TERMS | {"participants": ["RS", "RS"]}, b"", 422),
        (TERMS | {"surprise": 1}, b"", 400),
        (TERMS, b"{}", 400),
        (TERMS, b" " + canonical(TERMS), 400),
        (TERMS, b"x" * (LARGEST_SUGGESTION + 1), 413),
    ],
)
async def test_what_is_none(world: World, terms: dict[str, Any], octets: bytes, status: int) -> None:
    """Strangers, a round of others, unknown fields, another encoding, too many bytes: refused, and nothing is kept."""
    assert await put(world, 1, terms, octets) == status
    assert (await operate(world, "GET")).json()["suggestions"] == []


async def test_so_many_wait_at_most(world: World) -> None:
    """Of one party; another still can, and an answer makes room."""
    for number in range(MOST_WAITING):
        assert await put(world, number) == 201
    assert await put(world, MOST_WAITING) == 403
    assert await put(world, MOST_WAITING + 1, code="RS") == 201
    await operate(world, "POST", f"/{0:032x}/set-aside", json={"reason": "not now"})
    assert await put(world, MOST_WAITING) == 201


async def test_a_refused_proposal_leaves_it_waiting(world: World) -> None:
    """It is answered when a round is proposed from it, not when somebody asks for one."""
    await put(world, 1)
    answer = await world.operate("POST", json=PROPOSAL | {"suggestion_id": f"{2:032x}"})
    assert answer.status_code == 404
    assert (await operate(world, "GET", f"/{2:032x}")).status_code == 404
    assert (await operate(world, "GET", f"/{1:032x}")).json()["state"] == "waiting"
    answer = await world.operate("POST", json=PROPOSAL | {"suggestion_id": f"{1:032x}"})
    view = (await operate(world, "GET", f"/{1:032x}")).json()
    assert (view["state"], view["round_id"]) == ("proposed", answer.json()["round_id"])
