"""Events: the one feed of a round, and who may see what of it (PROTOCOL.md section 9)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from aquila.protocol.messages import (
    Acknowledgement,
    Alarm,
    Confirmation,
    Evaluation,
    FollowUp,
    HitReport,
    Message,
    Notes,
    Outcomes,
    Receipt,
    ReportCheck,
    StatementKind,
    Tokens,
    Withdrawal,
    WithheldAnswer,
    kind_of,
)
from aquila.protocol.messages.feed import Event, EventKind
from aquila.protocol.rounds.verified_round import AcceptedStatement, Round
from services.matcher.storage.tables import EventRow

ALL, READER, NOBODY = "all", "reader", "nobody"
TOKENS = "tokens"
"""The kind of an event that tells workers that token bytes came; no party sees it."""

REPORT = StatementKind.HIT_REPORT.value
"""What the events of reports are called."""

FIRST_PAGE = func.coalesce(EventRow.chunk_index, 0) == 0
"""The condition of events of reports that are counted: of a report in pages the first one (PROTOCOL.md 3.7.17)."""

NOTES = StatementKind.NOTES.value
"""What the events of sealed notes are called."""

SUBMISSION = StatementKind.SUBMISSION.value
"""What the events of submissions are called. One without its justification is for nobody: nobody signed the rest."""

FOLLOWED_BY_BYTES = frozenset({SUBMISSION, StatementKind.EVALUATION.value, StatementKind.TOKENS.value})
"""What the events of statements about bytes are called: these give a party nothing to do before the bytes are there,
which are events too."""

_PAGE_BYTES = 4 << 20


def statement_event(round_: Round, accepted: AcceptedStatement, envelope: bytes) -> EventRow:
    """Return the event of a statement that a round has accepted."""
    message = accepted.message
    reader: str | None = None
    match message:
        case Evaluation():
            audience, reader = READER, message.origin
        case HitReport() | Receipt() | Alarm() | Outcomes():
            audience, reader = READER, message.party
        case WithheldAnswer():
            audience, reader = READER, round_.submissions[message.submission_id].party
        case Withdrawal():
            audience, reader = READER, message.counterpart
        case Acknowledgement():
            audience, reader = READER, round_.withdrawals[message.withdrawal].party
        case Notes() | Confirmation() | FollowUp():
            audience, reader = READER, message.to
        case ReportCheck() if message.submission_id is not None:
            audience, reader = READER, message.counterpart
        case _:
            audience = ALL
    return EventRow(
        round_id=round_.round_id,
        kind=EventKind.STATEMENT.value,
        party=getattr(message, "party", accepted.signer),
        audience=audience,
        reader=reader,
        counterpart=_counterpart_of(message),
        statement=kind_of(message).value,
        digest=accepted.digest,
        envelope=envelope.decode(),
        submission_id=getattr(message, "submission_id", None),
        chunk_index=_number_of(message),
    )


def _counterpart_of(message: Message) -> str | None:
    """Return the other party of what is said of a pair; None for every other statement."""
    match message:
        case HitReport() | Receipt():
            return message.counterpart
        case Tokens():
            return message.column.counterpart
        case Evaluation():
            return message.origin
        case _:
            return None


def _number_of(message: Message) -> int | None:
    """Return the number of the chunk, batch or page that a statement is about; None for every other."""
    if isinstance(message, HitReport):
        return None if message.page is None else message.page.number
    return getattr(message, "index", None)


def bytes_event(
    round_id: str, kind: str, submission_id: str, index: int, party: str, readers: Sequence[str]
) -> EventRow:
    """Return the event of bytes that came, which some parties may fetch; `party` is that of their `ChunkAddress`."""
    return EventRow(
        round_id=round_id,
        kind=str(kind),
        party=party,
        audience=READER if readers else NOBODY,
        reader=" ".join(readers) or None,
        submission_id=submission_id,
        chunk_index=index,
    )


def visible_events(session: Session, round_id: str, caller: str, after: int, limit: int) -> tuple[Event, ...]:
    """Return the next events that a party may see, at most `limit` and about 4 MiB of them."""
    mine = EventRow.round_id == round_id, EventRow.event_id > after, visible_to(caller)
    sizes = select(EventRow.event_id, func.coalesce(func.length(EventRow.envelope), 0)).where(*mine)
    last, size = after, 0
    # The sizes first: what is not of this page is not even read.
    for event_id, length in session.execute(sizes.order_by(EventRow.event_id).limit(limit)).all():
        last, size = event_id, size + length
        if size >= _PAGE_BYTES:
            break
    if last == after:
        return ()
    rows = session.scalars(select(EventRow).where(*mine, EventRow.event_id <= last).order_by(EventRow.event_id))
    return tuple(_view(row) for row in rows)


def log_places(session: Session, caller: str, digests: Sequence[str]) -> dict[str, int]:
    """Return where the log holds statements, by digest, of those that a party signed, that name it, or that all see.

    Of others it learns nothing: it may know the digest of a statement that it was not shown, such as a report's.
    """
    query = select(EventRow.digest, EventRow.log_index).where(
        EventRow.digest.in_(digests),
        EventRow.log_index.is_not(None),
        or_(EventRow.audience == ALL, EventRow.party == caller, EventRow.reader == caller),
    )
    return {digest: index for digest, index in session.execute(query) if digest is not None and index is not None}


def newest_late_events(session: Session, caller: str) -> dict[str, int]:
    """Return, by round, the newest event after the hits, which may come when all is over, that is for a party."""
    kinds = [kind.value for kind in (StatementKind.WITHDRAWAL, StatementKind.ACKNOWLEDGEMENT, StatementKind.FOLLOW_UP)]
    query = select(EventRow.round_id, func.max(EventRow.event_id).label("newest")).where(
        EventRow.reader == caller, EventRow.statement.in_(kinds)
    )
    return {row.round_id: row.newest for row in session.execute(query.group_by(EventRow.round_id))}


def visible_to(caller: str) -> ColumnElement[bool]:
    """Return the condition of events that a party may see, in rounds that name it."""
    own_statement = and_(
        EventRow.kind == EventKind.STATEMENT.value, EventRow.party == caller, EventRow.audience != NOBODY
    )
    return and_(
        or_(
            EventRow.audience == ALL, and_(EventRow.audience == READER, EventRow.reader.contains(caller)), own_statement
        ),
        # A report whose envelope was deleted, because its party has it, is no longer told.
        or_(EventRow.kind != EventKind.STATEMENT.value, EventRow.envelope.is_not(None)),
    )


def _view(row: EventRow) -> Event:
    kind = EventKind(row.kind)
    if kind is EventKind.STATEMENT:
        return Event(event_id=row.event_id, kind=kind, envelope=row.envelope)
    return Event(
        event_id=row.event_id, kind=kind, submission_id=row.submission_id, index=row.chunk_index, party=row.party
    )
