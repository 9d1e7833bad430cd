"""The calculated bytes and hours of a round, by hand."""

from pathlib import Path

import pytest

from aquila.matching.join import TOKEN_ROW_BYTES
from aquila.protocol.submissions.column_sizes import DUMMIES, MOST_TAGS_OF_A_RECORD, TAG_BYTES
from tests.bench import data_volumes
from tests.bench.data_volumes import Cost, Size

REGION = Size(12, 1_000_000, 10)
GIGABYTE = 1_000_000_000
MEBIBYTE = 1 << 20


def test_one_party_sends() -> None:
    assert data_volumes.bytes_sent([10, 20, 30], 1) == 32 * 60 + 2 * 33 * 20
    columns = 2 * 16 * (2 * 20 + 4_096)
    assert data_volumes.node_sends(Size(3, 20, 1)) == data_volumes.bytes_sent([20, 20, 20], 2) + columns


def test_the_whole_region() -> None:
    assert REGION.elements == 10_000_000
    moved = data_volumes.node_sends(REGION) + data_volumes.node_receives(REGION)
    assert moved / GIGABYTE == pytest.approx(18.0, abs=0.05)
    assert data_volumes.matcher_moves(REGION) == 12 * moved
    assert data_volumes.matcher_bytes(REGION) / GIGABYTE == pytest.approx(46.1, abs=0.05)


def test_early_deletion() -> None:
    """With a quota of 4 GiB tokens and columns need most; a small round never reaches its quota."""
    quota = 4_096 * MEBIBYTE
    assert data_volumes.matcher_disk(REGION, quota) / GIGABYTE == pytest.approx(86.5, abs=0.05)
    small = Size(2, 10, 1)
    assert data_volumes.matcher_disk(small, quota) == (33 + 33) * 20 + 2 * 16 * (2 * 10 + 4_096)


def test_a_node_keeps_its_evaluations() -> None:
    """Until its last tokens are made, every evaluation of the own list lies at its node."""
    assert data_volumes.node_disk(Size(3, 10, 1)) == 10 * (73 + 32 * 3 + 3 * (33 + 32)) + 2 * 16 * (2 * 10 + 4_096)


def test_hours() -> None:
    """Own elements cost once, the evaluations of and by others for each other party; a line is shared both ways."""
    cost = Cost(prepare=1, blind=2, answer=4, verify=8, finalize=16, add=32)
    assert data_volumes.node_hours(Size(3, 3_600, 1), cost) == pytest.approx((1 + 2 + 16 + 32 + 2 * (4 + 8)) / 1e6)
    size = Size(2, 1_000, 1)
    assert data_volumes.transfer_hours(size, 8) == pytest.approx(
        ((32 * 2 + 33 + 64 + 2 * 16) * 1_000 + 16 * 4_096) / 3_600
    )


def test_the_document() -> None:
    page = (Path(__file__).parents[2] / "docs" / "PERFORMANCE.md").read_text("utf-8")
    quota = 4_096 * MEBIBYTE
    moved = data_volumes.node_sends(REGION) + data_volumes.node_receives(REGION)
    columns = data_volumes.column_bytes(REGION)
    joining = (11 * 12 * TOKEN_ROW_BYTES + 2 * data_volumes.PARQUET_ROW_BYTES) * REGION.elements + 12 * columns
    answering = 32 * 12 * REGION.elements + quota
    longest = TAG_BYTES * (MOST_TAGS_OF_A_RECORD * REGION.records + DUMMIES) * 11
    reserved = ((32 + 33 * 11) * 12 + 2 * 33) * REGION.elements + quota + 12 * longest
    for bytes_, digits in (
        (data_volumes.node_sends(REGION), 2),
        (data_volumes.node_receives(REGION), 2),
        (moved, 1),
        (data_volumes.matcher_bytes(REGION), 1),
        (answering, 1),
        (joining, 1),
        (columns, 2),
        (data_volumes.node_disk(REGION), 1),
    ):
        assert f"| {bytes_ / GIGABYTE:.{digits}f} GB |" in page
    assert f"= {reserved / GIGABYTE:.0f} GB, because" in page
