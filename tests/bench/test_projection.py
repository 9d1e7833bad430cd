"""A round calculated from its steps."""

from __future__ import annotations

import pytest

from clients.bench import steps
from clients.bench.records import RecordStep
from clients.bench.steps import MeasuredStep
from clients.bench.timing import TimingSpread
from tests.bench.data_volumes import Cost
from tests.bench.projection import cost_of, region, round_seconds
from tests.bench.rounds import PlayedRound

LEAST = {
    steps.DECODE: 0.5,
    steps.BLIND: 5.0,
    steps.EVALUATE: 4.0,
    steps.PROVE: 1.0,
    steps.VERIFY: 2.0,
    steps.FINALIZE[1]: 7.0,
    steps.FINALIZE[4]: 10.0,
}
RECORDS = [
    RecordStep("read, Latin", 0.0, TimingSpread(9.0, 8.0, 9.0)),
    RecordStep("normalize, make and digest inputs, rules exact, Latin", 2.0, TimingSpread(9.0, 4.0, 9.0)),
]


def measured() -> list[MeasuredStep]:
    """Return steps of two backends, the one in use first."""
    return [
        MeasuredStep(operation, backend, TimingSpread(least, least * slower, least))
        for backend, slower in (("ifma", 1), ("libsodium", 10))
        for operation, least in LEAST.items()
    ]


def test_cost_of_the_backend_in_use() -> None:
    """The first backend counts; a record is spread over its inputs; a further party adds its share of finalizing."""
    cost = Cost(prepare=6.0, blind=5.0, answer=5.5, verify=2.5, finalize=7.0, add=1.0)
    assert cost_of(measured(), RECORDS, "exact") == cost


@pytest.mark.parametrize("missing", ["steps", "reading", "rules"])
def test_a_part_was_not_measured(missing: str) -> None:
    """Without steps, reading or the table's inputs there is nothing to calculate."""
    found = [] if missing == "steps" else measured()
    records = RECORDS[1:] if missing == "reading" else RECORDS
    assert cost_of(found, records, "default" if missing == "rules" else "exact") is None


def test_a_round_by_its_steps() -> None:
    """Every party pays for its own elements once, and for evaluations of and by each other party."""
    cost = Cost(prepare=1, blind=2, answer=4, verify=8, finalize=16, add=32)
    played = PlayedRound(3, 1_000, "exact", 6_000, 2, 1.0, 1.0, 1.0, {}, 1, 1, 1, 1, 1)
    assert round_seconds(played, cost) == pytest.approx(6_000 * (1 + 2 + 16 + 32 + 2 * 12) / 1e6, abs=0.01)


def test_the_region() -> None:
    """The calculation for twelve parties of a million has bytes and hours."""
    found = dict(region(Cost(6, 5, 5.5, 2.5, 7, 1)))
    assert found["the matcher keeps if nothing is deleted, GB"] == pytest.approx(46.1, abs=0.05)
    assert found["hours of a node's line of 100 Mbit/s"] == pytest.approx(0.29, abs=0.01)
