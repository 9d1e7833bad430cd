"""Dual control at the matcher: one person requests, another approves exactly that content.

Of a proposal the content is the whole manifest as it will be signed, its deadlines fixed when it was asked for; of a
change of the registry it is the whole statement, with what it changes and the words that were heard.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from aquila.errors import OrderError
from aquila.interface.approval import ApprovalKind, PendingApproval
from aquila.interface.rounds import RoundProposal
from aquila.protocol.encoding import canonical
from aquila.protocol.messages import Manifest
from aquila.protocol.registration.statements import RegistryStatement
from aquila.sentences.sentence import printable
from services.kit.actor import Actor
from services.kit.approvals.requests import Approvals, Content, UseCase, request, waiting_of
from services.matcher.administration import registry
from services.matcher.context import MatcherContext
from services.matcher.round_memory import RoundCache, RoundTransaction
from services.matcher.rounds.end_requests import check_end, request_abort
from services.matcher.rounds.proposals import check_proposal, manifest_of, propose_round


@dataclass(frozen=True, slots=True)
class _OpenedProposal:
    session: Session
    manifest: Manifest


class Proposal(UseCase[_OpenedProposal]):
    """The proposal of a round: its content is the whole manifest."""

    kind = ApprovalKind.PROPOSAL

    def __init__(self, context: MatcherContext) -> None:
        self._context = context

    @contextlib.contextmanager
    def open(self, name: str, content: Content) -> Iterator[_OpenedProposal]:
        """Open a transaction for the manifest as it was asked for."""
        manifest = Manifest.model_validate_json(canonical(content["manifest"]))
        with self._context.store.transaction(name) as session:
            yield _OpenedProposal(session, manifest)

    def check(self, opened: _OpenedProposal) -> None:
        """Raise as `check_proposal` does."""
        check_proposal(self._context, opened.manifest)

    def apply(self, opened: _OpenedProposal) -> None:
        """Propose the round; raises as `check` does."""
        propose_round(self._context, opened.session, opened.manifest)


@dataclass(frozen=True, slots=True)
class _OpenedAbort:
    turn: RoundTransaction
    reason: str

    @property
    def session(self) -> Session:
        return self.turn.session


class Abort(UseCase[_OpenedAbort]):
    """The end of a round before its time: its content is the round and the reason."""

    kind = ApprovalKind.ABORT

    def __init__(self, rounds: RoundCache) -> None:
        self._rounds = rounds

    @contextlib.contextmanager
    def open(self, name: str, content: Content) -> Iterator[_OpenedAbort]:
        """Open the round for a change."""
        with self._rounds.writing(name, content["round_id"]) as turn:
            yield _OpenedAbort(turn, content["reason"])

    def check(self, opened: _OpenedAbort) -> None:
        """Raise as `check_end` does."""
        check_end(opened.turn)

    def apply(self, opened: _OpenedAbort) -> None:
        """Let the round be aborted; raises as `check` does."""
        request_abort(opened.turn, opened.reason)


@dataclass(slots=True)
class _OpenedChange:
    session: Session
    message: RegistryStatement
    done: bool = False


class RegistryChange(UseCase[_OpenedChange]):
    """A change of the registry: its content is the whole statement, and what follows from it."""

    kind = ApprovalKind.REGISTRY

    def __init__(self, context: MatcherContext) -> None:
        self._context = context

    @contextlib.contextmanager
    def open(self, name: str, content: Content) -> Iterator[_OpenedChange]:
        """Open a transaction for the statement as it was asked for; it is in force after it."""
        message = RegistryStatement.from_payload(canonical(content["statement"]))
        with self._context.store.transaction(name) as session:
            opened = _OpenedChange(session, message)
            yield opened
        if opened.done:
            registry.adopt(self._context, message)

    def check(self, opened: _OpenedChange) -> None:
        """Raise as `registry.check_change` does.

        Raises:
            OrderError: Another change waits: only one of the two could follow the registry as it is.
        """
        waiting = waiting_of(opened.session, self.kind, self._context.clock())
        if waiting is not None:
            raise OrderError("registry_change_waits", approval=waiting.approval_id)
        registry.check_change(self._context, opened.session, opened.message)

    def apply(self, opened: _OpenedChange) -> None:
        """State the registry; raises as `registry.state` does."""
        registry.state(self._context, opened.session, opened.message)
        opened.done = True


def approvals_of(context: MatcherContext) -> Approvals:
    """Return four eyes at this matcher."""
    use_cases = Proposal(context), Abort(context.round_cache), RegistryChange(context)
    return Approvals(context.people, use_cases, context.wakeup.notify)


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
