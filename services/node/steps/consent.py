"""Step 3: the operator's consent becomes fresh keys and a signed statement (PROTOCOL.md 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila.protocol.rounds.round_state import Phase
from services.kit.logging import Log
from services.node.round_memory import ROUND_SECRETS, round_row
from services.node.rounds import statements
from services.node.rounds.requests import manifest_problem
from services.node.safeguards.evaluation_limits import earlier_rounds

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from aquila.protocol.rounds.verified_round import Round
    from services.node.context import NodeContext

_LOG = Log("node.consent")


def consent(node: NodeContext, round_id: str) -> bool:
    """Consent where the operator wants it, and return whether it was done."""
    book = node.rounds.of(round_id)
    with node.store.reading("consent.wish") as session:
        row = round_row(session, round_id)
    if not row.consent_wished or row.consent_digest is not None:
        return False
    with book.reading() as round_:
        problem = _obstacle(node, round_)
        if problem:
            with node.store.transaction("consent.refuse") as session:
                statements.report_problem(session, node.clock, round_id, "consent", problem)
                round_row(session, round_id).consent_wished = False
            return False
        # The key comes first: if we crash after this, it lies there unused, and a new one takes its place.
        book.make_key()
        with node.store.transaction("consent.sign") as session:
            _sign(session, node, round_)
        # If we crash here, the sealed secrets and the statement are there together, and the outbox sends it.
    _LOG.info("consent_signed", round=round_id)
    return True


def _obstacle(node: NodeContext, round_: Round) -> str:
    """Return the obstacle to a consent now, or None."""
    if round_.phase is not Phase.PROPOSED:
        return "the round takes no consent any more"
    if node.clock() > round_.manifest.window.consent_by:
        return "the time for a consent is over"
    return manifest_problem(node, round_.manifest)


def _sign(session: Session, node: NodeContext, round_: Round) -> None:
    book = node.rounds.of(round_.round_id)
    earlier = earlier_rounds(session, round_.manifest)

    def make(number: int) -> bytes:
        secrets, envelope = node.party.consent(round_, number, earlier, node.random)
        statements.put_secret(session, round_.round_id, ROUND_SECRETS, book.seal(ROUND_SECRETS, secrets.to_bytes()))
        secrets.close()
        return envelope

    statement = statements.sign(session, node.signer, round_.round_id, make)
    round_row(session, round_.round_id).consent_digest = statement.digest
