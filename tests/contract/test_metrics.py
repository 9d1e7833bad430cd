"""The metrics: their names and labels are a list; documents, alert rules and the dashboard name no others."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from aquila.protocol.messages import StatementKind
from services.kit.serving.health.metrics import HealthMetrics
from tests.support.health_example import FULL

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "aquila-alerts.yml"
DASHBOARD = DEPLOY / "grafana" / "aquila.json"

METRICS = {
    "aquila_awaited_seconds": ("party", "step"),
    "aquila_certificate_days_left": ("setting",),
    "aquila_chunks_waiting": (),
    "aquila_clock_difference_seconds": (),
    "aquila_contact_age_seconds": ("party",),
    "aquila_disk_free_bytes": (),
    "aquila_driver_failing": ("driver",),
    "aquila_driver_failures_total": ("driver",),
    "aquila_driver_step_seconds": ("driver",),
    "aquila_health": ("check",),
    "aquila_info": ("service", "name", "version", "backend"),
    "aquila_log_entries": (),
    "aquila_log_witness_age_seconds": ("witness",),
    "aquila_pieces_in_hand": (),
    "aquila_proofs_refused_total": (),
    "aquila_ready": (),
    "aquila_requests_waiting": (),
    "aquila_round_age_seconds": ("phase",),
    "aquila_round_progress_age_seconds": ("round",),
    "aquila_rounds": ("phase",),
    "aquila_rounds_stuck": (),
    "aquila_rounds_left_out": (),
    "aquila_sign_ins_refused_total": (),
    "aquila_start_time_seconds": (),
    "aquila_statements_waiting": (),
    "aquila_workers": (),
    "aquila_workers_lost_total": (),
}
"""Every metric with its labels. A new one needs a thought: does it tell of a person, or of how many hits there are?"""

FORBIDDEN = ("hit", "record", "person", "login", "user", "query", "name_of", "category", "certainty", "case")
"""Parts that no name of a metric or label has."""


def collected() -> dict[str, tuple[str, ...]]:
    """Return the names of all samples with their labels."""
    report: Any = SimpleNamespace(health=lambda: FULL)
    found: dict[str, tuple[str, ...]] = {}
    for family in HealthMetrics(report).collect():
        assert family.documentation.endswith(".")
        assert family.samples, family.name
        for sample in family.samples:
            assert found.setdefault(sample.name, tuple(sample.labels)) == tuple(sample.labels)
    return found


def named_in(text: str) -> set[str]:
    return set(re.findall(r"\baquila_[a-z_]+\b", text))


def test_the_list_is_whole() -> None:
    """The service serves exactly these metrics with these labels."""
    assert collected() == METRICS
    assert [name for name in METRICS if any(part in name for part in FORBIDDEN)] == []
    labels = {label for names in METRICS.values() for label in names}
    assert [label for label in labels if any(part in label for part in FORBIDDEN)] == []


def test_values_of_labels_are_of_closed_lists() -> None:
    """A label's value is a code of a party, a name of the code, a setting, a version, or the digits of a random id."""
    report: Any = SimpleNamespace(health=lambda: FULL)
    values = {
        value
        for family in HealthMetrics(report).collect()
        for sample in family.samples
        for value in sample.labels.values()
    }
    assert all(re.fullmatch(r"[A-Za-z0-9_.]{1,64}", value) for value in values)
    assert StatementKind.HIT_REPORT not in values


def test_the_documents_have_each_metric() -> None:
    """METRICS.md explains every metric, and none that is not there."""
    named = named_in((DEPLOY / "METRICS.md").read_text("utf-8"))
    assert named == set(METRICS)


def test_alert_rules_name_metrics_that_exist() -> None:
    """Each rule is whole, and its expression is about metrics of the list, or about Prometheus' own `up`."""
    (group,) = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    assert len(group["rules"]) > 8
    for rule in group["rules"]:
        assert {"alert", "expr", "labels", "annotations"} <= set(rule)
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert set(rule["annotations"]) == {"summary", "description"}
        named = named_in(rule["expr"])
        assert named <= set(METRICS), rule["alert"]
        assert named or rule["expr"].startswith("up{")


def test_the_dashboard_names_metrics_that_exist() -> None:
    """Its panels have distinct ids and places, and show every metric of the list."""
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)
    named = named_in(" ".join(target["expr"] for panel in panels for target in panel["targets"]))
    assert named == set(METRICS)
