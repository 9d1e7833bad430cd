"""Who takes part in a round: this node by its operator's consent (PROTOCOL.md 3.3), and nobody who is absent (3.8).

A consent becomes fresh keys and a signed statement. A party that is late by the matcher's word and by this node's own
clock is left out, with what concerned it.
"""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from aquila.errors import BindingError, PolicyError
from aquila.protocol.messages import Amendment, ClassCounts, Evaluation, StatementKind
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.round_state import Phase
from aquila.protocol.rounds.verified_round import Round
from aquila.sentences import Sentence
from aquila.sentences.sentence import dumps
from services.kit.logging import Log
from services.node.context import Clock, NodeContext, Signer
from services.node.round_memory import ROUND_SECRETS, round_row
from services.node.rounds import statements
from services.node.rounds.requests import is_consent_due, late_consent, manifest_problem
from services.node.safeguards.evaluation_limits import earlier_rounds
from services.node.storage.states import UNSIGNED, DestructionReason, LocalRoundState, SubmissionState
from services.node.storage.tables import (
    ChunkDownloadRow,
    ChunkRow,
    EvaluationDownloadRow,
    EvaluationRow,
    RoundRow,
    StatementRow,
    SubmissionRow,
)

_LOG = Log("node.consent")


def consent(node: NodeContext, round_id: str) -> bool:
    """Consent where the operator wants it, and return whether it was done."""
    memory = node.rounds.of(round_id)
    with node.store.reading("consent.wish") as session:
        row = round_row(session, round_id)
    if not is_consent_due(row):
        return False
    with memory.reading() as round_:
        problem = late_consent(round_, node.clock()) or manifest_problem(node, round_.manifest)
        if problem:
            _refuse(node, round_id, problem)
            return False
        # The key comes first: if we crash after this, it lies there unused, and a new one takes its place.
        memory.make_key()
        try:
            with node.store.transaction("consent.sign") as session:
                _sign(session, node, round_)
        except PolicyError as error:  # nobody approved it
            _refuse(node, round_id, error.sentence)
            return False
        # If we crash here, the sealed secrets and the statement are there together, and the outbox sends it.
    _LOG.info("consent_signed", round=round_id)
    return True


def _refuse(node: NodeContext, round_id: str, problem: Sentence) -> None:
    with node.store.transaction("consent.refuse") as session:
        statements.report_problem(session, node.clock, round_id, "consent", problem)
        round_row(session, round_id).consent_wished = False


def _sign(session: Session, node: NodeContext, round_: Round) -> None:
    memory = node.rounds.of(round_.round_id)
    earlier, row = earlier_rounds(session, round_.manifest), round_row(session, round_.round_id)
    declared = ClassCounts(full=row.declared_full, partial=row.declared_partial)

    def make(number: int) -> bytes:
        secrets, envelope = node.party.consent(round_, number, earlier, node.random, declared)
        statements.put_secret(session, round_.round_id, ROUND_SECRETS, memory.seal(ROUND_SECRETS, secrets.to_bytes()))
        secrets.close()
        return envelope

    statement = statements.sign(session, node.signer, round_.round_id, make)
    round_row(session, round_.round_id).consent_digest = statement.digest


_LEAST = 2


def exclude_absent(node: NodeContext, round_id: str) -> bool:
    """Sign that the round goes on without those who are late by the matcher's word and by our own clock."""
    memory = node.rounds.of(round_id)
    absent = tuple(sorted(memory.late))
    if not absent or node.code in absent:
        return False
    with memory.reading() as round_, node.store.transaction("round.amend") as session:
        left = [party for party in round_.participants if party not in absent]
        if round_.phase is not Phase.OPEN or len(left) < _LEAST or set(absent) - set(round_.participants):
            return False
        # Whoever signed tokens under this set signs no amendment, and the other way round.
        if statements.own_statements(session, round_id, StatementKind.TOKENS) or signed_under(
            session, node.registry, round_
        ):
            return False
        try:
            statements.sign(
                session, node.signer, round_id, lambda number: node.party.amend(round_, number, absent, node.clock())
            )
        except PolicyError:
            return False  # not late by our own clock: the matcher's is not trusted for this
    _LOG.info("amendment_signed", round=round_id, count=len(absent))
    return True


def signed_under(session: Session, registry: Registry, round_: Round) -> bool:
    """Return whether this node has signed an amendment of the set in force; then no token is sent under it."""
    signed = (
        statements.open_statement(registry, row.envelope)
        for row in statements.own_statements(session, round_.round_id, StatementKind.AMENDMENT)
    )
    return any(Amendment.from_payload(found.payload).binding == round_.binding for found in signed)


def check_own_part(session: Session, signer: Signer, round_: Round, row: RoundRow) -> None:
    """After the opening: go on only where it rests on this node's own consent (PROTOCOL.md 3.3.5)."""
    try:
        signer.party.check_opening(round_, row.consent_digest or "")
    except BindingError as error:
        _leave(session, signer.clock, row, error.sentence)


def drop_absent(session: Session, signer: Signer, round_: Round, row: RoundRow) -> None:
    """After an amendment took effect: drop what concerned the absent; the rest stays (PROTOCOL.md 3.8.3)."""
    if signer.code not in round_.participants:
        _leave(session, signer.clock, row, Sentence.of("left_out_of_round"))
        return
    kept = set(round_.submissions)
    for queue in (ChunkDownloadRow, EvaluationDownloadRow):
        session.execute(delete(queue).where(queue.round_id == row.round_id, queue.submission_id.not_in(kept)))
    absent = EvaluationDownloadRow.party.not_in(round_.participants)
    session.execute(delete(EvaluationDownloadRow).where(EvaluationDownloadRow.round_id == row.round_id, absent))
    session.execute(
        update(EvaluationRow)
        .where(EvaluationRow.round_id == row.round_id, EvaluationRow.submission_id.not_in(kept))
        .values(sent=True)
    )
    for waiting in statements.own_statements(session, row.round_id, StatementKind.EVALUATION):
        if not waiting.sent and _submission_of(signer.registry, waiting) not in kept:
            waiting.refusal, waiting.sent = dumps(Sentence.of("origin_left_round")), True
    # Tokens that were made with the absent party's evaluations are made again without.
    session.execute(
        update(ChunkRow).where(ChunkRow.round_id == row.round_id).values(token_rows=None, token_digest=None)
    )
    _LOG.info("amended", round=row.round_id, count=len(round_.participants))


def _submission_of(registry: Registry, row: StatementRow) -> str:
    return Evaluation.from_payload(statements.open_statement(registry, row.envelope).payload).submission_id


def _leave(session: Session, clock: Clock, row: RoundRow, problem: Sentence) -> None:
    """End this node's part without a word: the round is the others'."""
    statements.report_problem(session, clock, row.round_id, "left out", problem)
    row.enter(LocalRoundState.DESTROYING)
    row.outcome = DestructionReason.LEFT_OUT.value
    query = select(SubmissionRow).where(SubmissionRow.round_id == row.round_id, SubmissionRow.state.in_(UNSIGNED))
    for submission in session.scalars(query):
        submission.enter(SubmissionState.FAILED)
