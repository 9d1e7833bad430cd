"""Chunks: only what was signed, from who signed it, kept for as long as somebody needs it."""

from collections.abc import Callable

import httpx
import pytest

from services.matcher.settings import QuotaSettings
from tests.support.evaluations import evaluate
from tests.support.matcher_world import World

pytestmark = pytest.mark.postgresql_soak


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


async def signed_list(world: World, code: str = "AL") -> tuple[str, bytes]:
    """Send a list's statement without its chunks; return the first chunk's path and bytes."""
    await world.opened()
    node = world.nodes[code]
    await node.sync()
    envelope, sent = node.prepared()
    assert (await node.say(envelope)).status_code == 201
    return f"submissions/{sent.submission_id}/blinded/0", sent.chunks[0][2]


async def test_the_same_chunk_again(world: World) -> None:
    """A party that missed the answer sends it again; it is stored and told once."""
    path, content = await signed_list(world)
    node = world.nodes["AL"]
    assert [(await node.call("PUT", path, content=content)).status_code for _ in range(2)] == [201, 200]
    await world.nodes["RS"].sync()
    assert [event.index for event in world.nodes["RS"].seen if event.kind == "blinded"] == [0]


async def test_what_is_not_taken(world: World) -> None:
    """Other bytes than were signed, bytes of which no statement tells, and another party's."""
    path, content = await signed_list(world)
    others = content[:-1] + bytes([content[-1] ^ 1])
    unknown = f"submissions/{'a' * 32}/"
    for code, place, sent, refused in (
        ("AL", path, others, (400, "digest")),
        ("AL", path, content[:-32], (400, "malformed")),
        ("AL", path, content + bytes(32), (400, "malformed")),
        ("AL", path, b"", (400, "malformed")),
        ("AL", path, bytes(9 << 20), (413, "body-too-large")),
        ("AL", path[:-1] + "99", content, (409, "order")),
        ("AL", path.replace("blinded", "tokens/RS"), b"x", (409, "order")),
        ("RS", path.replace("blinded", "evaluations/RS"), b"x", (409, "order")),
        ("AL", f"{unknown}blinded/0", b"x", (409, "order")),
        ("AL", f"{unknown}tokens/RS/0", b"x", (409, "order")),
        ("AL", f"{unknown}evaluations/AL/0", b"x", (409, "order")),
        ("RS", path, content, (403, "policy")),
        ("RS", path.replace("blinded", "tokens/AL"), content, (403, "policy")),
        ("RS", path.replace("blinded", "evaluations/AL"), content, (403, "policy")),
    ):
        assert problem(await world.nodes[code].call("PUT", place, content=sent)) == refused, (code, place)
    assert world.chunk_files() == []


async def test_evaluations_are_for_the_origin(three: World) -> None:
    await three.submitted()
    await three.nodes["RS"].evaluate()
    path = three.nodes["AL"]
    await path.sync()
    place = three.chunk("AL", what="evaluations/RS")
    assert (await three.nodes["AL"].call("GET", place)).status_code == 200
    for method in ("GET", "DELETE"):
        assert problem(await three.nodes["SI"].call(method, place)) == (403, "policy")
        assert problem(await three.nodes["AL"].call(method, place[:-1] + "9")) == (404, "not-found")


async def test_an_acknowledged_evaluation_is_gone(world: World) -> None:
    await world.submitted()
    await world.nodes["RS"].evaluate()
    await world.nodes["AL"].sync()
    place = world.chunk("AL", what="evaluations/RS")
    assert any("/evaluation/RS/0" in name for name in world.chunk_files())
    for _ in range(2):
        assert (await world.nodes["AL"].call("DELETE", place)).status_code == 204
    assert not any("/evaluation/RS/0" in name for name in world.chunk_files())
    assert problem(await world.nodes["AL"].call("GET", place)) == (404, "not-found")
    content = b"x" * world.nodes["AL"].list.chunks[0][0].elements * 32
    assert (await world.nodes["RS"].call("PUT", place, content=content)).status_code == 200


async def test_blinded_elements_go_when_everyone_evaluated_them(three: World) -> None:
    await three.submitted()
    await three.nodes["RS"].evaluate()
    three.advance()
    assert sum("/blinded/AL/" in name for name in three.chunk_files()) == len(
        three.nodes["AL"].sent.popitem()[1].chunks
    )
    await three.nodes["SI"].evaluate()
    three.advance()
    assert not any("/blinded/AL/" in name for name in three.chunk_files())


async def test_a_blinded_chunk_goes_with_its_last_acknowledgement(three: World) -> None:
    """Chunk by chunk: as soon as its origin has everyone's evaluation of it, whatever is still missing of others."""
    await three.opened()
    origin = three.nodes["AL"]
    sent = await origin.submit()
    await three.nodes["RS"].evaluate()
    await three.nodes["SI"].sync()
    await three.nodes["SI"].evaluate_chunk(sent.submission_id, 0)
    await origin.sync()

    async def acknowledge(party: str) -> None:
        path = f"submissions/{sent.submission_id}/evaluations/{party}/0"
        assert (await origin.call("DELETE", path)).status_code == 204

    blinded = f"{sent.submission_id}/blinded/AL/0"
    await acknowledge("RS")
    assert any(name.endswith(blinded) for name in three.chunk_files())
    await acknowledge("SI")
    assert not any(name.endswith(blinded) for name in three.chunk_files())
    assert sum("/blinded/AL/" in name for name in three.chunk_files()) == len(sent.chunks) - 1
    await acknowledge("SI")
    gone = await three.nodes["SI"].call("GET", f"submissions/{sent.submission_id}/blinded/0")
    assert problem(gone) == (404, "not-found")


async def test_a_quota_of_evaluations(worlds: Callable[..., World]) -> None:
    """While origins are slow, evaluators are told to come again; then they may go on."""
    world = worlds()
    await world.submitted()
    quotas = QuotaSettings.model_construct(evaluation_mebibytes=0, retry_seconds=7)
    world.settings = world.settings.model_copy(update={"quotas": quotas})
    world.restart()
    node, sent = world.nodes["RS"], next(iter(world.nodes["AL"].sent.values()))
    await node.sync()
    answer = evaluate(
        node.party, node.round, node.secrets, node.next(), sent.submission_id, 0, sent.chunks[0][2], bytes(32)
    )
    assert (await node.say(answer.envelope)).status_code == 201
    path = f"submissions/{sent.submission_id}/evaluations/RS/0"
    refused = await node.call("PUT", path, content=answer.elements)
    assert problem(refused) == (503, "store-full")
    assert refused.headers["retry-after"] == "7"
    world.settings = world.settings.model_copy(update={"quotas": QuotaSettings()})
    world.restart()
    assert (await node.call("PUT", path, content=answer.elements)).status_code == 201


async def test_a_chunk_after_the_end(world: World) -> None:
    path, content = await signed_list(world)
    await world.operate("POST", f"/{world.round_id}/abort", json={"reason": "test"})
    world.advance()
    assert problem(await world.nodes["AL"].call("PUT", path, content=content)) == (409, "order")
    assert world.chunk_files() == []
