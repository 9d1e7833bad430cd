"""Somebody between the secretariat and a party, or the matcher itself, tries to put another key into the registry."""

from typing import Any

import httpx
import pytest

from aquila.audit.roles import Role
from aquila.crypto.keys import IdentityKey
from aquila.errors import PolicyError
from aquila.protocol.registration.self_signed import Invitation, JoinRequest, open_invitation, open_request, sign_file
from aquila.protocol.registration.spoken_words import spoken
from aquila.protocol.registration.statements import (
    RegistryFeed,
    RegistryStatement,
    SignedStatement,
    next_statement,
    open_statement,
    sign_statement,
)
from aquila.protocol.registry import RegisteredParty, Registry
from services.kit.http.peer import Peer
from services.kit.http.signatures import CallSigner
from services.kit.storage.registry import acceptance_of, statements_from
from tests.support.ceremony import REGISTRY, accept, admit, fetched, invite, join, make_home
from tests.support.node_world import PartyNode, World
from tests.support.people import signed_in
from tests.support.registering import key_of

FALSE = key_of("false")


def _code(answer: httpx.Response) -> str:
    code: str = answer.json()["code"]
    return code


def _registered(world: World) -> set[str]:
    return set(world.app.state.context.registry.parties)


def _asked(invited: bytes, key: IdentityKey, party: str = "HR") -> bytes:
    """Return a request to join under a key of the attacker's."""
    message = JoinRequest(
        party=party, name=f"Party {party}", identity_key=key.public.hex, invitation=invited.decode().strip()
    )
    return sign_file(message, key)


async def test_a_request_that_was_replaced_on_its_way_is_refused(world: World) -> None:
    """The attacker asks with its own key; the words that the party reads aloud are others."""
    invited = await invite(world)
    made = make_home(world, invited)
    answer = await admit(world, _asked(invited, FALSE), made.spoken.sentence)
    assert (answer.status_code, _code(answer)) == (403, "spoken_words_differ")
    assert _registered(world) == {"AL", "RS", "SI"}


async def test_an_invitation_that_was_replaced_on_its_way_is_noticed(world: World) -> None:
    """The party made its home for another matcher: the true one refuses that, and the true invitation in its place."""
    invited = await invite(world)
    content = open_invitation(invited).message.model_dump() | {"matcher_key": FALSE.public.hex}
    made = make_home(world, sign_file(Invitation.model_validate(content), FALSE))
    answer = await admit(world, made.request, made.spoken.sentence)
    assert (answer.status_code, _code(answer)) == (403, "invitation_of_another_matcher")
    key = key_of("party")
    answer = await admit(world, _asked(invited, key), made.spoken.sentence)
    assert (answer.status_code, _code(answer)) == (403, "spoken_words_differ")


async def test_an_address_or_ca_that_was_replaced_gives_other_words(world: World) -> None:
    """Nobody can sign that invitation again, and the words of the request cover it."""
    invited = await invite(world)
    changed = {"url": "https://false.example.org", "matcher_key": FALSE.public.hex}
    other = sign_file(open_invitation(invited).message.model_copy(update=changed), FALSE)
    key = key_of("party")
    digests = {open_request(_asked(one, key)).digest for one in (invited, other)}
    assert len({spoken(digest).sentence for digest in digests}) == 2


async def test_an_old_invitation_is_refused(world: World) -> None:
    """At the party, which makes no home, and at the matcher, whose clock counts."""
    invited = await invite(world)
    made = make_home(world, invited)
    world.clock.time += 15 * 86_400
    with pytest.raises(PolicyError) as caught:
        make_home(world, invited, "another")
    assert caught.value.sentence.code == "invitation_expired"
    assert not (world.path / "another").exists()
    assert _code(await admit(world, made.request, made.spoken.sentence)) == "invitation_expired"


async def test_an_invitation_counts_for_one_party_and_one_key(world: World) -> None:
    """Another party cannot ask with it, and a second key cannot either."""
    invited = await invite(world)
    for_another = _asked(invited, key_of("MK"), "MK")
    words = spoken(open_request(for_another).digest).sentence
    assert _code(await admit(world, for_another, words)) == "invitation_of_another_party"
    made = make_home(world, invited)
    assert (await admit(world, made.request, made.spoken.sentence)).status_code == 202
    second = _asked(invited, key_of("second"))
    answer = await admit(world, second, spoken(open_request(second).digest).sentence)
    assert (answer.status_code, _code(answer)) == (403, "party_registered_already")


async def test_a_key_of_another_party_is_refused(world: World) -> None:
    """Nobody takes part twice with one key."""
    invited = await invite(world)
    taken = _asked(invited, world.nodes["SI"].node.party.identity)
    answer = await admit(world, taken, spoken(open_request(taken).digest).sentence)
    assert (answer.status_code, _code(answer)) == (403, "key_registered_to_another_party")


def _lie(world: World, node: PartyNode, *lies: SignedStatement) -> None:
    """Let a node hear these statements in place of what the matcher stated."""
    content = RegistryFeed(statements=tuple(one.envelope.decode() for one in lies), acceptances=())

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(content.model_dump_json().encode()))

    signer = CallSigner(node.node.party.identity, node.node.code, world.clock)
    node.node.peer = Peer(node.node.settings.matcher, signer, httpx.MockTransport(answer))


def _stated(world: World, registry: Registry, previous: SignedStatement | None = None) -> SignedStatement:
    """Return a statement that the matcher signs and shows to whom it wants."""
    identity = world.app.state.context.matcher.identity
    message = next_statement(registry, previous, world.clock(), "http://127.0.0.1:8700", None)
    return open_statement(sign_statement(message, identity), identity.public)


