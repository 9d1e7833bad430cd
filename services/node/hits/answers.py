"""The submissions of this node that a round has answered: only for these is a missing hit a no-hit.

A submission is answered when its report is here (PROTOCOL.md 3.7.4). Before that, nothing is known of its persons.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from aquila.interface.rounds import AnswerView, Awaited, AwaitedStep
from aquila.protocol.messages import Kind, StatementKind
from aquila.protocol.rounds.round_state import Phase
from aquila.protocol.rounds.verified_round import Round
from services.node.context import Signer
from services.node.rounds import party_answers, progress
from services.node.storage.states import SubmissionState
from services.node.storage.tables import RoundRow, StatementRow, SubmissionRow


def answers(session: Session, signer: Signer, round_: Round, row: RoundRow) -> Iterator[AnswerView]:
    """Yield the answer to this node's list, whether or not it was submitted, then those to its queries."""
    yield _answer(session, signer, round_, row, None)
    queries = select(SubmissionRow.submission_id).where(
        SubmissionRow.round_id == round_.round_id,
        SubmissionRow.kind == Kind.QUERY.value,
        SubmissionRow.state != SubmissionState.FAILED,
    )
    for query in session.scalars(queries.order_by(SubmissionRow.wished_at, SubmissionRow.submission_id)):
        yield _answer(session, signer, round_, row, query)


def awaited_steps(session: Session, code: str, round_: Round) -> Iterator[AwaitedStep]:
    """Yield the pending steps of a round by party; the matcher's, if every list is complete and no report came."""
    for one in progress.parties(session, code, round_, progress.verified(session, round_)):
        if one.awaited not in {Awaited.NOTHING, Awaited.RECEIPT}:
            yield AwaitedStep(party=one.party, step=one.awaited)
    if round_.phase is Phase.MATCHING:
        yield AwaitedStep(party=None, step=Awaited.REPORT)


def rounds_without_report(session: Session, round_id: str | None) -> int:
    """Return how many rounds, or whether the one named, this party consented to and has no report of."""
    # The kind is written out, because only then a database knows that the index of these receipts has them all.
    receipt = StatementRow.own, StatementRow.kind == literal(StatementKind.RECEIPT.value, literal_execute=True)
    acknowledged = select(StatementRow.round_id).where(StatementRow.round_id == RoundRow.round_id, *receipt)
    query = select(func.count()).select_from(RoundRow).where(RoundRow.consent_digest.is_not(None))
    query = query.where(RoundRow.hits_erased_at.is_(None), ~acknowledged.exists())
    return session.scalar(query.where(RoundRow.round_id == round_id) if round_id else query) or 0


def _answer(session: Session, signer: Signer, round_: Round, row: RoundRow, query: str | None) -> AnswerView:
    return AnswerView(
        kind=Kind.QUERY if query else Kind.LIST,
        submission_id=query or round_.list_of(signer.code),
        state=party_answers.answer_state(signer.code, round_, row, query),
        parties=party_answers.party_answers(session, signer, round_, row, query),
    )
