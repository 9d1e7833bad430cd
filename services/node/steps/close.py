"""Step 9: the end of a round at this node: the key goes first, then everything that it sealed (PROTOCOL.md 3.9).

Hits, notes and statements stay until the retention of the manifest is over, and are erased then (section 8).
Justifications of submissions are kept for three years, as Prüm II asks, and erased then (8.5): those of this node's
submissions beside them and in what it signed, those of others in what they signed. A standing query is erased as a
whole three years after it ended.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind, Word
from aquila.errors import AquilaError, LogRewrittenError
from aquila.interface.rounds import SubmissionState
from aquila.protocol.messages import StatementKind
from aquila.protocol.rounds.round_state import ENDED_PHASES, Phase
from aquila.protocol.rounds.verified_round import JUSTIFICATION_DAYS, Round, without_justification
from aquila.sentences import Sentence, text_of
from aquila.sentences.sentence import dumps, loads
from services.kit.errors import StoreError
from services.kit.log.entries import Journal, statements_kept
from services.kit.logging import Log
from services.kit.people.context import log_entry
from services.node.context import NodeContext, Signer
from services.node.logs import checks
from services.node.records.erasure import tables_of_hits
from services.node.round_memory import round_row
from services.node.rounds import statements
from services.node.rounds.attention import stored_manifest
from services.node.rounds.own_reports import on_hold
from services.node.steps import exchange_notes
from services.node.storage.states import UNSIGNED, DestructionReason, LocalRoundState
from services.node.storage.tables import (
    AlarmRow,
    ChangeRow,
    ChunkDownloadRow,
    ErasedOutcomeCountRow,
    EvaluationDownloadRow,
    HitRow,
    NoteBatchRow,
    NoteSecretRow,
    PairCheckRow,
    PendingStatementKind,
    PendingStatementRow,
    PreparedReportRow,
    ProblemRow,
    RoundRow,
    SecretRow,
    StandingQueryRow,
    StatementRow,
    SubmissionRow,
    WithdrawalRow,
)

DESTROYED_WITH_THE_KEY = (SecretRow, ChunkDownloadRow, EvaluationDownloadRow)
"""Rows of a round that go with its key."""

_LOG = Log("node.close")


def decide(node: NodeContext, row: RoundRow) -> bool:
    """Mark a round whose end has come, by the matcher, the operator or our own clock; return whether it was marked.

    From the mark on nothing is evaluated, finalized or sent but last words.
    """
    round_id = row.round_id
    with node.rounds.of(round_id).reading() as round_:
        is_over = node.clock() > round_.manifest.window.closes_at
        ends = round_.ending is not None or row.abort_reason is not None or row.close_wished or is_over
        return ends and _mark(node, round_)


def decide_unread(node: NodeContext, row: RoundRow, failure: AquilaError) -> bool:
    """Mark a round whose end has come by its row and the window of its manifest; return whether it was marked.

    For a round whose record cannot be read: that keeps no key. A failure of the store may pass, so it is
    waited for until the time of the round is over. The refusal of an abort is signed with the last words.
    """
    if isinstance(failure, StoreError) and not _is_over(node, row):
        return False
    if row.phase in ENDED_PHASES:
        reason = DestructionReason(row.phase)
    elif row.abort_reason is not None:
        reason = DestructionReason.ABORTED
    elif _is_over(node, row):
        reason = DestructionReason.TIME_OVER
    else:
        return False
    with node.store.transaction("close.decide_unread") as session:
        _enter_destroying(session, round_row(session, row.round_id), reason)
    _LOG.warning("round_ends_unread", round=row.round_id, state=reason.value, error=failure)
    return True


def _is_over(node: NodeContext, row: RoundRow) -> bool:
    """Return whether the time of a round is over by its stored manifest."""
    return node.clock() > stored_manifest(row).window.closes_at


def _mark(node: NodeContext, round_: Round) -> bool:
    round_id = round_.round_id
    with node.store.transaction("close.decide") as session:
        row = round_row(session, round_id)
        reason = _reason(session, node.journal, round_, row)
        if row.state != LocalRoundState.ACTIVE or reason is None:
            return False
        rewritten = isinstance(node.contact.obstacle, LogRewrittenError)
        if row.abort_reason is not None and not round_.ending and not rewritten:
            # The refusal is signed before the keys go, and sent after: it says that they are gone.
            statements.sign_refusal(session, node.signer, round_, row.abort_reason)
        _enter_destroying(session, row, reason)
    _LOG.info("round_ends", round=round_id, state=reason.value)
    return True


def _enter_destroying(session: Session, row: RoundRow, reason: DestructionReason) -> None:
    row.enter(LocalRoundState.DESTROYING)
    row.outcome = reason.value
    unsigned = SubmissionRow.round_id == row.round_id, SubmissionRow.state.in_(UNSIGNED)
    for submission in session.scalars(select(SubmissionRow).where(*unsigned)).all():
        submission.enter(SubmissionState.FAILED)  # one by one: each row is sealed


def _reason(session: Session, journal: Journal, round_: Round, row: RoundRow) -> DestructionReason | None:
    if round_.ending:
        return DestructionReason(round_.ending.outcome)
    if row.abort_reason is not None:
        return DestructionReason.ABORTED
    has_hits = round_.has_its_hits(journal.code)
    if row.close_wished and has_hits and not on_hold(session, row.round_id):
        return DestructionReason.CLOSED_HERE
    if journal.clock() > round_.manifest.window.closes_at:
        return DestructionReason.TIME_OVER
    return None


def destroy_key(node: NodeContext, round_id: str) -> bool:
    """Destroy what a marked round leaves behind, then sign that it is gone. All of it can be repeated."""
    memory = node.rounds.of(round_id)
    if not memory.destroyed:
        _destroy(node, round_id)
        memory.destroyed = True
    # 4. The statement that it is done, with the mark that it is. While a log is under alarm nothing is signed: this
    #    is tried again then.
    if isinstance(node.contact.obstacle, LogRewrittenError):
        return False
    with memory.reading() as round_, node.store.transaction("close.sign") as session:
        row = round_row(session, round_id)
        node.journal.log(session, EntryKind.KEY_DESTRUCTION, round=round_id)
        _last_words(session, node.signer, round_, row)
        row.enter(LocalRoundState.DESTROYED)
    memory.destroyed = False  # a party that is left out afterwards destroys once more
    _LOG.info("round_destroyed", round=round_id)
    return True


def _destroy(node: NodeContext, round_id: str) -> None:
    """Take steps 0 to 3 of the destruction."""
    memory = node.rounds.of(round_id)
    # 0. What opens notes needs the token secrets once more.
    failure = _prepare_reports(node, round_id)
    # 1. The key: from here on every sealed secret, in the database, its journal and every copy, is noise.
    memory.destroy_key()
    # If we crash here, the next attempt finds no key to prepare with, and tells people.
    if failure is not None:
        exchange_notes.leave_unconfirmed(node.journal, round_id, failure)
    # Where this node takes no further part, nothing is kept for notes.
    exchange_notes.forget_if_refused(node.store, node.rounds, round_id)
    # 2. The files. If we crash here, the round is still marked, and we begin again at 1.
    node.files.delete_tree(round_id)
    # 3. The rows, and their bytes in the database's own files.
    with node.store.transaction("close.rows") as session:
        for table in DESTROYED_WITH_THE_KEY:
            session.execute(delete(table).where(table.round_id == round_id))
        _leave_unsent(session, round_id, StatementRow.kind.not_in(statements.LAST_WORDS))
    node.store.erase_deleted(*(row.__table__ for row in DESTROYED_WITH_THE_KEY))  # type: ignore[arg-type]  # tables, all of them


def _prepare_reports(node: NodeContext, round_id: str) -> AquilaError | None:
    """Prepare the hits of a round for notes, and return the error if that fails."""
    try:
        exchange_notes.prepare_reports(node, round_id)
    except AquilaError as error:
        with node.store.reading("close.window") as session:
            row = round_row(session, round_id)
        if isinstance(error, StoreError) and not _is_over(node, row):
            raise
        return error
    return None


def end_unknown(node: NodeContext, known: RoundRow) -> bool:
    """Take a round as over that was aborted here and that the matcher does not know; return whether that is new.

    A matcher that was restored from a backup of before the round neither ends it nor takes last words. Until the time
    of the round is over, a newer backup may bring it back: so long last words wait, and the matcher is asked.
    """
    round_id, is_new = known.round_id, known.phase != Phase.ABORTED
    with node.rounds.of(round_id).reading() as round_:
        is_over = node.clock() > round_.manifest.window.closes_at
    if is_new or is_over:
        with node.store.transaction("close.unknown") as session:
            round_row(session, round_id).phase = Phase.ABORTED.value
            if is_over:
                _leave_unsent(session, round_id)
                session.execute(delete(PendingStatementRow).where(PendingStatementRow.round_id == round_id))
                problem = Sentence.of("round_lost_at_matcher")
                statements.report_problem(session, node.clock, round_id, statements.LOST, problem)
    if is_over:
        exchange_notes.forget(node.store, node.rounds, round_id)
    return is_new


def _leave_unsent(session: Session, round_id: str, *which: ColumnElement[bool]) -> None:
    """Mark the own statements of a round that nobody takes any more."""
    unsent = StatementRow.round_id == round_id, StatementRow.own, ~StatementRow.sent, *which
    session.execute(update(StatementRow).where(*unsent).values(refusal=dumps(Sentence.of("round_is_over"))))


def _last_words(session: Session, signer: Signer, round_: Round, row: RoundRow) -> None:
    """Have the closing signed, or the rest of a round refused that was given up here. Other rounds are left alone."""
    took_part = row.consent_digest is not None and (not round_.binding or signer.code in round_.participants)
    if (
        not took_part
        or row.outcome == DestructionReason.LEFT_OUT
        or statements.own_statements(session, row.round_id, StatementKind.REFUSAL)
    ):
        return
    if row.refused is None and (round_.ending or row.abort_reason is None):
        # Every party reads the closing: it does not count what the asker of a query was never told (3.7.14).
        untold = select(AlarmRow.submission_id).where(AlarmRow.round_id == row.round_id, ~AlarmRow.acknowledged)
        told = HitRow.submission_id.is_(None) | HitRow.submission_id.not_in(untold)
        hits = session.scalar(select(func.count()).where(HitRow.round_id == row.round_id, told)) or 0
        checks.put_pending(
            session,
            signer,
            round_,
            PendingStatementRow(round_id=row.round_id, kind=PendingStatementKind.CLOSING.value, hits=hits),
        )
    else:
        reason = text_of(loads(row.refused)) if row.refused else row.abort_reason or ""
        statements.sign_refusal(session, signer, round_, reason)


EXPIRING = (
    ChangeRow,
    HitRow,
    WithdrawalRow,
    ErasedOutcomeCountRow,
    StatementRow,
    ProblemRow,
    AlarmRow,
    PairCheckRow,
    NoteBatchRow,
    NoteSecretRow,
    PreparedReportRow,
    PendingStatementRow,
)
"""Rows of a round that go with its hits, beside those that belong to one hit."""


def expire(node: NodeContext) -> bool:
    """Erase what retention ends, of every round that is over here, and return whether there was anything."""
    kept = RoundRow.state == LocalRoundState.DESTROYED, RoundRow.hits_erased_at.is_(None)
    query = select(RoundRow.round_id).where(*kept, RoundRow.kept_until < node.clock())
    with node.store.reading("expire.rounds") as session:
        over = session.scalars(query.order_by(RoundRow.discovered_at, RoundRow.round_id)).all()
    for round_id in over:
        _erase(node, round_id)
    if over:
        node.store.erase_deleted(*tables_of_hits(), *(row.__table__ for row in EXPIRING))  # type: ignore[arg-type]  # tables, all of them
    return bool(over)


def _erase(node: NodeContext, round_id: str) -> None:
    """Erase a round's hits and statements; the log entry holds their number and no content.

    The justifications of own submissions have three years of their own (`justification_retention`).
    """
    # Before its statements: a database that lost them would be taken for an older copy.
    node.high_water.forget(round_id)
    with node.store.transaction("expire.erase") as session:
        hits = session.scalar(select(func.count()).where(HitRow.round_id == round_id)) or 0
        for table in tables_of_hits():
            session.execute(delete(table).where(table.c.round_id == round_id))
        for kind in EXPIRING:
            session.execute(delete(kind).where(kind.round_id == round_id))
        row = session.get_one(RoundRow, round_id)
        row.hits_erased_at, row.outcomes_changed_at, row.follow_ups_at = node.clock(), None, None
        node.journal.log(session, EntryKind.ERASURE, round=round_id, counts={"hits": hits}, ids={"why": Word.EXPIRED})
    # If we crash here, the round is marked, and the bytes go with the next scrub.
    node.rounds.forget(round_id)
    _LOG.info("hits_expired", round=round_id, count=hits)


_DAY = 86_400


def erase_justifications(node: NodeContext) -> bool:
    """Erase the justifications whose three years are over; return whether there were any."""
    before = node.clock() - JUSTIFICATION_DAYS * _DAY
    with node.store.reading("justification.old") as session:
        due = [row.submission_id for row in _own(session, before)]
        signed = {row.round_id for row in _signed(session, before)}
        ended = session.scalars(select(StandingQueryRow.standing_id).where(StandingQueryRow.ended_at <= before)).all()
    if not due and not signed and not ended:
        return False
    with node.store.transaction("justification.erase") as session:
        for row in _own(session, before):
            row.justification = {}
        for statement in _signed(session, before):
            statement.envelope = without_justification(statement.envelope)
            statement.erased_at = node.clock()
        session.execute(delete(StandingQueryRow).where(StandingQueryRow.ended_at <= before))
        if due or ended:
            counts = {"justifications": len(due) + len(ended)}
            log_entry(session, node.people, EntryKind.ERASURE, None, counts=counts)
    for round_id in signed:
        node.rounds.forget(round_id)
    # If we crash here, or a reader is in the way, the bytes go with the next scrub.
    tables = SubmissionRow.__table__, StatementRow.__table__, StandingQueryRow.__table__
    node.store.erase_deleted(*tables)  # type: ignore[arg-type]  # declared tables are Tables
    return True


def _own(session: Session, before: int) -> Sequence[SubmissionRow]:
    """Return this node's submissions that were wished for before a time and have their justification still."""
    rows = session.scalars(select(SubmissionRow).where(SubmissionRow.wished_at <= before))
    return [row for row in rows if row.justification]


def _signed(session: Session, before: int) -> Sequence[StatementRow]:
    """Return signed submissions of rounds that are over, taken or signed before a time.

    An own one stays whole for as long as this node's log holds its entry, which an auditor makes again from it.
    """
    query = select(StatementRow).join(RoundRow, RoundRow.round_id == StatementRow.round_id)
    whole = (
        StatementRow.kind == StatementKind.SUBMISSION.value,
        StatementRow.erased_at.is_(None),
        StatementRow.taken_at <= before,
    )
    rows = session.scalars(query.where(*whole, RoundRow.state == LocalRoundState.DESTROYED)).all()
    rounds = sorted({row.round_id for row in rows if row.own})
    kept = {digest for round_id in rounds for digest in statements_kept(session, round_id, EntryKind.SUBMISSION)}
    return [row for row in rows if row.digest not in kept]
