"""A matcher that takes a statement and keeps it out of its log is found out before any token leaves its party."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.checkpoint import cosigned_at, parse_checkpoint, parse_note, witness_name
from aquila.audit.entries import Entry, EntryKind
from aquila.sentences import quoted
from services.kit.errors import PeerUnavailableError
from services.kit.log.entries import CHECKPOINTS
from services.matcher import events, round_memory
from services.matcher import log as matcher_log
from services.node.rounds import statements
from services.node.storage.states import Promise
from services.node.storage.tables import StatementRow
from tests.support.clock import Clock
from tests.support.node_world import PartyNode, World, make_world
from tests.support.stored_log import entries

CODES = ("AL", "RS")


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Callable[[], World]]:
    """What makes a matcher and two nodes, once the matcher's lie is in place."""
    worlds: list[World] = []

    def make() -> World:
        worlds.append(make_world(tmp_path, Clock(), CODES))
        return worlds[-1]

    yield make
    for world in worlds:
        await world.close()


def kinds_said(party_node: PartyNode) -> list[str]:
    """Return the kinds of what a node has signed, in order."""
    with party_node.node.store.reading("test.said") as session:
        query = select(StatementRow.kind).where(StatementRow.own).order_by(StatementRow.sequence)
        return list(session.scalars(query))


def leave_out(monkeypatch: pytest.MonkeyPatch, kind: EntryKind, party: str) -> list[str]:
    """Let the matcher leave out the first entry of a kind that a party's statement would have; return its digest."""
    honest, dropped = round_memory.append, list[str]()

    def dropping(session: Session, entry: Entry) -> int:
        if entry.kind is kind and entry.party == party and not dropped:
            dropped.append(entry.digests["statement"])
            return 0
        return honest(session, entry)

    monkeypatch.setattr(round_memory, "append", dropping)  # the liar's own program, not ours
    return dropped


@pytest.mark.parametrize(
    ("kind", "party", "before"),
    [
        (EntryKind.SUBMISSION, "AL", "tokens"),
        (EntryKind.TOKENS, "AL", "receipt"),
        (EntryKind.RECEIPT, "AL", "closing"),
        (EntryKind.ENDING, "matcher", "closing"),
    ],
)
async def test_nothing_is_signed_after_what_is_not_logged(
    made: Callable[[], World], monkeypatch: pytest.MonkeyPatch, kind: EntryKind, party: str, before: str
) -> None:
    """The party that signed it, or to which it was announced, stops; what it goes on to sign is not signed."""
    dropped = leave_out(monkeypatch, kind, party)
    world = made()
    round_id = await world.begin()
    await world.settle()
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    party_node = world.nodes["AL"]
    (alarm,) = (await party_node.get("/log"))["alarms"]
    assert alarm["what"] == "missing"
    assert statements.open_statement(party_node.node.registry, alarm["seen"].encode()).digest == dropped[0]
    assert before not in kinds_said(party_node)
    assert alarm["sentence"]["text"] in (await party_node.get("/status"))["log_alarm"]
    with party_node.node.store.reading("test.log") as session:
        (entry,) = [entry for _, entry in entries(session) if entry and entry.kind is EntryKind.LOG_ALARM]
    assert entry.ids == {"what": "missing"}


async def test_another_entry_proves_nothing(made: Callable[[], World], monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof that some other entry is in the log is none: the node makes the entry itself from what it signed."""

    def beside(session: Session, caller: str, digests: Sequence[str]) -> dict[str, int]:
        return {digest: index - 1 for digest, index in events.log_places(session, caller, digests).items()}

    monkeypatch.setattr(matcher_log, "log_places", beside)
    world = made()
    await world.begin()
    await world.settle()
    for party_node in world.nodes.values():
        assert [alarm["what"] for alarm in (await party_node.get("/log"))["alarms"]] == ["missing"]
        assert "tokens" not in kinds_said(party_node)


async def test_an_administrator_goes_on_without(made: Callable[[], World], monkeypatch: pytest.MonkeyPatch) -> None:
    """What was missing is asked for no more once its alarm was acknowledged, and the round goes on."""
    dropped = leave_out(monkeypatch, EntryKind.EVALUATION, "RS")
    world = made()
    round_id = await world.begin()
    await world.settle()
    party_node = world.nodes["RS"]
    (alarm,) = (await party_node.get("/log"))["alarms"]
    assert (await party_node.post(f"/log/alarms/{alarm['alarm_id']}/acknowledge")).status_code == 204
    await world.settle()
    assert await world.phase(round_id) == "reporting"
    with party_node.node.store.reading("test.promises") as session:
        rows = session.scalars(select(StatementRow).where(StatementRow.promise.is_not(None))).all()
    assert {row.digest for row in rows if row.promise == Promise.EXCUSED} == set(dropped)
    assert {row.promise for row in rows} == {Promise.EXCUSED, Promise.PROVED}


async def test_an_honest_log_proves_everything(made: Callable[[], World]) -> None:
    """At the end every promise is proved at its place, and each party has cosigned a checkpoint that holds it all."""
    world = made()
    round_id = await world.begin()
    await world.settle()
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    context = world.app.state.context
    with context.store.reading("test.entries") as session:
        digests = {index: entry.digests.get("statement") for index, entry in entries(session) if entry}
        notes = [parse_note(note) for note in session.scalars(select(CHECKPOINTS.c.note))]
    for code, party_node in world.nodes.items():
        with party_node.node.store.reading("test.promises") as session:
            rows = session.scalars(select(StatementRow).where(StatementRow.promise.is_not(None))).all()
        assert {row.promise for row in rows} == {Promise.PROVED}
        assert all(digests[row.log_index] == row.digest for row in rows if row.log_index is not None)
        assert {
            "consent",
            "opening",
            "submission",
            "evaluation",
            "tokens",
            "hitreport",
            "receipt",
            "ending",
            "closing",
        } <= {row.kind for row in rows}
        key = party_node.node.registry.key_of(code)
        cosigned = [note for note in notes if cosigned_at(note, witness_name(code, key), key) is not None]
        assert max(parse_checkpoint(note.text).size for note in cosigned) > max(row.log_index or 0 for row in rows)


async def test_a_cosignature_that_was_lost(made: Callable[[], World], monkeypatch: pytest.MonkeyPatch) -> None:
    """A node sends its newest cosignature again until the matcher has it, also after a start."""
    world = made()
    party_node = world.nodes["AL"]
    honest = party_node.node.peer.call
    lost: list[str] = []

    async def losing(method: str, path: str, **options: Any) -> Any:
        if path == "/v1/log/cosignatures":
            lost.append(path)
            raise PeerUnavailableError(quoted("the matcher went away"))
        return await honest(method, path, **options)

    monkeypatch.setattr(party_node.node.peer, "call", losing)
    await world.propose()
    await world.settle()
    assert len(lost) > 1
    assert not cosigned_by(world, "AL")
    party_node.restart()
    await world.settle()
    assert cosigned_by(world, "AL")


def cosigned_by(world: World, code: str) -> bool:
    """Tell whether the newest checkpoint of the matcher's log is cosigned by a party."""
    own = world.app.state.context.log.own
    key, note = own.registry.key_of(code), own.newest()
    return note is not None and cosigned_at(note, witness_name(code, key), key) is not None
