"""Dual control at a node: one person requests, another approves exactly that content.

The content is all that the second person has to judge: of a consent the whole manifest; of a submission the round, the
import by name, size and the digest of its records, and the justification, whose `officer` is the author's pseudonymous
id, set here and not typed; of the erasure of a record with hits its number, what goes with it in numbers, and why; of a
standing query the import, the justification, the terms of the rounds in which it may be asked, and its end; of the
registry the matcher's whole statement, what it changes here, and the words that were heard.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.roles import Action
from aquila.crypto.envelope import digest_of_payload
from aquila.errors import InputError, OrderError
from aquila.interface.approval import (
    ApprovalEntry,
    ApprovalKind,
    ApprovalState,
    OwnErasureRequest,
    OwnErasureRequests,
    PendingApproval,
)
from aquila.interface.hits import ErasureProposal
from aquila.interface.queries import StandingQueryRequest, StandingQueryState
from aquila.interface.rounds import ConsentRequest, SubmissionRequest
from aquila.protocol.encoding import canonical
from aquila.protocol.messages import ClassCounts, Justification, Kind
from aquila.protocol.registration.statements import RegistryStatement
from aquila.protocol.rounds.verified_round import Round
from services.kit.actor import Actor
from services.kit.approvals.decisions import withdraw
from services.kit.approvals.requests import Approvals, Content, UseCase, content_of, entry_of, request, row_of
from services.kit.approvals.tables import ApprovalRow
from services.kit.errors import NotFoundError
from services.kit.log.entries import actor_fields
from services.kit.storage.store import Store
from services.node.context import Clock, Journal, NodeContext
from services.node.records import erasure
from services.node.records.digests import checked_digest, recorded_digest
from services.node.records.queries import standing_queries
from services.node.round_memory import RoundMemories
from services.node.rounds import requests
from services.node.rounds.attention import stored_manifest
from services.node.safeguards import registry
from services.node.storage.imports import complete_import
from services.node.storage.tables import StandingQueryRow

_MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class _OpenedConsent:
    session: Session
    round: Round
    declared: ClassCounts


class Consent(UseCase[_OpenedConsent]):
    """The consent to a round: its content is the whole manifest, and what the consent declares."""

    kind = ApprovalKind.CONSENT

    def __init__(self, node: NodeContext) -> None:
        self._node = node

    @contextlib.contextmanager
    def open(self, name: str, content: Content) -> Iterator[_OpenedConsent]:
        """Open the round and its transaction; raises OrderError where the round has another manifest."""
        node = self._node
        with node.rounds.reading(content["round_id"]) as round_, node.store.transaction(name) as session:
            _check_manifest(round_, content)
            yield _OpenedConsent(session, round_, ClassCounts(**content["elements"]))

    def check(self, opened: _OpenedConsent) -> None:
        """Raise as `requests.check_consent` does."""
        requests.check_consent(self._node, opened.session, opened.round)

    def apply(self, opened: _OpenedConsent) -> None:
        """Let the driver consent; raises as `check` does."""
        requests.request_consent(self._node, opened.session, opened.round, opened.declared)


@dataclass(frozen=True, slots=True)
class _OpenedSubmission:
    session: Session
    round: Round
    wanted: requests.RequestedSubmission


class Submission(UseCase[_OpenedSubmission]):
    """The submission of a list or a query: its content is the list by its records, and the justification."""

    kind = ApprovalKind.SUBMISSION

    def __init__(self, rounds: RoundMemories, store: Store, clock: Clock) -> None:
        self._rounds, self._store, self._clock = rounds, store, clock

    @contextlib.contextmanager
    def open(self, name: str, content: Content) -> Iterator[_OpenedSubmission]:
        """Read the list's records, then open the round and its transaction.

        Raises:
            NotFoundError: The node holds no such import.
            OrderError: The round has another manifest, or the list is not the one that was asked for.
        """
        import_id = content["import"]["import_id"]
        # The records are read before the transaction, so that no other writer waits for it; whether they are still
        # these when they are used is looked at then, too.
        digest = checked_digest(self._store, import_id)
        with self._rounds.reading(content["round_id"]) as round_, self._store.transaction(name) as session:
            _check_manifest(round_, content)
            if _described(session, import_id, digest) != content["import"]:
                raise OrderError("list_differs_from_request")
            wanted = requests.RequestedSubmission(
                submission_id=content["submission_id"],
                import_id=import_id,
                records_digest=digest,
                kind=Kind(content["submission_kind"]),
                justification=Justification.model_validate(content["justification"]),
            )
            yield _OpenedSubmission(session, round_, wanted)

    def check(self, opened: _OpenedSubmission) -> None:
        """Raise as `requests.check_submission` does."""
        wanted = opened.wanted
        requests.check_submission(self._clock, opened.session, opened.round, wanted.import_id, wanted.kind)

    def apply(self, opened: _OpenedSubmission) -> None:
        """Let the driver prepare the list; raises as `check` does."""
        requests.request_submission(self._clock, opened.session, opened.round, opened.wanted)


@dataclass(slots=True)
class _OpenedErasure:
    session: Session
    found: erasure.FoundRecord
    by: dict[str, str]
    done: bool = False


class Erasure(UseCase[_OpenedErasure]):
    """The erasure of a record that has hits: its content is the record's number, the numbers of what goes, and why."""

    kind = ApprovalKind.ERASURE

    def __init__(self, node: NodeContext) -> None:
        self._node = node

    @contextlib.contextmanager
    def open(self, name: str, content: Content) -> Iterator[_OpenedErasure]:
        """Find the record in the transaction; what was erased is overwritten after it.

        Raises:
            NotFoundError: There is no such record any more.
            PolicyError: A list with it is being prepared for a round at this moment.
            OrderError: It has other hits, or is in other lists, than when it was asked for.
        """
        with self._node.store.transaction(name) as session:
            found = erasure.find_record(session, content["record_id"])
            if _erased_with(found) != content["erased"]:
                raise OrderError("record_differs_from_request")
            opened = _OpenedErasure(session, found, content["author"])
            yield opened
        if opened.done:
            erasure.overwrite_erased(self._node)

    def check(self, opened: _OpenedErasure) -> None:
        """Accept what could be opened: `open` has looked at everything."""

    def apply(self, opened: _OpenedErasure) -> None:
        """Erase the record."""
        erasure.erase_found(opened.session, self._node, opened.found, opened.by)
        opened.done = True


