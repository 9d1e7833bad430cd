"""`aquila audit report`: what it says of who signed."""

import json
from pathlib import Path

import pytest

from aquila.protocol.published_report import sign_report
from aquila.protocol.registry import write_registry
from clients.cli.main import main
from tests.unit.aquila.protocol.test_published_report import FILE, FORMER_KEY, MATCHER_KEY, REGISTRY, report


def test_a_report_by_a_key_that_was_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "report.pdf").write_bytes(FILE)
    (tmp_path / "registry.toml").write_bytes(write_registry(REGISTRY))
    command = ["audit", "report", str(tmp_path / "report.pdf"), "--signature", str(tmp_path / "signature.json")]
    command += ["--registry", str(tmp_path / "registry.toml")]
    for key, is_former in ((MATCHER_KEY, False), (FORMER_KEY, True)):
        (tmp_path / "signature.json").write_bytes(sign_report(report(), key))
        assert main([*command, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["former_key"] is is_former
        assert main(command) == 0
        assert ("This key was replaced." in capsys.readouterr().out) is is_former
