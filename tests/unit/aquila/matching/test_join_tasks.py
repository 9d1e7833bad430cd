"""The tasks of a join: each stands alone, and done again gives the same file.

Token rows on disk: each file holds one range of prefixes, and its database reaches nothing else.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from contextlib import closing
from itertools import chain
from pathlib import Path

import duckdb
import numpy as np
import pytest

from aquila.matching.join import parse_rows
from aquila.matching.join_tasks import (
    LAST_HANDLE,
    PREFIX_BITS,
    PREFIXES,
    GroupTask,
    JoinTask,
    Limits,
    PartitionWriter,
    group_pairs,
    join_prefixes,
    open_database,
)


def row(handle: int, rule: int, prefix: int) -> bytes:
    return handle.to_bytes(16, "big") + bytes([rule, prefix << 2]) + bytes(15)


def laid_down(directory: Path, lists: list[bytes]) -> tuple[Limits, tuple[str, ...]]:
    """Lay down some lists, each in a file that spans every prefix."""
    limits = Limits(str(directory), 128, 1)
    with closing(PartitionWriter(directory, limits, 1)) as writer:
        for number, rows in enumerate(lists):
            writer.add(number, parse_rows(rows))
    return limits, tuple(file.path for file in writer.files)


def test_only_its_prefixes(tmp_path: Path) -> None:
    """A task passes over what else its files hold, up to the last prefix."""
    everything = row(1, 1, 0) + row(1, 2, 5) + row(2, 1, 6) + row(3, 1, 63)
    limits, files = laid_down(tmp_path, [everything, everything])
    met = [
        join_prefixes(JoinTask(limits, files, first, last, ((0, 1),), 8, str(tmp_path / f"{first}.parquet")))
        for first, last in ((0, 4), (5, 5), (6, 63), (7, 62))
    ]
    assert met == [{0: 1}, {0: 1}, {0: 2}, {}]


def test_what_met_is_grouped(tmp_path: Path) -> None:
    """Rules that met in several ranges come together; pairs of lists and handles outside the task's are left out."""
    lists = [row(1, 1, 0) + row(1, 2, 5) + row(1 << 127, 1, 7), row(9, 1, 0) + row(9, 2, 5) + row(8, 1, 7)]
    limits, files = laid_down(tmp_path, [*lists, row(7, 1, 7)])
    allowed = ((0, 1), (0, 2), (1, 2))
    targets = tuple(str(tmp_path / f"met-{first}.parquet") for first in (0, 3))
    for first, last, target in ((0, 2, targets[0]), (3, PREFIXES - 1, targets[1])):
        join_prefixes(JoinTask(limits, files, first, last, allowed, 8, target))
    grouped = str(tmp_path / "pairs.parquet")
    assert group_pairs(GroupTask(limits, targets, 0, 2, 0, LAST_HANDLE, grouped)) == {
        0: {0b11: 1, 0b1: 1},
        1: {0b1: 1},
        2: {0b1: 1},
    }
    assert group_pairs(GroupTask(limits, targets, 0, 0, 0, LAST_HANDLE // 2, grouped)) == {0: {0b11: 1}}
    assert group_pairs(GroupTask(limits, targets, 1, 2, 1, LAST_HANDLE, grouped)) == {1: {0b1: 1}}


def test_a_task_done_again(tmp_path: Path) -> None:
    """A task travels pickled, and a worker that does it a second time writes the same bytes."""
    limits, files = laid_down(tmp_path, [row(1, 1, 3), row(7, 1, 3)])
    task = JoinTask(limits, files, 0, PREFIXES - 1, ((0, 1),), 8, str(tmp_path / "met.parquet"))
    written = []
    for _ in range(2):
        assert join_prefixes(pickle.loads(pickle.dumps(task))) == {0: 1}
        written.append(Path(task.target).read_bytes())
    assert written[0] == written[1]


MANY = 300_000


def rows(count: int, seed: int = 1) -> np.ndarray:
    found = parse_rows(np.random.default_rng(seed).bytes(33 * count)).copy()
    found["rule"] = 1
    return found


def limits(directory: Path) -> Limits:
    return Limits(str(directory), 128, 1)


def contents(directory: Path, paths: Iterable[str]) -> list[list[tuple[int, ...]]]:
    query = "SELECT list, handle_high, handle_low, rule, high, low FROM read_parquet($1)"
    with closing(open_database(limits(directory), "look")) as connection:
        return [connection.execute(query, [path]).fetchall() for path in paths]


def test_many_rows_are_parted_by_prefix(tmp_path: Path) -> None:
    """Every file holds the tokens of its prefixes, and together they hold every row with its list."""
    written = rows(MANY)
    with closing(PartitionWriter(tmp_path, limits(tmp_path), MANY)) as writer:
        writer.add(3, written[: MANY // 3])
        assert not writer.files
        writer.add(4, written[MANY // 3 :])
        assert [file[1:] for file in writer.files] == [(prefix, prefix) for prefix in range(PREFIXES)]
    found = contents(tmp_path, (file.path for file in writer.files))
    for file, part in zip(writer.files, found, strict=True):
        assert {row[4] >> PREFIX_BITS for row in part} == {file.first}
    expected = [(3 if place < MANY // 3 else 4, *row) for place, row in enumerate(written.tolist())]
    assert sorted(chain.from_iterable(found)) == sorted(expected)


def test_few_rows_are_one_file(tmp_path: Path) -> None:
    with closing(PartitionWriter(tmp_path, limits(tmp_path), MANY)) as writer:
        writer.write()
        assert not writer.files
        writer.add(0, rows(10))
        writer.write()
        writer.write()
        assert [file[1:] for file in writer.files] == [(0, PREFIXES - 1)]
        assert writer.rows == 10


def test_what_was_not_written_is_let_go(tmp_path: Path) -> None:
    with closing(PartitionWriter(tmp_path, limits(tmp_path), MANY)) as writer:
        writer.add(0, rows(10))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO '{outside}/stolen.parquet'",
        "SELECT * FROM read_text('{outside}/secret.txt')",
        "SELECT * FROM read_text('{inside}/../secret.txt')",
        "ATTACH '{outside}/other.db'",
        "INSTALL httpfs",
        "SELECT * FROM rows_of_python",
        "SET threads = 64",
    ],
)
def test_a_database_reaches_nothing_else(tmp_path: Path, statement: str) -> None:
    """Files outside the directory, extensions, Python variables and settings are out of reach."""
    (tmp_path / "secret.txt").write_text("secret")
    inside = tmp_path / "it's here"
    inside.mkdir()
    rows_of_python = {"a": np.arange(3)}
    with closing(open_database(limits(inside), "test")) as connection:
        refused = (duckdb.PermissionException, duckdb.InvalidInputException, duckdb.CatalogException)
        with pytest.raises(refused):
            connection.execute(statement.format(outside=tmp_path, inside=str(inside).replace("'", "''"))).fetchall()
        connection.execute("COPY (SELECT 1 AS a) TO $1 (FORMAT parquet)", [f"{inside}/own.parquet"]).fetchall()
    assert rows_of_python
    assert {path.name for path in tmp_path.iterdir()} == {"secret.txt", "it's here"}
