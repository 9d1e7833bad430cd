"""The pages on lists, normalizer and match rules name everything there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from aquila.records.normalize.names import FORMS, NAMES
from aquila.records.normalize.national_numbers import SCHEMES
from aquila.records.person import FIELDS
from aquila.records.rule_parts import DATE_FORMS, PART_KINDS
from aquila.records.rules import load_rules

PAGES = Path(__file__).parents[4] / "schemas" / "records"


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("lists.md", [f"`{field}`" for field in FIELDS]),
        ("normalizer.md", [f"`{name}`" for name in (*NAMES, *FORMS)]),
        ("normalizer.md", list(SCHEMES)),
        ("match-rules.md", [f"`{name}`" for name in (*PART_KINDS, *DATE_FORMS)]),
        ("match-rules.md", [f"| {rule.number} | {rule.name} |" for rule in load_rules("default").rules]),
    ],
)
def test_a_page_names_everything(page: str, words: list[str]) -> None:
    """What is added to the code is added to its page."""
    text = (PAGES / page).read_text("utf-8")
    assert [word for word in words if word not in text] == []
