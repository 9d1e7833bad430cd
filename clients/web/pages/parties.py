"""The parties at the matcher: keys with fingerprints to compare by telephone, last contact, release."""

from __future__ import annotations

from fastapi import APIRouter, Response

from clients.web.app.visit import Visited, threaded

router = APIRouter()


@router.get("/parties")
@threaded
def get_parties(visit: Visited) -> Response:
    """Show the parties."""
    return visit.show("parties.html", known=visit.matcher().parties())
