"""A short run of the soak: rounds over TLS and a bad network while processes are killed, stopped and frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.faulty_rounds import FaultyRounds, write_lists

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e

SEED = 16
"""Chooses the faults; at which moment of a round they come depends on the machine, what has to hold does not."""

RECORDS = 300
KILLS = 10


def test_faults_lose_nothing_and_leave_nothing(tmp_path: Path) -> None:
    """With faults of each kind all hits are the rehearsal's, logs verify with each other, and nothing is left."""
    with FaultyRounds(tmp_path, write_lists(tmp_path, 3, RECORDS, SEED), SEED) as played:
        faults = played.faults
        while faults.made.total() < faults.deck_size:
            played.play(lambda: faults.made.total() >= faults.deck_size)
        played.finish()
    assert set(faults.made) == faults.kinds
    assert faults.kills >= KILLS
