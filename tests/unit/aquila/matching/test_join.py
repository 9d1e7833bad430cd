"""The join: equal tokens of allowed pairs meet, by rule, whatever the number of ranges."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import pytest

from aquila.errors import MalformedError, PolicyError
from aquila.executors import InProcess
from aquila.matching.join import MatchedPair, TokenTable, parse_rows


def row(handle: int, rule: int, token: int | bytes) -> bytes:
    """Return one token row; a small number is a token that begins with it, so that it falls into some range."""
    content = token if isinstance(token, bytes) else token.to_bytes(2, "big") + bytes(14)
    return handle.to_bytes(16, "big") + bytes([rule]) + content


def found(
    directory: Path, lists: Sequence[bytes], pairs: Sequence[tuple[int, int]], limit: int = 8, rows: int = 5_000_000
) -> list[tuple[int, int, int, int, int]]:
    directory.mkdir(exist_ok=True)
    with TokenTable(directory, rows_per_range=rows, gathered_rows=rows) as tokens:
        for number, content in enumerate(lists):
            tokens.add(number, content)
        tokens.join(pairs, limit)
        return [
            (p.left, p.right, int.from_bytes(p.left_handle, "big"), int.from_bytes(p.right_handle, "big"), p.rules)
            for p in tokens.pairs()
        ]


def test_equal_tokens_meet(tmp_path: Path) -> None:
    """Two records that share a token are a pair; what is in one list alone is none."""
    lists = [row(1, 1, 10) + row(2, 1, 20), row(7, 1, 20) + row(8, 1, 30)]
    assert found(tmp_path, lists, [(0, 1)]) == [(0, 1, 2, 7, 0b1)]


def test_rows_are_counted(tmp_path: Path) -> None:
    with TokenTable(tmp_path) as tokens:
        tokens.add(0, row(1, 1, 10) + row(2, 1, 20))
        tokens.add(1, row(3, 1, 10))
        assert tokens.rows == 3


def many(seed: int, number: int) -> bytes:
    handles, tokens = Random(seed), Random(0)
    return b"".join(row(handles.getrandbits(128), 1, tokens.randbytes(16)) for _ in range(number))


def test_too_little_memory_is_named(tmp_path: Path) -> None:
    """A task that cannot put on disk what it needs ends in an error of the project, and another table goes on."""
    (tmp_path / "small").mkdir()
    with TokenTable(tmp_path / "small", memory_mib=2) as tokens:
        for seed in (1, 2):
            tokens.add(seed - 1, many(seed, 50_000))
        with pytest.raises(PolicyError, match="needs more than 6 MiB"):
            tokens.join([(0, 1)], 8)
    assert found(tmp_path / "large", [many(1, 10), many(2, 10)], [(0, 1)])


def test_memory_follows_from_the_rows_of_a_range(tmp_path: Path) -> None:
    asked = list[int]()

    class Asked(InProcess):
        def submit(self, work: Any, task: Any) -> Any:
            asked.append(task.limits.memory_mib)
            return super().submit(work, task)

    with TokenTable(tmp_path, memory_mib=64) as tokens:
        tokens.add(0, row(1, 1, 10))
        tokens._writer.rows = 700_000_000
        tokens.join([(0, 1)], 8, Asked())
    assert set(asked) == {667}


def test_rules_that_met_are_collected(tmp_path: Path) -> None:
    """A pair comes once, with a bit for each rule that met, up to the last one."""
    left = row(1, 1, 10) + row(1, 3, 20) + row(1, 63, 30)
    right = row(9, 3, 20) + row(9, 1, 10) + row(9, 63, 30) + row(9, 2, 40)
    assert found(tmp_path, [left, right], [(0, 1)]) == [(0, 1, 1, 9, 1 | 1 << 2 | 1 << 62)]


def test_a_relabelled_rule_does_not_meet(tmp_path: Path) -> None:
    """An equal token under another rule's number is no agreement."""
    assert found(tmp_path, [row(1, 1, 10), row(7, 2, 10)], [(0, 1)]) == []


