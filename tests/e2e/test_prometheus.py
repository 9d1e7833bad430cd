"""Prometheus' own tool reads the alert rules and evaluates them, where Debian's package prometheus is installed."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "aquila-alerts.yml"
TOOL = shutil.which("promtool")
HOST = 'instance="127.0.0.1:9701"'
FIRES = {
    "AquilaNotAnswering": ({f'up{{job="aquila",{HOST}}}': "0x20"}, 10),
    "AquilaNotReady": ({f"aquila_ready{{{HOST}}}": "0x20"}, 10),
    "AquilaCheckCritical": ({f'aquila_health{{check="disk",{HOST}}}': "2x20"}, 15),
    "AquilaCheckWarning": ({f'aquila_health{{check="disk",{HOST}}}': "1x120"}, 90),
    "AquilaRoundStuck": ({f"aquila_rounds_stuck{{{HOST}}}": "1x30"}, 20),
    "AquilaStatementsWaiting": ({f"aquila_statements_waiting{{{HOST}}}": "3x120"}, 90),
    "AquilaCertificateEnds": ({f'aquila_certificate_days_left{{setting="tls.certificate",{HOST}}}': "29x5"}, 1),
    "AquilaPartySilent": ({f'aquila_contact_age_seconds{{party="SI",{HOST}}}': "7100+60x60"}, 30),
    "AquilaDriverFails": ({f'aquila_driver_failures_total{{driver="rounds",{HOST}}}': "0+1x60"}, 40),
    "AquilaWorkersLost": ({f"aquila_workers_lost_total{{{HOST}}}": "0+1x60"}, 40),
    "AquilaProofRefused": ({f"aquila_proofs_refused_total{{{HOST}}}": "0x10 1x60"}, 30),
    "AquilaSignInsRefused": ({f"aquila_sign_ins_refused_total{{{HOST}}}": "0+5x60"}, 40),
    "AquilaLogNotWitnessed": (
        {
            f'aquila_log_witness_age_seconds{{witness="SI",{HOST}}}': "604000+60x120",
            f'aquila_rounds{{phase="open",{HOST}}}': "1x120",
        },
        90,
    ),
}
"""For each alert the series of a service that is not well, by the minute, and when the alert has to be there."""
CALM = {
    f'up{{job="aquila",{HOST}}}': "1",
    f"aquila_ready{{{HOST}}}": "1",
    f'aquila_health{{check="disk",{HOST}}}': "0",
    f"aquila_rounds_stuck{{{HOST}}}": "0",
    f"aquila_statements_waiting{{{HOST}}}": "0",
    f'aquila_certificate_days_left{{setting="tls.certificate",{HOST}}}': "31",
    f'aquila_contact_age_seconds{{party="SI",{HOST}}}': "3600",
    f'aquila_driver_failures_total{{driver="rounds",{HOST}}}': "7",
    f"aquila_workers_lost_total{{{HOST}}}": "2",
    f"aquila_proofs_refused_total{{{HOST}}}": "1",
    f"aquila_sign_ins_refused_total{{{HOST}}}": "90",
    f'aquila_log_witness_age_seconds{{witness="SI",{HOST}}}': "3600",
    f'aquila_rounds{{phase="open",{HOST}}}': "1",
}
"""The series of a service that is well, though not everything always went well."""

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(TOOL is None, reason="promtool is not installed")]


def firing(folder: Path, series: dict[str, str], minutes: int) -> set[str]:
    listed = [{"series": name, "values": values} for name, values in series.items()]
    asked = {
        "expr": 'ALERTS{alertstate="firing"}',
        "eval_time": f"{minutes}m",
        "exp_samples": [{"labels": "x", "value": 9}],
    }
    file = folder / "test.yml"
    document = {
        "rule_files": [str(RULES)],
        "tests": [{"interval": "1m", "input_series": listed, "promql_expr_test": [asked]}],
    }
    file.write_text(json.dumps(document))
    # What is there is named beside what was asked for, which never is.
    found = subprocess.run([str(TOOL), "test", "rules", str(file)], capture_output=True, text=True, check=False)
    _, got = re.split(r"\bgot:", found.stdout + found.stderr, maxsplit=1)
    return set(re.findall(r'alertname="(\w+)"', got))


def test_the_rules_are_rules() -> None:
    """Every expression parses, and every template of an annotation too."""
    found = subprocess.run([str(TOOL), "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "SUCCESS" in found.stdout


def test_each_alert_has_an_example() -> None:
    [group] = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    assert [rule["alert"] for rule in group["rules"]] == list(FIRES)


@pytest.mark.parametrize("alert", FIRES)
def test_an_alert_fires(tmp_path: Path, alert: str) -> None:
    series, minutes = FIRES[alert]
    assert firing(tmp_path, series, minutes) == {alert}


def test_no_alert_fires_at_a_service_that_is_well(tmp_path: Path) -> None:
    assert firing(tmp_path, {name: f"{value}x240" for name, value in CALM.items()}, 240) == set()
