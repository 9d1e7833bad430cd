"""Somebody who writes into a node's database makes hits vanish, or other ones of them."""

from typing import Any

import pytest
from sqlalchemy import select, text

from aquila.audit.roles import Role, Service
from aquila.interface.service.health import Grade, Subject
from aquila.protocol.messages import StatementKind
from clients.cli.main import main
from clients.web.render import pdf
from clients.web.wiring import front_of
from services.kit.serving.health.report import HealthReport
from services.kit.storage.store import Store
from services.node.rounds.reported_hits import look_for_missing
from services.node.storage.tables import HitRow, StatementRow, WithdrawalRow
from tests.support.node_steps import hit_path, round_for_queries, round_with_hits
from tests.support.node_world import HEADER, PartyNode
from tests.support.played_worlds import WorldAfter
from tests.support.sealing import sealed, write
from tests.support.web_world import endpoint, visitor_of

DECIDE = {"decision": "not_the_same", "remark": "the same reason for all"}


def resealed(store: Store, hit_id: str, **values: str) -> None:
    """Change a hit as a service would whose new key took every row as it was."""
    with store.transaction("test.resealed") as session:
        row = session.scalars(select(HitRow).where(HitRow.hit_id == hit_id)).one()
        for name, value in values.items():
            setattr(row, name, value)
        sealed(session)


def deleted(store: Store, hit_id: str) -> None:
    for table in ("exchange", "hit_step", "hit_life", "hit"):
        with store.engine.begin() as connection:
            connection.execute(text(f"DELETE FROM {table} WHERE hit_id = :hit"), {"hit": hit_id})


def row_faults(party_node: PartyNode) -> list[tuple[Grade, str]]:
    """Return what the report on the node's health says of rows; the node stays ready."""
    health = HealthReport(party_node.app.state.health._parts).health()
    assert Subject.ROWS not in health.not_ready
    (rows,) = [one for one in health.checks if one.subject is Subject.ROWS]
    return [(rows.grade, fault.code) for fault in rows.sentences]


def codes_of(page: Any) -> list[str]:
    """Return the ids of a page's problems."""
    return [problem["code"] for problem in page["problems"]]


async def al_with_hits(world_after: WorldAfter) -> tuple[PartyNode, str, list[dict[str, Any]]]:
    """Return Albania's node with two hits, of which nothing is wrong, their round, and them."""
    world, round_id = await world_after(round_with_hits)
    al = world.nodes["AL"]
    page = await al.get("/hits")
    assert len(page["hits"]) == 2
    assert page["problems"] == (await al.get(f"/rounds/{round_id}/hits"))["problems"] == []
    look_for_missing(al.node.store)
    assert row_faults(al) == []
    return al, round_id, page["hits"]


@pytest.mark.parametrize("table", ["hit", "hit_life"])
async def test_one_forged_row_leaves_the_others(world_after: WorldAfter, table: str) -> None:
    """The other hits are shown, exported and decided on; the forged one is not, and is counted and named."""
    al, round_id, (first, second) = await al_with_hits(world_after)
    column = {"hit": "certainty = 'low'", "hit_life": "stage = 'closed'"}[table]
    write(al.node.store, f"UPDATE {table} SET {column} WHERE hit_id = :hit", hit=first["hit_id"])
    page = await al.get("/hits")
    assert [hit["hit_id"] for hit in page["hits"]] == [second["hit_id"]]
    assert codes_of(page) == ["hits_not_authentic"]
    assert "1 hits are not shown" in page["problems"][0]["text"]
    exported = (await al.post("/hits/export", json={})).json()
    assert [one["entry"]["hit_id"] for one in exported["hits"]] == [second["hit_id"]]
    assert codes_of(exported) == ["hits_not_authentic"]
    assert row_faults(al) == [(Grade.CRITICAL, "health_rows_not_authentic")] * (2 if table == "hit_life" else 1)
    answer = await al.post("/hits/decisions", json=DECIDE | {"every": {}, "total": page["total"]})
    assert answer.json() | {"number": 0} == {"number": 0, "hits": 1, "left_out": 1}
    for path, body in (("/decision", DECIDE), ("/acknowledge", None)):
        assert (await al.post(hit_path(first, path), json=body)).status_code == 503
    if table == "hit":
        of_round = await al.get(f"/rounds/{round_id}/hits")
        assert [hit["hit_id"] for hit in of_round["hits"]] == [second["hit_id"]]
        assert codes_of(of_round) == ["hits_not_authentic"]


