"""All findings about a list as a separate file: line, record number, field and reason, without personal data."""

from __future__ import annotations

import io
import tempfile
from typing import TYPE_CHECKING, BinaryIO

from aquila.csv_files import CsvWriter
from aquila.interface.records import FindingView
from aquila.records.reading.lists import AcceptedRow, read_records
from services.node.records.erasure import without_erased

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aquila.records.reading.lists import Layout, Row
    from services.kit.storage.store import Store

_COLUMNS = ("line", "record", "field", "severity", "reason")


def findings_of(row: Row) -> Iterator[FindingView]:
    """Yield the findings about a row, without the person's values."""
    record_id = row.record.record_id if isinstance(row, AcceptedRow) else row.record_id
    for finding in row.warnings if isinstance(row, AcceptedRow) else row.findings:
        yield FindingView(
            line=finding.line, field=finding.field, reason=finding.reason, severity=finding.severity.value,
            record_id=record_id,
        )  # fmt: skip


def findings_file(home: Path, store: Store, stream: BinaryIO, layout: Layout) -> BinaryIO:
    """Return every finding of a list as CSV, in the order of its lines; what a spreadsheet would run is quoted.

    A list may have as many findings as rows, so they go to the disk one by one, into a file without a name that is gone
    when it is closed.

    Raises:
        InputError: The list as a whole cannot be read.
    """
    found: BinaryIO = tempfile.TemporaryFile(dir=home)  # noqa: SIM115 - the caller closes it
    try:
        text = io.TextIOWrapper(found, encoding="utf-8", newline="")
        writer = CsvWriter(text)
        writer.write(_COLUMNS)
        for row in without_erased(store, read_records(stream, layout)):
            for one in findings_of(row):
                writer.write((one.line, one.record_id, one.field, one.severity, one.reason))
        text.flush()
        text.detach()
    except BaseException:
        found.close()
        raise
    found.seek(0)
    return found
