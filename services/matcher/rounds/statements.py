"""Use case: a party's statement is verified and stored, or refused; contradictions are kept, and outcomes counted."""

from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.orm import Session

from aquila import errors
from aquila.audit.entries import EntryKind
from aquila.crypto.envelope import open_envelope
from aquila.protocol.log_entries import MOST_REFUSED, refused_entry
from aquila.protocol.messages import (
    PARTY_STATEMENTS,
    Consent,
    Evaluation,
    Notes,
    Outcomes,
    Statement,
    Submission,
    Tokens,
    kind_of,
)
from aquila.protocol.rounds.verified_round import LARGEST_STATEMENT, Round
from services.kit.errors import NotFoundError
from services.kit.log.entries import append
from services.kit.logging import Log
from services.matcher.context import MatcherContext
from services.matcher.events import NOBODY
from services.matcher.round_memory import RoundTransaction
from services.matcher.rounds.disk_space import check_room_for_consent
from services.matcher.storage.tables import (
    EventRow,
    EvidenceRow,
    OutcomeCountRow,
    RefusedStatementRow,
    RepeatedStatementRow,
)

_LOG = Log("matcher.statements")
_TYPES: dict[str, type[Statement]] = {kind.payload_type: kind for kind in PARTY_STATEMENTS}
_REFUSED = (errors.OrderError, errors.BindingError, errors.PolicyError, errors.MalformedError, errors.ProofError)


def accept_statement(context: MatcherContext, round_id: str, caller: str, envelope: bytes) -> bool:
    """Take a statement of the caller and return whether it was new.

    Raises:
        NotFoundError: There is no such round, or the caller is not in it.
        SignatureError: The caller did not sign it.
        MalformedError, BindingError, OrderError, CapError, PolicyError, ProofError: It does not count.
        EquivocationError: The caller signed another one in its place; both are stored before this is raised.
        StoreFullError: There is no room for what a consent allows; it can be repeated.
        StoreError: It may or may not be stored; the call can be repeated.
    """
    # 1. The caller itself signed it: nobody speaks for another, and a stranger's envelope costs no more than this.
    key = context.registry.key_of(caller)
    opened = open_envelope(envelope, list(_TYPES), {key.fingerprint: key}, limit=LARGEST_STATEMENT)
    message = _TYPES[opened.payload_type].from_payload(opened.payload)
    # 2. One transaction: catch up, verify, store; of what is refused, that it was. If we crash before its end, nothing
    #    was said; if after it and before the answer, the party says it again and hears that it is known.
    with context.round_cache.writing("statement.accept", round_id) as turn:
        check_participant(turn.round, caller)
        if context.registry.key_of(caller) != key:  # it was replaced while the statement waited for its turn
            raise errors.SignatureError("statement_by_replaced_key", party=caller)
        now = context.clock()
        try:
            if message.log_head is not None:
                context.log.own.check_head(turn.session, caller, message.log_head)
            accepted = turn.accept(envelope, now=now)
        except errors.EquivocationError as error:
            refused: errors.AquilaError | None = error
            _keep_evidence(turn, message, opened.digest, envelope, error, now)
        except errors.RepeatedError as error:
            refused = error
            _count_repeated(turn, message.party)
            _keep_refused(turn, message, opened.digest, envelope, now)
        except _REFUSED as error:
            refused = error
            _keep_refused(turn, message, opened.digest, envelope, now)
        else:
            refused = None
            if accepted.new:
                _follow(context, turn, message)
    if refused is not None:
        raise refused
    if accepted.new:
        _LOG.info("statement_accepted", round=round_id, party=caller, state=kind_of(message).value)
        context.wakeup.notify(kind_of(message).value, turn.readers)
    return accepted.new


def _follow(context: MatcherContext, turn: RoundTransaction, message: Statement) -> None:
    """Do what follows from a new statement, in addition to the round's record."""
    match message:
        case Consent():
            check_room_for_consent(context, turn.session, turn.round, message.party)
        case Outcomes() if turn.round.outcomes[message.party].sequence == message.sequence:
            store_outcomes(turn, message)
        case _:
            pass


def check_participant(round_: Round, caller: str) -> None:
    """Hide a round from those whom its manifest does not name; raises NotFoundError for them."""
    if round_.manifest.fingerprint_of(caller) is None:
        raise NotFoundError("round_unknown", round=round_.round_id)


