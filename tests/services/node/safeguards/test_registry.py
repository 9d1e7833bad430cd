"""A party joins by an invitation, everyone accepts the registry with it, and a party leaves: at the whole services."""

from pathlib import Path

import pytest

from aquila.protocol.registry import read_registry
from services.kit.http.peer import Peer
from services.kit.http.signatures import CallSigner
from services.node.safeguards import registry as statements
from tests.support.authority import Authority
from tests.support.ceremony import REGISTRY, accept, admit, fetched, heard, join
from tests.support.node_world import World
from tests.support.registering import key_of
from tests.support.renewing import logged


@pytest.mark.rounds
async def test_a_party_joins_and_takes_part_at_once(world: World) -> None:
    """No service starts again: after everyone has accepted, the four play a round until its hits are there."""
    await join(world)
    views = [await accept(node) for node in world.nodes.values()]
    assert len({" ".join(view["in_force"]["words"]) for view in views}) == 1
    for node in world.nodes.values():
        view = await fetched(node)
        assert {one["party"]: one["accepted"] for one in view["parties"]} == dict.fromkeys(["AL", "HR", "RS", "SI"], 1)
        assert (view["waiting"], view["obstacle"]) == (None, None)
        assert read_registry((node.home / "registry.toml").read_bytes()) == node.node.registry
    at_matcher = (await world.operator.get(REGISTRY)).json()
    assert at_matcher["in_force"]["words"] == views[0]["in_force"]["words"]
    assert {one["accepted"] for one in at_matcher["parties"]} == {1}
    round_id = await world.propose()
    for node in world.nodes.values():
        answer = await node.post(f"/rounds/{round_id}/consent")
        assert answer.status_code == 202, answer.text
    await world.until(lambda: _is_open(world, round_id))


async def _is_open(world: World, round_id: str) -> bool:
    return await world.phase(round_id) == "open"


async def test_each_step_is_logged_with_its_person(world: World) -> None:
    node = await join(world)
    view = await accept(node)
    matcher, digest = world.app.state.context.store, view["in_force"]["digest"]
    (invited,) = logged(matcher, "party_invited")
    (changed,) = logged(matcher, "registry_changed")
    (accepted,) = logged(matcher, "registry_accepted")
    (own,) = logged(node.node.store, "registry_accepted")
    assert (invited.recipient, invited.role, changed.recipient) == ("HR", "administrator", "HR")
    assert {one.digests["registry"] for one in (changed, accepted, own)} == {digest}
    assert (accepted.party, accepted.person, own.party) == ("HR", None, "HR")
    for store in (matcher, node.node.store):
        (asked,), (granted,) = logged(store, "approval_requested"), logged(store, "approved")
        assert (asked.ids["what"], asked.role) == ("registry", "administrator")
        assert (granted.digests, granted.role) == (asked.digests, {"HR": "approver"}.get(granted.party, "secretariat"))
        assert granted.person != asked.person


async def test_the_matcher_shows_who_joined_beside_the_words(world: World) -> None:
    """Its administrators read with the words whom the newest registry let in, compared with the one before."""
    await join(world)
    await join(world, "MK")
    view = (await world.operator.get(REGISTRY)).json()["in_force"]
    assert (view["number"], view["joined"], view["left"]) == (2, ["MK"], [])


async def test_nothing_changes_before_the_administrator_accepts(world: World) -> None:
    await join(world)
    node = world.nodes["SI"]
    view = await fetched(node)
    assert (view["in_force"], view["waiting"]["joined"], view["waiting"]["left"]) == (None, ["HR"], [])
    assert "HR" not in node.node.registry.parties
    round_id = await world.propose()
    await world.step()
    assert round_id not in [one["round_id"] for one in (await node.get("/rounds"))["rounds"]]
    await accept(node)
    await world.settle()
    assert round_id in [one["round_id"] for one in (await node.get("/rounds"))["rounds"]]


@pytest.mark.rounds
async def test_a_party_leaves(world: World) -> None:
    al, si = world.nodes["AL"], world.nodes["SI"]
    round_id = await world.begin()
    refused = await world.operator.post(f"{REGISTRY}/parties/AL/remove")
    assert (refused.status_code, refused.json()["code"]) == (403, "party_in_open_rounds")
    await world.operator.post(f"/v1/operator/rounds/{round_id}/abort", json={"reason": "AL leaves"})
    await world.settle()
    answer = await world.operator.post(f"{REGISTRY}/parties/AL/remove")
    assert answer.status_code == 202, answer.text
    assert [one["left"] for one in (await world.operator.get(REGISTRY)).json()["parties"]] == [True, False, False]
    assert (await fetched(al))["fetch_problem"]["code"] == "call_signature_not_pinned"
    assert (await fetched(si))["waiting"]["left"] == ["AL"]
    await accept(si)
    assert (await si.round(round_id))["entry"]["phase"] == "aborted"
    for body in ({"participants": ["AL", "RS"]}, {"participants": ["RS", "SI"]}):
        terms = {"area": "a", "legal_basis": "b", "purpose": "c", "category": "d", **body}
        proposed = await world.operator.post("/v1/operator/rounds", json=terms)
        assert proposed.status_code == (422 if "AL" in body["participants"] else 202)
    assert (await world.operator.post(f"{REGISTRY}/parties/AL/remove")).status_code == 404
    again = await world.operator.post(f"{REGISTRY}/invitations", json={"party": "AL", "name": "Party AL"})
    assert again.json()["code"] == "party_registered_already"


