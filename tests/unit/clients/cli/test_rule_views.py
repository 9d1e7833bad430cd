"""Match rules as tables."""

from __future__ import annotations

from aquila.records.rules import load_rules
from clients.cli.rule_views import ALL_NUMBERS, guesses_view


def test_only_numbers_are_beyond_counting() -> None:
    """A rule that was counted shows its guesses, also where nobody of the population gives it an input."""
    table = load_rules("default")
    counted: dict[int, int | None] = {rule.number: 1_000 for rule in table.rules}
    shown = [row[3] for row in guesses_view(table, counted | {2: 0, 3: None}, 50).rows]
    assert shown[:4] == ["1,000", "0", ALL_NUMBERS, "1,000"]
