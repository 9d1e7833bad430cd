"""Invented lists for the bench: readable, repeatable, and with persons in common."""

import io
from itertools import combinations
from pathlib import Path

import pytest

from aquila.records.inputs import record_inputs
from aquila.records.reading.lists import read_records
from aquila.records.rows import AcceptedRow
from aquila.records.rules import load_rules
from tests.bench.records import PARTIES, write_list

SIZE = 400


def test_lists_have_persons_in_common(tmp_path: Path) -> None:
    """Every row is accepted; any two parties note some persons alike, in whatever script, and most not."""
    table, inputs = load_rules("exact"), {}
    for code in PARTIES:
        write_list(tmp_path / code, code, SIZE)
        rows = list(read_records(io.BytesIO((tmp_path / code).read_bytes())))
        records = [row.record for row in rows if isinstance(row, AcceptedRow)]
        assert len(records) == len(rows) == SIZE
        inputs[code] = {item.value for record in records for item in record_inputs(record, table)}
    for left, right in combinations(PARTIES, 2):
        assert 0 < len(inputs[left] & inputs[right]) < SIZE // 10


def test_the_same_again(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_list(tmp_path / name, "RS", 30, seed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()


@pytest.mark.parametrize(("code", "stated"), [("SI", 13.16), ("RS", 13.14)])
def test_records_give_the_inputs_that_the_page_states(tmp_path: Path, code: str, stated: float) -> None:
    """A fifth more per record than the rules gave with which docs/PERFORMANCE.md was measured."""
    page = (Path(__file__).parents[2] / "docs" / "PERFORMANCE.md").read_text("utf-8")
    script = "Cyrillic" if code == "RS" else "Latin"
    assert f"rules default, {script} | {stated} |" in page
    write_list(tmp_path / code, code, 2_000)
    rows = read_records(io.BytesIO((tmp_path / code).read_bytes()))
    table = load_rules("default")
    inputs = [len(record_inputs(row.record, table)) for row in rows if isinstance(row, AcceptedRow)]
    assert sum(inputs) / len(inputs) == pytest.approx(1.2 * stated, rel=0.03)
