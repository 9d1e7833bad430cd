"""A file whose reading is ended: text at its next piece, a spreadsheet's process at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from psutil import Process

from aquila.errors import InputError
from aquila.records.reading.endable import EndableFile
from aquila.records.reading.lists import read_records
from tests.support.spreadsheets import xlsx

HEADER = ("record_id", "given_names", "family_names", "date_of_birth")
ROWS = [(str(number), "Ana", f"Novak{'abcdefghij'[number % 10] * 400}", "1980-05-03") for number in range(3_000)]
"""More than one batch of lines, and than a pipe holds."""


@pytest.fixture(scope="module", params=["csv", "xlsx"])
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("endable") / "list"
    text = "\n".join(map(",".join, [HEADER, *ROWS])).encode()
    made.write_bytes(text if request.param == "csv" else xlsx([HEADER, *ROWS]))
    return made


@pytest.fixture
def file(path: Path) -> Iterator[EndableFile]:
    with path.open("rb") as opened:
        opened.read(7)
        with EndableFile(opened) as made:
            yield made


def test_nothing_ends_by_itself(file: EndableFile) -> None:
    assert len(list(read_records(file))) == len(ROWS)


def test_an_end_in_the_midst(file: EndableFile) -> None:
    before = Process().children()
    rows = read_records(file)
    next(rows)
    file.end()
    with pytest.raises(InputError, match="its caller is gone"):
        list(rows)
    assert set(Process().children()) <= set(before)


def test_an_end_before_the_beginning(file: EndableFile) -> None:
    before = Process().children()
    file.end()
    with pytest.raises(InputError, match="its caller is gone"):
        next(read_records(file))
    assert set(Process().children()) <= set(before)


def test_what_comes_after_the_end_is_done_at_once(file: EndableFile) -> None:
    done: list[str] = []
    file.at_end(lambda: done.append("before"))
    assert done == []
    file.end()
    file.at_end(lambda: done.append("after"))
    assert done == ["before", "after"]
