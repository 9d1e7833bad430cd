"""A stranger, a party outside the round, and an asker under an alarm call every route and read nothing of others.

The routes are those of the application, none left out; what may not be in any answer is taken from the database.
"""

import base64
import contextlib
import io
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import select

from aquila.audit.checkpoint import cosign, parse_checkpoint, parse_update, witness_name
from aquila.audit.entries import Entry, EntryKind
from aquila.audit.roles import Role
from aquila.crypto.group import Group
from aquila.crypto.keys import IdentityKey
from aquila.protocol.auditing import audit_rounds, read_log
from aquila.protocol.log_entries import match_entry
from aquila.protocol.messages import Kind
from aquila.protocol.messages.feed import ProofRequest, Proofs
from clients.sdk.bundles import open_bundle
from services.kit.actor import Actor
from services.kit.http.signatures import CallSigner
from services.matcher.storage.tables import EventRow, HeldReportRow
from tests.support.matcher_world import LISTS, World
from tests.support.stored_log import entries

HITS = 313_377_331_331
"""How many hits the owner's alarm names: so long a number that no digest or signature has its digits by chance."""

ANYONE = {("GET", "/health"), ("GET", "/live"), ("GET", "/ready"), ("GET", "/v1/people/ways")}
"""What answers a stranger: that the service lives, and how its people sign in."""

FIELDS = {
    "purpose": "the purpose that nobody else reads",
    "category": "the category that nobody else reads",
    "legal_basis": "the legal basis that nobody else reads",
    "area": "the area that nobody else reads",
}


@pytest.fixture
async def alarmed(tmp_path: Path, group: Group) -> Any:
    """A round of AL and RS, without SI, in which a query of AL is matched and RS holds its report back."""
    world = World(tmp_path / "matcher", "", group, "AL RS SI")
    try:
        yield await _play(world)
    finally:
        world.context.close()


async def _play(world: World) -> World:
    outside = world.nodes.pop("SI")
    await world.acknowledged(mode="lists_and_queries", **FIELDS)
    asker, owner = world.nodes["AL"], world.nodes["RS"]
    query = await asker.submit(Kind.QUERY, LISTS["RS"][1:])
    await world.evaluate()
    await asker.finalize(query)
    world.advance()
    await owner.sync()
    alarm = owner.party.alarm(owner.round, owner.next(), query.submission_id, HITS, 0.5)
    assert (await owner.say(alarm)).status_code == 201
    world.advance()
    assert world.count(HeldReportRow) == 1
    world.nodes["SI"] = outside
    return world


def _log(world: World) -> list[Entry]:
    with world.context.store.reading("test") as session:
        return [entry for _, entry in entries(session) if entry is not None]


def _events(world: World) -> list[EventRow]:
    with world.context.store.reading("test") as session:
        return list(session.scalars(select(EventRow)))


def _calls(world: World) -> Iterator[tuple[str, str, str]]:
    """Yield method, template and path of every call of the application, with what names this round."""
    query = next(event.submission_id for event in _events(world) if event.statement == "alarm")
    values = {
        "round_id": [world.round_id],
        "submission_id": [world.nodes["AL"].list.submission_id, query],
        "party": ["RS", "AL"],
        "index": ["0"],
        "name": ["checkpoint", *world.context.log.own.files.names()],
    }
    for route in iter_route_contexts(world.app.routes):
        for method in route.methods:
            for path in _filled(route.path, values):
                yield method, route.path, path


def _filled(path: str, values: dict[str, list[str]]) -> Iterator[str]:
    found = re.search(r"\{(\w+)(:path)?\}", path)
    if found is None:
        yield path
        return
    for value in values.get(found[1], ["1"]):
        yield from _filled(path[: found.start()] + value + path[found.end() :], values)


def _readable(content: bytes) -> bytes:
    """Return an answer with everything that stands in it as base64, decoded."""
    decoded = []
    for run in re.findall(rb"[A-Za-z0-9+/]{24,}={0,2}", content):
        with contextlib.suppress(ValueError):
            decoded.append(base64.b64decode(run + b"=" * (-len(run) % 4)))
    return b"\n".join([content, *decoded])


