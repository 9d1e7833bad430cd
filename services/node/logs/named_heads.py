"""Heads of the matcher's log that other parties name in their statements, held against the log that is shown here.

The matcher takes no statement that names a head which its log has never signed (PROTOCOL.md 3.2.5). So a statement
that came through it, and names a head that does not fit, shows that the matcher keeps two logs, whoever signed it.
What was named waits here for the next look (PROTOCOL.md 10.5), where one answer proves all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from aquila.audit.checkpoint import Checkpoint, check_named
from aquila.errors import AuditError, LogRewrittenError
from aquila.protocol.messages import Message, Statement
from aquila.protocol.messages.feed import MOST_HEADS
from aquila.protocol.party import Party
from services.kit.log.witness import Accusation
from services.node.context import Clock
from services.node.storage.tables import NamedHeadRow, StatementRow


def store(session: Session, party: Party, message: Message, digest: str) -> None:
    """Remember the head that another party's statement names, in the transaction that takes the statement.

    One that this node saw last itself needs no proof.
    """
    if not isinstance(message, Statement) or message.log_head is None or message.party == party.code:
        return
    head = message.log_head
    if head != party.log_head() and session.get(NamedHeadRow, (head.size, head.root)) is None:
        place = {"party": message.party, "round_id": message.round_id, "digest": digest}
        session.add(NamedHeadRow(size=head.size, root=head.root, **place))


def unverified(session: Session) -> Sequence[NamedHeadRow]:
    """Return heads that are to be compared with the log, the smallest first, at most as many as one check proves."""
    query = select(NamedHeadRow).where(NamedHeadRow.verified_at.is_(None)).order_by(NamedHeadRow.size)
    return session.scalars(query.limit(MOST_HEADS)).all()


def are_verified(session: Session) -> bool:
    """Return whether everything that others named was held against the log."""
    return session.scalar(select(NamedHeadRow.size).where(NamedHeadRow.verified_at.is_(None)).limit(1)) is None


def check(
    session: Session, clock: Clock, heads: Sequence[NamedHeadRow], shown: Checkpoint, proofs: Mapping[int, list[bytes]]
) -> Accusation | None:
    """Compare heads with the current log, and return the contradictions, if any.

    Args:
        session: The transaction of the look.
        clock: Seconds since 1970.
        heads: What `unverified` returned before the look.
        shown: What the log shows; its signature, and that it grew, were verified.
        proofs: The consistency proofs that came with it, by the size they begin at.

    Raises:
        AuditError: A proof is missing.
    """
    for head in heads:
        if head.size < shown.size and head.size not in proofs:
            raise AuditError("matcher_log_growth_not_proved", size=head.size)
        try:
            check_named(shown, head.size, bytes.fromhex(head.root), proofs.get(head.size, []))
        except LogRewrittenError as error:
            return Accusation(error, _evidence(session, head))
    query = update(NamedHeadRow).where(NamedHeadRow.verified_at.is_(None))
    for head in heads:
        session.execute(
            query.where(NamedHeadRow.size == head.size, NamedHeadRow.root == head.root).values(verified_at=clock())
        )
    return None


def mark_explained(session: Session, now: int) -> None:
    """Take what was named up to now as explained, in the transaction of an administrator's acknowledgement."""
    session.execute(update(NamedHeadRow).where(NamedHeadRow.verified_at.is_(None)).values(verified_at=now))


def _evidence(session: Session, head: NamedHeadRow) -> bytes | None:
    """Return the statement that names a head."""
    statement = session.get(StatementRow, (head.round_id, head.digest))
    return None if statement is None else statement.envelope
