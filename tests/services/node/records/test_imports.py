"""Lists that the operator imports."""

import logging

import pytest
from sqlalchemy import func, select

from services.node.storage.tables import FindingRow, ImportRow, RecordRow
from tests.support.node_world import HEADER, World
from tests.support.sentence_texts import without_random

GOOD = "list-a-1,Mira,Janković,1988-08-08,\n"
TOO_LITTLE = "a-3,Ana,,,\n"


pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.postgresql_soak]


def stored(world: World) -> tuple[int, int]:
    with world.nodes["AL"].node.store.reading("test.count") as session:
        return (
            session.scalar(select(func.count()).select_from(ImportRow)) or 0,
            session.scalar(select(func.count()).select_from(RecordRow)) or 0,
        )


async def test_a_good_list_is_stored_and_listed(world: World) -> None:
    al = world.nodes["AL"]
    answer = await al.post("/imports", params={"name": "persons"}, content=(HEADER + GOOD).encode())
    assert answer.status_code == 201
    report = answer.json()
    assert (report["accepted"], report["refused"], report["findings"]) == (1, 0, [])
    assert sum(one["inputs"] for one in report["rules"]) > 1
    assert (await al.get("/imports"))["imports"][0]["name"] == "persons"
    assert (await al.operator.delete(f"/v1/imports/{report['import_id']}")).status_code == 204
    assert stored(world) == (0, 0)
    assert (await al.operator.delete(f"/v1/imports/{report['import_id']}")).status_code == 404


@pytest.mark.database_files
async def test_a_deleted_list_leaves_no_bytes(world: World) -> None:
    """Neither the database nor its write-ahead log holds anything of its records, and the log counts them."""
    al = world.nodes["AL"]
    import_id = await al.load(HEADER + GOOD)
    assert b"list-a-1" in al.stored_bytes()
    assert (await al.operator.delete(f"/v1/imports/{import_id}")).status_code == 204
    for word in (b"Mira", b" mira ", "Janković".encode(), b"1988-08-08", b"list-a-1"):
        assert word not in al.stored_bytes()


async def test_indicators_are_those_of_the_table(world: World) -> None:
    """A code that it lacks is named with its line and not taken, in a list as in one record that is corrected."""
    al = world.nodes["AL"]
    header = "record_id,given_names,family_names,indicators\n"
    content = (header + "a-1,Ana,Novak,F1; t2;Q7\na-2,Bo,Novak,\n").encode()
    (found,) = (await al.post("/records/check", content=content)).json()["groups"]
    assert (found["field"], found["reason"]["code"], found["line"], found["example"]) == (
        "indicators",
        "code_not_used",
        2,
        "Q7",
    )
    list_id = (await al.post("/imports", params={"name": "persons"}, content=content)).json()["import_id"]
    path = f"/imports/{list_id}/records/0"
    assert (await al.get(path))["entry"]["record"]["indicators"] == ["T2", "F1"]
    fields = {"given_names": ["Ana"], "family_names": ["Novak"], "indicators": ["C1", "travel"]}
    answer = await al.operator.put(f"/v1{path}", json={"fields": fields})
    assert [one["reason"]["code"] for one in answer.json()["findings"]] == ["code_not_used"]
    assert (await al.get(path))["entry"]["record"]["indicators"] == ["C1"]
    table = await al.get("/indicators")
    assert table["indicators"]["T2"] == "return from a conflict area"


async def test_findings_are_grouped_with_an_example(world: World, caplog: pytest.LogCaptureFixture) -> None:
    al = world.nodes["AL"]
    rows = "".join(f"a-{number},Ana,Novak,7{number:02}Q/85,\n" for number in range(8))
    content = (HEADER + "a-8,Ana,Novak,1985-13-45,\n" + rows + GOOD).encode()
    with caplog.at_level(logging.DEBUG):
        checked = (await al.post("/records/check", content=content)).json()
        report = (await al.post("/imports", params={"name": "persons"}, content=content)).json()
    told = [(one["field"], one["reason"]["code"], one["count"], one["line"]) for one in report["groups"]]
    assert told == [
        ("date_of_birth", "date_not_used_unknown_form", 8, 3),
        ("date_of_birth", "date_month_not_used", 1, 2),
    ]
    assert [one["example"] for one in report["groups"]] == ["700Q/85", "1985-13-45 → 1985"]
    assert checked["groups"] == report["groups"]
    # Line by line what is written is shown before the list is stored, and not after.
    assert [one["written"] for one in checked["findings"]][:2] == ["1985-13-45 → 1985", "700Q/85"]
    assert {one["written"] for one in report["findings"]} == {""}
    saved = (await al.post("/records/findings", content=content)).text.splitlines()
    assert saved[2].startswith('3,"a-0","date_of_birth","warning",')
    assert saved[2].endswith(',"700Q/85"')
    assert b"700Q/85" not in al.stored_bytes()
    assert "700Q/85" not in caplog.text


