"""The command: one round of any size, on a backend that is asked for."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.bench.__main__ import app


def test_one_round(tmp_path: Path) -> None:
    """One round of any size is played, on a backend that is asked for; page and document are written."""
    out = tmp_path / "new" / "folder"
    words = ["--out", str(out), "--json", "--parties", "2", "--records", "40", "--backend", "libsodium"]
    document = json.loads(CliRunner().invoke(app, words).stdout)
    assert (document["machine"]["backend"], document["rounds"][0]["records"]) == ("libsodium", 40)
    assert json.loads((out / "round-2x40-exact.json").read_text()) == document
    assert (out / "round-2x40-exact.md").read_text().startswith("# What a round costs\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--queries", "--backend", "libsodium"], "services choose their own"), (["--lists", "5,x"], "lengths of lists")],
)
def test_what_cannot_be_measured(words: list[str], message: str, tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["--out", str(tmp_path), *words])
    assert said.exit_code == 2
    assert message in said.stderr