@dataclass(slots=True)
class _OpenedStanding:
    session: Session
    row: StandingQueryRow


class Standing(UseCase[_OpenedStanding]):
    """A standing query: its content is the persons by their list, the justification, the terms and the end."""

    kind = ApprovalKind.STANDING_QUERY

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    @contextlib.contextmanager
    def open(self, name: str, content: Content) -> Iterator[_OpenedStanding]:
        """Read the persons' records, then open the transaction.

        Raises:
            NotFoundError: The node holds no such import.
            OrderError: The list is not the one that was asked for.
        """
        import_id, store = content["import"]["import_id"], self._journal.store
        digest = checked_digest(store, import_id)
        with store.transaction(name) as session:
            if _described(session, import_id, digest) != content["import"]:
                raise OrderError("list_differs_from_request")
            row = StandingQueryRow(
                standing_id=content["standing_id"],
                import_id=import_id,
                records_digest=digest,
                round_id=content["like_round"],
                terms=content["terms"],
                justification=content["justification"],
                approved_at=self._journal.clock(),
                until=content["until"],
                state=StandingQueryState.ACTIVE,
            )
            yield _OpenedStanding(session, row)

    def check(self, opened: _OpenedStanding) -> None:
        """Raise as `standing_queries.check_new` does."""
        standing_queries.check_new(opened.session, opened.row.import_id, opened.row.until, self._journal.clock())

    def apply(self, opened: _OpenedStanding) -> None:
        """Begin the standing query; raises as `check` does."""
        self.check(opened)
        standing_queries.begin(opened.session, self._journal, opened.row)


@dataclass(slots=True)
class _OpenedAcceptance:
    session: Session
    digest: str
    in_force: bool = False


