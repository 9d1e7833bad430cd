"""One record of a stored list corrected, or taken out of it, while the rest of the list stays.

A hit shows the record that was matched, and a round goes by the places of its records. So nothing changes in a list
that an open round uses, nor a record that has a hit: that one is erased with its hits, and the corrected one comes with
the next list. The log has a correction as one record less and one more.
"""

from sqlalchemy import Table, delete, func, insert, select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind
from aquila.audit.roles import Action
from aquila.errors import InputError, PolicyError
from aquila.interface.records import CorrectionReport, RecordCorrection, names_of
from aquila.records.indicators import IndicatorTable, coded
from aquila.records.reading.columns import read_texts
from aquila.records.rows import AcceptedRow, Row
from aquila.records.search import search_text
from services.kit.actor import Actor
from services.kit.errors import NotFoundError
from services.kit.log.entries import Journal
from services.kit.logging import Log
from services.node.records.erasure import close_gaps, overwrite_deleted
from services.node.records.imports import log_import, round_with_list
from services.node.records.list_reading import finding_rows, findings_of
from services.node.records.stored_lists import following_removal
from services.node.storage.imports import complete_import
from services.node.storage.tables import FindingRow, HitRow, RecordRow

_LOG = Log("node.corrections")
_LINE = 1  # of a row that is typed
_ONE = {"records": 1}
_TABLES: tuple[Table, ...] = (RecordRow.__table__, FindingRow.__table__)  # type: ignore[assignment]  # declared tables


def check_correction(
    journal: Journal, indicators: IndicatorTable, import_id: str, position: int, wanted: RecordCorrection
) -> CorrectionReport:
    """Return how a corrected record would be read, with its findings; nothing is stored.

    Raises:
        PolicyError: It cannot be changed now, because of a round or of its hits.
    """
    with journal.store.reading("record.check_correction") as session:
        return _report(_read(_free_record(session, import_id, position).record_id, wanted, indicators))


def correct_record(
    journal: Journal, indicators: IndicatorTable, actor: Actor, import_id: str, position: int, wanted: RecordCorrection
) -> CorrectionReport:
    """Store other fields of a record; its identifier and place stay.

    Raises:
        PolicyError: It cannot be changed now, because of a round or of its hits.
    """
    with journal.store.transaction("record.correct") as session:
        found = _free_record(session, import_id, position)
        row = _read(found.record_id, wanted, indicators)
        if not isinstance(row, AcceptedRow):
            raise InputError("correction_refused")
        found.content, found.words = row.record.to_json(), search_text(row.record)
        complete_import(session, import_id).changed()
        _replace_findings(session, import_id, row)
        log_import(session, journal, actor, EntryKind.ERASURE, Action.DELETE_RECORDS, import_id, _ONE)
        log_import(session, journal, actor, EntryKind.IMPORT, Action.IMPORT_RECORDS, import_id, _ONE)
    # If we crash here, the bytes of what was replaced go with the next scrub.
    overwrite_deleted(journal.store, *_TABLES)
    _LOG.info("record_corrected")
    return _report(row)


def take_out_record(journal: Journal, actor: Actor, import_id: str, position: int) -> None:
    """Take a record out of a list; unlike an erased one it may come again with another list."""
    with journal.store.transaction("record.take_out") as session:
        found, stored = _free_record(session, import_id, position), complete_import(session, import_id)
        if stored.records == 1:
            raise PolicyError("last_record_of_list")
        where = FindingRow.import_id == import_id, FindingRow.record_id == found.record_id
        session.execute(delete(FindingRow).where(*where))
        with following_removal(session, import_id):
            session.delete(found)
            session.flush()
            stored.changed()
            close_gaps(session, import_id)
        log_import(session, journal, actor, EntryKind.ERASURE, Action.DELETE_RECORDS, import_id, _ONE)
    # If we crash here, the bytes of deleted rows go with the next scrub.
    overwrite_deleted(journal.store, *_TABLES)
    _LOG.info("record_taken_out")


def _free_record(session: Session, import_id: str, position: int) -> RecordRow:
    """Return a record that may change."""
    complete_import(session, import_id)
    found = session.get(RecordRow, (import_id, position))
    if found is None:
        raise NotFoundError("record_unknown")
    round_id = round_with_list(session, import_id)
    if round_id is not None:
        raise PolicyError("list_in_unfinished_round", round=round_id)
    hit = select(HitRow.hit_id).where(HitRow.import_id == import_id, HitRow.position == position).limit(1)
    if session.scalar(hit) is not None:
        raise PolicyError("matched_record_stays")
    return found


def _read(record_id: str, wanted: RecordCorrection, indicators: IndicatorTable) -> Row:
    return next(coded([read_texts(_LINE, {"record_id": [record_id], **wanted.texts()})], indicators))


def _report(row: Row) -> CorrectionReport:
    return CorrectionReport(
        findings=tuple(findings_of(row)), names=names_of(row.record) if isinstance(row, AcceptedRow) else None
    )


def _replace_findings(session: Session, import_id: str, row: AcceptedRow) -> None:
    """Store the findings about a corrected record in place of those about the one before."""
    of_record = FindingRow.import_id == import_id, FindingRow.record_id == row.record.record_id
    line = session.scalar(select(func.min(FindingRow.line)).where(*of_record)) or _LINE
    session.execute(delete(FindingRow).where(*of_record))
    last = session.scalar(select(func.max(FindingRow.number)).where(FindingRow.import_id == import_id))
    found = [finding.model_copy(update={"line": line}) for finding in findings_of(row)]
    if found:
        session.execute(insert(FindingRow), finding_rows(import_id, found, 0 if last is None else last + 1))
