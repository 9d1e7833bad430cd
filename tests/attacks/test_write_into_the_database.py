"""Somebody who writes into the database of a matcher or a node, and has nothing of its home."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from aquila.audit.entries import Entry, EntryKind
from aquila.audit.roles import Role
from aquila.errors import AquilaError
from clients.cli.main import main
from services.kit.log.entries import append
from services.kit.serving.health.report import HealthReport
from services.kit.storage.store import Store
from services.node.round_memory import round_row
from services.node.steps.verify_logs import show_looks
from tests.support.node_steps import closed_round, hit_path, round_with_hits, round_without_lists
from tests.support.node_world import HEADER, JUSTIFICATION, LISTS, MATCHER_URL, World
from tests.support.people import signed_in
from tests.support.played_worlds import WorldAfter
from tests.support.sealing import write
from tests.support.stored_log import entries

pytestmark = pytest.mark.parties("AL", "RS")
TOKEN, OTHER = "stolen", "0123456789abcdef" * 2
FORGED = "p-" + "0" * 12


def copied(store: Store, table: str, where: str, changes: Mapping[str, object]) -> None:
    """Copy a row with other values."""
    with store.engine.begin() as connection:
        (row,) = connection.execute(text(f"SELECT * FROM {table} WHERE {where}")).mappings()
        made = dict(row) | changes
        names = ", ".join(f'"{name}"' for name in made)
        places = ", ".join(f":{name}" for name in made)
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), made)


def own_kinds(store: Store) -> list[EntryKind]:
    with store.reading("test.log") as session:
        return [entry.kind for _, entry in entries(session) if entry is not None]


async def alone(app: Any, token: str, method: str, path: str, **body: Any) -> httpx.Response:
    """Make a call as one person."""
    transport, headers = httpx.ASGITransport(app=app), {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url=MATCHER_URL, headers=headers) as one:
        return await one.request(method, path, **body)


async def test_a_session_is_inserted(world: World) -> None:
    """A row that says that somebody signed in opens nothing, at a node and at the matcher."""
    al = world.nodes["AL"]
    for store, app, path in (
        (al.node.store, al.app, "/v1/rounds"),
        (world.app.state.context.store, world.app, "/v1/operator/rounds"),
    ):
        with store.engine.begin() as connection:
            known = connection.execute(text("SELECT token_hash FROM session LIMIT 1")).scalar_one()
        forged = {"token_hash": hashlib.sha256(TOKEN.encode()).hexdigest(), "session_id": "f" * 16}
        copied(store, "session", f"token_hash = '{known}'", forged)
        assert (await alone(app, TOKEN, "GET", path)).status_code == 401


async def test_roles_are_written(world: World) -> None:
    """An auditor whose row names more roles has none of them, and no session at all."""
    node = world.nodes["AL"].node
    token = signed_in(node.people, "eva", Role.AUDITOR)
    write(node.store, "UPDATE account SET roles = :roles WHERE login = 'eva'", roles='["officer", "approver"]')
    answer = await alone(world.nodes["AL"].app, token, "GET", "/v1/rounds")
    assert answer.status_code == 401


async def test_lists_leave_out_what_is_written(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """An account and a request that somebody changed are in no list; health names their tables, and doctor all rows."""
    al, round_id = world.nodes["AL"], await world.propose()
    asker = signed_in(al.node.people, "one", Role.OFFICER)
    chief = signed_in(al.node.people, "chief", Role.ADMINISTRATOR)
    signed_in(al.node.people, "eva", Role.AUDITOR)
    assert (await alone(al.app, asker, "POST", f"/v1/rounds/{round_id}/consent")).status_code == 202

    async def listed() -> tuple[set[str], int]:
        people = (await alone(al.app, chief, "GET", "/v1/people/accounts")).json()["accounts"]
        requests = (await alone(al.app, asker, "GET", "/v1/approvals")).json()["approvals"]
        return {one["login"] for one in people}, len(requests)

    logins, requests = await listed()
    assert ("eva" in logins, requests) == (True, 1)
    write(al.node.store, "UPDATE account SET roles = :roles WHERE login = 'eva'", roles='["officer", "approver"]')
    write(al.node.store, "UPDATE approval SET state = 'approved', decided_by = :person", person=FORGED)
    write(al.node.store, 'UPDATE log_entry SET account = :person WHERE "index" = 0', person=FORGED)
    assert await listed() == (logins - {"eva"}, 0)
    named = {
        str(fault.fields["table"])
        for check in HealthReport(al.app.state.health._parts).health().checks
        for fault in check.sentences
        if fault.code == "health_rows_not_authentic"
    }
    assert named == {"account", "approval"}
    assert main(["doctor", "--home", str(al.home), "--offline", "--json"]) == 1
    said = capsys.readouterr().out
    for table in ("account", "approval", "log_entry"):
        assert f"1 rows of the table {table} were not written by this service" in said


async def test_an_approval_is_written(world: World) -> None:
    """A request whose row names another author, or that it was approved, takes no effect."""
    al = world.nodes["AL"]
    round_id = await world.propose()
    officer, approver = Role.OFFICER, Role.APPROVER
    token = signed_in(al.node.people, "one", officer, approver)
    asked = (await alone(al.app, token, "POST", f"/v1/rounds/{round_id}/consent")).json()
    approve = f"/v1/approvals/{asked['approval_id']}/approve"
    assert (await alone(al.app, token, "POST", approve, json={"digest": asked["digest"]})).status_code == 403
    signed_in(al.node.people, "two", officer, approver)
    write(al.node.store, "UPDATE approval SET author = (SELECT person FROM account WHERE login = 'two')")
    assert (await alone(al.app, token, "POST", approve, json={"digest": asked["digest"]})).status_code == 503
    await world.settle()
    assert EntryKind.CONSENT not in own_kinds(al.node.store)


@pytest.mark.parametrize("wish", ["consent_wished = true", "abort_reason = 'mine'"])
async def test_a_wish_is_written(world: World, wish: str) -> None:
    """The node signs no consent and leaves no round because a row says so."""
    await world.propose()
    al = world.nodes["AL"]
    before = own_kinds(al.node.store)
    write(al.node.store, f"UPDATE round SET {wish}")
    await world.settle()
    assert own_kinds(al.node.store) == before


async def test_a_consent_without_its_approval(world: World) -> None:
    """Where the service itself was made to store a wish, its log without two persons still stops the signature."""
    round_id = await world.propose()
    al = world.nodes["AL"]
    with al.node.store.transaction("test.wish") as session:
        round_row(session, round_id).consent_wished = True
    await world.settle()
    view = await al.round(round_id)
    assert not view["consented"]
    assert EntryKind.CONSENT not in own_kinds(al.node.store)
    assert "no approval of exactly this by two persons" in str(view["problems"])


async def test_a_list_without_its_approval(world_after: WorldAfter) -> None:
    """A submission that was inserted, of a list that nobody approved, is neither prepared nor sent."""
    world, round_id = await world_after(round_without_lists)
    al = world.nodes["AL"]
    import_id = await al.load(HEADER + LISTS["AL"])
    with al.node.store.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO submission (submission_id, round_id, import_id, records_digest, kind, justification, "
                "wished_at, state, records, batches, prepared, held_back) SELECT :own, :round, import_id, digest, "
                "'list', :why, 0, 'wished', 0, 0, 0, '{}' FROM import WHERE import_id = :list"
            ),
            {
                "own": OTHER,
                "round": round_id,
                "why": json.dumps(JUSTIFICATION | {"officer": FORGED}),
                "list": import_id,
            },
        )
    await world.settle()
    assert EntryKind.SUBMISSION not in own_kinds(al.node.store)


async def test_the_matcher_aborts_nothing(world: World) -> None:
    """A wish to abort that was written into the matcher's database ends no round."""
    await world.propose()
    context = world.app.state.context
    write(context.store, "UPDATE round SET wish = 'aborted', reason = 'gone'")
    await world.settle()
    assert EntryKind.ENDING not in own_kinds(context.store)


