"""Dual control at a node, of consents and submissions: one person requests, another approves exactly that content.

The content is all that the second person has to judge: of a consent the whole manifest, of a submission the round, the
import by name, size and the digest of its records, and the justification, whose `officer` is the author's pseudonymous
id, set here and not typed.
"""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from aquila.errors import OrderError
from aquila.interface.approval import ApprovalKind
from aquila.protocol.messages import Justification, Kind
from services.kit.approvals import Approvals, ApprovedAction, Content, request
from services.kit.errors import NotFoundError
from services.node.records.digests import checked_digest
from services.node.rounds import requests
from services.node.storage.tables import ImportRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from aquila.interface.approval import PendingApproval
    from aquila.interface.rounds import SubmissionRequest
    from aquila.protocol.rounds.verified_round import Round
    from services.kit.people import Actor
    from services.node.context import NodeContext


def approvals_of(node: NodeContext) -> Approvals:
    """Return four eyes at this node."""
    use_cases = {
        ApprovalKind.CONSENT: partial(_consent, node),
        ApprovalKind.SUBMISSION: partial(_submission, node),
    }
    # The driver is made after this and sets what wakes it.
    return Approvals(node.people, use_cases, lambda: node.wake())  # noqa: PLW0108 - see above


def ask_consent(node: NodeContext, approvals: Approvals, actor: Actor, round_id: str) -> PendingApproval:
    """Ask for a consent; raises as `wishes.check_consent` does."""
    with node.rounds.reading(round_id) as round_:
        content = {
            "kind": ApprovalKind.CONSENT.value,
            "round_id": round_id,
            "manifest_digest": round_.manifest_digest,
            "manifest": round_.manifest.model_dump(mode="json"),
        }
    return request(approvals, actor, content)


def ask_submission(
    node: NodeContext, approvals: Approvals, actor: Actor, round_id: str, wanted: SubmissionRequest
) -> PendingApproval:
    """Ask for a submission; raises as `wishes.check_submission` and `contents.checked_digest` do.

    The same list for the same reasons is the same request, whoever asks for it and whatever its id would be.
    """
    digest = checked_digest(node.store, wanted.import_id)
    with node.rounds.reading(round_id) as round_, node.store.reading("approval.import") as session:
        content = {
            "kind": ApprovalKind.SUBMISSION.value,
            "round_id": round_id,
            "manifest_digest": round_.manifest_digest,
            "submission_id": node.random(16).hex(),
            "submission_kind": wanted.kind.value,
            "import": _described(session, wanted.import_id, digest),
            "justification": wanted.justification.model_dump(mode="json") | {"officer": actor.person},
        }
    added = {"submission_id": "", "justification": wanted.justification.model_dump(mode="json")}
    return request(approvals, actor, content, content | added)


@contextlib.contextmanager
def _consent(node: NodeContext, name: str, content: Content) -> Iterator[ApprovedAction]:
    with node.rounds.reading(content["round_id"]) as round_, node.store.transaction(name) as session:
        _check_manifest(round_, content)

        def check() -> None:
            requests.check_consent(node, session, round_)

        yield ApprovedAction(session, check, lambda: requests.request_consent(node, session, round_))


@contextlib.contextmanager
def _submission(node: NodeContext, name: str, content: Content) -> Iterator[ApprovedAction]:
    import_id, kind = content["import"]["import_id"], Kind(content["submission_kind"])
    why = Justification.model_validate(content["justification"])
    # The records are read before the transaction, so that no other writer waits for it; whether they are still these
    # when they are used is looked at then, too.
    digest = checked_digest(node.store, import_id)
    with node.rounds.reading(content["round_id"]) as round_, node.store.transaction(name) as session:
        _check_manifest(round_, content)
        if _described(session, import_id, digest) != content["import"]:
            raise OrderError("the list is not the one any more that was asked for", hint="ask for it anew")

        def check() -> None:
            requests.check_submission(node.clock, session, round_, import_id, kind)

        def apply() -> None:
            requests.request_submission(
                node.clock, session, round_, content["submission_id"], import_id, digest, kind, why
            )

        yield ApprovedAction(session, check, apply)


def _check_manifest(round_: Round, content: Content) -> None:
    """A round has one manifest at a node; another one would be another content."""
    if round_.manifest_digest != content["manifest_digest"]:
        raise OrderError("the round has another manifest than was asked for", round=round_.round_id)


def _described(session: Session, import_id: str, digest: str) -> dict[str, str | int]:
    """Return the description of an import that the approver sees: a difference in any of it means another import.

    Raises:
        NotFoundError: The node holds no such import.
    """
    row = session.get(ImportRow, import_id)
    if row is None or not row.complete:
        raise NotFoundError("the node holds no such import", hint="see them with `aquila records list`")
    return {
        "import_id": row.import_id, "name": row.name, "records": row.records, "imported_at": row.imported_at,
        "digest": digest,
    }  # fmt: skip
