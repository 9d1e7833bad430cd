"""Required entries of the matcher's log: each statement that it took from this node or announces to this node.

The matcher's answer to a statement, and an announcement in its feed, promise an entry in its log (PROTOCOL.md 10.5.2).
The node asks for the proof with its next look, and makes the entry itself from what was signed, so that nothing else
can be proved in its place. Until then it signs no tokens, no receipt and no closing in that round. A promise that a few
looks do not prove is an alarm, as a fork is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from aquila.audit.checkpoint import Checkpoint
from aquila.audit.merkle import verify_inclusion
from aquila.errors import AquilaError, LogRewrittenError
from aquila.protocol.log_entries import statement_entry
from aquila.protocol.messages import StatementKind
from aquila.protocol.messages.feed import MOST_STATEMENTS, StatementProof
from aquila.protocol.registry import Registry
from services.kit.log.witness import Accusation
from services.kit.storage.store import enter_all, following
from services.node.rounds import statements
from services.node.storage.states import PROMISE_TRANSITIONS, Promise
from services.node.storage.tables import StatementRow

_ANNOUNCED = frozenset({StatementKind.OPENING, StatementKind.HIT_REPORT, StatementKind.ENDING})
_MOST_LOOKS = 3
_PROVABLE = frozenset({Promise.PROMISED, Promise.EXCUSED})  # a look can begin before the acknowledgement


@dataclass(frozen=True, slots=True)
class PromiseCheck:
    """A promise after a look: where the log holds its statement, or None where that was not proved."""

    row: StatementRow
    index: int | None


def expect(row: StatementRow) -> None:
    """Note that the matcher has an own statement, so that its log must hold it."""
    if row.promise == Promise.SIGNED:
        row.promise = following(PROMISE_TRANSITIONS, row.promise, Promise.PROMISED)


def expect_announced(row: StatementRow) -> None:
    """Note that the matcher's feed has a statement, so that the log must hold it where it is the matcher's own."""
    expect(row)
    if row.kind in _ANNOUNCED and row.promise is None:
        row.promise = Promise.PROMISED


def unproved(session: Session) -> Sequence[StatementRow]:
    """Return statements that are to be proved, at most as many as one check proves."""
    query = select(StatementRow).where(StatementRow.promise == Promise.PROMISED)
    return session.scalars(
        query.order_by(StatementRow.unproved.desc(), StatementRow.taken_at).limit(MOST_STATEMENTS)
    ).all()


def are_kept(session: Session, round_id: str) -> bool:
    """Return whether the log is proved to hold everything of a round that it is to hold by now."""
    query = select(StatementRow.digest).where(
        StatementRow.round_id == round_id, StatementRow.promise == Promise.PROMISED
    )
    return session.scalar(query.limit(1)) is None


def judge(
    registry: Registry, rows: Sequence[StatementRow], shown: Checkpoint, proofs: Mapping[str, StatementProof]
) -> list[PromiseCheck]:
    """Verify what came for each promise against a checkpoint; a proof of anything else is none."""
    return [PromiseCheck(row, _proved_at(registry, row, shown, proofs.get(row.digest))) for row in rows]


def record(session: Session, judged: Sequence[PromiseCheck], shown: Checkpoint) -> Accusation | None:
    """Store which statements a check proved and which it did not; return those missing for good, if any."""
    for one in judged:
        place = StatementRow.round_id == one.row.round_id, StatementRow.digest == one.row.digest
        values = {"unproved": StatementRow.unproved + 1} if one.index is None else {"log_index": one.index}
        session.execute(update(StatementRow).where(*place).values(**values))
        if one.index is not None:
            enter_all(session, StatementRow.promise, PROMISE_TRANSITIONS, _PROVABLE, Promise.PROVED, *place)
    missing = next(_missing(judged), None)
    if missing is None:
        return None
    error = LogRewrittenError(
        "log_lacks_taken_statement",
        what="missing",
        round=missing.round_id,
        got=shown.size,
        origin=shown.origin,
        kind=missing.kind,
    )
    return Accusation(error, missing.envelope)


def excuse(session: Session, *, lost: bool) -> None:
    """Ask no more for what looks did not prove, in the transaction of an administrator's acknowledgement.

    Args:
        session: The transaction.
        lost: Whether entries were lost: then nothing that was promised before is asked for, looked for or not.
    """
    looked = () if lost else (StatementRow.unproved >= _MOST_LOOKS,)
    enter_all(session, StatementRow.promise, PROMISE_TRANSITIONS, {Promise.PROMISED}, Promise.EXCUSED, *looked)


def _missing(judged: Sequence[PromiseCheck]) -> Iterator[StatementRow]:
    return (one.row for one in judged if one.index is None and one.row.unproved + 1 >= _MOST_LOOKS)


def _proved_at(registry: Registry, row: StatementRow, shown: Checkpoint, proof: StatementProof | None) -> int | None:
    """Return the place at which the log holds a statement, or None where the proof does not show it."""
    if proof is None:
        return None
    try:
        message = statements.message_of(statements.open_statement(registry, row.envelope))
        leaf = statement_entry(message, row.digest, proof.time).salted(proof.salt).leaf()
        verify_inclusion(leaf, proof.index, shown.size, shown.root, [bytes.fromhex(one) for one in proof.hashes])
    except AquilaError:
        return None
    return proof.index
