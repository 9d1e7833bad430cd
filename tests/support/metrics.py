"""Values of the metrics of a service, as Prometheus would read them now."""

from dataclasses import replace
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.kit.serving.health.metrics import HealthMetrics
from services.kit.serving.health.report import HealthReport


def metric(app: FastAPI, name: str, labels: dict[str, str] | None = None, **parts: Any) -> float | None:
    """Return the value of a metric, or None if there is none with these labels.

    Args:
        app: The application of a node or of the matcher.
        name: The metric's name without its prefix.
        parts: Parts of the service that a test has put in the place of its own.
    """
    registry = CollectorRegistry()
    registry.register(HealthMetrics(HealthReport(replace(app.state.health._parts, **parts))))
    return registry.get_sample_value(f"aquila_{name}", labels)
