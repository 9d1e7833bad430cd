"""Peers that lie to a node: each is found out, named in a problem, and gets nothing."""

from dataclasses import dataclass, field

import httpx
import pytest
from sqlalchemy import select

from aquila.crypto.shares import new_share
from aquila.protocol.messages.feed import Event, EventKind, Events
from aquila.protocol.party import Party, RoundSecrets
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.submissions.tasks import EvaluateTask
from aquila.records.rules import InputClass
from services.node.round_memory import round_row
from services.node.steps.consent import store_manifest
from services.node.steps.sync import take_page
from services.node.storage.tables import EvaluationDownloadRow, StatementRow, TokenPartRow
from tests.support.metrics import metric
from tests.support.node_world import PartyNode, World
from tests.support.sentence_texts import texts

pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.rounds]


class WrongShare(Party):
    def to_evaluate(
        self, round_: Round, secrets: RoundSecrets, submission_id: str, index: int, chunk: bytes, fresh: bytes
    ) -> EvaluateTask:
        other = {kind: new_share(self.group, lambda size: b"\x07" * size) for kind in InputClass}
        lying = RoundSecrets(other, secrets.lock, secrets.sealing)
        return super().to_evaluate(round_, lying, submission_id, index, chunk, fresh)


@dataclass
class Lying(httpx.AsyncBaseTransport):
    honest: httpx.AsyncBaseTransport
    part: str = "nothing"
    calls: list[str] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self.honest.handle_async_request(request)
        self.calls.append(f"{request.method} {request.url.path}")
        if request.method != "GET" or self.part not in request.url.path:
            return answer
        content = bytearray(await answer.aread())
        content[0] ^= 1
        return httpx.Response(answer.status_code, stream=httpx.ByteStream(bytes(content)))


async def problems(party_node: PartyNode, round_id: str) -> str:
    return "; ".join(texts((await party_node.round(round_id))["problems"]))


@pytest.mark.parametrize("codes", [("AL", "RS", "SI")], ids=["three"])
async def test_a_wrong_evaluation_is_never_finalized(world: World) -> None:
    """A proof that does not verify names party and chunk, no tokens are made for it, and the other pair goes on."""
    rs = world.nodes["RS"].node
    rs.party = WrongShare(rs.code, rs.party.identity, rs.group, rs.party.log_head)
    round_id = await world.begin()
    await world.settle()
    for code, other in (("AL", "SI"), ("SI", "AL")):
        text = await problems(world.nodes[code], round_id)
        assert "RS evaluated chunk 0 wrongly" in text
        view = await world.nodes[code].round(round_id)
        assert view["submissions"][0]["state"] == "tokens_sent"
        assert view["hits"] == 1
        assert {one["awaited"] for one in view["parties"]} == {"nothing"}
        with world.nodes[code].node.store.reading("test") as session:
            rows = session.scalars(select(EvaluationDownloadRow)).all()
            made = session.scalars(select(TokenPartRow.counterpart)).all()
        assert {row.party for row in rows if row.state == "failed"} == {"RS"}
        assert {row.party for row in rows if row.state == "acknowledged"} == {other}
        assert set(made) == {other}
    refused = {code: metric(one.app, "proofs_refused_total") for code, one in world.nodes.items()}
    assert refused == {"AL": 3, "RS": 0, "SI": 3}  # a list has three chunks
    assert await world.phase(round_id) == "open"


@pytest.mark.more_rounds
async def test_bytes_that_stay_wrong_are_given_up(world: World) -> None:
    """After three fetches with another digest the node names chunk and evaluator, and finalizes nothing."""
    al = world.nodes["AL"]
    al.stop()
    al.transport = Lying(al.transport, "/evaluations/RS/0")
    al.start()
    round_id = await world.begin()
    await world.settle()
    assert "an evaluation of RS cannot be had" in await problems(al, round_id)
    assert (await al.round(round_id))["submissions"][0]["state"] == "submitted"


async def test_a_second_manifest_under_a_known_number_is_evidence(world: World) -> None:
    round_id = await world.propose()
    al = world.nodes["AL"]
    await al.step()
    context = world.app.state.context
    record = al.node.rounds.of(round_id).record()
    other = record.manifest.model_copy(update={"purpose": "another one"})
    envelope = context.matcher.propose(other)
    assert not store_manifest(al.node, round_id, envelope)
    assert "two different manifests" in await problems(al, round_id)
    assert (await al.post(f"/rounds/{round_id}/consent")).status_code == 403


def show(party_node: PartyNode, round_id: str, envelope: bytes) -> None:
    with party_node.node.store.reading("test.cursor") as session:
        cursor = round_row(session, round_id).cursor
    event = Event(event_id=cursor + 1, kind=EventKind.STATEMENT, envelope=envelope.decode())
    take_page(party_node.node, round_id, Events(events=(event,), time=0))


@pytest.mark.more_rounds
async def test_two_evaluations_of_one_chunk_are_evidence(world: World) -> None:
    """An evaluator that signed two answers ends the round for the node, which keeps both and evaluates no more."""
    round_id = await world.begin()
    al, rs = world.nodes["AL"], world.nodes["RS"]

    async def evaluated() -> bool:
        return any(e.party == "RS" for e in al.node.rounds.of(round_id).record().evaluations.values())

    await world.until(evaluated)
    theirs = next(e for e in al.node.rounds.of(round_id).record().evaluations.values() if e.party == "RS")
    lie = theirs.model_copy(update={"output_digest": "0" * 64, "sequence": 99})
    show(al, round_id, rs.node.party._signed(lie))
    assert "has evaluated this chunk already" in await problems(al, round_id)
    with al.node.store.reading("test.evidence") as session:
        kept = session.scalars(select(StatementRow).where(StatementRow.kind == "evidence")).all()
    assert [row.party for row in kept] == ["RS"]
    with al.node.store.reading("test.refused") as session:
        assert round_row(session, round_id).refused is not None
