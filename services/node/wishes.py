"""What the operator asks for: stored at once, done by the driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from aquila.errors import OrderError, PolicyError
from aquila.protocol.messages import Kind, Mode
from aquila.protocol.state import Phase
from services.kit.errors import NotFoundError
from services.node import ledger
from services.node.book import reading_round
from services.node.steps.discover import manifest_problem
from services.node.tables import ImportRow, SubmissionRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from aquila.protocol.messages.views import SubmissionRequest
    from aquila.protocol.rounds import Round
    from services.node.node import Node
    from services.node.tables import RoundRow


def wish_consent(node: Node, round_id: str) -> None:
    """Store that the operator consents.

    Raises:
        NotFoundError: The node knows no such round.
        PolicyError: The node cannot take part in it rightly, or refuses it for good.
        OrderError: The round takes no consent any more.
    """
    with reading_round(node, round_id) as round_, node.store.transaction("wish.consent") as session:
        row = _active(session, round_id)
        if row.consent_digest is not None:
            return  # asked again: it is done already
        problem = manifest_problem(node, round_.manifest)
        if problem:
            raise PolicyError(problem, hint="the round cannot be consented to from this node", round=round_id)
        if round_.phase is not Phase.PROPOSED or node.clock() > round_.manifest.window.consent_by:
            raise OrderError("the round takes no consent any more", round=round_id)
        row.consent_wished = True


def wish_submission(node: Node, round_id: str, request: SubmissionRequest) -> str:
    """Store that the operator submits an import, and return the submission's id.

    Raises:
        NotFoundError: The node knows no such round or import.
        PolicyError: The round takes no such submission, or the node refuses the round for good.
        OrderError: The node has not consented, has submitted a list already, or the time is over.
    """
    with reading_round(node, round_id) as round_, node.store.transaction("wish.submission") as session:
        row = _active(session, round_id)
        if session.get(ImportRow, request.import_id) is None:
            raise NotFoundError("the node holds no such import", hint="see them with `aquila records list`")
        if row.consent_digest is None and not row.consent_wished:
            raise OrderError("this node has not consented to the round", hint="consent first", round=round_id)
        _check_kind(session, node, round_, request.kind)
        submission_id = node.random(16).hex()
        session.add(
            SubmissionRow(
                submission_id=submission_id, round_id=round_id, import_id=request.import_id, kind=request.kind.value,
                justification=request.justification.model_dump(mode="json"), state="wished", held_back={},
            )
        )  # fmt: skip
    return submission_id


def _check_kind(session: Session, node: Node, round_: Round, kind: Kind) -> None:
    if kind is Kind.QUERY and round_.manifest.mode is not Mode.LISTS_AND_QUERIES:
        raise PolicyError("this round takes no queries", round=round_.round_id)
    window = round_.manifest.window
    if node.clock() > (window.submit_by if kind is Kind.LIST else window.closes_at):
        raise OrderError("the time for a submission is over", round=round_.round_id)
    query = select(SubmissionRow.submission_id).where(
        SubmissionRow.round_id == round_.round_id,
        SubmissionRow.kind == Kind.LIST.value,
        SubmissionRow.state != "failed",
    )
    if kind is Kind.LIST and session.scalars(query).first() is not None:
        raise OrderError("this node has a list in the round already", hint="a round takes one list of each party")


def wish_close(node: Node, round_id: str) -> None:
    """Store that the operator wants the round's keys destroyed, once the matcher has our receipt.

    Raises:
        NotFoundError: The node knows no such round.
        OrderError: The hits have not come yet.
    """
    with reading_round(node, round_id) as round_, node.store.transaction("wish.close") as session:
        row = ledger.round_row(session, round_id)
        if row.state != "active":
            return  # it is closed already
        if (node.code, None) not in round_.reports:
            raise OrderError(
                "the round cannot be closed before its hits are here", hint="wait, or abort it", round=round_id
            )
        row.close_wished = True


def wish_abort(node: Node, round_id: str, reason: str) -> None:
    """Store that the operator leaves the round.

    Raises:
        NotFoundError: The node knows no such round.
    """
    with node.store.transaction("wish.abort") as session:
        row = ledger.round_row(session, round_id)
        if row.state == "active":
            row.abort_reason = reason


def _active(session: Session, round_id: str) -> RoundRow:
    row = ledger.round_row(session, round_id)
    if row.refused is not None:
        raise PolicyError(f"this node takes no part in the round: {row.refused}", round=round_id)
    if row.state != "active":
        raise OrderError("the round is over at this node", round=round_id)
    return row
