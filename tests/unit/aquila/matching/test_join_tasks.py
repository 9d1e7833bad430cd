"""The tasks of a join: each stands alone, and done again gives the same file."""

import pickle
from contextlib import closing
from pathlib import Path

from aquila.matching.join import parse_rows
from aquila.matching.join_tasks import (
    LAST_HANDLE,
    PREFIXES,
    GroupTask,
    JoinTask,
    Limits,
    PartitionWriter,
    group_pairs,
    join_prefixes,
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
        assert join_prefixes(pickle.loads(pickle.dumps(task))) == {0: 1}  # noqa: S301  # our own bytes
        written.append(Path(task.target).read_bytes())
    assert written[0] == written[1]
