"""Statistics for the secretariat and its auditors: as one document, and as CSV."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from aquila.audit.roles import Action
from aquila.interface.statistics import AnnualReport, RegionalPicture, ReportToSign, SignedReport, Statistics
from services.kit.actor import Actor
from services.kit.http.openapi import CSV, raw_answer
from services.kit.http.routing import Limit, Offset, ServiceRoute
from services.kit.people.permissions import requires
from services.matcher import statistics
from services.matcher.administration import reports
from services.matcher.api.dependencies import At

router = APIRouter(
    route_class=ServiceRoute, prefix="/v1/operator", tags=["operator"], dependencies=[requires(Action.SEE_STATISTICS)]
)
signing = APIRouter(route_class=ServiceRoute, prefix="/v1/operator", tags=["operator"])


Category = Annotated[str | None, Query(max_length=500, description="One category of persons; all by default.")]
ChosenRound = Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$", description="A round; the latest by default.")]
Matched = Annotated[bool, Query(description="Only rounds of which lists were matched.")]
Day = Annotated[date | None, Query(description="A day of the matcher's own time zone; no bound by default.")]


async def _period(since: Day = None, until: Day = None) -> statistics.Period:
    return statistics.Period(since, until)


Within = Annotated[statistics.Period, Depends(_period)]


@router.get("/statistics", summary="Rounds in numbers, and which is the latest of each category")
def get_statistics(
    context: At,
    period: Within,
    *,
    category: Category = None,
    offset: Offset = 0,
    limit: Limit = None,
    matched: Matched = False,
) -> Statistics:
    return statistics.statistics(context, category, period, offset, limit, matched=matched)


@router.get("/picture", summary="One round of a category in numbers, next to the newest others")
def get_picture(
    context: At, period: Within, category: Category = None, round_id: ChosenRound = None
) -> RegionalPicture:
    """Return the regional picture: the round that is asked for, or the latest."""
    return statistics.picture(context, category, period, round_id)


@router.get(
    "/statistics.csv",
    summary="The statistics as CSV",
    response_class=Response,
    responses=raw_answer("The statistics.", CSV),
)
def get_statistics_csv(context: At, period: Within, category: Category = None) -> Response:
    content = statistics.as_csv(statistics.statistics(context, category, period))
    return Response(content, media_type="text/csv; charset=utf-8")


@router.get("/report", summary="The published figures of some days, with the entries and the head of the log")
def get_report(context: At, since: date, until: date) -> AnnualReport:
    """Return the picture of the latest round of each category that was matched within the days, both included."""
    return reports.annual_report(context, since.isoformat(), until.isoformat(), statistics.Period(since, until))


@signing.post("/reports", summary="Sign a report that is published")
def post_report(
    context: At, actor: Annotated[Actor, requires(Action.SIGN_REPORT)], wanted: ReportToSign
) -> SignedReport:
    """Sign a report's SHA-256 and the head of the log that it names; who asked for it is an entry of the log."""
    return reports.sign(context, actor, wanted)