def _with(registry: Registry, code: str, key: IdentityKey) -> Registry:
    party = RegisteredParty(code, f"Party {code}", key.public)
    return Registry(registry.matcher, {**registry.parties, code: party})


async def _heard(node: PartyNode, words: list[str]) -> httpx.Response:
    digest = (await node.get("/registry"))["waiting"]["digest"]
    return await node.post("/registry/accept", json={"digest": digest, "spoken": " ".join(words)})


async def test_a_matcher_that_shows_each_party_another_registry_is_noticed_by_telephone(world: World) -> None:
    """It names its own key for HR to SI alone; the words that AL reads to SI are not those that SI was shown."""
    await join(world)
    al, si = world.nodes["AL"], world.nodes["SI"]
    words = (await fetched(al))["waiting"]["words"]
    _lie(world, si, _stated(world, _with(si.node.registry, "HR", FALSE)))
    assert (await fetched(si))["waiting"]["words"] != words
    answer = await _heard(si, words)
    assert (answer.status_code, _code(answer)) == (403, "spoken_words_differ")
    assert "HR" not in si.node.registry.parties


async def test_a_party_that_was_lied_to_notices_it_with_the_next_statement(world: World) -> None:
    """Its administrator compared nothing; the true chain contradicts what it accepted, and stays refused."""
    await join(world)
    si = world.nodes["SI"]
    honest = si.node.peer
    _lie(world, si, _stated(world, _with(si.node.registry, "HR", FALSE)))
    await accept(si)
    si.node.peer = honest
    view = await fetched(si)
    assert view["obstacle"]["code"] == "registry_stated_twice"
    answer = await si.post("/registry/accept", json={"digest": "ab" * 32, "spoken": "x"})
    assert answer.status_code != 200
    si.restart()
    assert (await si.get("/registry"))["obstacle"]["code"] == "registry_stated_twice"


async def test_the_others_see_that_a_party_accepted_another_registry(world: World) -> None:
    """An acceptance is signed over the digest: an honest matcher refuses one that differs, and nodes show it."""
    await join(world)
    al, si = world.nodes["AL"], world.nodes["SI"]
    honest = si.node.peer
    _lie(world, si, _stated(world, _with(si.node.registry, "HR", FALSE)))
    await accept(si)
    si.node.peer = honest
    await fetched(si)
    accepted = (await world.operator.get(REGISTRY)).json()["parties"]
    assert [one["accepted"] for one in accepted] == [None] * 4
    with si.node.store.reading("test.acceptance") as session:
        envelope = acceptance_of(session, "SI")
    true = [one.envelope.decode() for one in _statements(world)]
    content = RegistryFeed(statements=tuple(true), acceptances=(str(envelope),)).model_dump_json()
    signer = CallSigner(al.node.party.identity, "AL", world.clock)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=httpx.ByteStream(content.encode())))
    al.node.peer = Peer(al.node.settings.matcher, signer, transport)
    parties = {one["party"]: one["differs"] for one in (await fetched(al))["waiting"]["parties"]}
    assert parties == {"AL": False, "HR": False, "RS": False, "SI": True}


def _statements(world: World) -> list[SignedStatement]:
    context = world.app.state.context
    with context.store.reading("test.statements") as session:
        return statements_from(session, context.registry)


@pytest.mark.parametrize(
    ("code", "obstacle"),
    [("RS", "registry_replaces_key"), ("SI", "registry_replaces_key"), ("", "registry_lacks_party")],
)
async def test_a_registered_key_is_never_replaced(world: World, code: str, obstacle: str) -> None:
    """Not another's, not the own, and no party disappears, whatever words are compared."""
    si = world.nodes["SI"]
    registry = si.node.registry
    lie = _with(registry, code, FALSE) if code else Registry(registry.matcher, {"SI": registry.parties["SI"]})
    statement = _stated(world, lie)
    _lie(world, si, statement)
    view = await fetched(si)
    assert view["obstacle"]["code"] == obstacle
    answer = await _heard(si, view["waiting"]["words"])
    assert (answer.status_code, _code(answer)) == (403, obstacle)


async def test_a_statement_of_another_than_the_matcher_is_no_statement(world: World) -> None:
    """A stranger who answers in the matcher's place has not got its key."""
    si = world.nodes["SI"]
    honest = _stated(world, si.node.registry)
    forged = honest.message.model_dump() | {"matcher_key": FALSE.public.hex}
    envelope = sign_statement(RegistryStatement.model_validate(forged), FALSE)
    _lie(world, si, SignedStatement(honest.message, honest.digest, envelope))
    view = await fetched(si)
    assert (view["fetch_problem"]["code"], view["waiting"]) == ("envelope_key_unknown", None)


async def test_only_the_administrator_invites_and_admits(world: World) -> None:
    """A stranger and an officer of the secretariat are refused, and so are parties."""
    token = signed_in(world.app.state.context.people, "officer", Role.SECRETARIAT)
    body: dict[str, Any] = {"party": "HR", "name": "Party HR"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=world.app), base_url="http://127.0.0.1:8700") as one:
        assert (await one.post(f"{REGISTRY}/invitations", json=body)).status_code == 401
        allowed = {"authorization": f"Bearer {token}"}
        assert (await one.post(f"{REGISTRY}/invitations", json=body, headers=allowed)).status_code == 403
