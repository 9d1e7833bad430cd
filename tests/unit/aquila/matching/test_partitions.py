"""Token rows on disk: each file holds one range of prefixes, and its database reaches nothing else."""

from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import pytest

from aquila.matching.join import parse_rows
from aquila.matching.join_tasks import PREFIX_BITS, PREFIXES, Limits, PartitionWriter, open_database

MANY = 300_000


def rows(count: int, seed: int = 1) -> np.ndarray:
    found = parse_rows(np.random.default_rng(seed).bytes(33 * count)).copy()
    found["rule"] = 1
    return found


def limits(directory: Path) -> Limits:
    return Limits(str(directory), 128, 1)


def content(directory: Path, path: str) -> list[tuple[int, ...]]:
    with closing(open_database(limits(directory), "look")) as connection:
        found = connection.execute(
            "SELECT list, handle_high, handle_low, rule, high, low FROM read_parquet($1)", [path]
        )
        return found.fetchall()


def test_many_rows_are_parted_by_prefix(tmp_path: Path) -> None:
    """Every file holds the tokens of its prefixes, and together they hold every row with its list."""
    written = rows(MANY)
    with closing(PartitionWriter(tmp_path, limits(tmp_path), MANY)) as writer:
        writer.add(3, written[: MANY // 3])
        assert not writer.files
        writer.add(4, written[MANY // 3 :])
        assert [file[1:] for file in writer.files] == [(prefix, prefix) for prefix in range(PREFIXES)]
    found = [(file, row) for file in writer.files for row in content(tmp_path, file.path)]
    assert all(row[4] >> PREFIX_BITS == file.first for file, row in found)
    expected = [(3 if place < MANY // 3 else 4, *row) for place, row in enumerate(written.tolist())]
    assert sorted(row for _, row in found) == sorted(expected)


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
