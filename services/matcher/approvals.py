"""Dual control at the matcher, of proposing and aborting a round: one person requests, another approves that content.

Of a proposal the content is the whole manifest as it will be signed, its deadlines fixed when it was asked for.
"""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from aquila.interface.approval import ApprovalKind
from aquila.protocol.encoding import canonical
from aquila.protocol.messages import Manifest
from services.kit.approvals import Approvals, ApprovedAction, Content, request
from services.matcher.rounds.end_requests import check_abort, request_abort
from services.matcher.rounds.proposals import check_proposal, manifest_of, propose_round
from services.matcher.rounds.suggestions import proposed_from, waiting_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila.interface.approval import PendingApproval
    from aquila.interface.rounds import RoundProposal
    from services.kit.people import Actor
    from services.matcher.context import MatcherContext


def approvals_of(desk: MatcherContext) -> Approvals:
    """Return four eyes at this matcher."""
    use_cases = {ApprovalKind.PROPOSAL: partial(_proposal, desk), ApprovalKind.ABORT: partial(_abort, desk)}
    return Approvals(desk.people, use_cases, desk.bell.ring)


def ask_proposal(desk: MatcherContext, approvals: Approvals, actor: Actor, proposal: RoundProposal) -> PendingApproval:
    """Ask for a new round; raises as `manifest_of`, `check_proposal` and, for a suggestion, `waiting_row` do."""
    manifest = manifest_of(desk, proposal)
    content = {
        "kind": ApprovalKind.PROPOSAL.value,
        "round_id": manifest.round_id,
        "manifest": manifest.model_dump(mode="json"),
    } | ({} if proposal.suggestion_id is None else {"suggestion_id": proposal.suggestion_id})
    subject = {"kind": ApprovalKind.PROPOSAL.value, "proposal": proposal.model_dump(mode="json")}
    return request(approvals, actor, content, subject)


def ask_abort(approvals: Approvals, actor: Actor, round_id: str, reason: str) -> PendingApproval:
    """Ask for the end of a round; raises as `check_abort` does."""
    return request(approvals, actor, {"kind": ApprovalKind.ABORT.value, "round_id": round_id, "reason": reason})


@contextlib.contextmanager
def _proposal(desk: MatcherContext, name: str, content: Content) -> Iterator[ApprovedAction]:
    manifest = Manifest.model_validate_json(canonical(content["manifest"]))
    suggestion_id = content.get("suggestion_id")
    with desk.store.transaction(name) as session:

        def check() -> None:
            check_proposal(desk, manifest)
            if suggestion_id is not None:
                waiting_row(session, suggestion_id)

        def apply() -> None:
            propose_round(desk, session, manifest)
            if suggestion_id is not None:
                proposed_from(session, suggestion_id, manifest.round_id, desk.clock())

        yield ApprovedAction(session, check=check, apply=apply)


@contextlib.contextmanager
def _abort(desk: MatcherContext, name: str, content: Content) -> Iterator[ApprovedAction]:
    with desk.known.writing(name, content["round_id"]) as turn:
        yield ApprovedAction(
            turn.session, check=lambda: check_abort(turn), apply=lambda: request_abort(turn, content["reason"])
        )
