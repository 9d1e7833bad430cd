"""Lists of one format in UTF-8, read row by row."""

from collections.abc import Iterator
from typing import BinaryIO

from aquila.records.reading.layouts import Layout
from aquila.records.reading.lists import read_records
from aquila.records.rows import Row


def read_csv(stream: BinaryIO) -> Iterator[Row]:
    return read_records(stream, Layout("csv", "utf-8"))


def read_ftm(stream: BinaryIO) -> Iterator[Row]:
    """Read FollowTheMoney JSON lines."""
    return read_records(stream, Layout("ftm", "utf-8"))
