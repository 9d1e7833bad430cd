"""What a query can meet of a list: a match with these rows alone is the match with all of them.

Token multiplicities: what a shipped node never sends is flagged, what lists of persons have is not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from aquila.errors import MalformedError
from aquila.matching import list_rows
from aquila.matching.join import MatchedPair, MatchedTokenPositions, TokenTable
from aquila.matching.list_rows import KeptRows, Multiplicity, ReadRows
from aquila.records.rules import load_rules
from aquila.sentences import text_of

LIMIT = 3


def row(handle: int, rule: int, token: int) -> bytes:
    """Return one token row; tokens that differ in their last bits alone have the same first 64 bits."""
    return handle.to_bytes(16, "big") + bytes([rule]) + (token >> 1).to_bytes(8, "big") + bytes(7) + bytes([token & 1])


def some_rows(random: Random, first_handle: int, records: int) -> bytes:
    rows = [
        row(first_handle + record, 1 + token % 3, token)
        for record in range(records)
        for token in random.sample(range(60), 6) + random.sample(range(8), 2)
    ]
    return b"".join(sorted(rows, key=lambda one: one[17:]))


def matched(
    directory: Path, lists: list[list[bytes]]
) -> tuple[list[MatchedPair], list[MatchedTokenPositions], dict[tuple[int, int], dict[int, int]]]:
    directory.mkdir()
    with TokenTable(directory) as tokens:
        for number, chunks in enumerate(lists):
            for chunk in chunks:
                tokens.add(number, chunk)
        tokens.join([(0, number) for number in range(1, len(lists))], LIMIT)
        pairs = list(tokens.pairs())
        return pairs, tokens.met(pairs).positions(), tokens.patterns()


def read_rows(chunks: list[bytes]) -> ReadRows:
    return ReadRows(lambda: chunks)


in_both_ways = pytest.mark.parametrize("way", [read_rows, KeptRows])
Way = Callable[[list[bytes]], ReadRows]


@in_both_ways
@pytest.mark.parametrize("seed", range(5))
def test_the_rows_that_meet_are_enough(tmp_path: Path, seed: int, way: Way) -> None:
    """Pairs, rules, positions and frequency limits are the same without the rows that cannot matter."""
    random = Random(seed)
    query = [some_rows(random, 1 << 100, 3)]
    lists = [[some_rows(random, number << 80, 30), some_rows(random, number << 90, 20)] for number in (1, 2)]
    sought = way(query).first_bits()
    few = [[rows.of_records(rows.bearing(sought))] for rows in map(way, lists)]
    assert matched(tmp_path / "few", [query, *few]) == matched(tmp_path / "all", [query, *lists])


@in_both_ways
def test_records_come_whole_or_not_at_all(way: Way) -> None:
    """A record that bears one of the tokens keeps all its rows; the others have none left."""
    chunks = [row(1 << 64, 1, 10) + row(2 << 64, 1, 20), row(1 << 64, 2, 30) + row(3 << 64, 1, 40)]
    rows = way(chunks)
    handles = rows.bearing(way([row(9, 1, 30)]).first_bits())
    assert handles.tolist() == [1]
    assert rows.of_records(handles) in (chunks[0][:33] + chunks[1][:33], chunks[1][:33] + chunks[0][:33])
    assert len(rows.every()) == 4 * 33


@in_both_ways
def test_nothing_meets_nothing(way: Way) -> None:
    nothing = way([]).first_bits()
    assert nothing.tolist() == []
    rows = way([row(1, 1, 10)])
    assert rows.bearing(nothing).tolist() == []
    assert rows.of_records(nothing) == b""


@in_both_ways
def test_rows_that_are_not_whole(way: Way) -> None:
    with pytest.raises(MalformedError):
        way([b"short"]).first_bits()


def test_the_size_of_rows_that_are_kept() -> None:
    """It counts the rows, and for each its token, its handle and a place."""
    assert KeptRows([row(1, 1, 10), row(2, 1, 20)]).size == 2 * (33 + 8 + 8 + 4)


TABLE = load_rules("default")
NAME_AND_DATE, NAME_PAIR, RARE = 1, 9, 11


def rows(rule: int, *times: int, seed: int = 1) -> bytes:
    random = Random(seed + rule)
    tokens = [random.randbytes(16) for _ in times]
    return b"".join(
        random.randbytes(16) + bytes([rule]) + token
        for token, records in zip(tokens, times, strict=True)
        for _ in range(records)
    )


def flags(*chunks: bytes, limit: int = 8) -> tuple[str, ...]:
    counted = Multiplicity(TABLE, sum(map(len, chunks)) // 33)
    for chunk in chunks:
        counted.add(chunk)
    return tuple(map(text_of, counted.flags(limit)))


def test_persons_are_not_flagged() -> None:
    """Names repeat up to the limit, names with dates hardly ever, and padding never."""
    assert flags(rows(NAME_PAIR, *[8] * 20, *[1] * 300), rows(NAME_AND_DATE, *[1] * 300, *[2] * 20)) == ()
    assert flags() == ()


def test_more_records_than_the_limit() -> None:
    """A value over the limit, or over its rule's own, is flagged with its rule and the numbers; chunks add up."""
    (found,) = flags(rows(NAME_PAIR, 5, 2), rows(NAME_PAIR, 4, 2))
    assert found.startswith("1 values of the rule 'name pair' occur in more than 8 records, up to 9")
    (rare,) = flags(rows(RARE, 2, 1))
    assert "'rare pair' occur in more than 1 records" in rare


def test_dates_that_repeat() -> None:
    """A quarter of a rule with whole dates in several records is no list of persons; a few rows say nothing."""
    (found,) = flags(rows(NAME_AND_DATE, *[1] * 60, *[7] * 10))
    assert found == "of the rule 'name, initial and date' 54% of the values occur in several records"
    assert flags(rows(NAME_AND_DATE, *[2] * 20)) == ()


def test_a_large_list_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large submission whole values are left out, never some of a value's records."""
    monkeypatch.setattr(list_rows, "MOST_SAMPLED", 100)
    (found,) = flags(rows(NAME_PAIR, *[10] * 100))
    number = int(found.partition(" ")[0])
    assert 1 < number < 40
    assert "up to 10" in found


def test_rows_that_are_none() -> None:
    with pytest.raises(MalformedError):
        Multiplicity(TABLE, 1).add(b"\x00" * 32)
