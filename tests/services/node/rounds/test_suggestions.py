"""A party suggests a round: written with its entry, sent once, answered by the secretariat, shown to officers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aquila.audit.roles import Role
from aquila.crypto.keys import IdentityKey
from aquila.errors import ReplayError
from aquila.protocol.messages.suggestions import MOST_WAITING, SuggestionAnswer, SuggestionState
from services.kit.http.peer import Peer
from services.kit.http.signatures import CallSigner
from services.kit.log import entries
from services.matcher.rounds import suggestions as at_matcher
from services.node.rounds.send_suggestions import send_suggestions
from services.node.rounds.suggestions import forget_suggestions, take_answers
from tests.support.clock import Clock

if TYPE_CHECKING:
    from tests.support.node_world import PartyNode, World

TERMS: dict[str, Any] = {
    "participants": ["RS", "AL"], "area": "counter-terrorism", "legal_basis": "PCC SEE", "purpose": "find persons",
    "category": "fighters",
}  # fmt: skip
PROPOSAL = {**TERMS, "padding": {"inputs_per_record": [], "records_multiple": 1}, "canaries": 0}


async def own(party_node: PartyNode) -> list[dict[str, Any]]:
    """Return a node's suggestions."""
    found: list[dict[str, Any]] = (await party_node.get("/suggestions"))["suggestions"]
    return found


def logged(store: Any, kind: str) -> list[Any]:
    """Return a log's entries of a kind."""
    with store.reading("test.log") as session:
        return [entry for _, entry in entries.entries(session) if entry is not None and entry.kind == kind]


async def test_it_becomes_a_round(world: World) -> None:
    """The secretariat proposes from it; when that takes effect, the party is told which round it is."""
    party_node, matcher = world.nodes["AL"], world.app.state.context.store
    answer = await party_node.post("/suggestions", json=TERMS)
    assert answer.status_code == 202, answer.text
    suggestion_id = answer.json()["suggestion_id"]
    assert [one["state"] for one in await own(party_node)] == ["written"]
    await world.step()
    assert [one["state"] for one in await own(party_node)] == ["waiting"]
    (there,) = (await world.operator.get("/v1/operator/suggestions")).json()["suggestions"]
    assert (there["party"], there["author"], there["terms"]["participants"]) == ("AL", "", ["AL", "RS"])
    answer = await world.operator.post("/v1/operator/rounds", json=PROPOSAL | {"suggestion_id": suggestion_id})
    assert answer.status_code == 202, answer.text
    round_id = answer.json()["round_id"]
    await world.settle()
    (mine,) = await own(party_node)
    assert (mine["state"], mine["round_id"], mine["answered_at"]) == ("proposed", round_id, world.clock.time)
    # The same answer comes again with every list of rounds, and is taken once.
    await world.settle()
    (here,) = logged(party_node.node.store, "suggestion")
    assert (here.person, here.role, here.reason.purpose) == (mine["author"], "officer", "find persons")
    (told,) = logged(party_node.node.store, "suggestion_answered")
    assert (told.round, told.ids["how"], told.person) == (round_id, "proposal", None)
    (came,) = logged(matcher, "suggestion")
    assert (came.party, came.person, came.ids["suggestion"]) == ("AL", None, suggestion_id)
    assert [entry.round for entry in logged(matcher, "suggestion_answered")] == [round_id]
    again = await world.operator.post("/v1/operator/rounds", json=PROPOSAL | {"suggestion_id": suggestion_id})
    assert again.status_code == 409


async def test_it_is_set_aside(world: World) -> None:
    """With a reason that the party reads; nothing else of it changes, and it is answered once."""
    party_node = world.nodes["AL"]
    suggestion_id = (await party_node.post("/suggestions", json=TERMS)).json()["suggestion_id"]
    await world.step()
    path = f"/v1/operator/suggestions/{suggestion_id}"
    answer = await world.operator.post(f"{path}/set-aside", json={"reason": "after the summer"})
    assert (answer.status_code, answer.json()["state"]) == (200, "set_aside")
    assert (await world.operator.post(f"{path}/set-aside", json={"reason": "no"})).status_code == 409
    assert (await world.operator.get(path)).json()["reason"]["text"] == "after the summer"
    await world.settle()
    (mine,) = await own(party_node)
    assert (mine["state"], mine["reason"]["text"], mine["round_id"]) == ("set_aside", "after the summer", None)
    (entry,) = logged(world.app.state.context.store, "suggestion_answered")
    assert entry.person
    assert (entry.recipient, entry.ids["how"]) == ("AL", "set_aside")
    assert await own(world.nodes["RS"]) == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"participants": ["AL", "XX"]}, 422),
        ({"participants": ["RS", "SI"]}, 422),
        ({"participants": ["AL"]}, 422),
        ({"participants": ["AL", "AL"]}, 422),
        ({"area": ""}, 422),
        ({"surprise": 1}, 422),
    ],
)
async def test_what_cannot_be_suggested(world: World, change: dict[str, Any], status: int) -> None:
    """A stranger, a round of others, nobody else, or no words: refused, and nothing is kept or logged."""
    party_node = world.nodes["AL"]
    assert (await party_node.post("/suggestions", json=TERMS | change)).status_code == status
    assert await own(party_node) == []
    assert logged(party_node.node.store, "suggestion") == []


