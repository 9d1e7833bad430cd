"""An officer wants to submit a list without anybody else, with every account and key that one person can have."""

from typing import Any

import httpx
import pytest

from aquila.audit.roles import Role
from tests.support import stored_log
from tests.support.node_world import HEADER, JUSTIFICATION, LISTS, PartyNode, World

pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.rounds]


async def _ask(person: httpx.AsyncClient, round_id: str, import_id: str, case: str = "2026/1") -> httpx.Response:
    why = JUSTIFICATION | {"case_reference": case}
    wanted = {"import_id": import_id, "kind": "list", "justification": why}
    return await person.post(f"/v1/rounds/{round_id}/submissions", json=wanted)


async def _approve(person: httpx.AsyncClient, asked: dict[str, Any]) -> int:
    path = f"/v1/approvals/{asked['approval_id']}/approve"
    return (await person.post(path, json={"digest": asked["digest"]})).status_code


async def _administrator(party_node: PartyNode) -> httpx.AsyncClient:
    """Return the calls of whoever holds the key in the home folder."""
    person = party_node.person(Role.OFFICER)
    person.headers["authorization"] = f"Bearer {(party_node.home / 'operator.token').read_text().strip()}"
    return person


async def test_an_officer_alone_cannot_submit(world: World) -> None:
    round_id = await world.begin(lists=False)
    party_node = world.nodes["AL"]
    import_id = await party_node.load(HEADER + LISTS["AL"])
    officer, both = party_node.person(Role.OFFICER), party_node.person(Role.OFFICER, Role.APPROVER)
    administrator = await _administrator(party_node)

    # 1. An officer may ask, and not approve.
    asked = (await _ask(officer, round_id, import_id)).json()
    assert await _approve(officer, asked) == 403

    # 2. Somebody with both roles may approve what others ask for, and not what that person asked for.
    other_list = await party_node.load(HEADER + LISTS["AL"], "another list")
    own = (await _ask(both, round_id, other_list, "2026/2")).json()
    assert await _approve(both, own) == 403

    # 3. The key in the home folder neither asks nor approves, and does not even see what is asked for.
    assert (await _ask(administrator, round_id, import_id)).status_code == 403
    assert await _approve(administrator, asked) == 403
    assert (await administrator.get("/v1/approvals")).status_code == 403

    # Nothing was prepared, signed or sent.
    await world.settle()
    assert (await party_node.round(round_id))["submissions"] == []
    assert not any(world.app.state.context.files.names())

    # A second person lets it go, and the log has both.
    assert await _approve(both, asked) == 200
    await world.settle()
    assert [view["state"] for view in (await party_node.round(round_id))["submissions"]] == ["submitted"]
    with party_node.node.store.reading("test.log") as session:
        approved = [entry for _, entry in stored_log.entries(session) if entry and entry.kind == "approved"]
    assert approved[-1].person != approved[-1].ids["author"]
    assert approved[-1].digests["content"] == asked["digest"]
