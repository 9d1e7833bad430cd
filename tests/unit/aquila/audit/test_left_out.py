"""What a copy of a log leaves out: one file, in one form, of entries that the log has."""

from collections import Counter

import pytest

from aquila.audit.entries import LeftOutEntries, read_left_out
from aquila.errors import AuditError

ROUND = "0" * 32


def test_it_comes_back() -> None:
    left_out = LeftOutEntries.of([0, 1, 2, 5, 7, 8], Counter({ROUND: 2}))
    assert left_out.entries == ((0, 3), (5, 6), (7, 9))
    assert (left_out.count, list(left_out.indices())) == (6, [0, 1, 2, 5, 7, 8])
    assert read_left_out(left_out.to_bytes(), 9) == left_out


def test_nothing_is_left_out_of_a_whole_log() -> None:
    assert LeftOutEntries.of([], Counter()) == LeftOutEntries()
    assert LeftOutEntries().count == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"entries": [], "rounds": {"x": 1}}',
        b'{"entries": [], "rounds": {}, "more": 1}',
        b'{"entries": [[2, 2]], "rounds": {}}',
        b'{"entries": [[3, 4], [1, 2]], "rounds": {}}',
        b'{"entries": [[8, 10]], "rounds": {}}',
        b'{"entries": [[-1, 2]], "rounds": {}}',
    ],
)
def test_anything_else_is_refused(content: bytes) -> None:
    """What is no such file, or names entries that the log does not have or twice, is named with the file."""
    with pytest.raises(AuditError, match=r"left_out\.json"):
        read_left_out(content, 9)