class Acceptance(UseCase[_OpenedAcceptance]):
    """The acceptance of a registry: its content is the matcher's whole statement, and what it changes here."""

    kind = ApprovalKind.REGISTRY

    def __init__(self, node: NodeContext) -> None:
        self._node = node

    @contextlib.contextmanager
    def open(self, name: str, content: Content) -> Iterator[_OpenedAcceptance]:
        """Open a transaction; the registry is in force after it."""
        digest = digest_of_payload(RegistryStatement.payload_type, canonical(content["statement"]))
        with self._node.store.transaction(name) as session:
            opened = _OpenedAcceptance(session, digest)
            yield opened
        if opened.in_force:
            registry.adopt(self._node)

    def check(self, opened: _OpenedAcceptance) -> None:
        """Raise as `registry.check_acceptance` does."""
        registry.check_acceptance(self._node, opened.session, opened.digest)

    def apply(self, opened: _OpenedAcceptance) -> None:
        """Accept the statement; raises as `registry.accept` does."""
        opened.in_force = registry.accept(self._node, opened.session, opened.digest)


def approvals_of(node: NodeContext, *more: Callable[[], None]) -> Approvals:
    """Return four eyes at this node.

    Args:
        node: The node.
        more: Wake other drivers than that of rounds when something took effect.
    """
    rounds = Consent(node), Submission(node.rounds, node.store, node.clock)
    use_cases = *rounds, Erasure(node), Standing(node.journal), Acceptance(node)

    def wake() -> None:
        # The driver of rounds is made after this and sets what wakes it.
        for one in (node.wake, *more):
            one()

    return Approvals(node.people, use_cases, wake)


def ask_consent(
    node: NodeContext, approvals: Approvals, actor: Actor, round_id: str, wanted: ConsentRequest
) -> PendingApproval:
    """Ask for a consent; raises as `requests.check_consent` does."""
    with node.rounds.reading(round_id) as round_, node.store.reading("approval.declared") as session:
        content = {
            "kind": ApprovalKind.CONSENT.value,
            "round_id": round_id,
            "manifest_digest": round_.manifest_digest,
            "manifest": round_.manifest.model_dump(mode="json"),
            "elements": requests.declared_elements(session, round_, node.code, wanted).model_dump(mode="json"),
        }
    return request(approvals, actor, content)


def ask_submission(
    node: NodeContext, approvals: Approvals, actor: Actor, round_id: str, wanted: SubmissionRequest
) -> PendingApproval:
    """Ask for a submission; raises as `requests.check_submission` and `Submission.open` do.

    The same list is the same request, whatever the reasons: a party has one in a round. A query is the same where its
    list and its reasons are. Neither depends on who asks for it, or on what its id would be.
    """
    digest = recorded_digest(node.store, wanted.import_id)  # whether the records are still these, `open` looks
    with node.rounds.reading(round_id) as round_, node.store.reading("approval.import") as session:
        content = {
            "kind": ApprovalKind.SUBMISSION.value,
            "round_id": round_id,
            "manifest_digest": round_.manifest_digest,
            "submission_id": node.random(16).hex(),
            "submission_kind": wanted.kind.value,
            "import": _described(session, wanted.import_id, digest),
            "justification": wanted.justification.model_dump(mode="json") | {"officer": actor.person},
            "salt": node.random(16).hex(),
        }
    added = {"submission_id": "", "salt": "", "justification": wanted.justification.model_dump(mode="json")}
    if wanted.kind is Kind.LIST:
        added["justification"] = ""
    return request(approvals, actor, content, content | added)


