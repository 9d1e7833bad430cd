"""Dual control at a node: one person requests, another approves exactly that content.

The content is all that the second person has to judge: of a consent the whole manifest; of a submission the round, the
import by name, size and the digest of its records, and the justification, whose `officer` is the author's pseudonymous
id, set here and not typed; of the erasure of a record with hits its number, what goes with it in numbers, and why; of a
standing query the import, the justification, the terms of the rounds in which it may be asked, and its end; of the
registry the matcher's whole statement, what it changes here, and the words that were heard.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.roles import Action
from aquila.crypto.envelope import digest_of_payload
from aquila.errors import InputError, OrderError
from aquila.interface import approval as forms
from aquila.interface.hits import ErasureProposal, ErasureReport
from aquila.interface.queries import AskedPersons, StandingQueryRequest, StandingQueryState
from aquila.interface.rounds import ConsentRequest, SubmissionRequest
from aquila.protocol.encoding import canonical
from aquila.protocol.messages import ClassCounts, Justification, Kind
from aquila.protocol.registration.statements import RegistryStatement
from aquila.protocol.rounds.verified_round import Round
from services.kit.actor import Actor
from services.kit.approvals.decisions import withdraw
from services.kit.approvals.requests import (
    Approvals,
    Content,
    OpenedRequest,
    Opening,
    content_of,
    entry_of,
    request,
    row_of,
)
from services.kit.approvals.tables import ApprovalRow
from services.kit.errors import NotFoundError
from services.kit.log.entries import Journal, actor_fields
from services.kit.storage.store import Store
from services.node.context import Clock, NodeContext
from services.node.records import erasure
from services.node.records.queries import standing_queries
from services.node.records.queries.asked_persons import look_at_stored
from services.node.records.stored_lists import checked_digest, recorded_digest, stored_digest
from services.node.round_memory import RoundMemories
from services.node.rounds import requests
from services.node.rounds.attention import stored_manifest
from services.node.safeguards import registry
from services.node.storage.imports import complete_import
from services.node.storage.tables import StandingQueryRow

_MOST_SHOWN = 100


@contextmanager
def _consent(node: NodeContext, name: str, content: Content) -> Iterator[OpenedRequest]:
    """Open the consent to a round: its content is the whole manifest, and what the consent declares.

    Raises:
        OrderError: The round has another manifest.
    """
    with node.rounds.reading(content["round_id"]) as round_, node.store.transaction(name) as session:
        _check_manifest(round_, content)
        declared = ClassCounts(**content["elements"])
        yield OpenedRequest(
            session,
            partial(requests.check_consent, node, session, round_),
            partial(requests.request_consent, node, session, round_, declared),
        )


@contextmanager
def _submission(
    rounds: RoundMemories, store: Store, clock: Clock, name: str, content: Content
) -> Iterator[OpenedRequest]:
    """Open the submission of a list or a query: its content is the list by its records, and the justification.

    Raises:
        OrderError: The round has another manifest, or the list is not the one that was asked for.
    """
    import_id, kind = content["import"]["import_id"], Kind(content["submission_kind"])
    # The records are read before the transaction, so that no other writer waits for it; whether they are still
    # these when they are used is looked at then, too.
    digest = checked_digest(store, import_id)
    with rounds.reading(content["round_id"]) as round_, store.transaction(name) as session:
        _check_manifest(round_, content)
        _check_list(session, content, digest)
        wanted = requests.RequestedSubmission(
            submission_id=content["submission_id"],
            import_id=import_id,
            records_digest=digest,
            kind=kind,
            justification=Justification.model_validate(content["justification"]),
        )
        yield OpenedRequest(
            session,
            partial(requests.check_submission, clock, session, round_, import_id, kind),
            partial(requests.request_submission, clock, session, round_, wanted),
        )


@contextmanager
def _erasure(node: NodeContext, name: str, content: Content) -> Iterator[OpenedRequest]:
    """Open the erasure of a record with hits: its content is the record's number, the numbers of what goes, and why.

    What was erased is overwritten after the transaction.

    Raises:
        NotFoundError: There is no such record any more.
        PolicyError: A list with it is being prepared for a round at this moment.
    """
    erased = list[ErasureReport]()
    with node.store.transaction(name) as session:
        found = erasure.find_record(session, content["record_id"])
        if _erased_with(found) != content["erased"]:
            raise OrderError("record_differs_from_request")
        yield OpenedRequest(
            session,
            lambda: None,  # everything was looked at already
            lambda: erased.append(erasure.erase_found(session, node, found, content["author"])),
        )
    if erased:
        erasure.overwrite_erased(node)


@contextmanager
def _standing_query(journal: Journal, name: str, content: Content) -> Iterator[OpenedRequest]:
    """Open a standing query: its content is the persons by their list, the justification, the terms and the end.

    Raises:
        OrderError: The list is not the one that was asked for.
    """
    import_id, until = content["import"]["import_id"], content["until"]
    digest = checked_digest(journal.store, import_id)
    with journal.store.transaction(name) as session:
        _check_list(session, content, digest)
        row = StandingQueryRow(
            standing_id=content["standing_id"],
            import_id=import_id,
            records_digest=digest,
            round_id=content["like_round"],
            terms=content["terms"],
            justification=content["justification"],
            approved_at=journal.clock(),
            until=until,
            state=StandingQueryState.ACTIVE,
        )

        def check() -> None:
            standing_queries.check_new(session, import_id, until, journal.clock())

        def apply() -> None:
            check()
            standing_queries.begin(session, journal, row)

        yield OpenedRequest(session, check, apply)


@contextmanager
def _acceptance(node: NodeContext, name: str, content: Content) -> Iterator[OpenedRequest]:
    """Open the acceptance of a registry: its content is the matcher's whole statement, and what it changes here.

    The registry is in force after the transaction.
    """
    digest = digest_of_payload(RegistryStatement.payload_type, canonical(content["statement"]))
    in_force = list[bool]()
    with node.store.transaction(name) as session:
        yield OpenedRequest(
            session,
            partial(registry.check_acceptance, node, session, digest),
            lambda: in_force.append(registry.accept(node, session, digest)),
        )
    if any(in_force):
        registry.adopt(node)


def approvals_of(node: NodeContext, *more: Callable[[], None]) -> Approvals:
    """Return four eyes at this node. `more` wake other drivers than that of rounds when something is to be done."""
    openings: dict[forms.ApprovalKind, Opening] = {
        forms.ApprovalKind.CONSENT: partial(_consent, node),
        forms.ApprovalKind.SUBMISSION: partial(_submission, node.rounds, node.store, node.clock),
        forms.ApprovalKind.ERASURE: partial(_erasure, node),
        forms.ApprovalKind.STANDING_QUERY: partial(_standing_query, node.journal),
        forms.ApprovalKind.REGISTRY: partial(_acceptance, node),
    }

    def wake() -> None:
        # The driver of rounds is made after this and sets what wakes it.
        for one in (node.wake, *more):
            one()

    return Approvals(node.people, openings, wake)


def ask_consent(
    node: NodeContext, approvals: Approvals, actor: Actor, round_id: str, wanted: ConsentRequest
) -> forms.PendingApproval:
    """Ask for a consent; raises as `requests.check_consent` does."""
    with node.rounds.reading(round_id) as round_, node.store.reading("approval.declared") as session:
        content = {
            "kind": forms.ApprovalKind.CONSENT.value,
            "round_id": round_id,
            "manifest_digest": round_.manifest_digest,
            "manifest": round_.manifest.model_dump(mode="json"),
            "elements": requests.declared_elements(session, round_, node.code, wanted).model_dump(mode="json"),
        }
    return request(approvals, actor, content)


def ask_submission(
    node: NodeContext, approvals: Approvals, actor: Actor, round_id: str, wanted: SubmissionRequest
) -> forms.PendingApproval:
    """Ask for a submission; raises as `requests.check_submission` and `_submission` do.

    The same list is the same request, whatever the reasons: a party has one in a round. A query is the same where its
    list and its reasons are. Neither depends on who asks for it, or on what its id would be.
    """
    # Whether the records are still these is looked at when the request is opened.
    digest = recorded_digest(node.store, wanted.import_id)
    with node.rounds.reading(round_id) as round_, node.store.reading("approval.import") as session:
        content = {
            "kind": forms.ApprovalKind.SUBMISSION.value,
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
) -> forms.PendingApproval:
    """Ask for a standing query; raises as `round_with_terms`, `check_new` and `_standing_query` do.

    One for the same persons with the same reasons, terms and end is the same request, whoever asks for it.
    """
    if wanted.justification.urgency is not None:
        raise InputError("standing_query_urgent")
    digest = recorded_digest(node.store, import_id)
    with node.store.reading("approval.standing") as session:
        row = standing_queries.round_with_terms(session, wanted.round_id)
        content = {
            "kind": forms.ApprovalKind.STANDING_QUERY.value,
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


def ask_erasure(
    node: NodeContext, approvals: Approvals, actor: Actor, wanted: ErasureProposal
) -> forms.PendingApproval:
    """Ask for the erasure of a record with its hits; raises as `_erasure` does.

    The same record is the same request, whoever asks for it and why. A random number in the content keeps a digest in
    the log from being tried out with numbers of records.
    """
    with node.store.reading("approval.record") as session:
        found = erasure.find_record(session, wanted.record_id)
        content = {
            "kind": forms.ApprovalKind.ERASURE.value,
            "round_id": None,
            "record_id": wanted.record_id,
            "reason": wanted.reason,
            "erased": _erased_with(found),
            "author": actor_fields(actor, Action.ERASE_RECORD),
            "salt": node.random(16).hex(),
        }
    subject = {"kind": forms.ApprovalKind.ERASURE.value, "record_id": wanted.record_id}
    return request(approvals, actor, content, subject)


def asked_persons(node: NodeContext, actor: Actor, approval_id: str) -> AskedPersons:
    """Return the persons for whom a request asks, as the node reads them; the look is logged.

    Raises:
        OrderError: They are not those that were asked for.
    """
    with node.store.transaction("approval.persons") as session:
        content = content_of(row_of(session, approval_id))
        if "import" not in content or content.get("submission_kind") == Kind.LIST.value:
            raise NotFoundError("request_without_persons")
        import_id = content["import"]["import_id"]
        _check_list(session, content, stored_digest(session, import_id))
        by = actor, Action.SEE_APPROVALS
        return look_at_stored(session, node, by, import_id, approval=approval_id)


def own_erasures(approvals: Approvals, actor: Actor) -> forms.OwnErasureRequests:
    """Return the erasures that a person asked for: those that wait first, then the newest."""
    waits = (ApprovalRow.state == forms.ApprovalState.WAITING.value).desc()
    own = ApprovalRow.kind == forms.ApprovalKind.ERASURE.value, ApprovalRow.author == actor.person
    query = select(ApprovalRow).where(*own).order_by(waits, ApprovalRow.asked_at.desc(), ApprovalRow.approval_id)
    with approvals.people.store.reading("approval.erasures") as session:
        rows = list(session.scalars(query.limit(_MOST_SHOWN)))
    now = approvals.people.clock()
    return forms.OwnErasureRequests(
        requests=tuple(
            forms.OwnErasureRequest(
                entry=entry_of(row, actor, now),
                record_id=content.get("record_id", ""),
                asked_because=content.get("reason", ""),
            )
            for row, content in ((row, content_of(row)) for row in rows)
        )
    )


def withdraw_erasure(approvals: Approvals, actor: Actor, approval_id: str) -> forms.ApprovalEntry:
    """Take back an own request for an erasure; raises as `decisions.withdraw` does."""
    with approvals.people.store.reading("approval.erasure") as session:
        if row_of(session, approval_id).kind != forms.ApprovalKind.ERASURE.value:
            raise NotFoundError("request_unknown")
    return withdraw(approvals, actor, approval_id)


def _erased_with(found: erasure.FoundRecord) -> dict[str, Any]:
    """Return the numbers and parties of an erasure, as the approver sees them."""
    return {**found.counts(), "counterparts": list(found.counterparts)}


def _check_manifest(round_: Round, content: Content) -> None:
    """A round has one manifest at a node; another one would be another content."""
    if round_.manifest_digest != content["manifest_digest"]:
        raise OrderError("round_manifest_differs", round=round_.round_id)


def _check_list(session: Session, content: Content, digest: str) -> None:
    """Refuse another list than the one that was asked for; raises as `_described`, and OrderError."""
    if _described(session, content["import"]["import_id"], digest) != content["import"]:
        raise OrderError("list_differs_from_request")


def _described(session: Session, import_id: str, digest: str) -> dict[str, str | int]:
    """Return the description of an import that the approver sees: a difference in any of it means another import."""
    row = complete_import(session, import_id)
    return {
        "import_id": row.import_id,
        "name": row.name,
        "records": row.records,
        "imported_at": row.imported_at,
        "digest": digest,
    }
