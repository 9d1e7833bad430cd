"""Results as a page and as a document."""

from __future__ import annotations

from dataclasses import replace

from clients.bench import steps
from clients.bench.hardware import Machine
from clients.bench.records import RecordStep
from clients.bench.steps import MeasuredStep
from clients.bench.timing import TimingSpread
from tests.bench.joining import Join
from tests.bench.report import RoundResults, over_parties, over_sizes
from tests.bench.rounds import PlayedRound, played
from tests.bench.watching import WatchedProcess

MACHINE = Machine("A processor", 2, 1 << 34, "A system", "3.11.0", 0.5, "ifma", "it is there", {"aquila": "1"})
ROUND = PlayedRound(
    parties=3,
    records=1_000,
    rules="exact",
    elements=3_000,
    workers=2,
    seconds=1.5,
    processor_seconds=0.9,
    group_seconds=0.5,
    phases={"read": 0.1, "evaluate": 0.8},
    peak_memory=100 << 20,
    disk=1 << 20,
    bytes_sent=2 << 20,
    bytes_calculated=2 << 20,
    hits=7,
)


def test_everything() -> None:
    spread = TimingSpread(2.0, 1.0, 3.0)
    results = RoundResults(
        MACHINE,
        steps=[
            MeasuredStep(operation, backend, replace(spread, least=least))
            for backend, least in (("ifma", 2.0), ("portable", 10.0), ("libsodium", 20.0))
            for operation in (steps.MULTIPLY, steps.EVALUATE, steps.PROVE, steps.VERIFY)
        ],
        records=[RecordStep("read", 0.0, spread)],
        join=Join(1_000, 2, 30, 0.5, 1.5, 2.5, 3 << 20, 4 << 20),
        sizes=[ROUND, replace(ROUND, records=10_000, seconds=2.0, processor_seconds=9.0)],
        parties=[ROUND, replace(ROUND, parties=5, processor_seconds=2.5)],
        alone=[replace(ROUND, parties=12)],
    )
    page = results.page()
    assert "| decode, multiply by a secret scalar, encode | 2.00 | 10.00 | 20.00 | 10.00 | 2.00 | 5.30 |" in page
    assert "| verified evaluation: evaluate, prove and verify | 6.00 | 30.00 | 60.00 | 10.00 | 2.00 | - |" in page
    assert "| microseconds per row | 2,000.00 |" in page
    assert "| 3 x 1,000 | exact | 3,000 | 1.50 | 0.90 | 0.50 | 100.00 | 100 | 1 | 2.00 | 2.00 | 7 |" in page
    assert "- power of processor seconds: 1.0\n" in page
    document = results.document()
    assert document["machine"] == MACHINE.document()
    assert [len(document[name]) for name in ("steps", "records", "rounds")] == [12, 1, 5]  # type: ignore[arg-type]
    assert document["growth"] == {
        "over_sizes": over_sizes(results.sizes),
        "over_parties": over_parties(results.parties),
    }


def test_parts_that_were_not_measured() -> None:
    """What was not asked for is not on the page, and one round shows no growth."""
    page = RoundResults(MACHINE, alone=[ROUND]).page()
    assert page.count("## ") == 2
    assert "share of the variance" not in page
    assert over_sizes([ROUND]) == over_parties([ROUND]) == {}


def test_a_report_is_read() -> None:
    """Seconds of a report are means over the workers; bytes are calculated from each party's elements."""
    report = {
        "workers": 2,
        "seconds": {"read": 1.0, "evaluate": 2.0},
        "seconds_in_group": {"evaluate": 1.5},
        "elements": 30,
        "parties": {"AL": {"elements": 10}, "RS": {"elements": 20}},
        "peak_disk_bytes": 5,
        "hits": 3,
        "bytes_sent": 2 * 32 * 30 + 33 * 30,
    }
    found = played(report, WatchedProcess(4.0, 99, ""), 10, "exact")
    assert (found.processor_seconds, found.group_seconds, found.seconds) == (6.0, 3.0, 4.0)
    assert found.bytes_calculated == found.bytes_sent
    assert found.per_element == 100_000.0
