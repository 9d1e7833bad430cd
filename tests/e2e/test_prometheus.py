"""Prometheus' own tool reads the alert rules, where Debian's package promtool is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "aquila-alerts.yml"
TOOL = shutil.which("promtool")

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(TOOL is None, reason="promtool is not installed")]


def test_the_rules_are_rules() -> None:
    """Every expression parses, and every template of an annotation too."""
    found = subprocess.run([str(TOOL), "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "SUCCESS" in found.stdout
