"""Files of lists: those that are delivered, the columns chosen for their headings, and all findings about them.

A system of the party may put list files into a folder. Nothing is stored by itself: a delivered file takes the way of a
file that an officer chooses, with the same look at what was read, and its submission needs the same two persons. The
node reads the folder when somebody asks, and never writes into it. A file is known by its place, size and times: what
is stored is what was looked through.

The columns that an officer chose for lists whose headings are not fields are remembered for lists with the same ones. A
heading may be anything, in a list without headings even a name: the table holds a digest of all of them, and fields.

A finding that is stored has the line, the record number, the field and the reason, and no personal data. Who looks
through a file that is not stored sees besides what is written there.
"""

import errno
import hashlib
import io
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.csv_files import CsvWriter
from aquila.errors import PolicyError
from aquila.interface.records import Deliveries, DeliveryView, Findings, FindingView
from aquila.interface.sentence import SentenceView
from aquila.protocol.encoding import framed
from aquila.records.indicators import coded
from aquila.records.reading.layouts import FoundLayout, Layout
from aquila.records.reading.lists import RawList, open_list, read_rows, recognize
from aquila.records.rows import AcceptedRow, Finding, Row
from aquila.sentences.sentence import Sentence, dumps, loads
from aquila.visible import visible
from services.kit.errors import NotFoundError, StoreError
from services.kit.logging import Log
from services.kit.storage.store import Store
from services.node.context import NodeContext
from services.node.records.erasure import without_erased
from services.node.storage.imports import complete_import
from services.node.storage.tables import ChosenColumnsRow, FindingRow

Columns = tuple[str | None, ...]


def open_remembered(store: Store, stream: BinaryIO, layout: Layout) -> RawList:
    """Open a list, with the columns that were chosen for its headings before unless it comes with others."""
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


def remember(session: Session, layout: FoundLayout) -> None:
    """Remember the columns of a list that was stored."""
    columns = [layout.columns[place] for place in _order(layout.headings)]
    session.merge(ChosenColumnsRow(headings=_digest(layout.headings), columns=columns))


def _is_any(store: Store) -> bool:
    with store.reading("columns.any") as session:
        return session.scalars(select(ChosenColumnsRow.headings).limit(1)).first() is not None


def _order(headings: Sequence[str]) -> list[int]:
    """Return the places of headings in sorted order; those of equal ones as they come."""
    return sorted(range(len(headings)), key=lambda place: (headings[place].lower(), place))


def _digest(headings: Sequence[str]) -> str:
    """Return the digest of headings, the same in any order and case."""
    names = [headings[place].lower().encode() for place in _order(headings)]
    return hashlib.sha256(framed("aquila/2 headings", *names)).hexdigest()


MOST_SHOWN = 1_000
_FETCHED = 1_000
_COLUMNS = ("line", "record", "field", "severity", "reason", "written")


def noted_of(row: Row) -> tuple[Finding, ...]:
    """Return the findings about a row, with their examples."""
    return row.warnings if isinstance(row, AcceptedRow) else row.findings


def findings_of(row: Row, *, with_values: bool = False) -> Iterator[FindingView]:
    """Yield the findings about a row; the person's values only for who holds the file."""
    record_id = row.record.record_id if isinstance(row, AcceptedRow) else row.record_id
    for finding in noted_of(row):
        yield FindingView(
            line=finding.line,
            field=finding.field,
            reason=SentenceView.of(finding.sentence),
            severity=finding.severity.value,
            record_id=record_id,
            written=finding.example if with_values else "",
        )


def finding_rows(import_id: str, findings: Sequence[FindingView], first: int) -> list[dict[str, Any]]:
    """Return findings about a list as they are stored, numbered from `first`."""
    return [
        {
            "import_id": import_id,
            "number": number,
            **finding.model_dump(mode="json", exclude={"reason", "written"}),
            "reason": dumps(finding.reason.sentence),
        }
        for number, finding in enumerate(findings, start=first)
    ]


def read_here(node: NodeContext, raw: RawList) -> Iterator[Row]:
    """Yield the rows of a list as this node takes them: without erased records, and with indicators that it knows."""
    return coded(without_erased(node.store, read_rows(raw)), node.indicators)


def findings_file(node: NodeContext, stream: BinaryIO, layout: Layout) -> BinaryIO:
    """Return every finding of a list as CSV, in the order of its lines; what a spreadsheet would run is quoted.

    Raises:
        InputError: The list as a whole cannot be read.
    """
    rows = read_here(node, open_remembered(node.store, stream, layout))
    return _written(node.settings.home, (one for row in rows for one in findings_of(row, with_values=True)))


def stored_findings(store: Store, import_id: str) -> Findings:
    """Return the first findings about a stored list, and how many there are."""
    query = select(FindingRow).where(FindingRow.import_id == import_id).order_by(FindingRow.number)
    with store.reading("findings.show") as session:
        complete_import(session, import_id)
        total = session.scalar(select(func.count()).where(FindingRow.import_id == import_id)) or 0
        return Findings(findings=tuple(map(_view, session.scalars(query.limit(MOST_SHOWN)))), total=total)


