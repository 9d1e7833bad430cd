"""Every page and form of both sites, asked for by a person of each role: who may not is told so, and nothing else."""

from __future__ import annotations

import io
import re
from typing import Any

from fastapi.routing import iter_route_contexts

NODE_ROLES = ("officer", "approver", "analyst", "auditor", "administrator")
MATCHER_ROLES = ("secretariat", "auditor", "administrator")

OPEN = {
    "GET /enrol",
    "POST /enrol",
    "POST /enrol/confirm",
    "GET /set-up",
    "POST /set-up",
    "GET /sign-in",
    "POST /sign-in",
    "GET /sign-in/provider",
    "POST /sign-in/provider",
    "POST /sign-out",
    "POST /language",
    "GET /static/{version}/{name}",
}
"""For whoever has no session."""

FOR_ALL = {
    "GET /",
    "GET /account",
    "GET /glossary",
    "POST /account/notifications",
    "POST /account/notifications/end",
    "POST /account/password",
    "POST /account/sessions/{session_id}/end",
}
WAITING = {"POST /records/layout", "POST /records/store", "POST /records/findings.csv"}
"""These take up a list that the same session has looked through, and find none."""

NODE = {
    "GET /practice": "officer approver analyst auditor administrator",
    "GET /approvals": "officer approver",
    "GET /approvals/{approval_id}": "officer approver",
    "POST /approvals/{approval_id}/approve": "approver",
    "POST /approvals/{approval_id}/refuse": "approver",
    "POST /approvals/{approval_id}/withdraw": "officer administrator",
    "GET /erasures": "analyst",
    "POST /erasures/{approval_id}/withdraw": "analyst",
    "GET /hits": "analyst",
    "POST /hits/acknowledge": "analyst",
    "POST /hits/assign": "analyst",
    "POST /hits/close-many": "analyst",
    "POST /hits/decide": "analyst",
    "POST /hits/decide-many": "analyst",
    "POST /hits/erase": "analyst",
    "POST /hits/export.csv": "analyst",
    "POST /hits/export.pdf": "analyst",
    "POST /hits/find": "analyst",
    "POST /hits/undo": "analyst",
    "POST /hits/views": "analyst",
    "POST /hits/views/{view_id}/remove": "analyst",
    "GET /hits/{round_id}/{hit_id}": "analyst",
    "POST /hits/{round_id}/{hit_id}/letter": "analyst",
    "POST /hits/{round_id}/{hit_id}/letter.json": "analyst",
    "POST /hits/{round_id}/{hit_id}/letter.pdf": "analyst",
    "POST /hits/{round_id}/{hit_id}/{step}": "analyst",
    "GET /log": "auditor administrator",
    "POST /log/export": "auditor",
    "POST /log/alarms/{alarm_id}/acknowledge": "administrator",
    "GET /registry": "administrator",
    "POST /registry/fetch": "administrator",
    "POST /registry/accept": "administrator",
    "GET /people": "administrator",
    "POST /people": "administrator",
    "POST /people/{person}/admit": "administrator",
    "POST /people/{person}/activate": "administrator",
    "POST /people/{person}/deactivate": "administrator",
    "POST /people/{person}/reset": "administrator",
    "POST /people/{person}/roles": "administrator",
    "GET /queries": "officer analyst",
    "POST /queries": "officer",
    "GET /queries/standing": "officer analyst",
    "GET /queries/standing/{standing_id}": "officer analyst",
    "POST /queries/standing/{standing_id}/ask": "officer",
    "POST /queries/standing/{standing_id}/prolong": "officer",
    "POST /queries/standing/{standing_id}/withdraw": "officer",
    "GET /queries/{submission_id}": "officer analyst",
    "GET /queries/{submission_id}/live": "officer analyst",
    "GET /queries/{submission_id}/sheet": "officer analyst",
    "GET /records": "officer approver",
    "POST /records/delivered": "officer",
    "POST /records/delivered/{delivery_id}/remove": "officer",
    "POST /records/preview": "officer",
    "GET /records/{import_id}": "officer approver",
    "GET /records/template.{form}": "officer",
    "GET /records/waiting/{upload_id}": "officer",
    "GET /records/waiting/{upload_id}/live": "officer",
    "GET /records/{import_id}/all": "officer analyst",
    "GET /records/{import_id}/duplicates": "officer approver",
    "GET /records/{import_id}/findings.csv": "officer approver",
    "POST /records/{import_id}/delete": "officer",
    "GET /rounds": "officer approver analyst auditor",
    "GET /rounds/{round_id}": "officer approver analyst auditor",
    "GET /rounds/{round_id}/live": "officer approver analyst auditor",
    "POST /rounds/{round_id}/abort": "officer",
    "POST /rounds/{round_id}/alarms/{submission_id}/refuse": "approver",
    "POST /rounds/{round_id}/alarms/{submission_id}/release": "approver",
    "POST /rounds/{round_id}/close": "officer",
    "POST /rounds/{round_id}/consent": "officer",
    "POST /rounds/{round_id}/submit": "officer",
    "GET /search": "officer analyst",
    "POST /search": "officer analyst",
    "GET /search/{import_id}/{position}": "officer analyst",
    "GET /search/{import_id}/{position}/correct": "officer",
    "POST /search/{import_id}/{position}/correct": "officer",
    "POST /search/{import_id}/{position}/take-out": "officer",
}

MATCHER = {
    "GET /approvals": "secretariat",
    "GET /approvals/{approval_id}": "secretariat",
    "POST /approvals/{approval_id}/approve": "secretariat",
    "POST /approvals/{approval_id}/refuse": "secretariat",
    "POST /approvals/{approval_id}/withdraw": "secretariat administrator",
    "GET /log": "auditor administrator",
    "POST /log/export": "auditor",
    "POST /log/alarms/{alarm_id}/acknowledge": "administrator",
    "GET /parties": "secretariat auditor",
    "GET /registry": "administrator",
    "GET /people": "administrator",
    "POST /people": "administrator",
    "POST /people/{person}/admit": "administrator",
    "POST /people/{person}/activate": "administrator",
    "POST /people/{person}/deactivate": "administrator",
    "POST /people/{person}/reset": "administrator",
    "POST /people/{person}/roles": "administrator",
    "GET /picture": "secretariat auditor",
    "POST /picture.pdf": "secretariat auditor",
    "GET /picture/{name}.svg": "secretariat auditor",
    "GET /rounds": "secretariat auditor",
    "GET /rounds/new": "secretariat",
    "POST /rounds/new": "secretariat",
    "GET /rounds/{round_id}": "secretariat auditor",
    "GET /rounds/{round_id}/live": "secretariat auditor",
    "POST /rounds/{round_id}/abort": "secretariat",
    "POST /rounds/{round_id}/close": "secretariat",
    "GET /statistics": "secretariat auditor",
    "POST /statistics.csv": "secretariat auditor",
}

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
    """A role that may not gets 403 from every page and form; one that may gets anything else."""
    assert _forms(node) == NODE.keys() | OPEN | FOR_ALL | WAITING
    assert await _wrong(node, NODE_ROLES, NODE) == []
    browser = await node.visitor("eve", "officer")
    assert [await _status(browser, form) for form in sorted(WAITING)] == [422] * len(WAITING)


async def test_every_page_of_the_matcher(matcher: Any) -> None:
    assert _forms(matcher) == MATCHER.keys() | OPEN | FOR_ALL
    assert await _wrong(matcher, MATCHER_ROLES, MATCHER) == []
