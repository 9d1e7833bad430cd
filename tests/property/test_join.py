"""Properties of the join: it finds what the plainest join finds, however the tokens come and are parted."""

import tempfile
from collections import defaultdict
from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from aquila.matching.join import MatchedPair, TokenTable

ROWS = st.tuples(
    st.integers(0, 3),
    st.sampled_from([bytes([place]) * 16 for place in (0, 1, 64, 128, 255)]),
    st.integers(1, 3),
    st.sampled_from([bytes([place]) * 8 + bytes([last]) * 8 for place in (0, 3, 4, 127, 255) for last in (0, 9)]),
)
"""A list, a handle, a rule and a token; few of each, so that many meet."""
Row = tuple[int, bytes, int, bytes]


def plainly(rows: list[Row], allowed: list[tuple[int, int]], limit: int) -> list[MatchedPair]:
    """Join in memory, word by word as PROTOCOL.md 3.7.1 has it."""
    bearers: dict[tuple[int, bytes], set[bytes]] = defaultdict(set)
    for number, handle, _, token in rows:
        bearers[number, token].add(handle)
    rare = {row for row in rows if len(bearers[row[0], row[3]]) <= limit}
    met: dict[tuple[int, int, bytes, bytes], int] = defaultdict(int)
    for left, left_handle, rule, token in rare:
        for right, right_handle, other_rule, other_token in rare:
            if (left, right) in allowed and (rule, token) == (other_rule, other_token):
                met[left, right, left_handle, right_handle] |= 1 << (rule - 1)
    return [MatchedPair(*key, rules) for key, rules in sorted(met.items())]


@given(
    rows=st.lists(ROWS, max_size=60),
    allowed=st.lists(st.sampled_from([(a, b) for b in range(4) for a in range(b)]), max_size=6),
    limit=st.integers(1, 4),
    ranges=st.sampled_from([1, 5, 1_000]),
    gathered=st.sampled_from([1, 7, 1_000]),
    chunk=st.integers(1, 20),
    seed=st.integers(0, 9),
)
def test_as_the_plainest_join(
    rows: list[Row], allowed: list[tuple[int, int]], limit: int, ranges: int, gathered: int, chunk: int, seed: int
) -> None:
    """What met does not depend on ranges, on files, or on the order in which the chunks of the lists come."""
    chunks = [
        (number, members[start : start + chunk])
        for number in range(4)
        for members in [[row for row in rows if row[0] == number]]
        for start in range(0, len(members), chunk)
    ]
    Random(seed).shuffle(chunks)
    with (
        tempfile.TemporaryDirectory() as folder,
        TokenTable(Path(folder), threads=1, rows_per_range=ranges, gathered_rows=gathered) as tokens,
    ):
        for number, members in chunks:
            tokens.add(number, b"".join(handle + bytes([rule]) + token for _, handle, rule, token in members))
        tokens.join(allowed, limit)
        found = list(tokens.pairs())
        patterns = tokens.patterns()
    assert found == plainly(rows, allowed, limit)
    assert sum(sum(counts.values()) for counts in patterns.values()) == len(found)
