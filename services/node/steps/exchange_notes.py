"""Step 10: the sealed exchange after a hit: notes are made, sent, opened and confirmed (PROTOCOL.md 3.7.5 to 3.7.10).

A report's hits are prepared while the round key is there; from then on the note key alone is needed, so that a round
can be closed while notes are on their way. Every piece is committed alone and can be repeated.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.orm import Session

from aquila.crypto.keys import SealingKey
from aquila.crypto.sealing import RoundKey
from aquila.errors import AquilaError, KeyMaterialError, ProtocolError
from aquila.octets import hexadecimal
from aquila.protocol.messages import MAX_NOTES, Fault, HitReport, Manifest, Note, Notes
from aquila.protocol.rounds.exchange import (
    marks_needed,
    prepare,
    seal_entries,
    signed_sizes,
    submission_in_report,
    verify_batch,
)
from aquila.protocol.rounds.follow_ups import PURPOSE, MetRules
from aquila.protocol.rounds.hit_columns import (
    HIT_ID_BYTES,
    HitBatch,
    NoteOpening,
    NoteOpenings,
    TokensByRecord,
    held_tokens,
    hit_batches,
)
from aquila.protocol.rounds.locks import pair_key
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.submissions.submission import FinalizedChunk
from aquila.records.rules import RuleTable
from aquila.sentences import Sentence
from services.kit.errors import ExposedSecretError, StoreError
from services.kit.log.entries import Journal
from services.kit.logging import Log
from services.kit.storage.files import destroy_secret
from services.kit.storage.store import Store
from services.node.context import NodeContext
from services.node.hits import notes
from services.node.round_memory import RoundMemories, round_row
from services.node.rounds import paths, statements
from services.node.rounds.own_reports import OwnReport, own_report, pages_of
from services.node.safeguards.shadow_columns import parts_of_rows
from services.node.steps import follow_ups
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import (
    RECORD_OF_HIT,
    ExchangeRow,
    HitRow,
    NoteBatchRow,
    NoteSecretRow,
    PreparedReportRow,
    ProblemRow,
    RecordRow,
    RoundRow,
    StatementRow,
)

_LOG = Log("node.exchange")
_PER_STEP = 16
_SEALING_KEY = "sealing key"
_PLACE = "notes"


def _is_exchanging(session: Session, round_id: str) -> bool:
    """Return whether notes of a round are not all exchanged."""
    secret = session.get(NoteSecretRow, round_id)
    own = NoteBatchRow.round_id == round_id, NoteBatchRow.own, ~NoteBatchRow.done
    return secret is not None or session.scalar(select(NoteBatchRow.batch_id).where(*own).limit(1)) is not None


def exchange_notes(node: NodeContext, round_id: str) -> bool:
    """Take the exchange of a round some pieces further, and return whether there was any.

    Raises:
        ExposedSecretError, StoreError: The note key cannot be read now; one that is lost ends the exchange.
    """
    busy = prepare_reports(node, round_id)
    with node.store.reading("exchange.known") as session:
        known = _is_exchanging(session, round_id)
    if not known:
        return busy
    try:
        for _ in range(_PER_STEP):
            if not (_sign(node, round_id) or _open(node, round_id) or _end(node.journal, node.rounds, round_id)):
                return busy
            busy = True
    except ExposedSecretError:
        raise
    except KeyMaterialError:
        _give_up(node.journal, node.rounds, round_id, Sentence.of("note_key_missing"))
    return True


def prepare_reports(node: NodeContext, round_id: str) -> bool:
    """Prepare the hits of every report that is stored, while the round key is there; return whether there was one.

    Raises:
        KeyMaterialError: The round key is missing.
        AquilaError: A report could not be prepared; the others were.
    """
    memory = node.rounds.of(round_id)
    with node.store.reading("exchange.reports") as session:
        row = round_row(session, round_id)
        if row.state == LocalRoundState.DESTROYED or row.refused is not None:
            return False
        place = PreparedReportRow.counterpart, PreparedReportRow.submission_id
        prepared = session.execute(select(*place).where(PreparedReportRow.round_id == round_id))
        done = {ReportKey(node.code, counterpart, query or None) for counterpart, query in prepared}
    round_, busy, failure = memory.record(), False, None
    for key in [one for one in round_.reports if one not in done]:
        report = own_report(node.store, node.registry, round_, key)
        try:
            if node.has_rules_of(round_.manifest):
                _prepare(node, round_, report)
            else:
                _set_aside(node.journal, round_, report)
        except StoreError:
            raise
        except AquilaError as error:
            failure = error
        busy = True
    if failure is not None:
        raise failure
    return busy


def _set_aside(journal: Journal, round_: Round, report: OwnReport) -> None:
    """Leave the hits of a report unconfirmed, because another version of Aquila played this round."""
    with journal.store.transaction("exchange.set_aside") as session:
        session.add(PreparedReportRow(**_place_of(report.terms)))
        if report.hits:
            statements.report_problem(
                session, journal.clock, round_.round_id, _PLACE, Sentence.of("hits_stay_unconfirmed")
            )


def leave_unconfirmed(journal: Journal, round_id: str, failure: AquilaError) -> None:
    """Report that hits of a round stay unconfirmed, because they could not be prepared; the first reason is kept.

    Notes of hits that were prepared go out. Those that come are opened only where all hits of a report were prepared.
    """
    with journal.store.transaction("exchange.unconfirmed") as session:
        if session.get(ProblemRow, (round_id, _PLACE)) is None:
            problem = Sentence.of("hits_not_prepared", reason=failure.sentence)
            statements.report_problem(session, journal.clock, round_id, _PLACE, problem)
    _LOG.warning("hits_not_prepared", round=round_id, error=failure)


def _prepare(node: NodeContext, round_: Round, report: OwnReport) -> None:
    """Make keys, notes and openings of a report's hits, and store them under the note key, batch by batch.

    The same report gives the same batches, so after a crash those that are stored already are passed over. Notes of
    the others are opened when all of it is prepared.
    """
    memory, terms = node.rounds.of(round_.round_id), report.terms
    place = _place_of(terms)
    submission = submission_in_report(round_, node.code, terms.submission_id)
    chunks = _chunks(node, round_.round_id, submission, terms.counterpart) if submission and report.hits else ()
    held = held_tokens(report.handles, chunks)
    manifest = round_.manifest
    sizes = signed_sizes(round_, terms)
    kit = _Kit(manifest, terms, sizes, node.table_of(manifest), held, marks_needed(held.most), place)
    secrets = memory.secrets()
    with memory.note_key(make=True) as key:
        # If we crash here, the key lies there, and the next attempt takes it.
        with node.store.transaction("exchange.secret") as session:
            if session.get(NoteSecretRow, round_.round_id) is None:
                sealed = key.seal(_SEALING_KEY, secrets.sealing.to_bytes(), node.random)
                session.add(NoteSecretRow(round_id=round_.round_id, sealed=sealed))
        for batch in hit_batches(pages_of(node.store, node.registry, report), MAX_NOTES):
            with node.store.transaction("exchange.prepare") as session:
                mine = select(NoteBatchRow.batch_id).filter_by(own=True, index=batch.index, **place)
                if session.scalar(mine) is None:
                    _prepare_batch(session, node, key, kit, batch)
    follow_up_key = None
    if terms.submission_id is None:
        with pair_key(round_, node.code, secrets, terms.counterpart, PURPOSE) as pair, pair.reveal() as octets:
            follow_up_key = bytes(octets)
    with node.store.transaction("exchange.prepared") as session:
        session.add(PreparedReportRow(follow_up_key=follow_up_key, **place))
        session.flush()
        follow_ups.compare(session, node, round_)
    _LOG.info("hits_prepared", round=round_.round_id, count=report.hits)


@dataclass(frozen=True, slots=True, repr=False)
class _Kit:
    """The terms on which the hits of one report are prepared: the report without them, and the data of all of them."""

    manifest: Manifest
    terms: HitReport
    sizes: tuple[int, int]
    table: RuleTable
    held: TokensByRecord
    marks: int
    place: dict[str, str]


def _prepare_batch(session: Session, node: NodeContext, key: RoundKey, kit: _Kit, batch: HitBatch) -> None:
    """Store the note openings of some hits and their own sealed notes."""
    hits = batch.hits
    ids = hexadecimal(hits.ids, HIT_ID_BYTES)
    records = _records(session, kit.place["round_id"], ids)
    told, rows, faulty = [], [], dict[Fault, list[str]]()
    prepared = prepare(kit.sizes, kit.table, kit.terms, hits, kit.held, node.random)
    for one in prepared.openings.each():
        hit_id, reference = one.hit_id, notes.draw_reference(node.code, node.random)
        record: dict[str, Any] = json.loads(records.get(hit_id) or b"{}")
        note = notes.note_of(node, kit.manifest, record, reference, one.report_digest)
        told.append(note.model_dump_json().encode())
        opening = key.seal(hit_id, one.to_bytes(), node.random)
        met, whole = MetRules.of(one.rules, one.places)
        rows.append(
            {"hit_id": hit_id, "reference": reference, "opening": opening, "met": met, "whole": whole} | kit.place
        )
        if one.fault is not None:
            faulty.setdefault(one.fault, []).append(hit_id)
    session.execute(insert(ExchangeRow), rows)
    entries = seal_entries(prepared, told, kit.marks, node.random)
    octets = key.seal(_batch(kit.place, batch.index), b"".join(entries), node.random)
    session.add(NoteBatchRow(index=batch.index, own=True, hits=ids, entries=octets, **kit.place))
    for fault, wrong in faulty.items():
        found = notes.exchange_rows(session, kit.place["round_id"], wrong)
        notes.refute(session, node.journal, list(found.values()), fault, node.code)


def _chunks(node: NodeContext, round_id: str, submission: str, counterpart: str) -> Iterator[FinalizedChunk]:
    """Yield the tokens and token secrets of an own submission for a counterpart, chunk by chunk."""
    key = node.rounds.of(round_id).key()
    for part in parts_of_rows(node, submission, counterpart):
        place = round_id, submission, counterpart, part.index
        names = paths.tokens(*place), paths.token_secrets(*place)
        yield FinalizedChunk(*(key.open(name, node.files.read(name)) for name in names))


def _records(session: Session, round_id: str, hit_ids: Sequence[str]) -> dict[str, bytes]:
    """Return the own records of some hits as JSON, by hit id."""
    query = select(HitRow.hit_id, RecordRow.content).join(RecordRow, RECORD_OF_HIT).where(HitRow.round_id == round_id)
    return {row.hit_id: row.content for row in session.execute(query.where(HitRow.hit_id.in_(hit_ids)))}


def _place_of(report: HitReport) -> dict[str, str]:
    """Return the columns that name a report in rows."""
    query = report.submission_id or ""
    return {"round_id": report.round_id, "submission_id": query, "counterpart": report.counterpart}


def _batch(place: Mapping[str, str], index: int) -> str:
    return f"notes {place['submission_id']} {place['counterpart']} {index}"


def _sign(node: NodeContext, round_id: str) -> bool:
    """Sign the next batch of own notes that is due (PROTOCOL.md 3.7.7), and return whether there was one."""
    memory = node.rounds.of(round_id)
    waiting = NoteBatchRow.round_id == round_id, NoteBatchRow.own, NoteBatchRow.digest.is_(None)
    with memory.reading() as round_, node.store.transaction("exchange.sign") as session:
        if node.clock() > round_.notes_expire:
            return False
        # The first of each report and counterpart: a report of a million hits has thousands of batches.
        first, *of = func.min(NoteBatchRow.batch_id), NoteBatchRow.counterpart, NoteBatchRow.submission_id
        lines = session.execute(select(first, *of).where(*waiting).group_by(*of).order_by(first)).all()
        due = next((line[0] for line in lines if _is_due(session, node.code, round_, line[1], line[2])), None)
        if due is None:
            return False
        row = session.get_one(NoteBatchRow, due)
        with memory.note_key() as key:
            place = {"submission_id": row.submission_id, "counterpart": row.counterpart}
            octets = key.open(_batch(place, row.index), row.entries or b"")
        width = len(octets) // len(row.hits)
        entries = [octets[start : start + width] for start in range(0, len(octets), width)]
        terms = row.counterpart, row.submission_id or None, row.index, entries
        signed = statements.sign(session, node.signer, round_, node.party.notes, *terms)
        row.digest, row.entries = signed.digest, None
    return True


def _is_due(session: Session, code: str, round_: Round, counterpart: str, submission_id: str) -> bool:
    """Return whether notes may go: on lists and own queries at once, on another's query after the asker's notes."""
    query = round_.submissions.get(submission_id)
    if query is None or query.party == code:
        return True
    came = select(NoteBatchRow.batch_id).where(
        NoteBatchRow.round_id == round_.round_id,
        ~NoteBatchRow.own,
        NoteBatchRow.counterpart == counterpart,
        NoteBatchRow.submission_id == submission_id,
    )
    return session.scalar(came.limit(1)) is not None


def _open(node: NodeContext, round_id: str) -> bool:
    """Open the next batch that came, verify its notes and sign a confirmation; return whether there was one."""
    memory = node.rounds.of(round_id)
    prepared = exists().where(
        PreparedReportRow.round_id == NoteBatchRow.round_id,
        PreparedReportRow.submission_id == NoteBatchRow.submission_id,
        PreparedReportRow.counterpart == NoteBatchRow.counterpart,
    )
    waiting = NoteBatchRow.round_id == round_id, ~NoteBatchRow.own, ~NoteBatchRow.done, prepared
    with memory.reading() as round_, node.store.transaction("exchange.open") as session:
        query = select(NoteBatchRow).where(*waiting).order_by(NoteBatchRow.batch_id)
        row = session.scalars(query.limit(1)).first()
        if row is None or node.clock() > round_.notes_expire:
            return False
        statement = session.get_one(StatementRow, (round_id, row.digest or ""))
        message = statements.message_of(statements.open_statement(node.registry, statement.envelope))
        assert isinstance(message, Notes)
        row.done = True
        sealed = session.get_one(NoteSecretRow, round_id).sealed
        with memory.note_key() as key, SealingKey(key.open(_SEALING_KEY, sealed)) as sealing:
            try:
                entries = node.party.open_notes(message, sealing)
            except ProtocolError as error:
                # Its sender signed something that is no batch: these hits stay unconfirmed.
                problem = Sentence.of("notes_cannot_be_read", counterpart=row.counterpart, reason=error.sentence)
                statements.report_problem(session, node.clock, round_id, f"notes {statement.digest[:16]}", problem)
                return True
            refuted = _verify(session, node.journal, key, row, entries, round_.manifest)
        statements.sign(session, node.signer, round_, node.party.confirm, message, statement.digest, refuted)
    return True


def _verify(
    session: Session,
    journal: Journal,
    key: RoundKey,
    batch: NoteBatchRow,
    entries: Sequence[tuple[str, bytes]],
    manifest: Manifest,
) -> dict[str, Fault]:
    """Verify the notes of a batch, store their contents, and return the hits that do not hold."""
    rows = notes.exchange_rows(session, batch.round_id, [hit_id for hit_id, _ in entries])
    mine = {
        hit_id: row
        for hit_id, row in rows.items()
        if (row.counterpart, row.submission_id) == (batch.counterpart, batch.submission_id)
    }
    openings = {
        hit_id: NoteOpening.from_bytes(key.open(hit_id, row.opening)) for hit_id, row in mine.items() if row.opening
    }
    known = {hit_id for hit_id, row in mine.items() if row.opening is None}
    found = verify_batch(NoteOpenings.of(openings.values()), known, entries)
    faults: dict[Fault, list[str]] = {}
    for hit_id, verdict in found.items():
        if isinstance(verdict, Note):
            notes.keep_note(mine[hit_id], verdict, openings[hit_id].met, manifest)
        else:
            faults.setdefault(verdict, []).append(hit_id)
        if hit_id in mine:
            mine[hit_id].opening = None
    for fault, ids in faults.items():
        notes.refute(session, journal, [mine[hit_id] for hit_id in ids if hit_id in mine], fault, journal.code)
        if fault is Fault.UNREPORTED:
            notes.report_hidden(session, journal, batch, len(ids))
    notes.record_confirmation(session, journal, batch.round_id, [mine[hit_id] for hit_id in found if hit_id in mine])
    return {hit_id: verdict for hit_id, verdict in found.items() if isinstance(verdict, Fault)}


def _end(journal: Journal, rounds: RoundMemories, round_id: str) -> bool:
    """Destroy the note key when every note was opened, or when their time is over; return whether it was destroyed."""
    with rounds.of(round_id).reading() as round_, journal.store.reading("exchange.left") as session:
        expired = journal.clock() > round_.notes_expire
        late = journal.clock() > round_.manifest.window.closes_at
        # While the round goes on, a query may still bring a report, and notes of hits that were hidden here may come.
        is_over = expired or session.get_one(RoundRow, round_id).state == LocalRoundState.DESTROYED
        known = session.get(NoteSecretRow, round_id) is not None
        left, unanswered = _left(session, round_id) if is_over else (True, True)
    if expired and (left or unanswered):
        _give_up(journal, rounds, round_id, Sentence.of("time_for_notes_is_over"))
        return True
    if known and is_over and not left:
        _destroy(journal.store, rounds, round_id, over=False)
        return True
    return late and notes.report_late(journal, round_id)


def _left(session: Session, round_id: str) -> tuple[bool, bool]:
    """Return whether notes are not all opened and sent, and whether some that were sent are not confirmed."""
    mine = NoteBatchRow.round_id == round_id, ~NoteBatchRow.done
    batches = select(NoteBatchRow.batch_id)
    unopened = select(ExchangeRow.hit_id).where(ExchangeRow.round_id == round_id, ExchangeRow.opening.is_not(None))
    unsent = batches.where(*mine, ~NoteBatchRow.own | NoteBatchRow.digest.is_(None))
    unconfirmed = batches.where(*mine, NoteBatchRow.own)
    left = [session.scalar(query.limit(1)) is not None for query in (unopened, unsent, unconfirmed)]
    return left[0] or left[1], left[2]


def forget_if_refused(store: Store, rounds: RoundMemories, round_id: str) -> None:
    """Destroy what is left of the exchange of a round in which this node takes no further part."""
    with store.reading("exchange.refused") as session:
        refused = round_row(session, round_id).refused
    if refused is not None:
        forget(store, rounds, round_id)


def forget(store: Store, rounds: RoundMemories, round_id: str) -> None:
    """Destroy what is left of the exchange of a round in which no more notes can be exchanged."""
    with store.reading("exchange.forgotten") as session:
        known = _is_exchanging(session, round_id)
    if known:
        _destroy(store, rounds, round_id, over=True)


def _give_up(journal: Journal, rounds: RoundMemories, round_id: str, problem: Sentence) -> None:
    """End the exchange with hits that are unconfirmed, and report it."""
    with journal.store.transaction("exchange.give_up") as session:
        statements.report_problem(session, journal.clock, round_id, _PLACE, problem)
    _LOG.warning("notes_missing", round=round_id)
    _destroy(journal.store, rounds, round_id, over=True)


def _destroy(store: Store, rounds: RoundMemories, round_id: str, *, over: bool) -> None:
    """Destroy the note key and everything under it. If we crash in between, it is done again.

    With `over`, confirmations are not waited for any more.
    """
    destroy_secret(rounds.of(round_id).note_key_path)
    with store.transaction("exchange.destroy") as session:
        session.execute(update(ExchangeRow).where(ExchangeRow.round_id == round_id).values(opening=None))
        batches = update(NoteBatchRow).where(NoteBatchRow.round_id == round_id)
        session.execute(batches.values({"entries": None, "done": True} if over else {"entries": None}))
        session.execute(delete(NoteSecretRow).where(NoteSecretRow.round_id == round_id))
    store.erase_deleted(ExchangeRow.__table__, NoteBatchRow.__table__, NoteSecretRow.__table__)  # type: ignore[arg-type]  # tables, all of them
    _LOG.info("note_key_destroyed", round=round_id)
