"""An officer shows an approver one content and lets another one be approved: what was read is what takes effect."""

from typing import Any

import pytest
from sqlalchemy import select

from aquila.audit.roles import Role
from services.kit.approvals.tables import ApprovalRow
from tests.support.node_world import HEADER, JUSTIFICATION, LISTS, PartyNode, World

OTHER = HEADER + "al-list-9,Somebody,Else,1966-06-06,\n"


pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.rounds]


async def _ask(party_node: PartyNode, round_id: str, content: str, **why: str) -> dict[str, Any]:
    wanted = {"import_id": await party_node.load(content), "kind": "list", "justification": JUSTIFICATION | why}
    answer = await party_node.person(Role.OFFICER).post(f"/v1/rounds/{round_id}/submissions", json=wanted)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def _approve(party_node: PartyNode, approval_id: str, digest: str) -> int:
    path = f"/v1/approvals/{approval_id}/approve"
    return (await party_node.person(Role.APPROVER).post(path, json={"digest": digest})).status_code


async def test_an_approver_approves_what_was_read_and_nothing_else(world: World) -> None:
    """Another list, another reason, and a content changed behind the approver's back each have another digest."""
    round_id = await world.begin(lists=False)
    party_node = world.nodes["AL"]
    read = await _ask(party_node, round_id, HEADER + LISTS["AL"])

    # 1. The digest that was read does not approve another request, with another list or with another case.
    for other in (
        await _ask(party_node, round_id, OTHER),
        await _ask(party_node, round_id, HEADER + LISTS["AL"], case_reference="2026/2"),
    ):
        assert other["digest"] != read["digest"]
        assert await _approve(party_node, other["approval_id"], read["digest"]) == 403

    # 2. Nor does it approve its own request once somebody with the database has put another list into it.
    swapped = await _ask(party_node, round_id, OTHER)
    with party_node.node.store.transaction("test.swap") as session:
        rows = {row.approval_id: row for row in session.scalars(select(ApprovalRow))}
        rows[read["approval_id"]].content = rows[swapped["approval_id"]].content
    assert await _approve(party_node, read["approval_id"], read["digest"]) == 503
    # Not even with the digest put there too: the approver names what was read.
    with party_node.node.store.transaction("test.swap") as session:
        session.get_one(ApprovalRow, read["approval_id"]).digest = swapped["digest"]
    assert await _approve(party_node, read["approval_id"], read["digest"]) == 403

    # Nothing of all this took effect.
    await world.settle()
    assert (await party_node.round(round_id))["submissions"] == []

    # 3. What was read and asked for takes effect as it was read.
    assert await _approve(party_node, swapped["approval_id"], swapped["digest"]) == 200
    assert [view["submission_id"] for view in (await party_node.round(round_id))["submissions"]] == [
        swapped["submission_id"]
    ]
