"""Every page and form of both sites, asked for by a person of each role: who may not is told so, and nothing else."""

import io
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

pytestmark = pytest.mark.rounds  # it takes as long as some

NODE_ROLES = ("officer", "approver", "analyst", "auditor", "data_protection_officer", "administrator")
MATCHER_ROLES = ("secretariat", "auditor", "data_protection_officer", "administrator")

TABLE = tomllib.loads(Path(__file__).with_name("page_roles.toml").read_text("utf-8"))
OPEN, FOR_ALL = set(TABLE["open"]), set(TABLE["for_all"])
NODE, MATCHER = TABLE["node"], TABLE["matcher"]
WAITING = {"POST /records/layout", "POST /records/store", "POST /records/findings.csv"}
"""These take up a list that the same session has looked through, and find none."""

ID = "0" * 32
FIELDS = {
    "digest": "0" * 64,
    "reason": "because",
    "login": "eva",
    "role": "auditor",
    "record_id": "x",
    "hit": f"{ID}.{ID}",
    "name": "x",
    "import_id": ID,
    "kind": "list",
    "legal_basis": "x",
    "purpose": "x",
    "case_reference": "x",
    "category": "x",
    "area": "x",
    "party": ["AL", "SI"],
    "row": f"{ID}.{ID}",
    "decide": "same.0",
    "decision": "same",
    "colleague": "nobody",
    "view": "x",
    "number": "1",
    "outcome": "confirmed",
    f"reason-{ID[:8]}": "because",
    "read": "yes",
    "sure": "yes",
    "program_login": "program",
    "program_role": "auditor",
    "networks": "192.0.2.0/24",
    "days": "30",
    "since": "2026-01-01",
    "until": "2026-01-02",
    "opens": "7",
    "closes": "19",
    "times": "3",
    "least": "50",
    "file_number": "DP 1",
    "search_id": ID,
    "received": "2026-01-01",
    "answer": "given",
}
"""What lets each form come as far as the question who may send it."""


def _forms(place: Any) -> set[str]:
    routes = iter_route_contexts(place.app._pages.routes)
    return {f"{method} {route.path}" for route in routes for method in route.methods or () if method in {"GET", "POST"}}


async def _status(browser: Any, form: str) -> int:
    method, _, path = form.partition(" ")
    path = path.replace("{step}", "acknowledge").replace("{position}", "1").replace("{alarm_id}", "7")
    path = re.sub(r"\{[^}]*\}", ID, path)
    if method == "GET":
        return int((await browser.client.get(path)).status_code)
    files = (
        {"file": ("l.csv", io.BytesIO(b"record_id,full_name\n"), "text/csv")} if path == "/records/preview" else None
    )
    if "form_token" not in browser.page:
        await browser.open("/")
    await browser.send(path, follow=False, files=files, **FIELDS)
    return int(browser.answer.status_code)


async def _wrong(place: Any, roles: tuple[str, ...], allowed: dict[str, str]) -> list[tuple[str, str, int]]:
    """Ask for everything in every role, and return where the answer is not the table's."""
    wrong = []
    for role in roles:
        browser = await place.visitor(f"a-{role}", role)
        for form in sorted(allowed):
            status = await _status(browser, form)
            if (status == 403) == (role in allowed[form].split()):
                wrong.append((role, form, status))
    return wrong


async def test_every_page_of_the_node(node: Any) -> None:
    assert sorted(_forms(node) ^ (NODE.keys() | OPEN | FOR_ALL | WAITING)) == [], "page_roles.toml"
    assert await _wrong(node, NODE_ROLES, NODE) == []
    browser = await node.visitor("eve", "officer")
    assert [await _status(browser, form) for form in sorted(WAITING)] == [422] * len(WAITING)


async def test_every_page_of_the_matcher(matcher: Any) -> None:
    assert sorted(_forms(matcher) ^ (MATCHER.keys() | OPEN | FOR_ALL)) == [], "page_roles.toml"
    assert await _wrong(matcher, MATCHER_ROLES, MATCHER) == []