def stored_findings_file(home: Path, store: Store, import_id: str) -> BinaryIO:
    """Return every finding about a stored list as CSV; raises NotFoundError if the node holds no such import."""
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
            writer.write((one.line, one.record_id, one.field, one.severity, one.reason.text, one.written))
        text.flush()
        text.detach()
    except BaseException:
        found.close()
        raise
    found.seek(0)
    return found


_LOG = Log("node.deliveries")
MOST_DELIVERIES = 100
"""Of how many files a folder's list tells: more are named as a number."""
_SETTLED_SECONDS = 60
_SUFFIXES = (".csv", ".txt", ".tsv", ".xlsx", ".ods", ".jsonl", ".json", ".ftm")
_NAME_LIMIT = 200


def list_deliveries(node: NodeContext) -> Deliveries:
    """Return the files that wait in the folder, the newest first; none where the node has no such folder.

    Raises:
        StoreError: The folder cannot be read.
    """
    found = sorted(_delivered_files(node.settings.deliveries), key=lambda one: (-one[1].st_mtime_ns, one[0].name))
    views = (
        DeliveryView(
            delivery_id=_id_of(path.name, state),
            name=visible(path.name)[:_NAME_LIMIT],
            size=state.st_size,
            written_at=int(state.st_mtime),
            problem=_problem(node, state),
        )
        for path, state in found[:MOST_DELIVERIES]
    )
    return Deliveries(deliveries=tuple(views), left_out=max(0, len(found) - MOST_DELIVERIES))


def count_deliveries(folder: Path | None, now: int) -> tuple[int, int]:
    """Return how many files that are not being written any more wait, and when the newest was written.

    None do in a folder that cannot be read: the page of records says so.
    """
    try:
        written = [
            int(state.st_mtime) for _, state in _delivered_files(folder) if now - state.st_mtime >= _SETTLED_SECONDS
        ]
    except StoreError:
        return 0, 0
    return len(written), max(written, default=0)


def open_delivery(node: NodeContext, delivery_id: str) -> BinaryIO:
    """Open a file that waits, for the caller to close.

    Raises:
        StoreError: It cannot be read.
    """
    path, state = _find(node, delivery_id)
    problem = _problem(node, state)
    if problem is not None:
        raise PolicyError(problem.sentence.code, **problem.sentence.fields)
    try:
        # Whoever may write into the folder could put a pipe or a link there between two looks.
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFoundError("delivery_unknown") from None
    except OSError as error:
        raise _unreadable(error) from None
    file = os.fdopen(opened, "rb")
    if _id_of(path.name, os.fstat(file.fileno())) != delivery_id:
        file.close()
        raise NotFoundError("delivery_unknown")
    return file


def remove_delivery(node: NodeContext, delivery_id: str) -> None:
    """Remove a file that waits from the folder.

    Raises:
        NotFoundError: It is gone, or was written again since it was listed.
    """
    path, _ = _find(node, delivery_id)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError("delivery_not_removable", fault=_said(error)) from None
    _LOG.info("delivery_removed")


def remove_stored(node: NodeContext, delivery_id: str) -> None:
    """Remove a file whose list was stored; that it cannot be is logged, because the list is there all the same."""
    try:
        remove_delivery(node, delivery_id)
    except (NotFoundError, StoreError):
        _LOG.warning("stored_delivery_not_removed")


def _delivered_files(folder: Path | None) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield paths and states of the files that may be lists; links, folders and hidden files are not among them."""
    if folder is None:
        return
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or not entry.name.lower().endswith(_SUFFIXES):
                    continue
                try:
                    state = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(state.st_mode):
                    yield Path(entry.path), state
    except OSError as error:
        raise _unreadable(error) from None


def _find(node: NodeContext, delivery_id: str) -> tuple[Path, os.stat_result]:
    """Return the path and state of a file that waits; raises NotFoundError if there is none."""
    for path, state in _delivered_files(node.settings.deliveries):
        if _id_of(path.name, state) == delivery_id:
            return path, state
    raise NotFoundError("delivery_unknown")


def _id_of(name: str, state: os.stat_result) -> str:
    """Return 32 hexadecimal digits for one state of a file: they change when it is written to, moved or replaced."""
    parts = (name, state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    return hashlib.sha256(repr(parts).encode(errors="surrogateescape")).hexdigest()[:32]


def _problem(node: NodeContext, state: os.stat_result) -> SentenceView | None:
    """Return why a file cannot be looked through now, or None."""
    limit, folder = node.settings.limits.import_mebibytes, node.settings.deliveries
    if folder is not None and not os.access(folder, os.W_OK):
        # A file that would stay after it was stored would be stored again.
        return SentenceView.of(Sentence.of("delivery_not_removable", fault=os.strerror(errno.EACCES)))
    if state.st_size > node.settings.limits.import_bytes:
        return SentenceView.of(Sentence.of("delivery_too_large", limit=limit))
    if node.clock() - state.st_mtime < _SETTLED_SECONDS:
        return SentenceView.of(Sentence.of("delivery_unsettled", seconds=_SETTLED_SECONDS))
    return None


def _unreadable(error: OSError) -> StoreError:
    return StoreError("deliveries_unreadable", fault=_said(error))


def _said(error: OSError) -> str:
    """Return the system's message for an error, without a path."""
    return os.strerror(error.errno or errno.EIO)