async def _answers(world: World, auth: CallSigner | None) -> dict[tuple[str, str, str], tuple[int, bytes]]:
    """Make every call, and return status and content of each answer."""
    found = {}
    for method, template, path in list(_calls(world)):
        body = {"content": b"{}"} if method in {"POST", "PUT"} else {}
        answer = await world.call(method, path, auth=auth, **body)
        found[method, template, path] = answer.status_code, _readable(answer.content)
    return found


def _found(secret: set[bytes], path: str, content: bytes) -> list[bytes]:
    """Return what an answer has of this; what the caller put into the path itself may come back."""
    return [one for one in secret if one in content and one not in path.encode()]


def _of_the_round(world: World) -> set[bytes]:
    """Return what says something of the round: its texts, its ids, and all digests of its statements."""
    texts = {text.encode() for text in FIELDS.values()}
    ids = {one.encode() for event in _events(world) for one in (event.submission_id, event.digest) if one}
    digests = {one.encode() for entry in _log(world) if entry.round for one in entry.digests.values()}
    return texts | ids | digests | {str(HITS).encode(), world.round_id.encode()}


def _of_the_query(world: World) -> set[bytes]:
    """Return what tells the query's hits: the held report, its owner's, the match, the alarm, and their numbers."""
    kinds = {EntryKind.FISHING_ALARM, EntryKind.MATCH, EntryKind.REPORT}
    told = [entry for entry in _log(world) if entry.kind in kinds and "submission" in entry.ids]
    salts = {entry.salt.encode() for entry in told if entry.salt}
    digests = {one.encode() for entry in told for one in entry.digests.values()}
    hit = world.nodes["RS"].hits(_query(world))[0]
    return salts | digests | {str(HITS).encode(), hit.hit_id.encode()}


def _query(world: World) -> str:
    return next(str(entry.ids["submission"]) for entry in _log(world) if entry.kind is EntryKind.FISHING_ALARM)


async def test_a_stranger_reads_nothing(alarmed: World) -> None:
    """Without a signature, or with one of a key that is not registered, every call of a party or person is refused."""
    unknown = CallSigner(IdentityKey.generate(secrets.token_bytes), "XX", alarmed.clock)
    secret = _of_the_round(alarmed)
    for auth in (None, unknown):
        for (method, template, path), (status, content) in (await _answers(alarmed, auth)).items():
            assert (method, template) in ANYONE or status in {400, 401, 403, 404, 422}, (method, template, status)
            assert not _found(secret, path, content), path


async def test_a_party_outside_the_round_reads_nothing_of_it(alarmed: World) -> None:
    """SI is registered and not in the round: no answer has a text, an id, a digest or a number of it."""
    secret = _of_the_round(alarmed)
    for (_, _, path), (_, content) in (await _answers(alarmed, alarmed.nodes["SI"].signer)).items():
        assert not _found(secret, path, content), path


async def test_an_asker_under_an_alarm_reads_nothing_of_its_hits(alarmed: World) -> None:
    """AL is in the round: no answer has the report that RS holds back, its digests, or a number of it."""
    secret = _of_the_query(alarmed)
    answers = await _answers(alarmed, alarmed.nodes["AL"].signer)
    for (_, _, path), (_, content) in answers.items():
        assert not _found(secret, path, content), path
    # The test can fail: it does read what is the asker's.
    assert any(alarmed.round_id.encode() in content for _, content in answers.values())


async def test_an_asker_cannot_guess_its_hits_from_the_log(alarmed: World) -> None:
    """Proofs show leaves, and the entry of a match has few possible contents: its salt keeps it from being guessed.

    That holds for an asker that knows which tags met, too.
    """
    asker, size = alarmed.nodes["AL"], len(_log(alarmed))
    shown: set[bytes] = set()
    for old in range(1, size):
        answer = await asker.call("GET", f"/v1/log/checkpoint?old={old}")
        update = parse_update(answer.content)
        assert parse_checkpoint(update.note.text).size == size
        shown |= set(update.proof)
    matched = next(entry for entry in _log(alarmed) if entry.kind is EntryKind.MATCH and "submission" in entry.ids)
    assert matched.leaf() in shown
    guesses = [
        match_entry(
            alarmed.round_id,
            alarmed.clock(),
            "AL",
            "RS",
            _query(alarmed),
            {"high": high, "medium": medium, "low": low},
            matched.digests.get("met"),
        )
        for high in range(3)
        for medium in range(3)
        for low in range(3)
    ]
    assert matched.salted(None) in guesses
    assert not {guess.leaf() for guess in guesses} & shown