async def test_only_an_officer_suggests(world: World) -> None:
    """Everyone who sees rounds sees what was suggested."""
    party_node = world.nodes["AL"]
    for role in (Role.APPROVER, Role.ANALYST, Role.AUDITOR):
        assert (await party_node.person(role).post("/v1/suggestions", json=TERMS)).status_code == 403
        assert (await party_node.person(role).get("/v1/suggestions")).status_code == 200
    assert (await party_node.person(Role.OFFICER).post("/v1/suggestions", json=TERMS)).status_code == 202


async def test_so_many_wait_at_most(world: World) -> None:
    """A party cannot bury the secretariat in them."""
    party_node = world.nodes["AL"]
    for _ in range(MOST_WAITING):
        assert (await party_node.post("/suggestions", json=TERMS)).status_code == 202
    assert (await party_node.post("/suggestions", json=TERMS)).status_code == 403
    await world.step()
    assert {one["state"] for one in await own(party_node)} == {"waiting"}


async def test_what_the_matcher_does_not_take_is_told(world: World) -> None:
    """A refusal ends it, with what the matcher said."""
    party_node, context = world.nodes["AL"], world.app.state.context
    answer = await party_node.post("/suggestions", json=TERMS)
    other = at_matcher.Suggestion.model_validate(TERMS | {"area": "another"})
    at_matcher.accept_suggestion(context, "AL", answer.json()["suggestion_id"], other.payload())
    await world.step()
    (mine,) = await own(party_node)
    assert mine["state"] == "refused"
    assert "another suggestion under this id" in mine["reason"]["text"]


async def test_a_clock_that_differs_refuses_nothing(world: World) -> None:
    """Where the matcher takes no call of the node, the suggestion waits, and goes when it does again."""
    party_node = world.nodes["AL"]
    await party_node.post("/suggestions", json=TERMS)
    late = Clock(world.clock.time - 4_000)
    await party_node.node.peer.close()
    party_node.node.peer = Peer(
        party_node.node.settings.matcher, CallSigner(identity(party_node), "AL", late), party_node.transport
    )
    with pytest.raises(ReplayError):
        await send_suggestions(party_node.node)
    assert [one["state"] for one in await own(party_node)] == ["written"]
    late.time = world.clock.time
    assert await send_suggestions(party_node.node)
    assert [one["state"] for one in await own(party_node)] == ["waiting"]


def identity(party_node: PartyNode) -> IdentityKey:
    """Return a node's identity key."""
    return IdentityKey.from_pem((party_node.home / "identity.pem").read_bytes())


async def test_an_answer_to_nothing_is_no_answer(world: World) -> None:
    """Ids that this node never sent, and states that are none of the matcher's, change nothing."""
    party_node = world.nodes["AL"]
    suggestion_id = (await party_node.post("/suggestions", json=TERMS)).json()["suggestion_id"]
    strange = [("0" * 32, SuggestionState.PROPOSED), (suggestion_id, SuggestionState.REFUSED)]
    answers = [SuggestionAnswer(suggestion_id=one, state=state, reason="", round_id=None) for one, state in strange]
    assert not take_answers(party_node.node.journal, answers)
    assert [one["state"] for one in await own(party_node)] == ["written"]


async def test_they_go_after_the_retention(world: World) -> None:
    """At both sides, with an entry that counts them."""
    party_node, context = world.nodes["AL"], world.app.state.context
    await party_node.post("/suggestions", json=TERMS)
    await world.step()
    assert not forget_suggestions(party_node.node.journal, 30)
    assert not at_matcher.forget_suggestions(context, 30)
    world.clock.time += 31 * 86_400
    assert forget_suggestions(party_node.node.journal, 30)
    assert at_matcher.forget_suggestions(context, 30)
    assert await own(party_node) == []
    for store in (party_node.node.store, context.store):
        assert [entry.counts for entry in logged(store, "erasure")] == [{"suggestions": 1}]
