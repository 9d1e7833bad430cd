"""The lines of a rule table that canaries are drawn from are those of measured hits."""

from __future__ import annotations

from pathlib import Path

from aquila.records.rules import load_rules, parse_rules
from tests.quality.measuring.hit_patterns import hit_patterns, lines
from tests.quality.measuring.set_files import region

REGION = Path(__file__).parent / "region"
TABLE = load_rules("default")


def test_the_tables_lines_are_those_of_the_region() -> None:
    """Whoever changes the rules measures the lines anew; two of the five lists tell whether it was done."""
    measured = hit_patterns(region(REGION).among(["BA", "RS"]), TABLE)
    total, lines_total = sum(measured.values()), sum(often for _, often in TABLE.hits)
    stated = {mask: often / lines_total for mask, often in TABLE.hits}
    apart = sum(abs(stated.get(mask, 0) - measured[mask] / total) for mask in stated.keys() | measured.keys())
    assert apart < 0.9, (
        "run `python -m tests.quality.measuring.hit_patterns tests/quality/region` and put its lines into the table"
    )


def test_lines_read_back() -> None:
    """Lines are written as a table reads them, the most frequent first; rare ones are left out."""
    written = list(lines({0b1011: 600, 0b1: 399, 0b10: 1}))
    assert written == ["600: 1-2 4", "399: 1"]
    content = (Path(__file__).parents[2] / "aquila/records/tables/default.toml").read_text("utf-8")
    start, end = content.index("hits = ["), content.index("]\n", content.index("hits = ["))
    table = parse_rules(content[:start] + f"hits = {written}".replace("'", '"') + "\n" + content[end + 2 :])
    assert table.hits == ((0b1011, 600), (0b1, 399))