async def test_exports_say_what_they_lack(world_after: WorldAfter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file and a paper of hits have the sentence about those that are left out."""
    al, _, (first, _) = await al_with_hits(world_after)
    app = front_of(Service.NODE, "Albania")(al.app, endpoint())
    analyst = visitor_of(app, al, Role.ANALYST)
    await analyst.open("/hits")
    assert "hits are not shown" not in await analyst.send("/hits/export.csv", list="")
    write(al.node.store, "UPDATE hit SET certainty = 'low' WHERE hit_id = :hit", hit=first["hit_id"])
    file = await analyst.send("/hits/export.csv", list="")
    assert "1 hits are not shown" in file
    assert first["hit_id"] not in file
    papers: list[dict[str, Any]] = []
    compiled = pdf.compiled

    def kept(template: str, content: dict[str, Any], mark: str) -> bytes:
        papers.append(content)
        return compiled(template, content, mark)

    monkeypatch.setattr(pdf, "compiled", kept)
    await analyst.send("/hits/export.pdf", list="")
    [paper] = papers
    assert "1 hits are not shown" in paper["warning"]
    without = compiled("hits.typ", paper | {"warning": paper["warning"].replace("1 hits", "2 hits")}, "")
    assert without != compiled("hits.typ", paper, "")  # what the paper prints
    await analyst.client.aclose()
    app.end()


async def test_a_forged_step_stops_what_is_done_with_its_hit(world_after: WorldAfter) -> None:
    """A hit whose history somebody changed is not exported without it, nor decided on together with others."""
    al, _, (first, second) = await al_with_hits(world_after)
    for hit in (first, second):
        assert (await al.post(hit_path(hit, "/decision"), json=DECIDE)).status_code == 204
    write(al.node.store, "UPDATE hit_step SET person = 'p-000000000000' WHERE hit_id = :hit", hit=first["hit_id"])
    exported = (await al.post("/hits/export", json={})).json()
    assert [one["entry"]["hit_id"] for one in exported["hits"]] == [second["hit_id"]]
    both = [{"round_id": one["round_id"], "hit_id": one["hit_id"]} for one in (first, second)]
    answer = await al.post("/hits/closings", json={"hits": both, "outcome": "refuted", "remark": "both"})
    assert answer.json() == {"hits": 1, "left_out": 1}


@pytest.mark.parametrize(
    "change", [{"certainty": "low"}, {"counterpart": "XK"}, {"submission_id": "0" * 32}, {"hit_id": "f" * 32}]
)
async def test_a_hit_contradicts_the_report(world_after: WorldAfter, change: dict[str, str]) -> None:
    """A row with a seal that is right is not shown where the matcher's signed report says something else."""
    al, round_id, (first, second) = await al_with_hits(world_after)
    if "hit_id" in change:
        deleted(al.node.store, first["hit_id"])
        with al.node.store.transaction("test.invented") as session:
            row = session.scalars(select(HitRow).where(HitRow.hit_id == second["hit_id"])).one()
            values = {column.key: getattr(row, column.key) for column in HitRow.__mapper__.column_attrs}
            session.add(HitRow(**(values | change)))
    else:
        resealed(al.node.store, first["hit_id"], **change)
    page = await al.get(f"/rounds/{round_id}/hits")
    assert [hit["hit_id"] for hit in page["hits"]] == [second["hit_id"]]
    # Its own report, of the lists or a query and of one counterpart, then has a hit less than its receipt says.
    lacks = bool(change.keys() & {"submission_id", "counterpart"})
    assert codes_of(page) == ["hits_not_authentic"] + ["health_hits_missing"] * lacks
    wrong = first | {"hit_id": change.get("hit_id", first["hit_id"])}
    for method, rest, body in (
        ("GET", "", None),
        ("POST", "/decision", DECIDE),
        ("POST", "/acknowledge", None),
        ("POST", "/withdrawal", {"ground": "incorrect", "reason": "no"}),
        ("GET", "/letter", None),
        ("POST", "/letter", None),
    ):
        answer = await al.operator.request(method, f"/v1{hit_path(wrong, rest)}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (503, "hit_differs_from_report"), rest
    key = {"round_id": round_id, "hit_id": wrong["hit_id"]}
    assert (await al.post("/hits/assignments", json={"hits": [key]})).status_code == 503
    answer = await al.post("/hits/decisions", json=DECIDE | {"hits": [key]})
    assert answer.json() == {"number": None, "hits": 0, "left_out": 1}
    if "hit_id" not in change:
        assert [hit["hit_id"] for hit in (await al.get("/hits"))["hits"]] == [second["hit_id"]]


async def test_a_hit_is_deleted(world_after: WorldAfter, capsys: pytest.CaptureFixture[str]) -> None:
    """How many hits of a round were stored, the node has signed: one that is gone is named by pages and commands."""
    al, round_id, (first, second) = await al_with_hits(world_after)
    deleted(al.node.store, first["hit_id"])
    look_for_missing(al.node.store)
    assert row_faults(al) == [(Grade.CRITICAL, "health_hits_missing")]
    for page in (await al.get("/hits"), await al.get(f"/rounds/{round_id}/hits")):
        assert [hit["hit_id"] for hit in page["hits"]] == [second["hit_id"]]
        assert codes_of(page) == ["health_hits_missing"]
    assert main(["doctor", "--home", str(al.home), "--offline", "--json"]) == 1
    assert f"1 hits of round {round_id}" in capsys.readouterr().out
    # A row of an erasure that the service did not write explains nothing.
    with al.node.store.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO withdrawal (round_id, hit_id, counterpart, own, ground, late, at, known) "
                "VALUES (:round, :hit, 'RS', true, 'erased', false, 0, true)"
            ),
            {"round": round_id, "hit": first["hit_id"]},
        )
    assert codes_of(await al.get("/hits")) == ["health_hits_missing"]
    await al.step()
    with al.node.store.reading("test.withdrawals") as session:
        assert session.scalars(select(WithdrawalRow)).all() == []
        assert session.scalar(select(WithdrawalRow.digest)) is None  # nothing was signed


