"""The pages of queries: typed and pasted persons, templates, the request, the answer and its sheet."""

import csv
import io
import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from aquila.audit.roles import Role, Service
from aquila.errors import InputError
from clients.sdk.services import pasted_persons
from clients.web.wiring import front_of
from services.node.storage.tables import PairCheckRow
from tests.support.node_steps import round_for_queries
from tests.support.node_world import PartyNode
from tests.support.played_worlds import WorldAfter
from tests.support.web_world import ORIGIN, endpoint, visitor_of

pytestmark = pytest.mark.more_rounds

REASON = {
    "legal_basis": "Article 7",
    "purpose": "check of identity",
    "case_reference": "2026/7",
    "category": "travellers",
    "urgency": "urgent",
    "template": "border control",
}
EMPTY = {
    "given_names": ["", ""],
    "family_names": ["", ""],
    "date_of_birth": ["", ""],
    "nationality": ["", ""],
    "document_numbers": ["", ""],
}
ROWS = EMPTY | {
    "given_names": ["Mira", "Nobody"],
    "family_names": ["Janković", "Unheard"],
    "date_of_birth": ["8.8.1988", "1970"],
}


def find_fault(party_node: PartyNode) -> None:
    """Let a node have found that it was told nothing of a query."""
    with party_node.node.store.transaction("test.found") as session:
        for check in session.scalars(select(PairCheckRow).where(PairCheckRow.submission_id != "")):
            check.fault = "columns"


async def test_an_officer_asks_and_reads_the_answer(world_after: WorldAfter) -> None:
    """Errors keep what was typed, a template fills the reasons, a second person approves, and the answer is a table."""
    world, round_id = await world_after(round_for_queries)
    party_node = world.nodes["AL"]
    app = front_of(Service.NODE, "Albania")(party_node.app, endpoint())
    officer, analyst = visitor_of(app, party_node, Role.OFFICER), visitor_of(app, party_node, Role.ANALYST)
    assert "None yet." in await officer.open("/queries")
    page = await officer.send("/queries", round_id=round_id, **REASON | {"case_reference": ""}, **EMPTY)
    assert officer.answer.status_code == 422
    assert "Type or paste at least one person" in page
    assert page.count('class="fault"') == 2
    page = await officer.send("/queries", round_id=round_id, step="template", **REASON, **ROWS)
    assert "at the border" in page
    assert "8.8.1988" in page
    page = await officer.send("/queries", round_id=round_id, step="rows", **REASON, **ROWS)
    assert page.count("<fieldset>") == 5
    page = await officer.send("/queries", round_id=round_id, pasted="Ana;Novak;1985-07-07", **REASON, **ROWS)
    assert "in one way" in page
    page = await officer.send("/queries", round_id=round_id, step="ask", **REASON, **ROWS)
    for text, there in (("Waiting for approval.", True), ("2026/7", True), ("Janković", False)):
        assert (text in page) is there
    (approval,) = [one for one in (await party_node.get("/approvals"))["approvals"] if one["state"] == "waiting"]
    approver = visitor_of(app, party_node, Role.APPROVER)
    first = (await approver.open("/")).split('<section class="card">')[1]
    for text in ("Case 2026/7, 2 persons.", '<span class="tag stop">urgent</span>', "asks for it since"):
        assert text in first
    page = await approver.open(f"/approvals/{approval['approval_id']}")
    for text in ("urgent: an answer is needed today", "Mira Janković", "<code>iankovic</code>"):
        assert text in page
    await approver.send(f"/approvals/{approval['approval_id']}/approve", digest=approval["digest"], read="yes")
    page = await officer.open("/queries")
    path = re.search(r'href="(/queries/[0-9a-f]{32})"', page)
    assert path
    page = await officer.open(path[1])
    assert "Steps that the answer awaits" in page
    assert "it has not evaluated the query yet" in page or "waits to be prepared" in page
    assert "not every party had answered" in await officer.open(f"{path[1]}/sheet")
    await world.settle()
    for browser, links in ((officer, 0), (analyst, 1)):
        page = unescape(await browser.open(path[1]))
        rows = page.split("<tbody>")[1].split("</tbody>")[0]
        assert rows.count("<strong>") == 1
        assert rows.count("no-hit") == 3
        assert rows.count('href="/hits/') == links
        assert re.search(r"Mira Janković, .*<code>Q-[0-9a-f]{8}-1</code>", rows)  # the number stands in letters
    sheet = await officer.open(f"{path[1]}/sheet")
    for text in (
        "2026/7",
        "check of identity",
        "no-hit",
        "It clears nobody.",
        "Both nodes check that the matcher hides no hit",
        "Serbia (RS)",
    ):
        assert text in sheet
    # Once among the meanings of the words.
    assert [sheet.count(words) for words in ("not every party had answered", "not to be trusted")] == [0, 1]
    find_fault(party_node)
    sheet = await officer.open(f"{path[1]}/sheet")
    said = [sheet.count(words) for words in ("not checked: the matcher reported nothing", "not to be trusted")]
    assert said == [2, 4]  # in place of each no-hit
    assert "Whom do you ask for?" not in await analyst.open("/queries")
    app.end()


