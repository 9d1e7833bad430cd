"""Reports of hits: handles become own records again, and only now (PROTOCOL.md 3.7)."""

import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.errors import ProtocolError
from aquila.followup.lifecycle import Urgency
from aquila.interface.rounds import SubmissionState
from aquila.protocol.log_entries import statement_entry
from aquila.protocol.messages import Hit, HitReport, Kind, Message
from aquila.protocol.messages.feed import Event, EventKind
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.submissions.submission import HANDLE_BYTES, handles_of
from aquila.records.indicators import IndicatorTable
from aquila.sentences import Sentence
from aquila.sentences.sentence import loads
from services.kit.log.entries import append
from services.kit.logging import Log
from services.kit.storage.store import Store
from services.node.context import Clock, NodeContext
from services.node.hits import lifecycle
from services.node.logs import checks
from services.node.records import erasure
from services.node.records.stored_lists import is_of_standing_query
from services.node.round_memory import round_row
from services.node.rounds import statements
from services.node.safeguards import alarms, left_out
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import (
    HitRow,
    ImportRow,
    PendingStatementKind,
    PendingStatementRow,
    ProblemRow,
    RecordRow,
    SubmissionRow,
)

_LOG = Log("node.reports")
_AT_ONCE = 500


class OwnRecordRef(NamedTuple):
    """Data of its own record that a hit keeps; the position is that in the import."""

    position: int
    record_id: str
    handling_code: str | None = None
    person: str | None = None
    indicators: str | None = None


class ResolvedReport(NamedTuple):
    """The records behind the handles of a report: the own import, and the kept data of each record, by handle."""

    import_id: str
    records: dict[str, OwnRecordRef]
    erased: frozenset[str]
    """Handles of records that were erased since their list was submitted."""
    checked: left_out.Checked | None
    """What this node found when it checked the report; None before its last page."""


def is_own_report(code: str, registry: Registry, event: Event) -> bool:
    """Return whether an event is a report for this node."""
    report = _report_of(registry, event)
    return report is not None and report.party == code


def check(node: NodeContext, round_: Round, message: Message) -> None:
    """Refuse a report for this node on a basis that no lists give; raises PolicyError as `Party.check_report` does."""
    if isinstance(message, HitReport) and message.party == node.code and node.has_rules_of(round_.manifest):
        node.party.check_report(message, node.table_of(round_.manifest))


