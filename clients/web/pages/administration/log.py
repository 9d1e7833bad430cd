"""The log: entries in words, whether it holds together, and its export."""

from __future__ import annotations

import re

from fastapi import APIRouter, Response

from aquila.audit.entries import EntryKind
from aquila.errors import InputError
from clients.web.app.visit import Sent, Visited, threaded

router = APIRouter()
_PAGE = 50
_ROUND = re.compile(r"[0-9a-f]{32}")
_DIGITS = 15


@router.get("/log")
@threaded
def get_log(visit: Visited, kind: str = "", round_id: str = "", below: str = "") -> Response:
    """Show the log at a glance and its entries, newest first; to the administrator, who reads none, its alarms."""
    client = visit.log()
    if not visit.may("log.see"):
        visit.need("log.acknowledge")
        return visit.show("log.html", log=client.view(), page=None)
    if kind and kind not in set(EntryKind):
        raise InputError("log_entry_kind_unknown")
    if round_id and not _ROUND.fullmatch(round_id):
        raise InputError("round_id_malformed")
    start = int(below) if below.isascii() and below.isdigit() and len(below) <= _DIGITS else None
    page = client.entries(below=start, limit=_PAGE, kind=EntryKind(kind) if kind else None, round_id=round_id)
    return visit.show(
        "log.html", log=client.view(), page=page, kind=kind, round_id=round_id, kinds=[one.value for one in EntryKind]
    )


@router.post("/log/export")
@threaded
def post_export(visit: Visited, _sent: Sent) -> Response:
    """Return the log's files, to be verified on another machine; that they were exported is an entry."""
    headers = {"content-disposition": 'attachment; filename="aquila-log.tar"'}
    return Response(visit.log().export(), media_type="application/x-tar", headers=headers)


@router.post("/log/alarms/{alarm_id}/acknowledge")
@threaded
def post_acknowledge(visit: Visited, _sent: Sent, alarm_id: int) -> Response:
    """Let work go on after an alarm was explained."""
    visit.log().acknowledge(alarm_id)
    return visit.go("/log", "acknowledged")
