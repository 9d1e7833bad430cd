"""The log of a service: its entries as a story, one entry with its proof, and a check of the whole."""

import re
from datetime import datetime, timedelta

from fastapi import APIRouter, Response

from aquila.audit.entries import EntryKind
from aquila.audit.proven_entry import SUFFIX
from aquila.audit.roles import Role, role_table
from aquila.crypto.keys import short_digits
from aquila.errors import InputError
from aquila.interface.log import EntrySearch
from clients.web.app.forms import whole_number
from clients.web.app.navigation import identifier
from clients.web.app.visit import PageRoute, Sent, Visit, Visited
from clients.web.text.log_story import folded
from services.kit.errors import NotFoundError

router = APIRouter(route_class=PageRoute)
_ROUND = re.compile(r"[0-9a-f]{32}")
_PAGE = 100
_DIGITS = 15
_FILTER = ("kind", "round_id", "since", "until", "party", "role", "text")


@router.get("/log")
def get_log(visit: Visited, kind: str = "", round_id: str = "") -> Response:
    """Show the log at a glance and its newest entries; to the administrator, who reads none, its alarms."""
    if not visit.may("log.see"):
        visit.need("log.acknowledge")
        return visit.show("log.html", log=visit.log().view(), page=None)
    return _entries(visit, {"kind": kind, "round_id": round_id}, "")


@router.post("/log")
def post_log(visit: Visited, sent: Sent) -> Response:
    """Show the entries of a filter, whose text comes in a form so that no address holds it."""
    visit.need("log.see")
    return _entries(visit, {name: sent.text(name) for name in _FILTER}, sent.text("below"))


def _entries(visit: Visit, texts: dict[str, str], below: str) -> Response:
    client, chosen = visit.log(), dict.fromkeys(_FILTER, "") | texts
    kind, role = chosen["kind"], chosen["role"]
    if kind and kind not in set(EntryKind):
        raise InputError("log_entry_kind_unknown")
    if role and role not in set(Role):
        raise InputError("role_unknown")
    if chosen["round_id"] and not _ROUND.fullmatch(chosen["round_id"]):
        raise InputError("round_id_malformed")
    wanted = EntrySearch(
        below=whole_number(below, _DIGITS),
        limit=_PAGE,
        kind=EntryKind(kind) if kind else None,
        round_id=chosen["round_id"] or None,
        since=_day(chosen["since"]),
        until=_day(chosen["until"], days=1),
        party=chosen["party"],
        role=Role(role) if role else None,
        text=chosen["text"],
    )
    page = client.entries(wanted)
    return visit.show(
        "log.html",
        log=client.view(),
        page=page,
        lines=list(folded(page.entries, wanted.kind)),
        chosen=chosen,
        filtered=any(chosen.values()),
        kinds=[one.value for one in EntryKind],
        roles=[one.value for one in role_table().roles_of(visit.site.service)],
    )


def _day(text: str, days: int = 0) -> int | None:
    """Return when a day begins here, or some days later, in seconds since 1970; None for nothing.

    Raises:
        InputError: The text is no day.
    """
    if not text:
        return None
    try:
        return max(0, int((datetime.fromisoformat(text) + timedelta(days=days)).timestamp()))
    except (ValueError, OverflowError, OSError):
        raise InputError("date_form_unknown") from None


@router.get("/rounds/{round_id}/story")
def get_story(visit: Visited, round_id: str) -> Response:
    """Show what happened in a round, from its proposal on."""
    visit.need("log.see")
    client = visit.log()
    try:
        found = client.round_entries(identifier(round_id))
    except NotFoundError:
        found = None
    return visit.show(
        "story.html",
        round_id=round_id,
        found=found,
        lines=list(folded(found.entries)) if found else [],
        log=client.view(),
    )


def _place(index: str) -> int:
    """Return the place of an entry from an address; a stranger's visit ends before this looks at it."""
    place = whole_number(index, _DIGITS)
    if place is None:
        raise NotFoundError("log_entry_unknown", index=index)
    return place


@router.get("/log/entries/{index}")
def get_entry(visit: Visited, index: str) -> Response:
    visit.need("log.see")
    return visit.show("log_entry.html", view=visit.log().entry(_place(index)), log=visit.log().view())


@router.post("/log/entries/{index}/proof")
def post_proof(visit: Visited, _sent: Sent, index: str) -> Response:
    """Return an entry with its proof as a file, which `aquila audit entry` checks anywhere."""
    visit.need("log.see")
    proof = visit.log().entry(_place(index)).proof
    if not proof:
        raise NotFoundError("log_entry_without_proof", index=index)
    return visit.give(f"entry-{index}{SUFFIX}", proof.encode())


@router.post("/log/check")
def post_check(visit: Visited, _sent: Sent) -> Response:
    """Check the log now, and say what was checked and how to do it oneself."""
    found = visit.log().check()
    keys = {holder: short_digits(fingerprint) for holder, fingerprint in found.keys.items()}
    return visit.show("log_check.html", found=found, keys=keys, log=visit.log().view())


@router.post("/log/export")
def post_export(visit: Visited, _sent: Sent) -> Response:
    """Return the log's files, to be verified on another machine; that they were exported is an entry."""
    return visit.give("aquila-log.tar", visit.log().export())


@router.post("/log/alarms/{alarm_id}/acknowledge")
def post_acknowledge(visit: Visited, _sent: Sent, alarm_id: int) -> Response:
    visit.log().acknowledge(alarm_id)
    return visit.go("/log", "acknowledged")
