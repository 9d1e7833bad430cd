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


NAMES = {
    "inclusion": {"--leaf-hash": "leaf_hash", "--index": "index", "--size": "size", "--root": "root"},
    "consistency": {"--size1": "size1", "--size2": "size2", "--root1": "root1", "--root2": "root2"},
}


@pytest.mark.parametrize("kind", CASES)
def test_a_proof_is_judged_as_published(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The command's exit status says whether the proof holds, and a reason stands beside a no."""
    for case in CASES[kind]:
        assert judged(f"prove-{kind}", case, NAMES[kind]) == (0 if case["holds"] else 1), case["name"]
        assert capsys.readouterr().err.startswith("" if case["holds"] else "aquila: error: ")
