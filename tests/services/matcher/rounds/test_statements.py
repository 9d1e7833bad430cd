"""Statements: what counts is stored once, what does not is refused, and contradictions are kept as evidence."""

import secrets
from dataclasses import replace
from typing import Any

import httpx
import pytest

from aquila.audit.entries import EntryKind
from aquila.crypto.envelope import payload_of, sign_envelope
from aquila.protocol.messages import Consent, Kind, Notes, Refusal
from services.matcher.log import statements_of
from services.matcher.storage.tables import EventRow, EvidenceRow, RefusedStatementRow
from tests.support.matcher_world import World
from tests.support.stored_log import entries

pytestmark = pytest.mark.postgresql_soak


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Return status and last part of the type of a problem."""
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


@pytest.mark.parametrize(
    ("head", "expected"),
    [({"size": 1}, (409, "binding")), ({"root": "ab" * 32}, (409, "binding")), (None, (400, "malformed"))],
)
async def test_a_head_that_the_log_never_signed(
    world: World, head: dict[str, Any] | None, expected: tuple[int, str]
) -> None:
    """A party that was shown another log, makes one up or names none is refused, so that no lie reaches the others.

    It is kept and entered once, as everything that leaves a number empty.
    """
    await world.propose()
    await world.nodes["RS"].sync()
    await world.nodes["RS"].consent()
    node = world.nodes["AL"]
    await node.sync()
    seen = world.log_head()
    assert seen is not None
    assert seen.size > 1
    lie = None if head is None else seen.model_copy(update=head)
    _, envelope = replace(node.party, log_head=lambda: seen).consent(node.round, 5, (), secrets.token_bytes)
    told = Consent.from_payload(payload_of(envelope, Consent.payload_type)).model_copy(update={"log_head": lie})
    answer = await node.say(node.signed(told))
    assert problem(answer) == expected
    assert problem(await node.say(node.signed(told))) == expected
    assert world.count(EventRow) == 1
    with world.context.store.reading("test") as session:
        kept = session.query(RefusedStatementRow).one()
        entered = [entry for _, entry in entries(session) if entry and entry.kind == "statement_refused"]
    assert (kept.party, kept.envelope) == ("AL", node.signed(told).decode())
    assert [(entry.recipient, entry.counts["sequence"]) for entry in entered] == [("AL", 5)]
    assert (await node.say(envelope)).status_code == 201


async def test_an_unknown_round(world: World) -> None:
    """A round that is not there is a 404, whatever is asked of it."""
    await world.propose()
    world.round_id = "0" * 32
    node = world.nodes["AL"]
    for method, path in [("GET", "manifest"), ("GET", "events"), ("GET", f"submissions/{'1' * 32}/blinded/0")]:
        assert problem(await node.call(method, path)) == (404, "not-found")
    assert problem(await node.call("PUT", f"submissions/{'1' * 32}/blinded/0", content=b"x")) == (404, "not-found")
    assert problem(await world.operate("GET", f"/{world.round_id}")) == (404, "not-found")
    assert problem(await world.operate("POST", f"/{world.round_id}/close")) == (404, "not-found")


async def test_a_party_that_does_not_take_part(three: World) -> None:
    """It does not even learn that there is a round."""
    await three.propose(participants=["AL", "RS"], caps=[])
    stranger = three.nodes["SI"]
    assert (await stranger.call("GET", "/v1/rounds")).json()["rounds"] == []
    assert len((await three.nodes["AL"].call("GET", "/v1/rounds")).json()["rounds"]) == 1
    for path in ("manifest", "events"):
        assert problem(await stranger.call("GET", path)) == (404, "not-found")
    inside = three.nodes["AL"]
    await inside.sync()
    _, envelope = stranger.party.consent(inside.round, 1, (), secrets.token_bytes, inside.round.manifest.caps_of("AL"))
    assert problem(await stranger.say(envelope)) == (404, "not-found")


async def test_two_consents_are_evidence(three: World) -> None:
    """The first counts, both are kept, once, however often the second is sent."""
    world = three
    await world.propose()
    node = world.nodes["AL"]
    await node.consent()
    first = await world.view()
    _, envelope = node.party.consent(node.round, node.next(), (), secrets.token_bytes)
    for _ in range(2):
        assert problem(await node.say(envelope)) == (409, "equivocation")
    view = await world.view()
    assert (first["evidence"], view["evidence"]) == (0, 1)
    with world.context.store.reading("test") as session:
        kept = session.query(EvidenceRow).one()
        consent = session.query(EventRow).one()
    assert kept.party == "AL"
    assert kept.refused == envelope.decode()
    assert kept.accepted == consent.envelope


async def test_a_refused_statement_is_kept(world: World) -> None:
    """It leaves its number empty: the log has who signed it, its number, and the statement itself; once."""
    await world.submitted()
    node = world.nodes["AL"]
    await node.sync()
    envelope, _ = node.prepared(Kind.QUERY)  # in a round of lists alone
    for _ in range(2):
        assert problem(await node.say(envelope)) == (403, "policy")
    with world.context.store.reading("test") as session:
        (entry,) = (one for _, one in entries(session) if one is not None and one.kind is EntryKind.STATEMENT_REFUSED)
        assert (entry.recipient, entry.counts) == ("AL", {"sequence": node.sequence})
        assert statements_of(session, [entry]) == [envelope]


async def test_refused_notes_are_not_in_the_logs_files(world: World) -> None:
    """Sealed notes are their receiver's alone: of those that were refused the log has the number and the digest."""
    await world.submitted()
    node = world.nodes["AL"]
    await node.sync()
    common = {"round_id": node.round.round_id, "party": "AL", "sequence": node.next(), "binding": node.round.binding}
    common["log_head"] = world.log_head()
    notes = Notes(to="RS", submission_id=None, index=0, hits=1, sealed="AAAA", **common)
    envelope = sign_envelope(Notes.payload_type, notes.payload(), node.party.identity)
    assert problem(await node.say(envelope)) == (409, "order")
    with world.context.store.reading("test") as session:
        (entry,) = (one for _, one in entries(session) if one is not None and one.kind is EntryKind.STATEMENT_REFUSED)
        assert statements_of(session, [entry]) == [b""]
        assert session.query(RefusedStatementRow).one().envelope is None


async def test_a_statement_of_another_round_leaves_no_hole_here(world: World) -> None:
    """Its number is one of the other round's."""
    await world.submitted()
    node = world.nodes["AL"]
    refusal = Refusal(round_id="f" * 32, party="AL", sequence=node.next(), reason="no")
    envelope = sign_envelope(Refusal.payload_type, refusal.payload(), node.party.identity)
    assert problem(await node.say(envelope)) == (409, "binding")
    assert world.count(RefusedStatementRow) == 0


async def test_evidence_has_a_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A liar cannot fill the disk with its lies."""
    monkeypatch.setattr("services.matcher.rounds.statements.MOST_REFUSED", 2)
    await world.propose()
    node = world.nodes["AL"]
    await node.consent()
    for number in range(4):
        envelope = node.party.refuse(node.round, 1, f"reason {number}")
        assert problem(await node.say(envelope)) == (409, "equivocation")
    assert world.count(EvidenceRow) == 2
