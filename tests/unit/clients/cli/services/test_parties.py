"""Making homes, printing one's own card, registering those of others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aquila.protocol.registry import read_registry
from clients.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_exchange_of_cards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Homes are made, cards written and registered; a changed key is refused."""
    matcher, node, card = str(tmp_path / "m"), str(tmp_path / "n"), tmp_path / "matcher.card"
    assert main(["matcher", "init", "--home", matcher]) == 0
    assert (
        main(["node", "init", "--home", node, "--code", "SI", "--name", "Slovenia", "--matcher", "http://127.0.0.1:1"])
        == 0
    )
    assert main(["party", "card", "--home", matcher, "--out", str(card)]) == 0
    capsys.readouterr()
    assert main(["party", "card", "--home", node, "--json"]) == 0
    own = json.loads(capsys.readouterr().out)
    (tmp_path / "si.card").write_text(
        f'[[party]]\ncode = "SI"\nname = "Slovenia"\nidentity_key = "{own["identity_key"]}"\n'
    )
    assert main(["party", "register", str(card), str(tmp_path / "si.card"), "--home", node, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["new"] == 2
    registry = read_registry((tmp_path / "n" / "registry.toml").read_bytes())
    assert registry.parties["SI"].key.fingerprint == own["fingerprint"]
    assert main(["party", "register", str(card), "--home", node]) == 0
    assert "0 new entries" in capsys.readouterr().out
    assert main(["matcher", "init", "--home", str(tmp_path / "other")]) == 0
    assert main(["party", "card", "--home", str(tmp_path / "other"), "--out", str(card)]) == 0
    assert main(["party", "register", str(card), "--home", node]) == 1
    assert "another key" in capsys.readouterr().err


def test_home_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A home is never made over another."""
    assert main(["matcher", "init", "--home", str(tmp_path)]) == 0
    assert main(["matcher", "init", "--home", str(tmp_path)]) == 1
    assert "home of a matcher already" in capsys.readouterr().err
