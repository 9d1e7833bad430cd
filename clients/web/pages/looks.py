"""The data-protection officer's desk: who looked at how much and when."""

from datetime import datetime, timedelta

from fastapi import APIRouter, Response

from aquila.interface.looks import LookReviewRequest
from clients.web.app.visit import PageRoute, Sent, Visit, Visited

router = APIRouter(route_class=PageRoute)
_DAYS = 7


@router.get("/looks")
def get_looks(visit: Visited) -> Response:
    """Show the last days."""
    visit.need("looks.review")
    today = datetime.now().astimezone().date()
    return _looks(visit, LookReviewRequest(since=str(today - timedelta(days=_DAYS - 1)), until=str(today)))


@router.post("/looks")
def post_looks(visit: Visited, sent: Sent) -> Response:
    visit.need("looks.review")
    numbers = {name: sent.number(name) for name in ("opens", "closes", "times", "least")}
    return _looks(visit, LookReviewRequest(since=sent.text("since"), until=sent.text("until"), **numbers))


def _looks(visit: Visit, wanted: LookReviewRequest) -> Response:
    found = visit.log().review_looks(wanted)
    marked = sum(bool(one.marks) for one in found.days)
    return visit.show("looks.html", found=found, wanted=wanted, marked=marked)
