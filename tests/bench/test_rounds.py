"""A measured round is a real one, and moves the bytes that are calculated for it."""

from pathlib import Path

import pytest

from aquila.errors import ExecutorError
from aquila.protocol.submissions.column_sizes import DUMMIES, TAG_BYTES
from tests.bench.rounds import measure_round


@pytest.mark.parametrize(("parties", "rules"), [(2, "default"), (3, "exact")])
def test_bytes_as_calculated(tmp_path: Path, parties: int, rules: str) -> None:
    """The bytes that the parties sent are those that the formulas give for their elements, and their shadow columns."""
    round_ = measure_round(tmp_path, parties, 60, rules)
    assert (round_.parties, round_.records) == (parties, 60)
    dummies = parties * (parties - 1) * DUMMIES * TAG_BYTES
    assert round_.bytes_sent >= round_.bytes_calculated + dummies > dummies
    assert round_.hits > 0
    assert 0 < round_.group_seconds < round_.processor_seconds
    assert round_.peak_memory > 10 << 20


def test_a_round_that_fails(tmp_path: Path) -> None:
    """A table of rules that is missing ends it with what the command said."""
    with pytest.raises(ExecutorError, match="a measured command failed"):
        measure_round(tmp_path, 2, 40, "absent")
