"""`python -m tests.bench --services`: services find what a rehearsal finds, and every process is measured."""

import json
from pathlib import Path

import pytest

from tests.bench.__main__ import app

pytestmark = [pytest.mark.e2e, pytest.mark.soak]


def test_a_round_beside_a_rehearsal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Small lists give the same hits both ways; page and document are written."""
    arguments = ["--services", "--parties", "2", "--records", "200", "--out", str(tmp_path), "--json"]
    app(arguments, standalone_mode=False)
    document = json.loads(capsys.readouterr().out)
    (played,) = document["rounds"]
    assert played["same_hits"] is True
    assert played["hits"] > 0
    assert set(played["served"]["services"]) == {"matcher", "AL", "AT"}
    assert all(one["processor_seconds"] > 0 for one in played["served"]["services"].values())
    assert min(played["seconds"], played["processor_ratio"], played["wall_ratio"]) > 0
    assert json.loads((tmp_path / "services-200-200.json").read_text()) == document
