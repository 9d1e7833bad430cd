"""Several chunks in flight: caps, one statement for each, pauses where the matcher has no room, what is too late."""

import json
from dataclasses import dataclass, field

import httpx
import pytest
from sqlalchemy import func, select

from aquila.sentences import Sentence, quoted
from services.kit.errors import StoreFullError, problem_of
from services.node.rounds import statements
from services.node.steps import outbox
from services.node.steps.submissions.evaluate import store_answer
from services.node.steps.submissions.tasks import EVALUATE
from services.node.storage.tables import ChunkDownloadRow, EvaluationRow, StatementRow
from tests.support.node_steps import open_round
from tests.support.node_world import PartyNode, World
from tests.support.played_worlds import WorldAfter
from tests.support.sentence_texts import texts

pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.rounds]


@dataclass
class Full(httpx.AsyncBaseTransport):
    """The way to a matcher that takes some uploads not now."""

    honest: httpx.AsyncBaseTransport
    full: bool = True
    refused: int = 0
    calls: list[str] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Refuse as the matcher does, whose quota is used up for example."""
        self.calls.append(f"{request.method} {request.url.path}")
        if self.full and request.method == "PUT" and "/evaluations/" in request.url.path:
            self.refused += 1
            headers = {"content-type": "application/problem+json", "retry-after": "30"}
            problem = problem_of(StoreFullError(quoted("no room")))
            content = httpx.ByteStream(json.dumps(problem).encode())
            return httpx.Response(int(str(problem["status"])), headers=headers, stream=content)
        return await self.honest.handle_async_request(request)


@pytest.fixture
def bytes_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few bytes travel by themselves, too, as many do."""
    monkeypatch.setattr(outbox, "_FEW_BYTES", 0)


def restart_through(party_node: PartyNode, transport: httpx.AsyncBaseTransport) -> None:
    party_node.transport = transport
    party_node.restart()


def evaluated(party_node: PartyNode) -> int:
    with party_node.node.store.reading("test") as session:
        return session.scalar(select(func.count()).select_from(EvaluationRow)) or 0


async def test_a_chunk_is_signed_once(world: World) -> None:
    """An answer that comes a second time, computed with another nonce, is not signed again."""
    round_id = await world.begin()
    al = world.nodes["AL"]

    async def has_evaluated() -> bool:
        return evaluated(al) > 0

    await world.until(has_evaluated)
    with al.node.store.reading("test") as session:
        row = session.scalars(select(ChunkDownloadRow).where(ChunkDownloadRow.state == "evaluated")).first()
        before = session.scalar(select(func.count()).select_from(StatementRow).where(StatementRow.own))
    assert row is not None
    path = f"/v1/rounds/{round_id}/submissions/{row.submission_id}/blinded/{row.index}"
    chunk = (await al.node.peer.call("GET", path)).content
    memory = al.node.rounds.of(round_id)
    again = await al.node.workers.run(
        EVALUATE,
        al.node.party.to_evaluate(memory.record(), memory.secrets(), row.submission_id, row.index, chunk, b"\x01" * 32),
    )
    store_answer(al.node, row, again)
    with al.node.store.reading("test") as session:
        assert session.scalar(select(func.count()).select_from(StatementRow).where(StatementRow.own)) == before
    assert evaluated(al) >= 1


@pytest.mark.usefixtures("bytes_apart")
async def test_a_node_pauses_while_the_matcher_has_no_room(world: World) -> None:
    """It asks once, evaluates nothing more, says so, does everything else, and goes on when the time has come."""
    al = world.nodes["AL"]
    way = Full(al.transport)
    restart_through(al, way)
    round_id = await world.begin()
    await world.settle()
    view = await al.round(round_id)
    assert any("no room" in problem for problem in texts(view["problems"]))
    assert (await al.get("/status"))["matcher_reachable"]
    assert way.refused <= al.node.calls
    assert any(call.startswith("DELETE") for call in way.calls), "what others evaluated is fetched and acknowledged"
    done = evaluated(al)
    asked = way.refused
    await world.settle()
    assert (evaluated(al), way.refused) == (done, asked)
    way.full = False
    world.clock.time += 31
    await world.settle()
    view = await al.round(round_id)
    assert texts(view["problems"]) == []
    assert view["hits"] == 1


@pytest.mark.more_rounds
async def test_a_consent_waits_until_the_matcher_has_room(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its people see why, the matcher counts as reached, and the consent is sent again by itself."""
    round_id, al = await world.propose(), world.nodes["AL"]
    await world.settle()
    files = world.app.state.context.files
    with monkeypatch.context() as patch:
        patch.setattr(files, "free_space", lambda: 0)
        assert (await al.post(f"/rounds/{round_id}/consent")).status_code == 202
        for _ in range(4):
            await al.step()
        view = await al.round(round_id)
        assert [text.split(":")[0] for text in texts(view["problems"])] == [
            "the matcher's disk has no room for the lists of this party now"
        ]
        assert al.node.contact.reachable
        assert (await world.operator.get(f"/v1/operator/rounds/{round_id}")).json()["parties"][0]["consented"] is False
    await world.settle()
    view = await al.round(round_id)
    assert texts(view["problems"]) == []
    assert (await world.operator.get(f"/v1/operator/rounds/{round_id}")).json()["parties"][0]["consented"]


@pytest.mark.more_rounds
async def test_a_statement_that_is_too_late_is_given_up(world: World) -> None:
    """The matcher's clock is ahead: the consent does not count, and is not sent for ever."""
    round_id = await world.propose()
    al = world.nodes["AL"]
    way = Full(al.transport, full=False)
    restart_through(al, way)
    await world.settle()
    window = (await al.round(round_id))["manifest"]["window"]
    al.clock = type(world.clock)(window["consent_by"] - 50)
    al.restart()
    world.clock.time = window["consent_by"] + 50
    assert (await al.post(f"/rounds/{round_id}/consent")).status_code == 202
    for _ in range(6):
        await al.step()
    sent = [call for call in way.calls if call == f"POST /v1/rounds/{round_id}/consignments"]
    assert len(sent) == 1
    assert any("the matcher refuses a consent" in problem for problem in texts((await al.round(round_id))["problems"]))


@pytest.mark.more_rounds
async def test_a_refused_round_is_followed_to_its_end(world_after: WorldAfter) -> None:
    world, round_id = await world_after(open_round)
    al = world.nodes["AL"]
    with al.node.store.transaction("test") as session:
        statements.refuse(session, al.node.clock, round_id, "test", Sentence.of("round_is_over"))
    await world.settle()
    assert (await al.round(round_id))["keys_present"]
    await world.operator.post(f"/v1/operator/rounds/{round_id}/abort", json={"reason": "AL is away"})
    await world.settle()
    view = await al.round(round_id)
    assert view["entry"]["phase"] == "aborted"
    assert not view["keys_present"]