async def test_persons_are_read_back_before_they_are_asked_for(world_after: WorldAfter) -> None:
    world, round_id = await world_after(round_for_queries)
    party_node = world.nodes["AL"]
    app = front_of(Service.NODE, "Albania")(party_node.app, endpoint())
    officer, sent = visitor_of(app, party_node, Role.OFFICER), {"round_id": round_id} | REASON
    await officer.open("/queries")
    odd = {"given_names": ["Janković", ""], "family_names": ["Mira", ""], "date_of_birth": ["2071", ""]}
    page = unescape(await officer.send("/queries", **sent, **ROWS | odd))
    for text in (
        "Are these the persons?",
        "Family names looks like a given name, and the given name like a family name",
        "Date of birth lies in the future",
        '<input type="hidden" name="family_names" value="Mira">',
    ):
        assert text in page
    assert 'value="Mira"' in await officer.send("/queries", step="change", **sent, **ROWS | odd)
    page = await officer.send("/queries", **sent, **ROWS)
    assert "Look at this first" not in page
    assert "<code>iankovic</code>" in page
    assert not [one for one in (await party_node.get("/approvals"))["approvals"] if one["state"] == "waiting"]
    app.end()


async def test_what_may_be_a_name_is_confirmed(world_after: WorldAfter) -> None:
    """A name that is asked for is refused; for what may be one of the lists the form comes back with a box to tick."""
    world, round_id = await world_after(round_for_queries)
    party_node = world.nodes["AL"]
    app = front_of(Service.NODE, "Albania")(party_node.app, endpoint())
    officer, box = visitor_of(app, party_node, Role.OFFICER), 'name="names_checked"'
    await officer.open("/queries")
    page = await officer.send(
        "/queries", round_id=round_id, step="ask", **REASON | {"case_reference": "Мира Јанковић"}, **ROWS
    )
    assert "a text names a person who is asked for" in page
    assert box not in page
    forms: list[tuple[str, str, dict[str, Any], str]] = [
        (
            "/queries",
            "/queries",
            REASON | {"purpose": "the Janković case"} | ROWS | {"round_id": round_id, "step": "ask"},
            "Waiting for",
        ),
        (f"/rounds/{round_id}", f"/rounds/{round_id}/abort", {"reason": "Besa Dervishi"}, "leaving"),
    ]
    for shown, sent, texts, done in forms:
        await officer.open(shown)
        page = await officer.send(sent, headers={"referer": ORIGIN + shown}, **texts)
        assert "what may be the name of a person" in page, sent
        assert page.count(box) == 1, sent
        page = await officer.send(sent, **texts, names_checked="yes")
        assert "what may be the name of a person" not in page, sent
        assert done.casefold() in page.casefold(), sent
    app.end()


async def test_faults_of_persons_are_at_their_fields(world_after: WorldAfter) -> None:
    """Of a row at the box that is wrong, of pasted lines and the day at theirs, and in a list that leads there."""
    world, round_id = await world_after(round_for_queries)
    party_node = world.nodes["AL"]
    app = front_of(Service.NODE, "Albania")(party_node.app, endpoint())
    officer = visitor_of(app, party_node, Role.OFFICER)
    await officer.open("/queries")
    rows = ROWS | {"family_names": ["Janković", ""], "date_of_birth": ["30.2.1988", ""], "document_numbers": ["", "1"]}
    page = await officer.send("/queries", round_id=round_id, **REASON, **rows)
    assert officer.answer.status_code == 422
    assert "<title>Error: Queries - Aquila</title>" in page
    for name, fault in (
        ("date_of_birth-1", "has an impossible day"),
        ("family_names-2", "too little is left to match on"),
        ("document_numbers-2", "holds too few letters and digits"),
    ):
        assert f'href="#{name}"' in page
        assert re.search(rf'<p class="fault" id="{name}-fault">{fault}', page)
        assert re.search(rf'<input[^>]* id="{name}"[^>]* aria-invalid="true" aria-describedby="{name}-fault">', page)
    assert page.count('class="fault"') == 3
    assert "30.2.1988" in page
    long_ = ROWS | {"given_names": ["x" * 501, "Nobody"]}
    page = await officer.send("/queries", round_id=round_id, **REASON, **long_)
    assert '<p class="fault" id="given_names-1-fault">A text is too long.' in page
    # A country that no table knows is compared as it is written.
    page = await officer.send(
        "/queries", round_id=round_id, **REASON | {"case_reference": ""}, **ROWS | {"nationality": ["Atlantis", ""]}
    )
    assert page.count('class="fault"') == 1
    for pasted, fault in (
        ("Ana;Novak;1985-07-07\nMira;;", "person 2 cannot be asked for: too little is left"),
        ("a;b;c;d;e;f;g", "has more than 5 columns"),
    ):
        page = await officer.send("/queries", round_id=round_id, pasted=pasted, **REASON, **EMPTY)
        assert re.search(f'<p class="fault" id="pasted-fault">[^<]*{fault}', page)
        assert page.count('class="fault"') == 1
    far = {"until": "2999-01-01", "step": "ask"}
    page = await officer.send("/queries", round_id=round_id, **far, **REASON | {"urgency": "normal"}, **ROWS)
    assert '<p class="fault" id="until-fault">a standing query is approved for at most 180 days' in page
    app.end()


