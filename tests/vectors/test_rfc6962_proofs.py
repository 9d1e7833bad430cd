"""Published inclusion and consistency proofs, valid and mutated (see README.md for the source)."""

import json
from pathlib import Path
from typing import Any

import pytest

from clients.cli.main import main

CASES: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "rfc6962_proofs.json").read_text(encoding="utf-8")
)


def judged(command: str, case: dict[str, Any], names: dict[str, str]) -> int:
    options = [word for option, name in names.items() for word in (option, str(case[name]))]
    nodes = [word for node in case["proof"] for word in ("--node", node)]
    return main(["audit", command, *options, *nodes])


@pytest.mark.parametrize("case", CASES["inclusion"], ids=lambda case: case["name"])
def test_an_inclusion_proof_is_judged_as_published(case: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """The command's exit status says whether the proof holds, and a reason stands beside a no."""
    names = {"--leaf-hash": "leaf_hash", "--index": "index", "--size": "size", "--root": "root"}
    assert judged("prove-inclusion", case, names) == (0 if case["holds"] else 1)
    assert capsys.readouterr().err.startswith("" if case["holds"] else "aquila: error: ")


@pytest.mark.parametrize("case", CASES["consistency"], ids=lambda case: case["name"])
def test_a_consistency_proof_is_judged_as_published(case: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """The command's exit status says whether the proof holds, and a reason stands beside a no."""
    names = {"--size1": "size1", "--size2": "size2", "--root1": "root1", "--root2": "root2"}
    assert judged("prove-consistency", case, names) == (0 if case["holds"] else 1)
    assert capsys.readouterr().err.startswith("" if case["holds"] else "aquila: error: ")
