"""Rounds, statements and problems in the store, for several steps. Each call is within a transaction.

Statements of others count in the order of the matcher's feed, and so do this node's own: a signed statement waits
without an event id until it comes back. So every node and the matcher agree on what came before what.
"""

from collections.abc import Callable, Sequence
from typing import Concatenate, ParamSpec

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from aquila.crypto.envelope import OpenedEnvelope, open_envelope
from aquila.errors import RestoredBackupError
from aquila.interface.rounds import SubmissionState
from aquila.protocol import messages
from aquila.protocol.log_entries import statement_entry
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.verified_round import LARGEST_STATEMENT, Round
from aquila.sentences import Sentence
from aquila.sentences.sentence import dumps
from services.kit.errors import StoreConflictError
from services.kit.log.entries import append
from services.kit.log.own_approvals import check_statement
from services.node.context import Clock, NodeContext, Signer
from services.node.round_memory import round_row
from services.node.rounds import work
from services.node.storage.high_water import HighWater
from services.node.storage.states import LocalRoundState, Promise, Step
from services.node.storage.tables import ProblemRow, RoundRow, SecretRow, StatementRow, SubmissionRow, TokenPartRow

LAST_WORDS = tuple(
    kind.value
    for kind in (
        messages.StatementKind.CHECKED,
        messages.StatementKind.ALARM,
        messages.StatementKind.WITHHELD_ANSWER,
        messages.StatementKind.RECEIPT,
        messages.StatementKind.NOTES,
        messages.StatementKind.CONFIRMATION,
        messages.StatementKind.CLOSING,
        messages.StatementKind.REFUSAL,
        messages.StatementKind.WITHDRAWAL,
        messages.StatementKind.ACKNOWLEDGEMENT,
        messages.StatementKind.OUTCOMES,
        messages.StatementKind.FOLLOW_UP,
    )
)
"""Kinds of statements that are sent also after the round has ended here."""

LOCK = "lock "
"""Begins the place of a problem with a counterpart's half of a lock."""

LOST = "lost"
"""The problem of a round whose time is over and that the matcher does not know: nothing of it is sent any more."""

_MESSAGES: dict[str, type[messages.Message]] = {
    kind.payload_type: kind for kind in (*messages.PARTY_STATEMENTS, *messages.ANNOUNCEMENTS)
}


def open_statement(registry: Registry, envelope: bytes) -> OpenedEnvelope:
    """Open an envelope of any message by any pinned key; raises as `open_envelope` does."""
    keys = {print_: key for print_, (_, key) in registry.by_fingerprint().items()}
    return open_envelope(envelope, list(_MESSAGES), keys, limit=LARGEST_STATEMENT)


def message_of(found: OpenedEnvelope) -> messages.Message:
    """Return the message of an opened envelope; raises MalformedError if it is not a message."""
    return _MESSAGES[found.payload_type].from_payload(found.payload)


def next_number(session: Session, round_id: str) -> int:
    """Return the number of this node's next statement in a round; only the driver signs, so it stays the next."""
    query = select(func.max(StatementRow.sequence)).where(StatementRow.round_id == round_id, StatementRow.own)
    return 1 + (session.scalar(query) or 0)


Terms = ParamSpec("Terms")


def sign(
    session: Session,
    signer: Signer,
    round_: Round,
    make: Callable[Concatenate[Round, int, Terms], bytes],
    *terms: Terms.args,
    **named: Terms.kwargs,
) -> StatementRow:
    """Sign a statement under the next number and store it with the transaction; raises as `put_signed` does.

    `make` is a method of the party: it takes the round, the number, and the terms.
    """
    number = next_number(session, round_.round_id)
    return put_signed(session, signer, round_.round_id, make(round_, number, *terms, **named))


def sign_refusal(session: Session, signer: Signer, round_: Round, reason: str) -> StatementRow:
    """Sign a refusal and store it with the transaction.

    A node that refuses may have forgotten what it said, or not have read the feed yet: the number lies far beyond all
    that it can have used, since gaps are no fault (PROTOCOL.md 3.2).
    """
    last = signer.high_water.last_number(round_.round_id) or 0
    number = max(next_number(session, round_.round_id), last + 1, signer.clock())
    empty = given_up(session, signer.high_water, round_.round_id, number)
    return put_signed(session, signer, round_.round_id, signer.party.refuse(round_, number, reason, empty))


def given_up(session: Session, high_water: HighWater, round_id: str, below: int) -> list[tuple[int, int]]:
    """Return the ranges of own numbers that stay empty: refused, never to be sent, or passed over (3.2.2).

    Where this database is an older copy, nothing up to the high-water mark is among them: it may have been sent.
    """
    query = select(StatementRow.sequence).where(
        StatementRow.round_id == round_id, StatementRow.own, StatementRow.refusal.is_(None)
    )
    refused = round_row(session, round_id).refused is not None
    goes = StatementRow.sent | (
        StatementRow.kind == messages.StatementKind.REFUSAL.value if refused else StatementRow.kind.in_(LAST_WORDS)
    )
    marked = high_water.last_number(round_id) or 0
    ranges, last = [], marked if marked >= next_number(session, round_id) else 0
    for number in [*session.scalars(query.where(goes).order_by(StatementRow.sequence)), below]:
        if number > last + 1:
            ranges.append((last + 1, number - 1))
        last = max(last, number)
    return ranges


