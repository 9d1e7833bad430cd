"""Step 3: the operator's consent becomes fresh keys and a signed statement (PROTOCOL.md 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from aquila.protocol.messages import ClassCounts, EarlierRound, Spent
from aquila.protocol.state import Phase
from services.kit.logs import Log
from services.node import ledger
from services.node.book import ROUND_SECRETS, book_of
from services.node.steps.discover import manifest_problem
from services.node.tables import SpentRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from aquila.protocol.messages import Manifest
    from aquila.protocol.rounds import Round
    from services.node.node import Node

_LOG = Log("node.consent")


def consent(node: Node, round_id: str) -> bool:
    """Consent where the operator wants it, and tell whether it was done."""
    book = book_of(node, round_id)
    with node.store.reading("consent.wish") as session:
        row = ledger.round_row(session, round_id)
    if not row.consent_wished or row.consent_digest is not None:
        return False
    with book.reading() as round_:
        problem = _obstacle(node, round_)
        if problem:
            with node.store.transaction("consent.refuse") as session:
                ledger.note_problem(session, node, round_id, "consent", problem)
                ledger.round_row(session, round_id).consent_wished = False
            return False
        # The key comes first: if we crash after this, it lies there unused, and a new one takes its place.
        book.make_key()
        with node.store.transaction("consent.sign") as session:
            _sign(session, node, round_)
        # If we crash here, the sealed secrets and the statement are there together, and the outbox sends it.
    _LOG.info("consent_signed", round=round_id)
    return True


def _obstacle(node: Node, round_: Round) -> str:
    """Say what speaks against a consent now, or nothing."""
    if round_.phase is not Phase.PROPOSED:
        return "the round takes no consent any more"
    if node.clock() > round_.manifest.window.consent_by:
        return "the time for a consent is over"
    return manifest_problem(node, round_.manifest)


def _sign(session: Session, node: Node, round_: Round) -> None:
    book = book_of(node, round_.round_id)
    earlier = earlier_rounds(session, round_.manifest)

    def make(number: int) -> bytes:
        secrets, envelope = node.party.consent(round_, number, earlier, node.random)
        ledger.put_secret(session, round_.round_id, ROUND_SECRETS, book.seal(ROUND_SECRETS, secrets.to_bytes()))
        secrets.close()
        return envelope

    statement = ledger.sign(session, node, round_.round_id, make)
    ledger.round_row(session, round_.round_id).consent_digest = statement.digest


def earlier_rounds(session: Session, manifest: Manifest) -> tuple[EarlierRound, ...]:
    """Return what this node evaluated in earlier rounds for parties of this one (PROTOCOL.md 3.3.6)."""
    parties = [participant.party for participant in manifest.participants]
    query = select(SpentRow).where(SpentRow.origin.in_(parties), SpentRow.round_id != manifest.round_id)
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for row in session.scalars(query):
        by_class = counts.setdefault(row.round_id, {}).setdefault(row.origin, {"full": 0, "partial": 0})
        by_class[row.input_class] = row.elements
    return tuple(
        EarlierRound(
            round_id=round_id,
            spent=tuple(Spent(origin=origin, elements=ClassCounts(**spent)) for origin, spent in sorted(by.items())),
        )
        for round_id, by in sorted(counts.items())
    )
