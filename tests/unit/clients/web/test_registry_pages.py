"""The page of the registry: what waits, the words that are typed, and what the visitor reads when they are wrong."""

import re
from dataclasses import replace
from pathlib import Path

from aquila.crypto.keys import IdentityKey
from aquila.protocol.registration.self_signed import open_renewal, sign_renewal
from aquila.protocol.registration.spoken_words import spoken
from aquila.protocol.registration.statements import SignedStatement, next_statement, open_statement, sign_statement
from aquila.protocol.registry import RegisteredParty, Registry, read_registry
from clients.web.text.labels import fingerprint
from services.kit.storage.own_identity import prepare_renewal
from services.kit.storage.registry import store_statement
from tests.support.registering import key_of
from tests.support.web_world import ServedPages


def _state(homes: Path, served: ServedPages, left: tuple[str, ...] = (), **keys: IdentityKey) -> SignedStatement:
    registry = read_registry((homes / "SI" / "registry.toml").read_bytes())
    parties = {code: RegisteredParty(code, f"Party {code}", key.public) for code, key in keys.items()}
    parties = {**registry.parties, **parties}
    parties |= {code: RegisteredParty(code, code, parties[code].key, left=True) for code in left}
    with IdentityKey.from_pem((homes / "matcher" / "identity.pem").read_bytes()) as identity:
        message = next_statement(
            Registry(registry.matcher, parties), None, served.clock[0], "http://127.0.0.1:8700", None
        )
        statement = open_statement(sign_statement(message, identity), identity.public)
    with served.log.own.store.transaction("test.statement") as session:
        store_statement(session, statement)
    return statement


async def _approve(served: ServedPages, login: str, role: str) -> str:
    """Let another person read what was asked for on the first page, and approve it; return the page that was read."""
    browser = await served.visitor(login, role)
    (path,) = set(re.findall(r"/approvals/[0-9a-f]{32}", await browser.open("/")))
    page = await browser.open(path)
    (digest,) = re.findall(r'name="digest" value="([0-9a-f]{64})"', page)
    await browser.send(f"{path}/approve", digest=digest, read="yes")
    assert browser.answer.status_code == 200, browser.page
    assert "It is approved and takes effect" in browser.page
    return page


async def test_two_persons_accept_by_the_words_of_another(homes: Path, node: ServedPages) -> None:
    """The first page leads to it; wrong words are refused at their field, and right ones wait for the approver."""
    statement = _state(homes, node, HR=key_of("HR"))
    browser = await node.visitor("admin", "administrator")
    assert "A newer registry waits" in await browser.open("/")
    page = await browser.open("/registry")
    assert "Registry number 1 waits for you" in page
    assert "Party HR" in page
    assert "joins" in page
    other = spoken("ab" * 32).sentence
    page = await browser.send("/registry/accept", digest=statement.digest, spoken=other)
    assert browser.answer.status_code == 422
    assert "these are the words of something else than what is here" in page
    assert 'aria-invalid="true"' in page
    assert other in page
    words = spoken(statement.digest).sentence
    for turn in range(2):  # it can be taken back, and asked for again
        page = await browser.send("/registry/accept", digest=statement.digest, spoken=words)
        assert browser.answer.status_code == 200
        assert "A change of the registry waits for approval" in page
        assert "Registry number 1 waits for you" in page
        assert "Waiting for approval." in await browser.open("/")
        page = await browser.open("/registry")
        if turn == 0:
            (path,) = re.findall(r"/approvals/[0-9a-f]{32}/withdraw", page)
            page = await browser.send(path)
            assert "It is taken back" in page
    page = await browser.send("/registry/accept", digest=statement.digest, spoken=words)
    assert "the same request waits for a second person already" in page
    read = await _approve(node, "bor", "approver")
    assert "HR joins: Party HR" in read
    assert all(word in read for word in words.split())
    assert "They do not show that a party in it exists" in read
    page = await browser.open("/registry")
    assert "Registry number 1 is in force" in page
    assert "waits for approval" not in page
    assert "HR" in read_registry((homes / "SI" / "registry.toml").read_bytes()).parties
    assert "A newer registry waits" not in await browser.open("/")


