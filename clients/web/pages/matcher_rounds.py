"""Rounds at the matcher: propose, watch, close, abort."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from aquila.matching.certainty import Level
from aquila.protocol.messages import Mode
from aquila.protocol.messages.views import RoundProposal
from aquila.protocol.state import Phase
from clients.web import progress
from clients.web.marks import PARTIES
from clients.web.pages.paths import identifier
from clients.web.visit import Sent, Visited, threaded

if TYPE_CHECKING:
    from aquila.protocol.messages.views import MatcherRoundView

router = APIRouter()


@router.get("/rounds")
@threaded
def get_rounds(visit: Visited) -> Response:
    """Show all rounds."""
    return visit.show("rounds.html", rounds=visit.matcher().rounds().rounds)


@router.get("/rounds/new")
@threaded
def get_new(visit: Visited) -> Response:
    """Show the form of a proposal."""
    visit.need("round.propose")
    return visit.show("propose.html", codes=sorted(PARTIES))


@router.post("/rounds/new")
@threaded
def post_new(visit: Visited, sent: Sent) -> Response:
    """Propose a round."""
    proposal = RoundProposal(
        participants=tuple(sorted(set(sent.texts("party")))),
        area=sent.text("area"),
        legal_basis=sent.text("legal_basis"),
        purpose=sent.text("purpose"),
        category=sent.text("category"),
        mode=sent.choice("mode", Mode),
        minimum_certainty=sent.choice("minimum_certainty", Level),
        retention_days=sent.number("retention_days"),
    )
    asked = visit.matcher().propose(proposal)
    return visit.go(f"/approvals/{asked.approval_id}", "asked")


@router.get("/rounds/{round_id}")
@threaded
def get_round(visit: Visited, round_id: str) -> Response:
    """Show one round."""
    view, now = visit.matcher().round(round_id), time.time()
    return visit.show(
        "matcher_round.html",
        view=view,
        steps=progress.steps_of(view),
        live=view.entry.phase not in progress.ENDED,
        left=progress.seconds_left(view.manifest, view.entry.phase, now),
        late=_late(view, now),
    )


@router.get("/rounds/{round_id}/live")
def get_live(visit: Visited, round_id: str) -> Response:
    """Tell what changes in a round as it changes."""
    return progress.live(visit, lambda: visit.matcher().round(round_id), progress.matcher_values)


@router.post("/rounds/{round_id}/close")
@threaded
def post_close(visit: Visited, sent: Sent, round_id: str) -> Response:  # noqa: ARG001 - the form is checked
    """Close a round."""
    visit.matcher().close(identifier(round_id))
    return visit.go(f"/rounds/{round_id}", "closing")


@router.post("/rounds/{round_id}/abort")
@threaded
def post_abort(visit: Visited, sent: Sent, round_id: str) -> Response:
    """Abort a round."""
    asked = visit.matcher().abort(identifier(round_id), sent.text("reason"))
    return visit.go(f"/approvals/{asked.approval_id}", "asked")


def _late(view: MatcherRoundView, now: float) -> frozenset[str]:
    """Return the parties that owe something whose deadline has passed."""
    window, late = view.manifest.window, set[str]()
    for one in view.parties:
        owes_consent = not one.consented and now > window.consent_by
        owes_list = view.entry.phase == Phase.OPEN and not one.listed and now > window.submit_by
        owes_answers = one.evaluated.done < one.evaluated.of and now > window.evaluate_by
        if owes_consent or owes_list or owes_answers:
            late.add(one.party)
    return frozenset(late)
