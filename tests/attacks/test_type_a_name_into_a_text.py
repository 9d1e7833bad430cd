"""An officer types the name of a person into a text that goes to the matcher and to parties, and into their logs."""

from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path

import httpx
import pytest

from tests.support import stored_log
from tests.support.clock import Clock
from tests.support.node_world import HEADER, JUSTIFICATION, LISTS, PartyNode, World, make_world

MIRA = {"given_names": "Mira", "family_names": "Janković", "date_of_birth": "1988-08-08"}
SPELLINGS = ("Mira Janković", "JANKOVIC, mira 2026", "Мира Јанковић", "против Мире Јанковић")
ASKED, OWN = "text_names_asked_person", "text_may_name_own_person"
CONFIRMED = {"names_checked": "true"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A matcher and two nodes."""
    made = make_world(tmp_path, Clock(1_800_000_000), ("AL", "RS"))
    yield made
    await made.close()


async def open_round(world: World) -> str:
    """Play a round that takes queries until it is open."""
    round_id = await world.begin(lists=False, mode="lists_and_queries")
    await world.settle()
    return round_id


async def ask(node: PartyNode, round_id: str, *, confirmed: bool = False, **texts: str) -> httpx.Response:
    body = {"round_id": round_id, "persons": [MIRA], "justification": JUSTIFICATION | texts}
    return await node.operator.post("/v1/queries", json=body, params=CONFIRMED if confirmed else {})


def code_of(answer: httpx.Response) -> str:
    """Return the id of the refusal, in which no name is."""
    assert answer.status_code == 422, answer.text
    assert "jankov" not in answer.text.casefold()
    return str(answer.json()["code"])


def logged(node: PartyNode) -> str:
    """Return all entries of a node's log."""
    with node.node.store.reading("test.log") as session:
        return "\n".join(entry.model_dump_json() for _, entry in stored_log.entries(session) if entry is not None)


async def test_of_a_person_who_is_asked_for(world: World) -> None:
    """No text of a query takes the name, in any script, spelling or case; confirming it helps nothing."""
    round_id = await open_round(world)
    node = world.nodes["AL"]
    for field, spelling in product(JUSTIFICATION, SPELLINGS):
        assert code_of(await ask(node, round_id, **{field: spelling})) == ASKED
        assert code_of(await ask(node, round_id, confirmed=True, **{field: spelling})) == ASKED
    assert code_of(await ask(node, round_id, case_reference="Mira 2026/17", purpose="Janković")) == ASKED
    assert not [one for one in (await node.get("/imports"))["imports"] if one["for_query"]]
    assert "ankovi" not in logged(node)


async def test_by_every_way_of_asking(world: World) -> None:
    """A stored list that is submitted as a query, and a standing query, are refused as well."""
    round_id = await open_round(world)
    node = world.nodes["AL"]
    import_id = await node.load(HEADER + "q-1,Mira,Janković,1988-08-08,\n", "query")
    why = JUSTIFICATION | {"purpose": "Мира Јанковић"}
    body = {"import_id": import_id, "kind": "query", "justification": why}
    assert code_of(await node.operator.post(f"/v1/rounds/{round_id}/submissions", json=body)) == ASKED
    until = world.clock.time + 86_400
    standing = {"round_id": round_id, "persons": [MIRA], "justification": why, "until": until}
    assert code_of(await node.operator.post("/v1/standing-queries", json=standing)) == ASKED


async def test_of_a_person_of_an_earlier_query(world: World) -> None:
    """The reason for leaving the round does not take it, and leaves the node without it."""
    round_id = await open_round(world)
    node = world.nodes["AL"]
    assert (await ask(node, round_id)).status_code == 202
    leaving = {"reason": "asked for Mira Janković"}
    answer = await node.operator.post(f"/v1/rounds/{round_id}/abort", json=leaving, params=CONFIRMED)
    assert code_of(answer) == ASKED
    assert "ankovi" not in logged(node)


async def test_of_a_person_of_the_own_list(world: World) -> None:
    """It is refused until the officer confirms that it is somebody else; then it goes."""
    round_id = await open_round(world)
    node = world.nodes["AL"]
    import_id = await node.load(HEADER + LISTS["AL"])
    submission = {"import_id": import_id, "kind": "list", "justification": JUSTIFICATION | {"purpose": "Besa Dervishi"}}
    calls = [
        (f"/v1/rounds/{round_id}/submissions", submission),
        (f"/v1/rounds/{round_id}/abort", {"reason": "judge: Дервиши, Беса"}),
    ]
    for path, body in calls:
        assert code_of(await node.operator.post(path, json=body)) == OWN, path
    assert "ervishi" not in logged(node)
    for path, body in calls:
        assert (await node.operator.post(path, json=body, params=CONFIRMED)).status_code == 202, path


async def test_of_a_part_of_a_name(world: World) -> None:
    """A family name alone may be a place or another person: the officer confirms it, and other words need nothing."""
    round_id = await open_round(world)
    node = world.nodes["AL"]
    assert code_of(await ask(node, round_id, purpose="the Janković group")) == OWN
    assert (await ask(node, round_id, confirmed=True, purpose="the Janković group")).status_code == 202
    assert (await ask(node, round_id, purpose="mir u regionu, po nalogu suda")).status_code == 202
