"""The call with which people and their programs see a service's health, the same at node and matcher.

A service puts its `HealthReport` into `app.state.health`.
"""

from __future__ import annotations

from fastapi import APIRouter, Request

from aquila.audit.roles import Action
from aquila.interface.service.health import ServiceHealth
from services.kit.http.routing import ServiceRoute
from services.kit.people import requires
from services.kit.serving.health.report import HealthReport

router = APIRouter(route_class=ServiceRoute, prefix="/v1/service", tags=["service"])


@router.get("/health", summary="The health of the service", dependencies=[requires(Action.SEE_STATUS)])
def get_service_health(request: Request) -> ServiceHealth:
    """Return the report on the service's health."""
    report = request.app.state.health
    assert isinstance(report, HealthReport)
    return report.health()