async def test_findings_are_kept_with_their_list(world: World) -> None:
    al, rows = world.nodes["AL"], "".join(f"a-{number},Ana,Novak,1985-13-45,\n" for number in range(1_100))
    content = (HEADER + rows + TOO_LITTLE).encode()
    report = await al.post("/imports", params={"name": "persons", "accept_refused": "true"}, content=content)
    path = f"/imports/{report.json()['import_id']}"
    assert (await al.get("/imports"))["imports"][0]["findings"] == 1_101
    found = await al.get(f"{path}/findings")
    assert (len(found["findings"]), found["total"]) == (1_000, 1_101)
    assert found["findings"] == report.json()["findings"]
    saved = (await al.operator.get(f"/v1{path}/findings.csv")).text.splitlines()
    assert (len(saved), saved[-1][:11]) == (1_102, '1102,"a-3",')
    assert (await al.post("/erasures", json={"record_id": "a-7"})).status_code == 200
    assert (await al.get(f"{path}/findings"))["total"] == 1_100
    assert (await al.operator.delete(f"/v1{path}")).status_code == 204
    for rest in ("findings", "findings.csv"):
        assert (await al.operator.get(f"/v1{path}/{rest}")).status_code == 404
    with al.node.store.reading("test.findings") as session:
        assert session.scalar(select(func.count()).select_from(FindingRow)) == 0


async def test_refused_rows_stop_an_import(world: World) -> None:
    """Nothing is stored until the operator accepts to go on without the refused rows, which a check lists."""
    al, content = world.nodes["AL"], (HEADER + GOOD + TOO_LITTLE + GOOD).encode()
    answer = await al.post("/imports", params={"name": "persons"}, content=content)
    assert answer.status_code == 422
    assert "2 rows cannot be used" in answer.json()["detail"]
    assert "--accept-refused" in answer.json()["hint"]
    assert stored(world) == (0, 0)
    checked = (await al.post("/records/check", content=content)).json()
    assert (checked["refused"], checked["import_id"]) == (2, None)
    assert [f["line"] for f in checked["findings"] if f["severity"] == "refusal"] == [3, 4]
    answer = await al.post("/imports", params={"name": "persons", "accept_refused": "true"}, content=content)
    assert answer.status_code == 201
    assert stored(world) == (1, 1)


async def test_a_list_that_cannot_be_read_leaves_nothing(world: World) -> None:
    """The problem says what is wrong with the file, and the database holds no part of it."""
    for content, form in (
        (b"", "csv"),
        (HEADER.encode(), "csv"),
        (b"nonsense\n1\n", "csv"),
        (b"\xff\xfe\n", "csv"),
        (b"{}\n", "ftm"),
        ((HEADER + TOO_LITTLE).encode(), "csv"),  # of refused rows alone
    ):
        wanted = {"name": "persons", "format": form, "accept_refused": "true"}
        answer = await world.nodes["AL"].post("/imports", params=wanted, content=content)
        assert answer.status_code == 422
        assert stored(world) == (0, 0)


async def test_an_interrupted_import_is_removed_at_the_next_start(world: World) -> None:
    al = world.nodes["AL"]
    with al.node.store.transaction("test.half") as session:
        session.add(
            ImportRow(
                import_id="ab" * 16, name="half", format="csv", records=0, refused=0, imported_at=1, complete=False
            )
        )
        session.flush()
        session.add(RecordRow(import_id="ab" * 16, position=0, record_id="x", content=b"{}"))
    assert (await al.get("/imports"))["imports"] == []
    al.restart()
    assert stored(world) == (0, 0)


async def test_a_list_in_an_open_round_is_not_deleted(world: World) -> None:
    await world.begin()
    al = world.nodes["AL"]
    import_id = (await al.get("/imports"))["imports"][0]["import_id"]
    assert (await al.operator.delete(f"/v1/imports/{import_id}")).status_code == 403


TWICE = "a-4,Јанковић,Мира,1988-08-08,\n"


async def test_likely_duplicates_are_counted_and_named(world: World) -> None:
    al, content = world.nodes["AL"], (HEADER + GOOD + TWICE).encode()
    checked = (await al.post("/records/check", content=content)).json()
    assert checked["duplicates"] == 1
    # What its hits can be at most is foreseen, and what it says of names is a share.
    assert [one["level"] for one in checked["prospects"]["found"]][:2] == ["high", "high"]
    assert (checked["prospects"]["usual_percent"], checked["prospects"]["usual_names"]) == (100, 40)
    report = (await al.post("/imports", params={"name": "persons"}, content=content)).json()
    assert report["duplicates"] == 1
    found = await al.get(f"/imports/{report['import_id']}/duplicates")
    pair = found["pairs"][0]
    assert (pair["record_id_a"], pair["record_id_b"]) == ("list-a-1", "a-4")
    assert (pair["position_a"], pair["position_b"]) == (0, 1)
    assert (found["records"], found["groups"], found["pairs_left_out"]) == (2, 1, 0)
    assert pair["sentences"]
    assert not any(word in without_random(str(found)) for word in ("Mira", "Јанковић", "1988"))
    assert (await al.operator.get(f"/v1/imports/{'0' * 32}/duplicates")).status_code == 404
