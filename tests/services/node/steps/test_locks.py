"""Locks at a node: signed once after the opening and before its list; one that does not open is named at once."""

from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import select

from aquila.crypto.envelope import payload_of
from aquila.crypto.sealing import seal_to
from aquila.protocol.messages import Locks
from aquila.protocol.party import Party, RoundSecrets
from aquila.protocol.rounds.locks import pair_key
from aquila.protocol.rounds.verified_round import Round
from services.node.storage.tables import StatementRow
from tests.support.node_steps import kinds_in_log, round_without_lists
from tests.support.node_world import PartyNode, World
from tests.support.played_worlds import WorldAfter
from tests.support.sentence_texts import texts

pytestmark = [pytest.mark.parties("AL", "RS", "SI"), pytest.mark.rounds]


def own_kinds(party_node: PartyNode, round_id: str) -> list[str]:
    """Return the kinds of the statements that a node signed, in their order."""
    own = StatementRow.round_id == round_id, StatementRow.own
    with party_node.node.store.reading("test.own") as session:
        return list(session.scalars(select(StatementRow.kind).where(*own).order_by(StatementRow.sequence)))


def key_of(party_node: PartyNode, round_id: str, other: str) -> bytes:
    memory = party_node.node.rounds.of(round_id)
    with pair_key(memory.record(), party_node.node.code, memory.secrets(), other, "shadow") as key:
        return key.to_bytes()


async def test_they_are_signed_once(world_after: WorldAfter) -> None:
    """Both sides have the same key, also after a restart, which signs nothing anew."""
    world, round_id = await world_after(round_without_lists)
    before = key_of(world.nodes["AL"], round_id, "SI")
    for party_node in world.nodes.values():
        party_node.restart()
    await world.settle()
    for party_node in world.nodes.values():
        assert own_kinds(party_node, round_id) == ["consent", "locks"]
        assert kinds_in_log(party_node).count("locks") == 1
    assert key_of(world.nodes["AL"], round_id, "SI") == key_of(world.nodes["SI"], round_id, "AL") == before
    assert key_of(world.nodes["AL"], round_id, "RS") != before


@pytest.mark.more_rounds
@dataclass
class WithoutLocks(httpx.AsyncBaseTransport):
    """A network that fails where a node sends its Locks."""

    honest: httpx.AsyncBaseTransport
    fails: bool = True

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.fails and b"vnd.aquila.locks" in await request.aread():
            raise httpx.ConnectError("away", request=request)
        return await self.honest.handle_async_request(request)


async def test_killed_before_they_are_sent(world: World) -> None:
    """A node signs nothing that it submits before its Locks came back; after a kill it sends those that it signed."""
    al = world.nodes["AL"]
    network = al.transport = WithoutLocks(al.transport)
    al.restart()
    round_id = await world.begin()
    await world.until(lambda: "locks" in own_kinds(al, round_id))
    for _ in range(4):
        await world.step()
    al.restart()
    await world.step()
    assert "submission" not in own_kinds(al, round_id)
    network.fails = False
    await world.settle()
    assert [own_kinds(al, round_id).count(kind) for kind in ("consent", "locks", "submission")] == [1, 1, 1]
    assert (await al.round(round_id))["hits"] == 2


class OtherLocks(Party):
    def locks(self, round_: Round, sequence: int, secrets: RoundSecrets) -> bytes:
        """Sign Locks whose half for AL is sealed for another round."""
        own = self.statement_of(super().locks(round_, sequence, secrets))
        other = seal_to(bytes.fromhex(round_.consents["AL"].sealing_key), b"another round", bytes(32)).hex()
        halves = tuple(
            half.model_copy(update={"sealed": other}) if half.counterpart == "AL" else half for half in own.halves
        )
        return self._signed(own.model_copy(update={"halves": halves}))

    @staticmethod
    def statement_of(envelope: bytes) -> Locks:
        return Locks.from_payload(payload_of(envelope, Locks.payload_type))


async def test_a_half_that_does_not_open(world: World) -> None:
    """Its receiver names who made it, and evaluates and compares nothing with that party alone; others see no fault."""
    rs = world.nodes["RS"].node
    rs.party = OtherLocks(rs.code, rs.party.identity, rs.group, rs.party.log_head)
    round_id = await world.begin()
    await world.settle()
    al, si = world.nodes["AL"], world.nodes["SI"]
    assert any("the lock that RS made" in text for text in texts((await al.round(round_id))["problems"]))
    said = al.node.rounds.of(round_id).record()
    assert {to for one, to in said.tokens if said.submissions[one].party == "AL"} == {"SI"}
    assert {one.origin for one in said.evaluations.values() if one.party == "AL"} == {"SI"}
    assert (await al.round(round_id))["hits"] == 1
    assert (await al.round(round_id))["submissions"][0]["state"] == "tokens_sent"
    awaited = {one["party"]: one["awaited"] for one in (await al.round(round_id))["parties"]}
    assert awaited == dict.fromkeys(world.nodes, "nothing")
    assert texts((await si.round(round_id))["problems"]) == []
    assert (await si.round(round_id))["hits"] == 2


@pytest.mark.more_rounds
async def test_not_after_the_time_for_lists(world: World) -> None:
    round_id = await world.begin(lists=False)
    al = world.nodes["AL"]
    await al.step()

    async def is_open() -> bool:
        return await world.phase(round_id) == "open"

    await world.until(is_open, "RS", "SI")
    window = al.node.rounds.of(round_id).record().manifest.window
    world.clock.time = window.submit_by + 1
    await world.settle("AL")
    assert own_kinds(al, round_id) == ["consent"]
