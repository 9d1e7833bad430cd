"""Steps and records are measured on every backend, over batches of any size."""

from pathlib import Path

import pytest

from aquila.crypto.backend import load_group
from tests.bench.records import measure_records
from tests.bench.steps import (
    DECODE,
    DECODE_SUM_FULL,
    DECODE_SUM_SHORT,
    SUM_FULL,
    SUM_SHORT,
    Bench,
    backends,
    processor_model,
    this_machine,
)


def test_every_backend_has_every_step() -> None:
    """The same steps are measured on each backend of this machine, the one in use first."""
    found = backends()
    assert found[0] == load_group(1).name
    steps = [[step.operation for step in Bench(backend, 1, 16).run()] for backend in found]
    assert all(of == steps[0] for of in steps)
    assert {step.reached for step in steps[0]} > {1.5, 5.3, 0.32}


def test_sums_are_told_without_decoding() -> None:
    least = {step.operation: step.spread.least for step in Bench(backends()[0], 1, 16).run()}
    for alone, whole in ((SUM_FULL, DECODE_SUM_FULL), (SUM_SHORT, DECODE_SUM_SHORT)):
        assert least[alone] == pytest.approx(least[whole] - least[DECODE], abs=0.002)
        assert (whole.reached, alone.reached is None) == (None, False)


def test_records(tmp_path: Path) -> None:
    """Reading and making inputs are measured for both scripts and both tables; exact rules give one input."""
    steps = list(measure_records(tmp_path, 40))
    assert len(steps) == 6
    assert {step.inputs for step in steps if "exact" in step.name} == {1.0}
    assert all(step.spread.least > 0 for step in steps)


def test_machine(tmp_path: Path) -> None:
    machine = this_machine()
    assert machine.cores >= 1
    assert machine.backend == load_group(1).name
    assert {"aquila", "numpy", "duckdb"} <= machine.versions.keys()
    listed = tmp_path / "cpuinfo"
    listed.write_text("cpu family\t: 6\nmodel\t\t: 167\nmodel name\t: A processor\n\nmodel name\t: Another\n")
    assert processor_model(listed) == "A processor (cpu family 6, model 167)"
    assert processor_model(tmp_path / "absent")