async def test_an_erased_hit_is_not_missed(world_after: WorldAfter) -> None:
    """What two persons erased with its record is explained by the withdrawal that the node itself stored."""
    al, round_id, (first, _) = await al_with_hits(world_after)
    answer = await al.post("/erasure-requests", json={"record_id": first["record_id"], "reason": "the law"})
    assert answer.status_code == 202, answer.text
    assert len((await al.get("/hits"))["hits"]) == 1
    assert codes_of(await al.get(f"/rounds/{round_id}/hits")) == []
    look_for_missing(al.node.store)
    assert row_faults(al) == []


async def test_the_report_itself_is_deleted(world_after: WorldAfter) -> None:
    """Without the reports that its receipts are about, no hit of them is shown: nothing says that it is one."""
    al, round_id, _ = await al_with_hits(world_after)
    with al.node.store.reading("test.reports") as session:
        kind = StatementRow.kind == StatementKind.HIT_REPORT.value
        digests = session.scalars(select(StatementRow.digest).where(StatementRow.round_id == round_id, kind)).all()
    for digest in digests:
        write(al.node.store, "DELETE FROM statement WHERE digest = :digest", digest=digest)
    al.restart()
    answer = await al.operator.get("/v1/hits")
    assert answer.status_code != 200 or codes_of(answer.json()) == ["hits_not_authentic"]
    assert "hoxha" not in answer.text.lower()


async def test_the_answer_to_a_query(world_after: WorldAfter) -> None:
    """Persons are shown without the forged hit, and the answer says that one is left out."""
    world, round_id = await world_after(round_for_queries)
    al = world.nodes["AL"]
    query = await al.load(f"{HEADER}q-1,Dragan,Petrović,1971-05-06,\n", "query")
    assert (await al.submit(round_id, query, "query")).status_code == 202
    await world.settle()
    (entry,) = (await al.get("/queries"))["queries"]
    path = f"/queries/{entry['submission_id']}"
    (person,) = (await al.get(path))["persons"]
    assert len(person["hits"]) == 2
    write(al.node.store, "UPDATE hit SET certainty = 'low' WHERE hit_id = :hit", hit=person["hits"][0]["hit_id"])
    answer = await al.get(path)
    assert answer["persons"][0]["hits"] == person["hits"][1:]
    assert codes_of(answer) == ["hits_not_authentic"]
