"""Pages of a practice: next steps and roles, and at a node with real persons the way to begin one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from aquila.interface.hits import HitEntry
from clients.web.app.paths import local_path
from clients.web.app.practice import TRAINEES, Practice
from clients.web.app.visit import OpenForm, Visit, Visited, keep_cookie, threaded, threaded_for_strangers
from clients.web.rounds.practice_steps import PracticeState

router = APIRouter()
about = APIRouter()
_NUMBER = 6  # digits of a hit's id in the number of the invented reply


@dataclass(frozen=True, slots=True)
class Reply:
    """The invented reply of a counterpart.

    Attributes:
        hit: What it is about.
        number: Its number at the counterpart.
        same: Whether the counterpart's person is the same.
    """

    hit: HitEntry
    number: str
    same: bool


@about.get("/practice")
@threaded
def get_about_practice(visit: Visited) -> Response:
    """Show the page on practice and how it begins, at a node with real persons."""
    visit.need_session()
    return visit.show("about_practice.html")


@router.get("/practice")
@threaded_for_strangers
def get_practice(visit: Visited) -> Response:
    """Show the next step, all steps, and the material for them."""
    practice = _practice(visit)
    state = PracticeState.seen(
        lambda login: visit.site.connection.as_bearer(practice.enter(visit.site.connection, login))
    )
    steps = state.steps()
    return visit.show(
        "practice.html",
        steps=steps,
        next_step=next((step for step in steps if not step.done), None),
        trainees=TRAINEES,
        material=practice.material(),
        replies=list(map(partial(_reply, practice.material()), state.followed_up())),
    )


@router.post("/practice/enter")
@threaded_for_strangers
def post_enter(visit: Visited, sent: OpenForm) -> Response:
    """Go on as one of the people of the practice."""
    login = sent.text("login")
    if login not in TRAINEES:
        raise HTTPException(404)
    token = _practice(visit).enter(visit.site.connection, login)
    response = visit.go(local_path(sent.text("next")))
    keep_cookie(visit.site, response, visit.site.cookie("session"), token)
    return response


@router.get("/practice/list.csv")
@threaded_for_strangers
def get_list(visit: Visited) -> Response:
    """Return the list of invented persons that is to be imported."""
    headers = {"content-disposition": 'attachment; filename="list.csv"'}
    return Response(_practice(visit).list_file(), media_type="text/csv; charset=utf-8", headers=headers)


def _practice(visit: Visit) -> Practice:
    practice = visit.site.practice
    assert practice is not None  # else no page is routed here
    return practice


def _reply(material: dict[str, object], hit: HitEntry) -> Reply:
    """Invent the reply of a counterpart; whether it is the same person is true."""
    same = material.get("same")
    known = same.get(hit.record_id, ()) if isinstance(same, dict) else ()
    number = f"PRACTICE {hit.counterpart} {datetime.now(UTC).year}-{hit.hit_id[:_NUMBER]}"
    return Reply(hit, number, hit.counterpart in known)
