"""Lists that the operator imports: checked row by row, stored in batches, never half there."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from sqlalchemy import CursorResult, delete, func, insert, select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind
from aquila.audit.roles import Action
from aquila.errors import InputError, PolicyError
from aquila.interface import records as forms
from aquila.interface.rounds import SubmissionState
from aquila.matching.own_list import DuplicateSearch, FamilyNames, forecast
from aquila.records.person import Record
from aquila.records.reading.csv_rows import suggest_columns
from aquila.records.reading.layouts import FoundLayout, Layout
from aquila.records.reading.lists import RawList, recognize
from aquila.records.rows import AcceptedRow, FindingGroups, ReadReport, Row
from aquila.records.rules import RuleTable
from aquila.records.search import search_text
from aquila.visible import first_unseen
from services.kit.actor import Actor
from services.kit.errors import NotFoundError
from services.kit.log.entries import Journal
from services.kit.logging import Log
from services.kit.storage.store import Store
from services.kit.work.memory import RowsRead
from services.node.context import NodeContext
from services.node.hits.statistics import FilledFields
from services.node.records import comparisons
from services.node.records.erasure import overwrite_deleted
from services.node.records.list_reading import (
    finding_rows,
    findings_of,
    noted_of,
    open_remembered,
    read_here,
    recall,
    remember,
)
from services.node.records.stored_lists import ListDigest, standing_queries_of
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import FindingRow, ImportRow, RecordRow, RoundRow, SubmissionRow

_LOG = Log("node.imports")
_BATCH = 2_048
_FINDINGS = 1_000
_NAME_LIMIT = 200


@dataclass(slots=True)
class _Reading:
    """Counts made while a list is read; for the first `sampled` records also how their names are read."""

    table: RuleTable
    search: DuplicateSearch
    counts: ReadReport = field(default_factory=ReadReport)
    groups: FindingGroups = field(default_factory=FindingGroups)
    findings: list[forms.FindingView] = field(default_factory=list)
    left_out: int = 0
    unstored: list[forms.FindingView] | None = None
    stored: int = 0
    for_query: bool = False
    names: FamilyNames = field(default_factory=FamilyNames)
    sampled: int = 0
    sample: list[forms.SampledRecord] = field(default_factory=list)
    digest: ListDigest = field(default_factory=ListDigest)
    filled: FilledFields = field(default_factory=FilledFields)
    read: RowsRead = field(default_factory=RowsRead)

    def watch(self, row: Row) -> None:
        """Count a row."""
        self.read.rows += 1
        for noted in noted_of(row):
            self.groups.add(noted)
        for finding in findings_of(row, with_values=self.unstored is None):
            if self.unstored is not None:
                self.unstored.append(finding)
            if len(self.findings) < _FINDINGS:
                self.findings.append(finding)
            else:
                self.left_out += 1
        if isinstance(row, AcceptedRow):
            self.search.add(row.record)
            self.names.add(row.record)
            if len(self.sample) < self.sampled:
                self.sample.append(forms.SampledRecord.of(row.record))

    def report(self, import_id: str | None, name: str, layout: FoundLayout) -> forms.RecordReport:
        twice = len(self.search.found().pairs)
        return forms.RecordReport.of_fields(
            self.counts,
            import_id=import_id,
            name=name,
            groups=tuple(map(forms.FindingGroupView.of, self.groups.largest())),
            findings=tuple(self.findings),
            findings_left_out=self.left_out,
            rules=forms.rule_yields(self.table, self.search.inputs(), self.search.held_back()),
            duplicates=twice,
            sample=tuple(self.sample),
            layout=forms.LayoutView.of(layout),
            prospects=forms.Prospects.of(forecast(self.table, self.counts.accepted, self.search, twice, self.names)),
        )


def check_list(
    node: NodeContext, stream: BinaryIO, layout: Layout, rules: str, key: str | None = None
) -> forms.RecordReport:
    """Read a list and return its findings, its counts and how its first names are read; nothing is stored.

    Its progress is shown under `key`.

    Raises:
        InputError: The list as a whole cannot be read, or there is no such rule table.
    """
    table = node.table_named(rules)
    with node.lists.reading(key) as read, comparisons.searching(node.settings.home, table) as search:
        raw = open_remembered(node.store, stream, layout)
        reading = _Reading(table, search, sampled=forms.SAMPLED, read=read)
        for row in reading.counts.watch(read_here(node, raw)):
            reading.watch(row)
        return reading.report(None, "", raw.layout)


def recognize_list(node: NodeContext, stream: BinaryIO, layout: Layout) -> forms.LayoutView:
    """Return the layout of a list, with the columns that were chosen for its headings before, or else suggested ones.

    Raises:
        InputError: The file is not text or a sound spreadsheet, or has no line at all.
    """
    found = recognize(stream, layout)
    columns = layout.columns or recall(node.store, found.headings) or suggest_columns(found.headings)
    return forms.LayoutView.of(replace(found, columns=columns))


def import_list(  # what an import is made of, and by whom
    node: NodeContext,
    actor: Actor,
    stream: BinaryIO,
    name: str,
    layout: Layout,
    *,
    accept_refused: bool,
    for_query: bool = False,
    key: str | None = None,
) -> forms.RecordReport:
    """Read a list and store its records.

    With `accept_refused` it goes on without the rows that cannot be used. `for_query` marks the persons of one query,
    which are no list of the party. Its progress is shown under `key`.

    Raises:
        InputError: The list as a whole cannot be read, or a row cannot be used and `accept_refused` is False;
            nothing is stored.
    """
    if not name.strip() or len(name) > _NAME_LIMIT or not name.isprintable() or first_unseen(name):
        raise InputError("import_name_malformed", expected=_NAME_LIMIT)
    table = node.table_named("default")
    raw = open_remembered(node.store, stream, layout)
    with comparisons.searching(node.settings.home, table) as search, node.lists.reading(key) as read:
        reading = _Reading(table, search, unstored=[], for_query=for_query, read=read)
        terms = _Terms(name, accept_refused=accept_refused, are_columns_chosen=layout.columns is not None)
        return _import_list(node, actor, raw, reading, terms)


class _Terms(NamedTuple):
    """How a list is stored."""

    name: str
    accept_refused: bool
    are_columns_chosen: bool


def _import_list(node: NodeContext, actor: Actor, raw: RawList, reading: _Reading, terms: _Terms) -> forms.RecordReport:
    """Read and store a list; raises as `import_list` does."""
    import_id = node.random(16).hex()
    try:
        with node.store.transaction("import.begin") as session:
            session.add(
                ImportRow(
                    import_id=import_id,
                    name=terms.name,
                    format=raw.layout.format,
                    records=0,
                    refused=0,
                    imported_at=node.clock(),
                    complete=False,
                    for_query=reading.for_query,
                )
            )
        # If we crash from here on, the incomplete import is removed at the next start.
        _store_rows(node.store, import_id, reading, read_here(node, raw), accept_refused=terms.accept_refused)
        _check_counts(reading.counts, accept_refused=terms.accept_refused)
        report = reading.report(import_id, terms.name, replace(raw.layout, top=()))  # shows nobody
        # What can fail is done by now: whoever is told that it failed may send the list again.
        with node.store.transaction("import.complete") as session:
            row = session.get_one(ImportRow, import_id)
            row.complete, row.records, row.refused = True, reading.counts.accepted, reading.counts.refused
            row.digest, row.filled = reading.digest.hexdigest(), dict(reading.filled.counts)
            counts = {"records": row.records, "refused": row.refused}
            log_import(session, node.journal, actor, EntryKind.IMPORT, Action.IMPORT_RECORDS, import_id, counts)
            if terms.are_columns_chosen:
                remember(session, raw.layout)
    except BaseException:
        _remove(node.journal, import_id)
        raise
    _LOG.info("list_imported", count=reading.counts.accepted)
    return report


def _check_counts(counts: ReadReport, *, accept_refused: bool) -> None:
    """Refuse a list with refused rows, unless the operator goes on without them, and one without any other row."""
    if counts.refused and not accept_refused:
        raise InputError("list_rows_refused", accepted=counts.accepted, refused=counts.refused)
    if not counts.accepted:
        raise InputError("list_rows_all_refused", refused=counts.refused)


def _store_rows(store: Store, import_id: str, reading: _Reading, rows: Iterable[Row], *, accept_refused: bool) -> None:
    """Store the rows in batches, each in a transaction, so that no other writer waits for a long list."""
    batch: list[Record] = []
    stored = 0
    for row in reading.counts.watch(rows):
        reading.watch(row)
        _store_findings(store, import_id, reading, _BATCH)
        if isinstance(row, AcceptedRow) and (accept_refused or not reading.counts.refused):
            batch.append(row.record)
            if len(batch) == _BATCH:
                stored += _store_batch(store, import_id, stored, batch, reading)
    if batch:
        _store_batch(store, import_id, stored, batch, reading)
    _store_findings(store, import_id, reading, 1)


def _store_findings(store: Store, import_id: str, reading: _Reading, least: int) -> None:
    """Store the findings that are not stored yet, if there are at least as many."""
    findings = reading.unstored or []
    if len(findings) < least:
        return
    rows = finding_rows(import_id, findings, reading.stored)
    reading.stored += len(rows)
    findings.clear()
    with store.transaction("import.findings") as session:
        session.execute(insert(FindingRow), rows)


def _store_batch(store: Store, import_id: str, first: int, batch: list[Record], reading: _Reading) -> int:
    """Store a batch, empty it, and return how many records it had."""
    rows: list[dict[str, Any]] = [
        {
            "import_id": import_id,
            "position": position,
            "record_id": record.record_id,
            "content": record.to_json(),
            "words": search_text(record),
        }
        for position, record in enumerate(batch, start=first)
    ]
    batch.clear()
    reading.digest.add(*((row["record_id"], row["content"]) for row in rows))
    reading.filled.add(*(row["content"] for row in rows))
    with store.transaction("import.batch") as session:
        session.execute(insert(RecordRow), rows)
    return len(rows)


def remove_incomplete(journal: Journal, home: Path) -> None:
    """Remove what an import or a search that was interrupted has left."""
    comparisons.remove_leftovers(home)
    with journal.store.reading("import.incomplete") as session:
        left = list(session.scalars(select(ImportRow.import_id).where(~ImportRow.complete)))
    for import_id in left:
        _remove(journal, import_id)


def list_imports(store: Store) -> forms.Imports:
    """Return the stored lists, newest first."""
    query = select(ImportRow).where(ImportRow.complete).order_by(ImportRow.imported_at.desc(), ImportRow.import_id)
    counted = select(FindingRow.import_id, func.count()).group_by(FindingRow.import_id)
    with store.reading("import.list") as session:
        findings = {row[0]: row[1] for row in session.execute(counted)}
        return forms.Imports(
            imports=tuple(
                forms.ImportEntry.of_fields(row, findings=findings.get(row.import_id, 0))
                for row in session.scalars(query)
            )
        )


def delete_import(journal: Journal, actor: Actor, import_id: str) -> None:
    """Delete a stored list; hits on it keep its record ids."""
    with journal.store.reading("import.use") as session:
        if session.get(ImportRow, import_id) is None:
            raise NotFoundError("import_unknown")
        round_id = round_with_list(session, import_id)
        if standing_queries_of(session, import_id):
            raise PolicyError("list_of_standing_query")
    if round_id is not None:
        raise PolicyError("list_in_unfinished_round", round=round_id)
    _remove(journal, import_id, actor)


def round_with_list(session: Session, import_id: str) -> str | None:
    """Return a round that goes on and was or will be given a list, or None."""
    used = (
        select(SubmissionRow.round_id)
        .join(RoundRow, RoundRow.round_id == SubmissionRow.round_id)
        .where(
            SubmissionRow.import_id == import_id,
            SubmissionRow.state != SubmissionState.FAILED,
            RoundRow.state == LocalRoundState.ACTIVE,
        )
    )
    return session.scalars(used).first()


def _remove(journal: Journal, import_id: str, actor: Actor | None = None) -> None:
    """Remove an import and its records, and their bytes from the database's files.

    Without an actor it never was complete: then there is nothing that the log would have to say.
    """
    with journal.store.transaction("import.remove") as session:
        session.execute(delete(FindingRow).where(FindingRow.import_id == import_id))
        deleted = session.execute(delete(RecordRow).where(RecordRow.import_id == import_id))
        removed = cast("CursorResult[Any]", deleted).rowcount
        if actor is not None:
            counts = {"records": removed}
            log_import(session, journal, actor, EntryKind.ERASURE, Action.DELETE_RECORDS, import_id, counts)
        session.execute(delete(ImportRow).where(ImportRow.import_id == import_id))
    # If we crash here, the bytes of deleted rows go with the next scrub.
    if removed:
        overwrite_deleted(journal.store, RecordRow.__table__)  # type: ignore[arg-type]  # a declared table is a Table


def log_import(  # what an entry says
    session: Session,
    journal: Journal,
    actor: Actor,
    kind: EntryKind,
    action: Action,
    import_id: str,
    counts: dict[str, int],
) -> None:
    """Append the entry of what was done with an import."""
    journal.log(session, kind, (actor, action), counts=counts, ids={"import": import_id})
