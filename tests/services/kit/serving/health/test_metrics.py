"""Metrics over HTTP: on loopback alone, in Prometheus' format, as they are at the moment."""

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from aquila.errors import InputError
from aquila.interface.service.health import ServiceHealth
from services.kit.serving.health.metrics import serve_metrics
from tests.support.health_example import FINE, FULL


class Report:
    def __init__(self) -> None:
        self.found: ServiceHealth = FULL
        self.looks = 0

    def health(self) -> ServiceHealth:
        self.looks += 1
        return self.found


def test_metrics_are_served_on_loopback() -> None:
    report: Any = Report()
    server = serve_metrics(0, report)
    try:
        assert server.server_address[0] == "127.0.0.1"
        assert report.looks == 0
        url = f"http://127.0.0.1:{server.server_port}/metrics"
        lines = httpx.get(url, trust_env=False, timeout=60).text.splitlines()
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
        assert "aquila_clock_difference_seconds" not in httpx.get(url, trust_env=False, timeout=60).text
        with pytest.raises(InputError):
            serve_metrics(server.server_port, report)
    finally:
        server.shutdown()
        server.server_close()


def test_a_stuck_service_is_told_by_numbers() -> None:
    odd = FULL.rounds[0].model_copy(update={"phase": "new"})
    report: Any = SimpleNamespace(health=lambda: FULL.model_copy(update={"rounds": (*FULL.rounds, odd)}))
    server = serve_metrics(0, report)
    try:
        text = httpx.get(f"http://127.0.0.1:{server.server_port}/metrics", trust_env=False, timeout=60).text
        assert "aquila_rounds_stuck 2.0" in text
        assert 'aquila_rounds{phase="new"} 1.0' in text
    finally:
        server.shutdown()
        server.server_close()