async def test_a_restart_keeps_everything(world: World) -> None:
    await join(world)
    for code in ("RS", "SI"):
        node = world.nodes[code]
        before = await (accept(node) if code == "RS" else fetched(node))
        node.restart()
        assert await node.get("/registry") == before


async def test_an_acceptance_that_was_not_sent_goes_with_the_next_look(world: World) -> None:
    await join(world)
    node = world.nodes["SI"]
    newest = (await fetched(node))["waiting"]
    peer = node.node.peer
    node.node.peer = Peer(node.node.settings.matcher, CallSigner(key_of("false"), "SI", world.clock), node.transport)
    assert (await heard(node, newest)).status_code == 202
    await node.node.peer.close()
    node.node.peer = peer
    assert [one["accepted"] for one in (await world.operator.get(REGISTRY)).json()["parties"]] == [None] * 4
    await statements.fetch(node.node)
    accepted = {one["party"]: one["accepted"] for one in (await world.operator.get(REGISTRY)).json()["parties"]}
    assert accepted == {"AL": None, "HR": None, "RS": None, "SI": 1}


async def test_parties_that_were_registered_by_their_cards_are_stated(world: World) -> None:
    """The secretariat changes from cards to statements with one command; the same again states nothing new."""
    assert (await world.operator.post(REGISTRY)).status_code == 202
    first = (await world.operator.get(REGISTRY)).json()
    assert first["in_force"]["number"] == 1
    assert [one["party"] for one in first["in_force"]["parties"]] == ["AL", "RS", "SI"]
    assert (await world.operator.post(REGISTRY)).json()["code"] == "registry_states_this"
    assert (await world.operator.get(REGISTRY)).json() == first
    view = await accept(world.nodes["SI"])
    assert (view["in_force"]["joined"], view["in_force"]["left"]) == ([], [])


MOVED = "http://127.0.0.1:8799"


async def move(world: World, **wanted: str) -> str:
    """Let two persons of the secretariat state an address of the matcher, and return the file for the parties."""
    answer = await world.operator.post(f"{REGISTRY}/move", json=wanted)
    assert answer.status_code == 202, answer.text
    content: str = (await world.operator.get(f"{REGISTRY}/statements")).json()["content"]
    return content


async def test_the_matcher_moves(world: World) -> None:
    """Parties accept its new address from a file, and call it there from then on, after a restart as well."""
    hr, si = await join(world), world.nodes["SI"]
    for node in (hr, si):
        await accept(node)
    content = await move(world, url=MOVED)
    for node in (hr, si):
        view = (await node.post("/registry/statements", json={"content": content})).json()
        assert (view["waiting"]["moved"], view["waiting"]["url"], view["obstacle"]) == (True, MOVED, None)
        assert (await heard(node, view["waiting"], spoken=" ".join(view["waiting"]["digits"]))).status_code == 202
    # A home that was made from an invitation follows the registry; one of cards keeps its settings.
    assert (hr.node.peer.url, si.node.peer.url) == (MOVED, "http://127.0.0.1:8700")
    hr.restart()
    assert hr.node.peer.url == MOVED
    # What is stated later keeps the address, whatever the matcher's settings say by now.
    await join(world, "XK")
    assert (await fetched(si))["waiting"]["url"] == MOVED


async def test_the_ca_of_the_new_address_is_watched(world: World, tmp_path: Path) -> None:
    """A node that follows the registry warns of the end of the CA by which it knows the matcher now."""
    hr = await join(world)
    await accept(hr)
    authority = Authority.create(tmp_path, "moved")
    content = await move(world, url="https://127.0.0.1:8799", ca=(tmp_path / "moved.pem").read_text())
    view = (await hr.post("/registry/statements", json={"content": content})).json()
    assert (await heard(hr, view["waiting"])).status_code == 202
    for _ in ("moved", "restarted"):
        ends = {one.setting: one.ends_at for one in hr.app.state.health.health().certificates}
        assert ends["matcher.ca"] == int(authority.certificate.not_valid_after_utc.timestamp())
        hr.restart()


async def test_an_address_in_the_clear_is_refused(world: World) -> None:
    hr = await join(world)
    await accept(hr)
    content = await move(world, url="http://matcher.example.org")
    view = (await hr.post("/registry/statements", json={"content": content})).json()
    answer = await heard(hr, view["waiting"])
    assert (answer.status_code, answer.json()["code"]) == (403, "matcher_address_unusable")
    assert hr.node.peer.url == "http://127.0.0.1:8700"


async def test_a_file_of_many_statements(world: World) -> None:
    """Statements with long certificates of CAs are more than an ordinary body, and are taken; so is a long request."""
    ca = f"-----BEGIN CERTIFICATE-----\n{'A' * 20_000}\n-----END CERTIFICATE-----\n"
    for port in (8798, 8799):
        content = await move(world, url=f"https://127.0.0.1:{port}", ca=ca)
    assert len(content) > 2 * len(ca)
    answer = await world.nodes["SI"].post("/registry/statements", json={"content": content})
    assert answer.status_code == 200, answer.text
    assert answer.json()["waiting"]["number"] == 2
    assert (await admit(world, b"x" * 20_000, "word")).status_code == 422