async def test_an_askers_copy_of_the_log_can_be_checked(alarmed: World, group: Group) -> None:
    """What AL gets holds together, and says that entries of the round are left out of it."""
    for code in ("AL", "RS"):
        await _cosign(alarmed, code)
    content = (await alarmed.nodes["AL"].call("GET", "/v1/log/bundle")).content
    (alarmed.folder / "copy.tar").write_bytes(content)
    files = open_bundle(str(alarmed.folder / "copy.tar"))
    record = read_log(files, alarmed.registry)
    (audit,) = audit_rounds(record, files, alarmed.registry, group)
    kinds = {entry.kind for entry in record.entries if entry is not None}
    assert {EntryKind.SUBMISSION, EntryKind.REPORT, EntryKind.RECEIPT} <= kinds
    assert EntryKind.FISHING_ALARM not in kinds
    assert audit.left_out == record.left_out.rounds[alarmed.round_id] == 3  # the match, the owner's report, its alarm


async def test_nothing_is_left_out_once_the_asker_is_told(alarmed: World) -> None:
    """RS releases the report: now AL's copy, and the export of the secretariat's auditors, tell what it told AL."""
    owner, query = alarmed.nodes["RS"], _query(alarmed)
    assert (await owner.say(owner.party.receipt(owner.round, owner.next(), "AL", query))).status_code == 201
    alarmed.advance()
    for content in [(await alarmed.nodes["AL"].call("GET", "/v1/log/bundle")).content, _exported(alarmed)]:
        assert str(HITS).encode() in content


async def test_entries_that_name_the_asker_wait_for_its_report(alarmed: World) -> None:
    """AL's node asks for the log's entries that name it: of its query none, and nothing counts as told after them."""
    asked = ProofRequest(old=0, heads=(), statements=(), entries_from=0).payload()

    async def named() -> tuple[dict[int, str], int | None]:
        answer = await alarmed.nodes["AL"].call("POST", "/v1/log/proofs", content=asked)
        proofs = Proofs.from_payload(answer.content)
        return {one.index: one.content for one in proofs.entries}, proofs.entries_to

    matched = next(
        index
        for index, entry in enumerate(_log(alarmed))
        if entry.kind is EntryKind.MATCH and "submission" in entry.ids
    )
    found, end = await named()
    assert found
    assert end == matched
    assert not [content for content in found.values() if _query(alarmed) in content]
    owner = alarmed.nodes["RS"]
    assert (await owner.say(owner.party.receipt(owner.round, owner.next(), "AL", _query(alarmed)))).status_code == 201
    alarmed.advance()
    found, end = await named()
    assert _query(alarmed) in found[matched]
    assert end == len(_log(alarmed))


async def test_no_export_tells_what_the_asker_was_not_told(alarmed: World) -> None:
    """The secretariat's own export, which goes to auditors elsewhere, lacks the same entries."""
    content = _readable(_exported(alarmed))
    assert not _found(_of_the_query(alarmed), "", content)
    assert alarmed.round_id.encode() in content


async def _cosign(world: World, code: str) -> None:
    """Let a party witness the matcher's log, as its node does at each look."""
    node = world.nodes[code]
    shown = parse_update((await node.call("GET", "/v1/log/checkpoint")).content)
    note = cosign(shown.note, witness_name(code, node.key.public), node.key, world.clock())
    assert (await node.call("POST", "/v1/log/cosignatures", content=note.to_bytes())).status_code == 204


def _exported(world: World) -> bytes:
    archive = io.BytesIO()
    world.context.log.export(Actor("p-0123456789ab", frozenset({Role.AUDITOR})), archive)
    return archive.getvalue()
