"""A measured round is a real one, and moves the bytes that are calculated for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from clients.bench.rounds import measure_round
from clients.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("parties", "rules"), [(2, "default"), (3, "exact")])
def test_bytes_as_calculated(tmp_path: Path, parties: int, rules: str) -> None:
    """What the parties sent is what the formulas of `volumes` say for their elements, to the byte."""
    round_ = measure_round(tmp_path, parties, 60, rules)
    assert (round_.parties, round_.records) == (parties, 60)
    assert round_.bytes_sent == round_.bytes_calculated > 0
    assert round_.hits > 0
    assert 0 < round_.group_seconds < round_.processor_seconds
    assert round_.peak_memory > 10 << 20


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One round of any size is played by the command, which writes page and document."""
    out = tmp_path / "new" / "folder"
    assert main(["bench", "--parties", "2", "--records", "40", "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["rounds"][0]["records"] == 40
    assert json.loads((out / "round-2x40-exact.json").read_text()) == document
    assert (out / "round-2x40-exact.md").read_text().startswith("# What a round costs\n")


def test_a_folder_that_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the tables cannot go, the command says so; a table of rules that is missing ends it too."""
    (tmp_path / "file").write_text("")
    assert main(["bench", "--parties", "2", "--records", "40", "--out", str(tmp_path / "file")]) != 0
    assert "cannot be made" in capsys.readouterr().err
    assert main(["bench", "--parties", "2", "--records", "40", "--rules", "absent", "--out", str(tmp_path)]) != 0
    assert "a measured command failed" in capsys.readouterr().err
