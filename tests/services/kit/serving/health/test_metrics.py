"""The port of the metrics: Prometheus' format as it is at the moment, the three probes, and nothing else."""

from types import SimpleNamespace
from typing import Any

import httpx
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from aquila.interface.service.health import ServiceHealth
from services.kit.serving.health.metrics import MetricsPort
from tests.support.health_example import FINE, FULL


class Report:
    def __init__(self) -> None:
        self.found: ServiceHealth = FULL
        self.looks = 0

    def health(self) -> ServiceHealth:
        self.looks += 1
        return self.found


async def service(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer whatever is asked."""
    await Response(scope["path"])(scope, receive, send)


def port_of(report: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(MetricsPort(service, report)), base_url="http://127.0.0.1")


async def test_metrics_are_those_of_the_report() -> None:
    report = Report()
    async with port_of(report) as client:
        assert report.looks == 0
        answer = await client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=")
        lines = answer.text.splitlines()
        assert 'aquila_info{backend="native",name="SI",service="node",version="1"} 1.0' in lines
        assert 'aquila_rounds{phase="open"} 1.0' in lines
        assert 'aquila_rounds{phase="proposed"} 0.0' in lines
        assert 'aquila_round_age_seconds{phase="open"} 200000.0' in lines
        assert 'aquila_round_progress_age_seconds{round="abababab"} 90000.0' in lines
        assert 'aquila_awaited_seconds{party="AL",step="list"} 60.0' in lines
        assert 'aquila_driver_failures_total{driver="rounds"} 4.0' in lines
        assert "aquila_sign_ins_refused_total 5.0" in lines
        assert "aquila_clock_difference_seconds -2.0" in lines
        assert "aquila_statements_waiting 6.0" in lines
        assert "aquila_requests_waiting 8.0" in lines
        assert "aquila_pieces_in_hand 9.0" in lines
        report.found = FINE.model_copy(update={"clock_difference": None, "contacts": (), "certificates": ()})
        assert "aquila_clock_difference_seconds" not in (await client.get("/metrics")).text


async def test_a_stuck_service_is_told_by_numbers() -> None:
    odd = FULL.rounds[0].model_copy(update={"phase": "new"})
    report = SimpleNamespace(health=lambda: FULL.model_copy(update={"rounds": (*FULL.rounds, odd)}))
    async with port_of(report) as client:
        text = (await client.get("/metrics")).text
        assert "aquila_rounds_stuck 2.0" in text
        assert 'aquila_rounds{phase="new"} 1.0' in text


async def test_only_the_probes_of_the_service_are_asked_there() -> None:
    async with port_of(Report()) as client:
        for path in ("/health", "/live", "/ready"):
            assert (await client.get(path)).text == path
        for path in ("/", "/v1/service/health", "/metrics/"):
            assert (await client.get(path)).status_code == 404
