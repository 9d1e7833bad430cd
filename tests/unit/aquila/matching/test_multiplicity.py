"""Token multiplicities: what a shipped node never sends is flagged, what lists of persons have is not."""

from random import Random

import pytest

from aquila.errors import MalformedError
from aquila.matching import list_rows
from aquila.matching.list_rows import Multiplicity
from aquila.records.rules import load_rules
from aquila.sentences import text_of

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
