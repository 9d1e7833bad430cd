"""A party replaces its identity key, or has it revoked, at the whole services; the logs are verified over it."""

import pytest

from aquila.crypto.backend import load_group
from aquila.crypto.envelope import sign_envelope
from aquila.errors import AquilaError
from aquila.protocol.auditing import audit_rounds, read_log
from aquila.protocol.messages import Ending, Outcome, Outcomes
from aquila.protocol.messages.feed import Event, EventKind, Events
from aquila.protocol.registration.self_signed import open_renewal, sign_renewal
from aquila.protocol.registration.spoken_words import spoken
from services.kit.storage.own_identity import next_path
from services.node.rounds import statements, work
from services.node.steps import sync
from services.node.storage.tables import RoundRow, StatementRow
from tests.support.ceremony import REGISTRY, accept, fetched, join, prepare, renew, replace_key
from tests.support.node_world import World, open_world
from tests.support.registering import key_of
from tests.support.renewing import log_of, logged, play, renew_matcher, verify

pytestmark = pytest.mark.more_rounds


async def test_a_key_is_replaced_between_two_rounds(world: World) -> None:
    first = await play(world)
    node = world.nodes["SI"]
    old = node.node.party.identity.public
    await renew(world, "SI")
    assert node.node.party.identity.public != old
    assert not next_path(node.node.settings.identity).exists()
    for member in world.nodes.values():
        assert member.node.registry == world.app.state.context.registry
        (entry,) = logged(member.node.store, "key_replaced")
        assert (entry.recipient, entry.person, entry.digests["former"]) == ("SI", None, old.fingerprint)
        assert (await member.round(first))["entry"]["phase"] == "closed"
    second = await play(world)
    assert (await node.round(second))["entry"]["phase"] == "closed"
    await renew(world, "SI")
    await play(world)
    await verify(world)
    view = await fetched(node)
    assert [len(one["former_fingerprints"]) for one in view["parties"]] == [0, 0, 2]
    # A party's copy of the matcher's log has which key was valid, and else nothing that is of no round.
    files = await log_of(world, "copy of RS")
    record = read_log(files.get, node.node.registry)
    audit_rounds(record, files.get, node.node.registry, load_group())
    found = [entry for entry in record.entries if entry is not None and entry.round is None]
    assert [(entry.kind, entry.recipient, entry.person) for entry in found] == [("key_replaced", "SI", None)] * 2


async def test_a_party_that_joins_after_a_renewal(world: World) -> None:
    """Its log says which keys count from its beginning on, so that it verifies as those of the others do."""
    await renew(world, "SI")
    await renew(world, "SI")
    joined = await join(world)
    for member in world.nodes.values():
        await accept(member)
    (entry,) = logged(joined.node.store, "key_replaced")
    keys = world.app.state.context.registry.keys_of("SI")
    assert (entry.digests["former"], entry.digests["key"]) == (keys[0].fingerprint, keys[2].fingerprint)
    await play(world)
    await verify(world)


async def test_a_stolen_key_is_revoked(world: World) -> None:
    round_id = await play(world)
    node, other = world.nodes["SI"], world.nodes["RS"]
    stolen = node.node.party.identity
    renewal = prepare(node, lost=True)
    assert (await replace_key(world, renewal)).json()["code"] == "key_renewal_without_former_key"
    # The thief has made a succession of its own, which both of its keys sign, and the words are its own.
    thiefs = open_renewal(sign_renewal("SI", key_of("thief"), stolen))
    assert (await replace_key(world, thiefs, revoked=True)).json()["code"] == "key_renewal_signed_by_revoked_key"
    assert (await replace_key(world, thiefs, spoken=spoken(renewal.digest).sentence)).json()["code"] == (
        "spoken_words_differ"
    )
    assert (await replace_key(world, renewal, revoked=True)).status_code == 202
    assert (await replace_key(world, renewal, revoked=True)).json()["code"] == "registry_states_this"
    assert (await fetched(other))["waiting"]["revoked"] == ["SI"]
    await accept(other)
    # The matcher refuses the thief's calls; a node refuses its statements, whoever brings them.
    with pytest.raises(AquilaError) as caught:
        await node.node.peer.call("GET", "/v1/rounds")
    assert caught.value.sentence.code == "call_signature_not_pinned"
    with node.node.rounds.reading(round_id) as round_:
        binding = round_.binding
    message = Outcomes(
        round_id=round_id, party="SI", sequence=90_000, binding=binding, pairs=(), log_head=node.node.party.log_head()
    )
    envelope = sign_envelope(message.payload_type, message.payload(), stolen)
    await _feed(world, "RS", round_id, envelope.decode())
    problems = (await other.round(round_id))["problems"]
    assert "statement_by_replaced_key" in str(problems)
    await accept(node)
    node.restart()
    await accept(world.nodes["AL"])
    await world.settle()
    await play(world)


