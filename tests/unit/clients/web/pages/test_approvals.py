"""Pages of approvals: what a second person reads before a list leaves the node."""

from aquila.audit.roles import Role, Service
from clients.web.wiring import front_of
from tests.support.node_steps import round_without_lists
from tests.support.node_world import HEADER, JUSTIFICATION, PartyNode
from tests.support.people import signed_in
from tests.support.played_worlds import WorldAfter
from tests.support.web_world import endpoint, visitor_of

BEFORE = "a-1,Mira,Janković,1988-08-08,\na-2,Ana,Novak,1985-01-02,\na-3,Eva,Kos,1970-01-02,\n"
AFTER = "a-1,Mira,Janković,1988-08-08,\na-2,Ana,Novak,1985-01-03,\na-4,Iva,Kos,1971-01-02,\na-5,Ivo,Kos,1972-01-02,\n"
DIFFERENCE = {"records are new": "2", "has other contents": "1", "is not in it any more": "1", "is the same": "1"}


async def asked(party_node: PartyNode, round_id: str, import_id: str) -> str:
    body = {"import_id": import_id, "kind": "list", "justification": JUSTIFICATION}
    async with party_node.person(Role.OFFICER) as officer:
        answer = await officer.post(f"/v1/rounds/{round_id}/submissions", json=body)
    assert answer.status_code == 202, answer.text
    return f"/approvals/{answer.json()['approval_id']}"


async def test_the_approver_of_a_list_sees_what_changed(world_after: WorldAfter) -> None:
    """Of a list that follows another one: numbers and record numbers; of the first list there is nothing to compare.

    The service tells it to an approver, and not to an analyst.
    """
    world, round_id = await world_after(round_without_lists)
    party_node = world.nodes["AL"]
    first = await party_node.load(HEADER + BEFORE, "spring")
    world.clock.time += 60
    second = await party_node.load(HEADER + AFTER, "summer")
    async with party_node.person(Role.APPROVER) as approver:
        told = await approver.get(f"/v1/imports/{second}/difference")
    assert told.json()["added_ids"] == ["a-4", "a-5"]
    async with party_node.person(Role.ANALYST) as analyst:
        assert (await analyst.get(f"/v1/imports/{second}/difference")).status_code == 403
    browser = visitor_of(front_of(Service.NODE, "Albania")(party_node.app, endpoint()), party_node, Role.APPROVER)
    page = await browser.open(await asked(party_node, round_id, second))
    changes = page.split("<h2>Changes</h2>")[1].split("</section>")[0]
    assert "Compared with the list that was stored before it, spring, by record numbers:" in changes
    for words, number in DIFFERENCE.items():
        assert f"<strong>{number}</strong>{words}" in changes
    assert [one for one in ("a-1", "a-2", "a-3", "a-4", "a-5") if f"<code>{one}</code>" in changes] == [
        "a-2",
        "a-3",
        "a-4",
        "a-5",
    ]
    assert "Novak" not in page
    page = await browser.open(await asked(party_node, round_id, first))
    assert "Your decision" in page
    assert "<h2>Changes</h2>" not in page
    # The first page of its author says of which size it is and until when it waits.
    officer = visitor_of(front_of(Service.NODE, "Albania")(party_node.app, endpoint()), party_node, Role.OFFICER)
    officer.client.cookies.set("aquila-session-8701", signed_in(party_node.node.people, "person-officer", Role.OFFICER))
    page = await officer.open("/")
    for words in ("Your request: Submission in a round", ", 4 persons. Another person has to approve it: asked on "):
        assert words in page
