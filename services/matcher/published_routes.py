"""Statistics for the secretariat and its auditors: as one document, and as CSV."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from aquila.audit.roles import Action
from aquila.protocol.messages.statistics_views import Statistics  # noqa: TC001 - read by FastAPI
from services.kit.people import may
from services.matcher import published
from services.matcher.desk import Desk

router = APIRouter(prefix="/v1/operator", tags=["operator"], dependencies=[may(Action.SEE_STATISTICS)])


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


At = Annotated[Desk, Depends(_desk)]
Category = Annotated[str | None, Query(max_length=500)]


@router.get("/statistics", summary="All rounds in numbers, and the regional picture")
def get_statistics(desk: At, category: Category = None) -> Statistics:
    """Return the statistics; small numbers are held back."""
    return published.statistics(desk, category)


@router.get("/statistics.csv", summary="The statistics as CSV", response_class=Response)
def get_statistics_csv(desk: At, category: Category = None) -> Response:
    """Return the statistics as CSV."""
    content = published.as_csv(published.statistics(desk, category))
    return Response(content, media_type="text/csv; charset=utf-8")