async def _feed(world: World, code: str, round_id: str, envelope: str) -> None:
    """Let a matcher that works with the thief put a statement into the feed of a node."""
    node = world.nodes[code].node
    with node.store.reading("test.cursor") as session:
        event_id = session.get_one(RoundRow, round_id).cursor + 1
    event = Event(event_id=event_id, kind=EventKind.STATEMENT, envelope=envelope)
    sync.take_page(node, round_id, Events(events=(event,), time=world.clock()))


async def test_a_round_that_is_not_over_keeps_its_keys(world: World) -> None:
    round_id = await world.begin()
    await world.settle("AL", "RS")
    renewal = prepare(world.nodes["SI"])
    assert (await replace_key(world, renewal)).json()["code"] == "party_in_open_rounds"
    await world.operator.post(f"/v1/operator/rounds/{round_id}/abort", json={"reason": "a key is replaced"})
    world.matcher_step()
    assert (await replace_key(world, renewal)).status_code == 202
    other = world.nodes["RS"]
    newest = (await fetched(other))["waiting"]
    body = {"digest": newest["digest"], "spoken": " ".join(newest["words"])}
    assert (await other.post("/registry/accept", json=body)).json()["code"] == "key_replaced_in_open_round"
    await world.settle("AL", "RS")
    await accept(other)


async def test_what_was_not_sent_goes_under_the_new_key(world: World) -> None:
    """A statement of a round that is over, signed before and sent after the change, counts; its digest stays."""
    round_id = await play(world)
    node = world.nodes["SI"]
    round_ = node.node.rounds.of(round_id).record()
    with node.node.store.transaction("test.unsent") as session:
        row = statements.sign(session, node.node.signer, round_, node.node.party.report_outcomes, ())
        digest, before = row.digest, row.envelope
        work.wake(session, round_id)
    await renew(world, "SI")
    with node.node.store.reading("test.sent") as session:
        row = session.get_one(StatementRow, (round_id, digest))
        assert (row.sent, row.refusal, row.envelope == before) == (True, None, False)
    await verify(world)


async def test_the_matchers_key_changes_between_rounds(world: World) -> None:
    """The same command again states nothing new; a node does not take what a new key signs before it has accepted."""
    round_id = await world.begin()
    refused = await world.operator.post(f"{REGISTRY}/own-renewal", json={})
    assert refused.json()["code"] == "matcher_key_with_open_rounds"
    await world.operator.post(f"/v1/operator/rounds/{round_id}/abort", json={"reason": "a key is replaced"})
    await world.settle()
    assert (await world.operator.post(f"{REGISTRY}/own-renewal", json={})).status_code == 202
    repeated = await world.operator.post(f"{REGISTRY}/own-renewal", json={})
    assert (repeated.status_code, repeated.json()["code"]) == (409, "registry_states_this")
    waiting = (await fetched(world.nodes["RS"]))["waiting"]
    assert (waiting["replaced"], waiting["revoked"]) == (["matcher"], [])
    # Until it starts again, the matcher runs with its old key, and states nothing else.
    assert (await world.operator.post(REGISTRY)).json()["code"] == "registry_returns_to_key"
    await world.close()
    again = open_world(world.path, world.clock)
    try:
        node = again.nodes["RS"]
        await again.settle()
        assert node.node.contact.obstacle is not None
        await accept(node)
        await again.settle()
        assert node.node.contact.obstacle is None
        # One that joins now knows the present key alone, and accepts the registry with those before.
        joined = await join(again)
        for member in again.nodes.values():
            await accept(member)
        assert len(joined.node.registry.keys_of("matcher")) == 2
        assert [one.recipient for one in logged(joined.node.store, "key_replaced")] == ["matcher"]
        second = await play(again)
        assert (await joined.round(second))["entry"]["phase"] == "closed"
        await verify(again)
    finally:
        await again.close()


async def test_a_stolen_key_of_the_matcher(world: World) -> None:
    stolen = world.app.state.context.matcher.identity
    again = await renew_matcher(world, revoked=True)
    try:
        node = again.nodes["RS"]
        statement = (await fetched(node))["in_force"]
        assert statement["revoked"] == []  # nothing is new any more
        round_id = await play(again)
        ending = Ending(round_id=round_id, outcome=Outcome.ABORTED, reason="x")
        envelope = sign_envelope(ending.payload_type, ending.payload(), stolen)
        await _feed(again, "RS", round_id, envelope.decode())
        assert "statement_by_replaced_key" in str((await node.round(round_id))["problems"])
    finally:
        await again.close()