def ask_standing_query(
    node: NodeContext, approvals: Approvals, actor: Actor, import_id: str, wanted: StandingQueryRequest
) -> PendingApproval:
    """Ask for a standing query; raises as `round_with_terms`, `check_new` and `Standing.open` do.

    One for the same persons with the same reasons, terms and end is the same request, whoever asks for it.
    """
    if wanted.justification.urgency is not None:
        raise InputError("standing_query_urgent")
    digest = recorded_digest(node.store, import_id)
    with node.store.reading("approval.standing") as session:
        row = standing_queries.round_with_terms(session, wanted.round_id)
        content = {
            "kind": ApprovalKind.STANDING_QUERY.value,
            "round_id": None,
            "like_round": wanted.round_id,
            "standing_id": node.random(16).hex(),
            "import": _described(session, import_id, digest),
            "justification": wanted.justification.model_dump(mode="json") | {"officer": actor.person},
            "terms": standing_queries.terms_of(node.code, stored_manifest(row)).model_dump(mode="json"),
            "until": wanted.until,
            "salt": node.random(16).hex(),
        }
    why = wanted.justification.model_dump(mode="json")
    added = {"standing_id": "", "like_round": "", "salt": "", "justification": why}
    return request(approvals, actor, content, content | added)


def ask_erasure(node: NodeContext, approvals: Approvals, actor: Actor, wanted: ErasureProposal) -> PendingApproval:
    """Ask for the erasure of a record with its hits; raises as `Erasure.open` does.

    The same record is the same request, whoever asks for it and why. A random number in the content keeps a digest in
    the log from being tried out with numbers of records.
    """
    with node.store.reading("approval.record") as session:
        found = erasure.find_record(session, wanted.record_id)
        content = {
            "kind": ApprovalKind.ERASURE.value,
            "round_id": None,
            "record_id": wanted.record_id,
            "reason": wanted.reason,
            "erased": _erased_with(found),
            "author": actor_fields(actor, Action.ERASE_RECORD),
            "salt": node.random(16).hex(),
        }
    subject = {"kind": ApprovalKind.ERASURE.value, "record_id": wanted.record_id}
    return request(approvals, actor, content, subject)


def own_erasures(approvals: Approvals, actor: Actor) -> OwnErasureRequests:
    """Return the erasures that a person asked for: those that wait first, then the newest."""
    waits = (ApprovalRow.state == ApprovalState.WAITING.value).desc()
    own = ApprovalRow.kind == ApprovalKind.ERASURE.value, ApprovalRow.author == actor.person
    query = select(ApprovalRow).where(*own).order_by(waits, ApprovalRow.asked_at.desc(), ApprovalRow.approval_id)
    with approvals.people.store.reading("approval.erasures") as session:
        rows = list(session.scalars(query.limit(_MOST_SHOWN)))
    now = approvals.people.clock()
    return OwnErasureRequests(
        requests=tuple(
            OwnErasureRequest(
                entry=entry_of(row, actor, now),
                record_id=content.get("record_id", ""),
                asked_because=content.get("reason", ""),
            )
            for row, content in ((row, content_of(row)) for row in rows)
        )
    )


def withdraw_erasure(approvals: Approvals, actor: Actor, approval_id: str) -> ApprovalEntry:
    """Take back an own request for an erasure; raises as `decisions.withdraw` does.

    Raises:
        NotFoundError: There is no such request for an erasure.
    """
    with approvals.people.store.reading("approval.erasure") as session:
        if row_of(session, approval_id).kind != ApprovalKind.ERASURE.value:
            raise NotFoundError("request_unknown")
    return withdraw(approvals, actor, approval_id)


def _erased_with(found: erasure.FoundRecord) -> dict[str, Any]:
    """Return the numbers and parties of an erasure, as the approver sees them."""
    return {**found.counts(), "counterparts": list(found.counterparts)}


def _check_manifest(round_: Round, content: Content) -> None:
    """A round has one manifest at a node; another one would be another content."""
    if round_.manifest_digest != content["manifest_digest"]:
        raise OrderError("round_manifest_differs", round=round_.round_id)


def _described(session: Session, import_id: str, digest: str) -> dict[str, str | int]:
    """Return the description of an import that the approver sees: a difference in any of it means another import.

    Raises:
        NotFoundError: The node holds no such import.
    """
    row = complete_import(session, import_id)
    return {
        "import_id": row.import_id,
        "name": row.name,
        "records": row.records,
        "imported_at": row.imported_at,
        "digest": digest,
    }
