"""The erasures that an analyst asked for, which another person decides on: seen, and taken back while they wait."""

from __future__ import annotations

from fastapi import APIRouter, Response

from clients.web.app.paths import identifier
from clients.web.app.visit import Sent, Visited, threaded

router = APIRouter()


@router.get("/erasures")
@threaded
def get_erasures(visit: Visited) -> Response:
    """Show the visitor's own requests."""
    return visit.show("erasures.html", requests=visit.hits().erasure_requests().requests)


@router.post("/erasures/{approval_id}/withdraw")
@threaded
def post_withdraw(visit: Visited, _sent: Sent, approval_id: str) -> Response:
    """Take a request back."""
    visit.hits().withdraw_erasure(identifier(approval_id))
    return visit.go("/erasures", "taken-back")