async def test_a_registry_that_replaces_a_key_cannot_be_accepted(homes: Path, node: ServedPages) -> None:
    _state(homes, node, AL=key_of("false"))
    browser = await node.visitor("admin", "administrator")
    page = await browser.open("/registry")
    assert "It cannot be accepted" in page
    assert "another identity key for AL" in page
    assert 'action="/registry/accept"' not in page
    assert "another identity key for AL" in await browser.open("/")


def _renew(homes: Path, served: ServedPages, party: str, *, lost: bool) -> SignedStatement:
    registry = read_registry((homes / "SI" / "registry.toml").read_bytes())
    new = open_renewal(sign_renewal(party, key_of("new"), registry.parties[party].key))
    if not lost:
        new = prepare_renewal(homes / party / "identity.pem", registry, party, lost=False)
    renewed = replace(registry.parties[party], key=new.key)
    newer = Registry(registry.matcher, {**registry.parties, party: renewed}, {party: (new.former,)})
    with IdentityKey.from_pem((homes / "matcher" / "identity.pem").read_bytes()) as identity:
        message = next_statement(newer, None, served.clock[0], "http://127.0.0.1:8700", None, new)
        statement = open_statement(sign_statement(message, identity), identity.public)
    with served.log.own.store.transaction("test.statement") as session:
        store_statement(session, statement)
    return statement


async def test_a_renewed_key_is_shown_as_what_it_is(homes: Path, node: ServedPages) -> None:
    """Signed by both keys, or a revocation, of which a warning is shown; either is accepted by its words."""
    statement = _renew(homes, node, "AL", lost=True)
    browser = await node.visitor("admin", "administrator")
    page = await browser.open("/registry")
    assert "did not sign for its new one" in page
    assert "hear the words from it" in page
    assert "new key" in page
    page = await browser.send("/registry/accept", digest=statement.digest, spoken=spoken(statement.digest).sentence)
    assert browser.answer.status_code == 200
    assert "did not sign for its new one" in await _approve(node, "bor", "approver")
    page = await browser.open("/registry")
    assert "did not sign" not in page
    assert fingerprint(statement.message.registry().parties["AL"].key.fingerprint) in page


async def test_an_own_renewed_key_takes_effect_at_a_restart(homes: Path, node: ServedPages) -> None:
    statement = _renew(homes, node, "SI", lost=False)
    browser = await node.visitor("admin", "administrator")
    assert "and its old key signed for it" in await browser.open("/registry")
    await browser.send("/registry/accept", digest=statement.digest, spoken=spoken(statement.digest).sentence)
    assert browser.answer.status_code == 200
    assert "and its old key signed for it" in await _approve(node, "bor", "approver")
    assert "Restart this service" in await browser.open("/registry")


async def test_a_matcher_that_is_away_is_said(homes: Path, node: ServedPages) -> None:
    """What is stored is shown all the same, in the visitor's language; a party that leaves is marked."""
    _state(homes, node, left=("AL",))
    browser = await node.visitor("admin", "administrator")
    await browser.open("/registry")
    page = await browser.send("/registry/fetch")
    assert "The matcher did not answer" in page
    assert "has left" in page


async def test_the_matchers_administrator_sees_who_has_accepted(homes: Path, matcher: ServedPages) -> None:
    browser = await matcher.visitor("admin", "administrator")
    page = await browser.open("/registry")
    parties = read_registry((homes / "matcher" / "registry.toml").read_bytes()).parties.values()
    assert parties
    assert all(fingerprint(party.key.fingerprint) in page for party in parties)
    assert "No statement of the matcher has been accepted here yet" in page
    assert "nothing yet" in page
