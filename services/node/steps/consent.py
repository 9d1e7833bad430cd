"""Step 3: the operator's consent becomes fresh keys and a signed statement (PROTOCOL.md 3.3)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from aquila.errors import PolicyError
from aquila.protocol.messages import ClassCounts
from aquila.protocol.rounds.verified_round import Round
from aquila.sentences import Sentence
from services.kit.logging import Log
from services.node.context import NodeContext
from services.node.round_memory import ROUND_SECRETS, round_row
from services.node.rounds import statements
from services.node.rounds.requests import is_consent_due, late_consent, manifest_problem
from services.node.safeguards.evaluation_limits import earlier_rounds

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