def put_signed(session: Session, signer: Signer, round_id: str, envelope: bytes) -> StatementRow:
    """Store a statement that this node signed, its entry, and the row of the step that sends it.

    If we crash before that, nothing was signed as far as anyone knows.

    Raises:
        RestoredBackupError: The database is older than what this node has said; or the node takes no part in this
            round any more, and only a refusal is stored.
        StoreConflictError: The number is taken.
        PolicyError: The own log does not show two persons behind a consent, a list or a query.
    """
    found = open_statement(signer.registry, envelope)
    message = message_of(found)
    assert isinstance(message, messages.Statement)
    if round_row(session, round_id).refused is None:
        signer.high_water.check(session, round_id)
    elif not isinstance(message, messages.Refusal):
        raise RestoredBackupError("node_part_ended", round=round_id)
    taken = select(StatementRow.digest).where(
        StatementRow.round_id == round_id, StatementRow.own, StatementRow.sequence == message.sequence
    )
    if session.scalar(taken) is not None:
        raise StoreConflictError("statement_already_numbered", round=round_id)
    row = StatementRow(
        round_id=round_id,
        digest=found.digest,
        party=signer.code,
        sequence=message.sequence,
        kind=messages.kind_of(message).value,
        envelope=envelope,
        own=True,
        sent=False,
        taken_at=signer.clock(),
        promise=None if message.log_head is None else Promise.SIGNED,
    )
    check_statement(session, message, round_row(session, round_id).manifest_digest)
    session.add(row)
    session.flush()
    append(session, statement_entry(message, found.digest, signer.clock()))
    work.put(session, round_id, Step.WORK)
    return row


def own_statements(session: Session, round_id: str, kind: messages.StatementKind) -> Sequence[StatementRow]:
    """Return this node's statements of a kind in the order in which they were signed."""
    query = select(StatementRow).where(
        StatementRow.round_id == round_id, StatementRow.own, StatementRow.kind == kind.value
    )
    return session.scalars(query.order_by(StatementRow.sequence)).all()


def report_problem(session: Session, clock: Clock, round_id: str, place: str, problem: Sentence) -> None:
    """Keep a problem for the operator, in place of an earlier one about the same thing."""
    row, sentence = session.get(ProblemRow, (round_id, place)), dumps(problem)
    if row is None:
        session.add(ProblemRow(round_id=round_id, place=place, sentence=sentence, noted_at=clock()))
    else:
        row.sentence = sentence


def clear_problem(session: Session, round_id: str, *places: str) -> None:
    """Forget problems that have passed."""
    session.execute(delete(ProblemRow).where(ProblemRow.round_id == round_id, ProblemRow.place.in_(places)))


def unusable_locks(session: Session, round_id: str) -> frozenset[str]:
    """Return the counterparts whose half of the lock did not open: nothing is evaluated for them or compared."""
    of_locks = ProblemRow.round_id == round_id, ProblemRow.place.startswith(LOCK)
    return frozenset(place.removeprefix(LOCK) for place in session.scalars(select(ProblemRow.place).where(*of_locks)))


def note_all_sent(session: Session, submission_id: str) -> None:
    """Note of a submission that all is sent, where each column that can come is signed and the matcher has them."""
    row = session.get_one(SubmissionRow, submission_id)
    waiting = select(TokenPartRow.index).where(TokenPartRow.submission_id == submission_id, ~TokenPartRow.sent)
    if row.state is SubmissionState.FINALIZED and session.scalar(waiting.limit(1)) is None:
        row.enter(SubmissionState.TOKENS_SENT)


def refuse(session: Session, clock: Clock, round_id: str, place: str, problem: Sentence) -> None:
    """Take no further part in a round, for good: no consent, evaluation, token or statement but a refusal."""
    row = round_row(session, round_id)
    row.refused = row.refused or dumps(problem)
    report_problem(session, clock, round_id, place, problem)
    work.wake(session, round_id)


def refuse_open(session: Session, node: NodeContext, problem: Sentence) -> None:
    """Refuse every open round in which this node has signed something, or has a key to do so."""
    query = select(RoundRow).where(RoundRow.state != LocalRoundState.DESTROYED, RoundRow.refused.is_(None))
    for row in session.scalars(query).all():
        marked = node.high_water.last_number(row.round_id) is not None
        if marked or row.consent_digest is not None or (node.keys / f"{row.round_id}.key").exists():
            refuse(session, node.clock, row.round_id, "restored", problem)


def put_secret(session: Session, round_id: str, name: str, sealed: bytes) -> None:
    """Store a sealed secret."""
    session.add(SecretRow(round_id=round_id, name=name, sealed=sealed))