def _keep_evidence(
    turn: RoundTransaction, message: Statement, digest: str, envelope: bytes, error: errors.EquivocationError, now: int
) -> None:
    """Store both envelopes, each pair once."""
    session, round_id = turn.session, turn.round.round_id
    of_party = select(EvidenceRow).where(EvidenceRow.round_id == round_id, EvidenceRow.party == message.party)
    if not _has_room(session, of_party, EvidenceRow.digest == digest):
        return
    session.add(
        EvidenceRow(
            round_id=round_id,
            party=message.party,
            digest=digest,
            accepted=_rival(session, message, error),
            refused=envelope.decode(),
            found_at=now,
        )
    )
    append(session, refused_entry(message, digest, now, EntryKind.EVIDENCE))
    _LOG.error("equivocation", round=round_id, party=message.party, state=kind_of(message).value)


def _count_repeated(turn: RoundTransaction, party: str) -> None:
    """Count a statement that its party has made as often as it can (PROTOCOL.md 3.2.6)."""
    place = turn.round.round_id, party
    row = turn.session.get(RepeatedStatementRow, place)
    if row is None:
        row = RepeatedStatementRow(round_id=place[0], party=place[1], statements=0)
        turn.session.add(row)
    row.statements += 1


def _keep_refused(turn: RoundTransaction, message: Statement, digest: str, envelope: bytes, now: int) -> None:
    """Store a statement of this round that leaves its number empty, once, and its entry (PROTOCOL.md 3.2.2).

    The record's state is that of the entry's place in the log, so whoever takes the log through refuses it too.
    """
    session, round_id = turn.session, turn.round.round_id
    if message.round_id != round_id:
        return
    of_party = select(RefusedStatementRow).where(
        RefusedStatementRow.round_id == round_id, RefusedStatementRow.party == message.party
    )
    if not _has_room(session, of_party, RefusedStatementRow.digest == digest):
        return
    kept = None if isinstance(message, Notes) else envelope.decode()
    session.add(
        RefusedStatementRow(round_id=round_id, digest=digest, party=message.party, envelope=kept, refused_at=now)
    )
    append(session, refused_entry(message, digest, now))
    _LOG.warning("statement_refused", round=round_id, party=message.party, state=kind_of(message).value)


def _has_room(session: Session, of_party: Select[Any], same: ColumnElement[bool]) -> bool:
    """Return whether a refused statement is a new one, and one of not too many."""
    kept = session.scalar(select(func.count()).select_from(of_party.subquery())) or 0
    return kept < MOST_REFUSED and session.scalar(of_party.where(same)) is None


def _rival(session: Session, message: Statement, error: errors.EquivocationError) -> str | None:
    """Return the envelope that a refused one contradicts."""
    events = select(EventRow.envelope).where(
        EventRow.round_id == message.round_id, EventRow.envelope.is_not(None), EventRow.audience != NOBODY
    )
    expected = error.fields.get("expected")
    if expected is not None:
        return session.scalar(events.where(EventRow.digest == str(expected)).limit(1))
    same = events.where(EventRow.statement == kind_of(message).value).order_by(EventRow.event_id)
    if isinstance(message, Evaluation):
        same = same.where(
            EventRow.party == message.party,
            EventRow.submission_id == message.submission_id,
            EventRow.chunk_index == message.index,
        )
    elif isinstance(message, Submission):
        taken = session.scalar(same.where(EventRow.submission_id == message.submission_id).limit(1))
        return taken or session.scalar(same.where(EventRow.party == message.party).limit(1))
    elif isinstance(message, Tokens):
        column = EventRow.submission_id == message.submission_id, EventRow.counterpart == message.column.counterpart
        same = same.where(*column)
    return session.scalar(same.limit(1))


def store_outcomes(turn: RoundTransaction, message: Outcomes) -> None:
    """Store a party's counts in place of its earlier ones, in the transaction that takes its statement."""
    before = (OutcomeCountRow.round_id == message.round_id) & (OutcomeCountRow.party == message.party)
    turn.session.execute(delete(OutcomeCountRow).where(before))
    turn.session.add_all(
        OutcomeCountRow(
            round_id=message.round_id,
            party=message.party,
            counterpart=pair.counterpart,
            certainty=level.certainty.value,
            outcome=outcome,
            hits=hits,
        )
        for pair in message.pairs
        for level in pair.levels
        for outcome, hits in level.model_dump(exclude={"certainty"}).items()
        if hits
    )
