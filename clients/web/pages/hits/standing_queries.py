"""Standing queries: what each found in which round, and what an officer does with one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Response

from aquila.interface.queries import MOST_DAYS, QueryRequest, StandingQueryEntry, StandingQueryRequest
from aquila.interface.rounds import JustificationInput
from clients.sdk import QueryClient
from clients.sdk.queries import end_of_day
from clients.web.app.paging import page_of
from clients.web.app.paths import identifier
from clients.web.app.visit import Sent, Visit, Visited, threaded

router = APIRouter()
_PAGE = 20


@router.get("/queries/standing")
@threaded
def get_standing_queries(visit: Visited) -> Response:
    """Show the standing queries, the active ones first."""
    found = QueryClient(visit.connection()).standing()
    return visit.show("standing_queries.html", found=found, queries=page_of(visit, found.queries, _PAGE))


@router.get("/queries/standing/{standing_id}")
@threaded
def get_standing_query(visit: Visited, standing_id: str) -> Response:
    """Show one with its persons and rounds."""
    view = QueryClient(visit.connection()).standing_query(identifier(standing_id))
    latest = (datetime.now(UTC) + timedelta(days=MOST_DAYS - 1)).date().isoformat()
    return visit.show("standing_query.html", entry=view.entry, persons=view.persons, latest=latest, most_days=MOST_DAYS)


@router.post("/queries/standing/{standing_id}/prolong")
@threaded
def post_prolong(visit: Visited, sent: Sent, standing_id: str) -> Response:
    """Ask for the same persons for longer; a second person approves, and this one is replaced."""
    client, entry = _found(visit, standing_id)
    wanted = StandingQueryRequest(
        round_id=entry.round_id,
        import_id=entry.import_id,
        justification=_why(entry),
        until=end_of_day(sent.text("until")),
    )
    client.watch(wanted, names_checked=True)  # when it was asked for first
    return visit.go(f"/queries/standing/{entry.standing_id}", "asked")


@router.post("/queries/standing/{standing_id}/ask")
@threaded
def post_ask(visit: Visited, sent: Sent, standing_id: str) -> Response:
    """Ask once in a round that the approval does not hold for; a second person approves."""
    client, entry = _found(visit, standing_id)
    round_id = identifier(sent.text("round_id"))
    wanted = QueryRequest(round_id=round_id, import_id=entry.import_id, justification=_why(entry))
    client.ask(wanted, names_checked=True)  # when it was asked for first
    return visit.go(f"/queries/standing/{entry.standing_id}", "asked")


@router.post("/queries/standing/{standing_id}/withdraw")
@threaded
def post_withdraw(visit: Visited, sent: Sent, standing_id: str) -> Response:
    """Withdraw one, with a reason."""
    QueryClient(visit.connection()).withdraw(identifier(standing_id), sent.text("reason"))
    return visit.go("/queries/standing", "standing-withdrawn")


def _found(visit: Visit, standing_id: str) -> tuple[QueryClient, StandingQueryEntry]:
    """Return the client and a standing query of this party."""
    visit.need("submission.ask")
    client = QueryClient(visit.connection())
    return client, client.standing_query(identifier(standing_id)).entry


def _why(entry: StandingQueryEntry) -> JustificationInput:
    """Return the justification of a standing query, for another request about the same persons."""
    return JustificationInput(**entry.reason.model_dump(exclude={"urgency"}))
