"""What the node knows of the files of its lists: the columns chosen for their headings, and all findings about them.

The columns that an officer chose for lists whose headings are not fields are remembered for lists with the same ones. A
heading may be anything, in a list without headings even a name: the table holds a digest of all of them, and fields.

A finding has the line, the record number, the field and the reason, and no personal data.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.csv_files import CsvWriter
from aquila.interface.records import Findings, FindingView
from aquila.interface.sentence import SentenceView
from aquila.protocol.encoding import framed
from aquila.records.reading.layouts import FoundLayout, Layout
from aquila.records.reading.lists import RawList, open_list, read_rows, recognize
from aquila.records.rows import AcceptedRow, Finding, Row
from aquila.sentences.sentence import dumps, loads
from services.kit.storage.store import Store
from services.node.records.erasure import without_erased
from services.node.storage.imports import complete_import
from services.node.storage.tables import ChosenColumnsRow, FindingRow

Columns = tuple[str | None, ...]


def open_remembered(store: Store, stream: BinaryIO, layout: Layout) -> RawList:
    """Open a list, with the columns that were chosen for its headings before unless it comes with others.

    Raises:
        InputError: As `open_list`.
    """
    if layout.columns is None and _is_any(store):
        layout = replace(layout, columns=recall(store, recognize(stream, layout).headings))
    stream.seek(0)
    return open_list(stream, layout)


def recall(store: Store, headings: Sequence[str]) -> Columns | None:
    """Return the columns that were chosen for these headings, in their present order, or None."""
    with store.reading("columns.recall") as session:
        row = session.get(ChosenColumnsRow, _digest(headings))
        if row is None:
            return None
        fields = dict(zip(_order(headings), row.columns, strict=True))
    return tuple(fields[place] for place in range(len(headings)))


def remember(session: Session, layout: FoundLayout, now: int) -> None:
    """Remember the columns of a list that was stored."""
    columns = [layout.columns[place] for place in _order(layout.headings)]
    session.merge(ChosenColumnsRow(headings=_digest(layout.headings), columns=columns, chosen_at=now))


def _is_any(store: Store) -> bool:
    with store.reading("columns.any") as session:
        return session.scalars(select(ChosenColumnsRow.headings).limit(1)).first() is not None


def _order(headings: Sequence[str]) -> list[int]:
    """Return the places of headings in sorted order; those of equal ones as they come."""
    return sorted(range(len(headings)), key=lambda place: (headings[place].lower(), place))


def _digest(headings: Sequence[str]) -> str:
    """Return the digest of headings, the same in any order and case."""
    names = [headings[place].lower().encode() for place in _order(headings)]
    return hashlib.sha256(framed("aquila/1 headings", *names)).hexdigest()


MOST_SHOWN = 1_000
_FETCHED = 1_000
_COLUMNS = ("line", "record", "field", "severity", "reason")


def noted_of(row: Row) -> tuple[Finding, ...]:
    """Return the findings about a row, with their examples."""
    return row.warnings if isinstance(row, AcceptedRow) else row.findings


def findings_of(row: Row) -> Iterator[FindingView]:
    """Yield the findings about a row, without the person's values."""
    record_id = row.record.record_id if isinstance(row, AcceptedRow) else row.record_id
    for finding in noted_of(row):
        yield FindingView(
            line=finding.line,
            field=finding.field,
            reason=SentenceView.of(finding.sentence),
            severity=finding.severity.value,
            record_id=record_id,
        )


def finding_rows(import_id: str, findings: Sequence[FindingView], first: int) -> list[dict[str, Any]]:
    """Return findings about a list as they are stored, numbered from `first`."""
    return [
        {
            "import_id": import_id,
            "number": number,
            **finding.model_dump(mode="json", exclude={"reason"}),
            "reason": dumps(finding.reason.sentence),
        }
        for number, finding in enumerate(findings, start=first)
    ]


def findings_file(home: Path, store: Store, stream: BinaryIO, layout: Layout) -> BinaryIO:
    """Return every finding of a list as CSV, in the order of its lines; what a spreadsheet would run is quoted.

    Raises:
        InputError: The list as a whole cannot be read.
    """
    rows = without_erased(store, read_rows(open_remembered(store, stream, layout)))
    return _written(home, (one for row in rows for one in findings_of(row)))


def stored_findings(store: Store, import_id: str) -> Findings:
    """Return the first findings about a stored list, and how many there are.

    Raises:
        NotFoundError: The node holds no such import.
    """
    query = select(FindingRow).where(FindingRow.import_id == import_id).order_by(FindingRow.number)
    with store.reading("findings.show") as session:
        complete_import(session, import_id)
        total = session.scalar(select(func.count()).where(FindingRow.import_id == import_id)) or 0
        return Findings(findings=tuple(map(_view, session.scalars(query.limit(MOST_SHOWN)))), total=total)


def stored_findings_file(home: Path, store: Store, import_id: str) -> BinaryIO:
    """Return every finding about a stored list as CSV.

    Raises:
        NotFoundError: The node holds no such import.
    """
    query = select(FindingRow).where(FindingRow.import_id == import_id).order_by(FindingRow.number)
    with store.reading("findings.save") as session:
        complete_import(session, import_id)
        return _written(home, map(_view, session.scalars(query.execution_options(yield_per=_FETCHED))))


def _view(row: FindingRow) -> FindingView:
    severity: Any = row.severity
    reason = SentenceView.of(loads(row.reason))
    return FindingView(line=row.line, field=row.field, reason=reason, severity=severity, record_id=row.record_id)


def _written(home: Path, findings: Iterable[FindingView]) -> BinaryIO:
    """Return findings as a file without a name that is gone when it is closed: there may be as many as rows."""
    found: BinaryIO = tempfile.TemporaryFile(dir=home)  # noqa: SIM115 - the caller closes it
    try:
        text = io.TextIOWrapper(found, encoding="utf-8", newline="")
        writer = CsvWriter(text)
        writer.write(_COLUMNS)
        for one in findings:
            writer.write((one.line, one.record_id, one.field, one.severity, one.reason.text))
        text.flush()
        text.detach()
    except BaseException:
        found.close()
        raise
    found.seek(0)
    return found
