"""Lists of persons from files, one row at a time in bounded memory.

Two formats: CSV with the columns of `fields.FIELDS`, and FollowTheMoney JSON lines. Of a list of any length only
8 bytes per accepted record id are kept, to refuse an id that comes twice.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO, Literal

from aquila.errors import InputError
from aquila.records.csv_rows import csv_rows
from aquila.records.ftm_rows import ftm_rows
from aquila.records.rows import Accepted, Finding, ReadReport, Refused, Row, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "Accepted",
    "Finding",
    "Format",
    "ReadReport",
    "Refused",
    "Row",
    "Severity",
    "read_csv",
    "read_ftm",
    "read_records",
]

Format = Literal["csv", "ftm"]

_ID_BYTES = 8


def read_csv(stream: BinaryIO) -> Iterator[Row]:
    """Read a CSV list.

    Raises:
        InputError: The file as a whole cannot be read: empty, no header, not UTF-8, no record.
    """
    return _without_repeated_ids(csv_rows(stream))


def read_ftm(stream: BinaryIO) -> Iterator[Row]:
    """Read the Person entities of FollowTheMoney JSON lines; other entities are passed over.

    Raises:
        InputError: The file holds no Person at all.
    """
    return _without_repeated_ids(ftm_rows(stream))


def read_records(stream: BinaryIO, format: Format = "csv") -> Iterator[Row]:  # noqa: A002 - the word users know
    """Read a list of either format.

    Raises:
        InputError: An unknown format, or a file that cannot be read as a whole.
    """
    if format == "csv":
        return read_csv(stream)
    if format == "ftm":
        return read_ftm(stream)
    raise InputError("This format of lists is unknown.", hint="Use csv or ftm.")


def _without_repeated_ids(rows: Iterable[Row]) -> Iterator[Row]:
    """Refuse records whose id an earlier record of the list has."""
    seen: set[int] = set()
    for row in rows:
        if isinstance(row, Refused):
            yield row
            continue
        digest = hashlib.blake2b(row.record.record_id.encode(), digest_size=_ID_BYTES).digest()
        number = int.from_bytes(digest, "big")
        if number in seen:
            reason = "is the id of an earlier record; give every record an id of its own"
            finding = Finding(row.line, "record_id", reason, Severity.REFUSAL)
            yield Refused(row.line, row.record.record_id, (*row.warnings, finding))
        else:
            seen.add(number)
            yield row
