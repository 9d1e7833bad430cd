"""The measured join finds what its token chunks hold in common."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from aquila.matching.join import parse_rows
from tests.bench.joining import CHUNK_ROWS, measure_join, token_chunks


def test_token_chunks() -> None:
    """Chunks hold whole rows in the order of their tokens, ten for each record."""
    chunks = [parse_rows(chunk) for chunk in token_chunks(3, 2_000)]
    assert [len(chunk) for chunk in chunks] == [CHUNK_ROWS, 20_000 - CHUNK_ROWS]
    for chunk in chunks:
        assert all(before <= after for before, after in pairwise(chunk["high"].tolist()))
    handles, rules = zip(
        *{(int(row["handle_high"]), int(row["rule"])) for chunk in chunks for row in chunk}, strict=True
    )
    assert len(set(handles)) == 2_000
    assert set(rules) == set(range(1, 11))


def test_a_join(tmp_path: Path) -> None:
    join = measure_join(tmp_path, rows=12_000, parties=3)
    assert (join.rows, join.parties) == (12_000, 3)
    assert 20 < join.pairs < 1_000
    assert join.seconds > 0
    assert join.processor_seconds > 0
    assert join.disk > 12_000 * 16
    assert join.peak_memory > 1 << 20