def test_pairs_that_are_not_allowed(tmp_path: Path) -> None:
    lists = [row(1, 1, 10) + row(2, 1, 10), row(7, 1, 10), row(9, 1, 10)]
    assert {hit[:2] for hit in found(tmp_path / "a", lists, [(0, 1)])} == {(0, 1)}
    assert {hit[:2] for hit in found(tmp_path / "b", lists, [(0, 2), (1, 2)])} == {(0, 2), (1, 2)}
    assert found(tmp_path / "c", lists, []) == []


def test_no_token_at_all(tmp_path: Path) -> None:
    with TokenTable(tmp_path) as tokens:
        tokens.join([(0, 1)], 8)
        assert (tokens.patterns(), list(tokens.pairs())) == ({}, [])


@pytest.mark.parametrize(("limit", "pairs"), [(3, 3), (2, 0)])
def test_a_token_that_many_records_bear(tmp_path: Path, limit: int, pairs: int) -> None:
    lists = [row(1, 1, 10) + row(2, 1, 10) + row(3, 1, 10), row(7, 1, 10)]
    assert len(found(tmp_path, lists, [(0, 1)], limit)) == pairs


def test_a_row_twice_counts_once(tmp_path: Path) -> None:
    """One record that sends a token twice does not make it frequent, and meets once."""
    assert found(tmp_path, [row(1, 1, 10) * 3, row(7, 1, 10)], [(0, 1)], 1) == [(0, 1, 1, 7, 1)]


def test_patterns_count_pairs(tmp_path: Path) -> None:
    """For each pair of lists it is told how many pairs of records met under which rules."""
    with TokenTable(tmp_path) as tokens:
        tokens.add(0, row(1, 1, 10) + row(1, 2, 11) + row(2, 1, 20) + row(3, 1, 30))
        tokens.add(1, row(7, 1, 10) + row(7, 2, 11) + row(8, 1, 20))
        tokens.add(2, row(9, 1, 30))
        tokens.join([(0, 1), (0, 2)], 8)
        assert tokens.patterns() == {(0, 1): {0b11: 1, 0b1: 1}, (0, 2): {0b1: 1}}


def test_a_second_join_forgets_the_first(tmp_path: Path) -> None:
    with TokenTable(tmp_path) as tokens:
        tokens.add(0, row(1, 1, 10))
        tokens.add(1, row(7, 1, 10))
        tokens.join([(0, 1)], 8)
        assert len(list(tokens.pairs())) == 1
        tokens.join([], 8)
        assert list(tokens.pairs()) == []


@pytest.mark.parametrize("rows", [1, 7, 100, 10_000])
def test_the_number_of_ranges_does_not_matter(tmp_path: Path, rows: int) -> None:
    """Joined in one range, in a few, or in very many, the same records meet."""
    random = Random(1)
    everyone = [random.randbytes(16) for _ in range(40)]
    lists = [
        b"".join(row(n, 1 + n % 3, token) for n, token in enumerate(everyone[start : start + 30])) for start in (0, 9)
    ]
    expected = [(0, 1, n + 9, n, 1 << n % 3) for n in range(21)]
    assert sorted(found(tmp_path, lists, [(0, 1)], rows=rows), key=lambda hit: hit[2]) == expected


def test_very_many_pairs_of_two_lists(tmp_path: Path) -> None:
    """What met between two lists is grouped in parts where it is much, beside lists where it is little, in order."""
    random = Random(2)
    records = [(random.randbytes(16), random.randbytes(16)) for _ in range(300)]
    lists = [b"".join(handle + b"\1" + token for handle, token in records[:size]) for size in (300, 290, 25, 27)]
    with TokenTable(tmp_path, rows_per_range=40) as tokens:
        for number, rows in enumerate(lists):
            tokens.add(number, rows)
        tokens.join([(2, 3), (0, 1), (0, 2)], 8)
        pairs = [(pair.left, pair.right, pair.left_handle) for pair in tokens.pairs()]
        assert pairs == sorted(
            (left, right, handle)
            for left, right, size in ((0, 1, 290), (0, 2, 25), (2, 3, 25))
            for handle, _ in records[:size]
        )
        assert tokens.patterns() == {(0, 1): {1: 290}, (0, 2): {1: 25}, (2, 3): {1: 25}}