def resolve(node: NodeContext, round_id: str, event: Event, own: left_out.OwnRows) -> ResolvedReport | None:
    """Find the own records of a report's handles; None for any other event, or where nothing was submitted.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    report = _report_of(node.registry, event)
    if report is None or report.party != node.code:
        return None
    with node.store.reading("report.submission") as session:
        if round_row(session, round_id).state != LocalRoundState.ACTIVE:
            return None  # the keys are gone, and with them the way from handles to records
        submission = _own_submission(session, round_id, report.submission_id)
        records = session.get_one(ImportRow, submission.import_id).records if submission else 0
    if submission is None:
        return None
    memory = node.rounds.of(round_id)
    checked = left_out.check(node, memory.record(), report, own)
    wanted = {hit.handle for hit in report.hits}
    if report.submission_id is not None:
        wanted |= {pair.handle for pair in report.below}  # who was told of before, for the alarm
    elif checked is not None:
        wanted |= {handle for handle, _ in checked.weak}
    if not wanted:
        return ResolvedReport(submission.import_id, {}, frozenset(), checked)
    with memory.seed(submission.submission_id) as seed:
        octets = handles_of(seed, range(records), memory.record().handles_for(report.counterpart))
        every = np.frombuffer(octets, dtype=f"S{HANDLE_BYTES}")
    mine = np.frombuffer(bytes.fromhex("".join(wanted)), dtype=every.dtype)
    places = np.flatnonzero(np.isin(every, mine)).tolist()
    positions = {place: every[place : place + 1].tobytes().hex() for place in places}
    records_found = _known_records(node.store, node.indicators, submission.import_id, positions)
    return ResolvedReport(
        submission.import_id, records_found, frozenset(positions.values()) - set(records_found), checked
    )


def _known_records(
    store: Store, indicators: IndicatorTable, import_id: str, positions: dict[int, str]
) -> dict[str, OwnRecordRef]:
    """Return the kept data of the record of each handle, read some hundred at a time."""
    found: dict[str, OwnRecordRef] = {}
    places = sorted(positions)
    columns = RecordRow.position, RecordRow.record_id, RecordRow.content
    query = select(*columns).where(RecordRow.import_id == import_id)
    with store.reading("report.records") as session:
        for first in range(0, len(places), _AT_ONCE):
            asked = query.where(RecordRow.position.in_(places[first : first + _AT_ONCE]))
            for place, record_id, content in session.execute(asked):
                record = json.loads(content)
                codes = indicators.known(record.get("indicators", ()))
                found[positions[place]] = OwnRecordRef(
                    place,
                    record_id,
                    record.get("handling_code"),
                    lifecycle.person_digest(record_id, record),
                    f" {' '.join(codes)} " if codes else None,
                )
    return found


def store(
    session: Session, node: NodeContext, round_: Round, report: HitReport, digest: str, found: ResolvedReport | None
) -> None:
    """Store the hits of a report, or of a page, in the transaction that takes it, and let its receipt be signed.

    Args:
        round_: The record, which has taken the report.
        report: The report, or a page of it.
    """
    rows: dict[str, HitRow] = {}
    known = _known_hits(session, report)
    for hit in report.hits:
        record = _record_of(found, hit.handle)
        if found is not None and record is not None and hit.hit_id not in known:
            rows[hit.hit_id] = HitRow(
                round_id=round_.round_id,
                hit_id=hit.hit_id,
                import_id=found.import_id,
                position=record.position,
                record_id=record.record_id,
                counterpart=report.counterpart,
                certainty=hit.certainty.value,
                families=list(hit.families),
                submission_id=report.submission_id,
                handling_code=record.handling_code,
                indicators=record.indicators,
                person=record.person,
            )
    session.add_all(rows.values())
    append(session, statement_entry(report, digest, node.clock()))
    coming = list(rows.values())
    query = round_.submissions.get(report.submission_id or "")
    urgent = query is not None and query.justification.urgency is Urgency.URGENT
    lifecycle.start_lifecycle(session, node.clock, coming, urgent=urgent)
    lifecycle.carry(session, node.journal, round_.round_id, coming)
    if is_of_standing_query(session, report.submission_id):
        lifecycle.mark_first(session, coming)
    gone = [hit for hit in report.hits if found and hit.handle in found.erased and hit.hit_id not in known]
    unknown = _count_unknown(session, node, report, len(report.hits) - len(rows) - len(gone))
    _LOG.info("hits_stored", round=round_.round_id, count=len(rows) + len(gone))
    if not report.is_complete:
        _withdraw_erased(session, node.clock, report, gone, counted=True)
        return
    alarms.report_meetings(session, node.clock, round_.round_id)
    # Before the receipt: once the matcher has that of everybody it may end the round.
    key = ReportKey.of(report)
    if found is not None:
        persons = {handle: one.person for handle, one in found.records.items() if one.person}
        left_out.store_check(session, node, round_, key, found.checked, persons)
    hit_handles = {hit.handle for hit in report.hits}
    weak = (_record_of(found, pair.handle) for pair in report.below if pair.handle not in hit_handles)
    below = {record.person for record in weak if record and record.person}
    withheld = alarms.raise_alarm(session, node, round_, report, below)
    _withdraw_erased(session, node.clock, report, gone, counted=not withheld)
    if not withheld and not unknown:  # a receipt says that all hits are stored
        place = {"round_id": round_.round_id, "submission_id": key.submission_id or "", "counterpart": key.counterpart}
        receipt = PendingStatementRow(kind=PendingStatementKind.RECEIPT.value, **place)
        checks.put_pending(session, node.signer, round_, receipt)


def _known_hits(session: Session, report: HitReport) -> set[str]:
    """Return those hits of a report, or of a page, that are stored already; of a long report not all are read again."""
    ids, found = [hit.hit_id for hit in report.hits], set[str]()
    stored = select(HitRow.hit_id).where(HitRow.round_id == report.round_id)
    for first in range(0, len(ids), _AT_ONCE):
        found.update(session.scalars(stored.where(HitRow.hit_id.in_(ids[first : first + _AT_ONCE]))))
    return found


def _count_unknown(session: Session, node: NodeContext, report: HitReport, unknown: int) -> int:
    """Report how many hits are on no record that was sent, those of earlier pages counted, and return how many."""
    place = f"report {report.submission_id or 'lists'} {report.counterpart}"
    before = session.get(ProblemRow, (report.round_id, place)) if report.page and report.page.number else None
    total = unknown + (int(str(loads(before.sentence).fields["hits"])) if before else 0)
    if unknown:
        problem = Sentence.of("hits_on_records_never_sent", hits=total, party=report.counterpart)
        statements.report_problem(session, node.clock, report.round_id, place, problem)
    return total


def _withdraw_erased(session: Session, clock: Clock, report: HitReport, gone: Sequence[Hit], *, counted: bool) -> None:
    """Withdraw hits on records that were erased since their list was submitted."""
    for hit in gone:
        erasure.withdraw_hits_of(session, clock, report.round_id, hit.hit_id, report.counterpart, late=False)
        if counted:
            erasure.add_erased_outcome(session, report.round_id, report.counterpart, hit.certainty.value, "withdrawn")
    if gone and counted:
        lifecycle.record_outcome(session, clock, report.round_id)


def _record_of(found: ResolvedReport | None, handle: str) -> OwnRecordRef | None:
    """Return the kept data of a handle's record."""
    return found.records.get(handle) if found else None


def _report_of(registry: Registry, event: Event) -> HitReport | None:
    if event.kind is not EventKind.STATEMENT or event.envelope is None:
        return None
    if HitReport.payload_type not in event.envelope[-2000:]:
        # The payload type stands behind the payload in the canonical envelope: nothing else is opened twice.
        return None
    try:
        message = statements.message_of(statements.open_statement(registry, event.envelope.encode()))
    except ProtocolError:
        return None  # taking it will say what is wrong with it
    return message if isinstance(message, HitReport) else None


def _own_submission(session: Session, round_id: str, submission_id: str | None) -> SubmissionRow | None:
    """Return the own submission that a report is about: the query that was asked here, or the list."""
    asked = session.get(SubmissionRow, submission_id) if submission_id else None
    if asked is not None:
        return asked
    query = select(SubmissionRow).where(
        SubmissionRow.round_id == round_id,
        SubmissionRow.kind == Kind.LIST.value,
        SubmissionRow.state != SubmissionState.FAILED,
    )
    return session.scalars(query).first()
