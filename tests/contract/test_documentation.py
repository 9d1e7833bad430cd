"""What the documents say of tests is there: a line of the threat model without its test would be a mere promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CITED = re.compile(r"`((?:attacks|audit|unit|property|scenarios|vectors|contract|e2e|transcripts)/[\w/.]*)`")


@pytest.mark.parametrize("document", ["THREAT_MODEL.md", "LIMITATIONS.md"])
def test_cited_tests_exist(document: str) -> None:
    """Every path under `tests/` that a document names is a file or a folder with tests."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    missing = [path for path in CITED.findall(text) if not (ROOT / "tests" / path).exists()]
    assert not missing


def test_the_threat_model_cites_tests() -> None:
    """The threat model is not without them."""
    text = (ROOT / "docs" / "THREAT_MODEL.md").read_text(encoding="utf-8")
    assert len(set(CITED.findall(text))) > 15
