"""Results of steps as a page and as a document."""

from __future__ import annotations

from clients.bench import steps
from clients.bench.hardware import Machine
from clients.bench.records import RecordStep
from clients.bench.report import Results, table
from clients.bench.steps import MeasuredStep
from clients.bench.timing import TimingSpread

MACHINE = Machine("A processor", 2, 1 << 34, "A system", "3.11.0", 0.5, "ifma", "it is there", {"aquila": "1"})


def test_a_table() -> None:
    """Floats have two digits, integers their thousands apart, and nothing is a dash."""
    assert table(("a", "b"), [("x", 1.0), (1_234, None)]) == "| a | b |\n| --- | ---: |\n| x | 1.00 |\n| 1,234 | - |\n"


def test_steps_and_records() -> None:
    """Every backend is compared with libsodium; one alone is compared with nothing."""
    spread = TimingSpread(2.0, 1.0, 3.0)
    operations = (steps.MULTIPLY, steps.EVALUATE, steps.PROVE, steps.VERIFY)
    measured = [
        MeasuredStep(operation, backend, TimingSpread(2.0, least, 3.0))
        for backend, least in (("ifma", 2.0), ("portable", 10.0), ("libsodium", 20.0))
        for operation in operations
    ]
    results = Results(MACHINE, measured, [RecordStep("read", 0.0, spread)])
    page, document = results.page(), results.document()
    assert "| decode, multiply by a secret scalar, encode | 2.00 | 10.00 | 20.00 | 10.00 | 2.00 | 5.30 |" in page
    assert "| verified evaluation: evaluate, prove and verify | 6.00 | 30.00 | 60.00 | 10.00 | 2.00 | - |" in page
    assert "| read | - | 1.00 | 2.00 |" in page
    assert document["machine"] == MACHINE.document()
    assert [len(document[name]) for name in ("steps", "records")] == [12, 1]  # type: ignore[arg-type]
    only = [MeasuredStep(of, "libsodium", TimingSpread(2.0, 2.0, 2.0)) for of in operations[1:]]
    assert "| evaluate | 2.00 | - |" in Results(MACHINE, only).page()
    assert Results(MACHINE).page().count("## ") == 1