async def test_entries_are_inserted(world: World) -> None:
    """A log with entries that somebody else appended, such as an approval by two persons, is not signed."""
    node = world.nodes["AL"].node
    await world.propose()
    node.log.own.publish()
    stranger = Store(node.store.engine.url)  # has the database, and no key
    for kind, person in ((EntryKind.APPROVAL_REQUESTED, FORGED), (EntryKind.APPROVED, "p-" + "1" * 12)):
        with stranger.transaction("test.forged") as session:
            append(session, Entry.of(kind, world.clock.time, "AL", person=person, ids={"author": FORGED}))
    stranger.close()
    with pytest.raises(AquilaError, match="was not written by this service"):
        node.log.own.publish()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE hit SET certainty = 'low'",
        "UPDATE hit SET counterpart = 'XK'",
        "UPDATE hit_life SET stage = 'closed', outcome = 'refuted'",
        "UPDATE hit_life SET decision = 'not_the_same'",
    ],
)
async def test_a_hit_is_changed(world_after: WorldAfter, change: str) -> None:
    """A hit or a decision that is not as the service stored it is not shown: the answer names the change."""
    world, round_id = await world_after(round_with_hits)
    al = world.nodes["AL"]
    (hit,) = (await al.get(f"/rounds/{round_id}/hits"))["hits"][:1]
    write(al.node.store, f"{change} WHERE hit_id = :hit", hit=hit["hit_id"])
    path = hit_path({"round_id": round_id, "hit_id": hit["hit_id"]})
    answer = await al.operator.get(f"/v1{path}")
    assert answer.status_code == 503
    assert answer.json()["code"] == "row_not_authentic"


async def test_a_step_of_a_hit_is_written(world_after: WorldAfter) -> None:
    """Nor is its history: nobody decided in another's name."""
    world, round_id = await world_after(closed_round)
    al = world.nodes["AL"]
    (hit,) = (await al.get(f"/rounds/{round_id}/hits"))["hits"][:1]
    path = hit_path({"round_id": round_id, "hit_id": hit["hit_id"]})
    await al.post(f"{path}/acknowledge")
    write(
        al.node.store,
        "UPDATE hit_step SET person = :person WHERE step_id = (SELECT max(step_id) FROM hit_step)",
        person=FORGED,
    )
    answers = [(await al.operator.get(f"/v1{hit_path(one)}")).status_code for one in (await al.get("/hits"))["hits"]]
    assert 503 in answers


async def test_looks_are_erased(world_after: WorldAfter) -> None:
    """A look at hits that the matcher has seen cannot be taken out of the log: the node finds its own log shrunk."""
    world, round_id = await world_after(round_with_hits)
    al = world.nodes["AL"]
    with al.node.store.engine.begin() as connection:
        size, peaks = connection.execute(text("SELECT size, peaks FROM log_edge")).one()
    await al.get(f"/rounds/{round_id}/hits")
    await show_looks(al.node)
    assert al.node.contact.witnessed == size + 1
    with al.node.store.engine.begin() as connection:
        for sql in (
            'DELETE FROM log_entry WHERE "index" >= :size',
            "DELETE FROM log_checkpoint WHERE size > :size",
            "UPDATE log_edge SET size = :size, peaks = :peaks",
        ):
            connection.execute(text(sql), {"size": size, "peaks": peaks} if "peaks" in sql else {"size": size})
    await world.settle()
    assert [alarm["what"] for alarm in (await al.get("/log"))["alarms"]] == ["shrunk"]