def test_an_executor_gives_the_same(tmp_path: Path) -> None:
    random = Random(3)
    rows = [b"".join(row(n, 1, random.randbytes(16)) for n in range(50)) for _ in "ab"]
    lists = [rows[0] + rows[1], rows[1], rows[0]]
    found = []
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for place, executor in enumerate((None, InProcess(), pool)):
            (tmp_path / str(place)).mkdir()
            with TokenTable(tmp_path / str(place), rows_per_range=30) as tokens:
                for number, content in enumerate(lists):
                    tokens.add(number, content)
                tokens.join([(0, 1), (0, 2), (1, 2)], 8, executor)
                found.append((tokens.patterns(), list(tokens.pairs())))
    assert found[0] == found[1] == found[2]
    assert len(found[0][1]) == 100


def test_chunks_of_a_list_belong_together(tmp_path: Path) -> None:
    """A list comes in chunks; the first and the last token of the range are joined too."""
    with TokenTable(tmp_path) as tokens:
        for token in (bytes(16), b"\xff" * 16):
            tokens.add(0, row(1, 1, token))
            tokens.add(1, row(7, 1, token))
        tokens.add(1, b"")
        tokens.join([(0, 1)], 8)
        assert list(tokens.pairs()) == [MatchedPair(0, 1, bytes(15) + b"\1", bytes(15) + b"\7", 1)]


@pytest.mark.parametrize("rows", [b"x", bytes(32), bytes(34), row(1, 1, 10)[:-1]])
def test_rows_that_are_not_whole(tmp_path: Path, rows: bytes) -> None:
    with pytest.raises(MalformedError, match="not whole token rows"):
        parse_rows(rows)
    with TokenTable(tmp_path) as tokens, pytest.raises(MalformedError):
        tokens.add(0, rows)


@pytest.mark.parametrize("rule", [0, 64, 255])
def test_a_rule_that_no_table_has(tmp_path: Path, rule: int) -> None:
    """A mask of rules has 63 bits: a row outside is refused before it is laid down."""
    with TokenTable(tmp_path) as tokens, pytest.raises(MalformedError, match="no table can have"):
        tokens.add(0, row(1, 1, 10) + row(1, rule, 20))
    assert not list(tmp_path.iterdir())


def places(directory: Path, left: bytes, right: bytes, limit: int = 8) -> list[tuple[bytes, bytes]]:
    with TokenTable(directory) as tokens:
        tokens.add(0, left)
        tokens.add(1, right)
        tokens.join([(0, 1)], limit)
        return [tuple(met) for met in tokens.met(list(tokens.pairs())).positions()]


def test_places_of_tokens_that_met(tmp_path: Path) -> None:
    """They are counted among all tokens of the record in ascending order, whatever the order of the rows."""
    left = row(1, 2, 40) + row(1, 1, 10) + row(1, 3, 30) + row(2, 1, 50)
    right = row(9, 3, 30) + row(9, 1, 5) + row(9, 2, 40) + row(9, 2, 7) + row(8, 1, 50) + row(8, 1, 60)
    assert places(tmp_path, left, right) == [(b"\x01\x02", b"\x02\x03"), (b"\x00", b"\x00")]


def test_places_of_frequent_tokens(tmp_path: Path) -> None:
    left = row(1, 1, 10) + row(2, 1, 10) + row(1, 2, 20)
    assert places(tmp_path, left, row(9, 1, 10) + row(9, 2, 20), limit=1) == [(b"\x01", b"\x01")]


def test_places_beyond_a_byte(tmp_path: Path) -> None:
    """A party that sends more tokens of a record than one can have meets with its first ones only."""
    left = b"".join(row(1, 1, token) for token in range(300))
    assert places(tmp_path, left, row(9, 1, 7) + row(9, 1, 299)) == [(b"\x07", b"\x00")]
    (tmp_path / "late").mkdir()
    assert places(tmp_path / "late", left, row(9, 1, 299)) == [(b"", b"")]


def test_places_of_nothing(tmp_path: Path) -> None:
    with TokenTable(tmp_path) as tokens:
        assert tokens.met([]).positions() == []