async def test_an_answer_comes_while_one_watches(world_after: WorldAfter) -> None:
    """The page is loaded again, also where the change came before the first look, and ends to watch what is final."""
    world, round_id = await world_after(round_for_queries)
    party_node = world.nodes["AL"]
    app = front_of(Service.NODE, "Albania")(party_node.app, endpoint())
    officer = visitor_of(app, party_node, Role.OFFICER)
    person = {"given_names": "Mira", "family_names": "Janković", "date_of_birth": "1988-08-08"}
    why = {name: text for name, text in REASON.items() if name != "template"}
    await party_node.post("/queries", json={"round_id": round_id, "persons": [person], "justification": why})
    (query,) = (await party_node.get("/queries"))["queries"]
    page = await officer.open(f"/queries/{query['submission_id']}")
    assert "Look again" in page
    watched = re.search('data-live="([^"]+)"', page)
    assert watched
    await world.settle()
    assert "event: changed" in (await officer.client.get(watched[1])).text
    page = await officer.open(f"/queries/{query['submission_id']}")
    assert "data-live" not in page
    seen = (await officer.client.get(f"/queries/{query['submission_id']}/live")).text
    assert "event: values" in seen
    assert "event: ended" in seen
    app.end()


async def test_exports_say_whose_query_a_hit_is_of(world_after: WorldAfter) -> None:
    world, round_id = await world_after(round_for_queries)
    person = {"given_names": "Mira", "family_names": "Jankovi\u0107", "date_of_birth": "1988-08-08"}
    why = {name: text for name, text in REASON.items() if name != "template"}
    body = {"round_id": round_id, "persons": [person], "justification": why}
    await world.nodes["AL"].post("/queries", json=body)
    await world.settle()
    for code, whose in (("AL", "own query"), ("RS", "query of AL")):
        party_node = world.nodes[code]
        app = front_of(Service.NODE, "party")(party_node.app, endpoint())
        reader = visitor_of(app, party_node, Role.ANALYST)
        await reader.open("/hits")
        await reader.send("/hits/export.csv", list="")
        lines = csv.DictReader(io.StringIO(reader.answer.content.decode("utf-8-sig")))
        origins = {(line["From"], line["Case reference of the query"]) for line in lines}
        assert origins == {("lists", ""), (whose, "2026/7")}
        await reader.send("/hits/export.pdf", list="kind=query")
        assert reader.answer.content.startswith(b"%PDF")
        app.end()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ana;Novak;1985-07-07\nMira;Janković", [("Ana", "Novak", "1985-07-07"), ("Mira", "Janković", "")]),
        ("family_names\tgiven_names\tshoe\nNovak\tAna\t44\n\n", [("Ana", "Novak", "")]),
        ("prezime,ime,datum rođenja\nNovak,Ana,7.7.1985", [("Ana", "Novak", "7.7.1985")]),
        ("", []),
    ],
)
def test_pasted_lines_are_persons(text: str, expected: list[tuple[str, str, str]]) -> None:
    """Columns are named in the first line, in any language that lists are read in, or stand in their usual order."""
    found = [(one.given_names, one.family_names, one.date_of_birth) for one in pasted_persons(text)]
    assert found == expected


def test_a_line_without_columns_is_a_full_name() -> None:
    assert [one.full_name for one in pasted_persons("Arben Hoxha\nAna Novak")] == ["Arben Hoxha", "Ana Novak"]


@pytest.mark.parametrize("text", ["a;b;c;d;e;f", "x" * 501, "a;b\n" * 21, "x" * (1 << 18)])
def test_unusable_pasted_lines_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        pasted_persons(text)
