"""Published inclusion and consistency proofs, valid and mutated (see README.md for the source)."""

import json
from pathlib import Path
from typing import Any

import pytest

from aquila.audit.merkle import verify_consistency, verify_inclusion
from aquila.errors import AuditError

CASES: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "rfc6962_proofs.json").read_text(encoding="utf-8")
)


def verify(kind: str, case: dict[str, Any]) -> None:
    octets = bytes.fromhex
    proof = [octets(node) for node in case["proof"]]
    if kind == "inclusion":
        verify_inclusion(octets(case["leaf_hash"]), int(case["index"]), int(case["size"]), octets(case["root"]), proof)
    else:
        sizes = int(case["size1"]), int(case["size2"])
        verify_consistency(*sizes, octets(case["root1"]), octets(case["root2"]), proof)


@pytest.mark.parametrize("kind", CASES)
def test_a_proof_is_judged_as_published(kind: str) -> None:
    for case in CASES[kind]:
        if case["holds"]:
            verify(kind, case)
        else:
            with pytest.raises(AuditError):
                verify(kind, case)
