"""Dual control at the matcher: one person requests, another approves exactly that content.

Of a proposal the content is the whole manifest as it will be signed, its deadlines fixed when it was asked for; of a
change of the registry it is the whole statement, with what it changes and the words that were heard.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from aquila.errors import OrderError
from aquila.interface.approval import ApprovalKind, PendingApproval
from aquila.interface.rounds import RoundProposal
from aquila.protocol.encoding import canonical
from aquila.protocol.messages import Manifest
from aquila.protocol.registration.statements import RegistryStatement
from aquila.sentences.sentence import printable
from services.kit.actor import Actor
from services.kit.approvals.requests import Approvals, Content, OpenedRequest, Opening, request, waiting_of
from services.matcher.administration import registry
from services.matcher.context import MatcherContext
from services.matcher.round_memory import RoundCache
from services.matcher.rounds.proposals import check_end, check_proposal, manifest_of, propose_round, request_abort


@contextmanager
def _proposal(context: MatcherContext, name: str, content: Content) -> Iterator[OpenedRequest]:
    """Open the proposal of a round: its content is the whole manifest."""
    manifest = Manifest.model_validate_json(canonical(content["manifest"]))
    with context.store.transaction(name) as session:
        yield OpenedRequest(
            session, partial(check_proposal, context, manifest), partial(propose_round, context, session, manifest)
        )


@contextmanager
def _abort(rounds: RoundCache, name: str, content: Content) -> Iterator[OpenedRequest]:
    """Open the end of a round before its time: its content is the round and the reason."""
    with rounds.writing(name, content["round_id"]) as turn:
        yield OpenedRequest(turn.session, partial(check_end, turn), partial(request_abort, turn, content["reason"]))


@contextmanager
def _registry_change(context: MatcherContext, name: str, content: Content) -> Iterator[OpenedRequest]:
    """Open a change of the registry: its content is the whole statement, and what follows from it.

    The statement is in force after the transaction. Another change that waits keeps this one from being asked for: only
    one of the two could follow the registry as it is.
    """
    message, stated = RegistryStatement.from_payload(canonical(content["statement"])), list[RegistryStatement]()
    with context.store.transaction(name) as session:

        def check() -> None:
            waiting = waiting_of(session, ApprovalKind.REGISTRY, context.clock())
            if waiting is not None:
                raise OrderError("registry_change_waits", approval=waiting.approval_id)
            registry.check_change(context, session, message)

        def apply() -> None:
            registry.state(context, session, message)
            stated.append(message)

        yield OpenedRequest(session, check, apply)
    if stated:
        registry.adopt(context, message)


def approvals_of(context: MatcherContext) -> Approvals:
    openings: dict[ApprovalKind, Opening] = {
        ApprovalKind.PROPOSAL: partial(_proposal, context),
        ApprovalKind.ABORT: partial(_abort, context.round_cache),
        ApprovalKind.REGISTRY: partial(_registry_change, context),
    }
    return Approvals(context.people, openings, context.wakeup.notify)


def ask_proposal(
    context: MatcherContext, approvals: Approvals, actor: Actor, proposal: RoundProposal
) -> PendingApproval:
    """Ask for a new round; raises as `manifest_of` and `check_proposal` do."""
    manifest = manifest_of(context, proposal)
    content = {
        "kind": ApprovalKind.PROPOSAL.value,
        "round_id": manifest.round_id,
        "manifest": manifest.model_dump(mode="json"),
    }
    subject = {"kind": ApprovalKind.PROPOSAL.value, "proposal": proposal.model_dump(mode="json")}
    return request(approvals, actor, content, subject)


def ask_abort(approvals: Approvals, actor: Actor, round_id: str, reason: str) -> PendingApproval:
    """Ask for the end of a round, with the reason as it will be signed; raises as `check_end` does."""
    content = {"kind": ApprovalKind.ABORT.value, "round_id": round_id, "reason": printable(reason)}
    return request(approvals, actor, content)
