"""How figures of steps are taken."""

from __future__ import annotations

from clients.bench.timing import measure


def test_a_step() -> None:
    """A step runs once unmeasured, then as often as asked; the least is not above the most."""
    calls: list[int] = []
    spread = measure(lambda: calls.append(sum(range(1_000))), 1, 3)
    assert len(calls) == 4
    assert 0 < spread.least <= spread.median <= spread.most
