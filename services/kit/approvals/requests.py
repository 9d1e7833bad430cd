"""Requests: asked for, listed, shown, and their end without an approval.

The content of a request is stored as canonical JSON (RFC 8785) and known by its SHA-256. Who approves names the digest
of what they read; the stored content takes effect in the very transaction that records the approval, or neither
happens. A service says for each kind of request how it is opened, checked and applied.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from rfc8785 import dumps
from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from aquila.audit.entries import EntryKind, Word
from aquila.errors import OrderError, PolicyError
from aquila.followup.lifecycle import Urgency
from aquila.interface.approval import ApprovalEntry, ApprovalKind, ApprovalState, ApprovalView, PendingApproval
from aquila.interface.approval import Approvals as ApprovalList
from aquila.protocol.approvals import content_digest, digest, named_in_entry
from services.kit.actor import Actor
from services.kit.approvals.tables import ApprovalRow
from services.kit.errors import NotFoundError, StoreError
from services.kit.people.accounts import names_of
from services.kit.people.context import People, log_entry

Content: TypeAlias = Mapping[str, Any]
"""What shall take effect, as JSON: `kind` and `round_id`, null where it is about no round, and what the kind needs."""


@dataclass(frozen=True, slots=True)
class OpenedRequest:
    """A request whose transaction is open, with the locks that its content needs."""

    session: Session
    check: Callable[[], object]
    """Refuses, by an error of the tree, what could not take effect now."""
    apply: Callable[[], object]
    """Lets the request take effect; raises as `check` does, and first."""


Opening: TypeAlias = Callable[[str, Content], AbstractContextManager[OpenedRequest]]
"""Opens a transaction, by its name, for the content of a request of one kind."""


@dataclass(frozen=True, slots=True)
class Approvals:
    """Four eyes at a service."""

    people: People
    openings: Mapping[ApprovalKind, Opening]
    """How a request of each kind is opened."""
    wake: Callable[[], None]
    """Tells the drivers that something took effect, or is asked for and urgent; to be called in the event loop."""


_SHOWN = 500
MOST_WAITING = 20
"""Requests of one account that may wait at once."""


def request(approvals: Approvals, actor: Actor, content: Content, subject: Content | None = None) -> PendingApproval:
    """Store a person's request, if it could be applied now and is not pending already.

    Args:
        subject: What was asked for, without what the service added when it was; else the content. Two requests for one
            subject are the same request.

    Raises:
        OrderError: The same waits already.
        PolicyError: Too many requests of the author wait.
        AquilaError: It could not take effect; the use case says why.
    """
    people, kind = approvals.people, ApprovalKind(content["kind"])
    octets, now = dumps(dict(content)), people.clock()
    row = ApprovalRow(
        approval_id=secrets.token_hex(16),
        kind=kind.value,
        round_id=content["round_id"] or "",
        content=octets,
        digest=content_digest(content),
        subject=digest(subject or content),
        urgent=content.get("justification", {}).get("urgency") == Urgency.URGENT.value,
        author=actor.person,
        asked_at=now,
        expires_at=now + people.settings.approval_hours * 3_600,
        state=ApprovalState.WAITING.value,
    )
    with approvals.openings[kind]("approval.ask", content) as opened:
        opened.check()
        session = opened.session
        _check_new(session, row)
        session.add(row)
        session.flush()
        log_entry(session, people, EntryKind.APPROVAL_REQUESTED, actor, **about_content(row, content))
    return _pending(row, content.get("submission_id"))


def list_approvals(
    approvals: Approvals, actor: Actor, round_id: str | None = None, *, waiting: bool = False
) -> ApprovalList:
    """List the requests, newest first, after all that are pending."""
    waits = ApprovalRow.state == ApprovalState.WAITING.value
    query = select(ApprovalRow).options(defer(ApprovalRow.content))
    if round_id is not None:
        query = query.where(ApprovalRow.round_id == round_id)
    if waiting:
        query = query.where(waits)
    query = query.order_by(waits.desc(), ApprovalRow.asked_at.desc(), ApprovalRow.approval_id).limit(_SHOWN)
    with approvals.people.store.reading("approval.list") as session:
        rows, now = session.scalars(query).all(), approvals.people.clock()
        names = names_of(session, [person for row in rows for person in (row.author, row.decided_by)])
    return ApprovalList(approvals=tuple(entry_of(row, actor, now, names) for row in rows))


def show_approval(approvals: Approvals, actor: Actor, approval_id: str) -> ApprovalView:
    """Return a request with everything that shall take effect.

    Raises:
        StoreError: What is stored is not what was asked for.
    """
    with approvals.people.store.reading("approval.show") as session:
        row = row_of(session, approval_id)
        names = names_of(session, [row.author, row.decided_by])
    return ApprovalView(entry=entry_of(row, actor, approvals.people.clock(), names), content=content_of(row))


def expire(approvals: Approvals) -> bool:
    """End the requests that nobody decided in time, and return whether there were any."""
    people = approvals.people
    over = ApprovalRow.state == ApprovalState.WAITING.value, ApprovalRow.expires_at <= people.clock()
    with people.store.reading("approval.due") as session:
        # Whole rows, because a query of them leaves out a row that this service did not write.
        due = [row.approval_id for row in session.scalars(select(ApprovalRow).where(*over))]
    for approval_id in due:
        with people.store.transaction("approval.expire") as session:
            row = row_of(session, approval_id)
            if row.state == ApprovalState.WAITING.value:
                row.state, row.decided_at = ApprovalState.EXPIRED.value, people.clock()
                log_entry(session, people, EntryKind.APPROVAL_DENIED, None, **about(row, Word.EXPIRED))
    return bool(due)


def entry_of(
    row: ApprovalRow, actor: Actor, now: int, names: Mapping[str, str] = MappingProxyType({})
) -> ApprovalEntry:
    """Return a request as it is listed; one whose time is over has expired whether or not that was recorded yet."""
    state = ApprovalState(row.state)
    return ApprovalEntry.of_fields(
        row,
        round_id=row.round_id or None,
        state=ApprovalState.EXPIRED if state is ApprovalState.WAITING and now >= row.expires_at else state,
        author_name=names.get(row.author, ""),
        decided_by_name=names.get(row.decided_by or "", ""),
        own=row.author == actor.person,
    )


def row_of(session: Session, approval_id: str) -> ApprovalRow:
    """Return a request's row; raises NotFoundError if there is no such request."""
    row = session.get(ApprovalRow, approval_id)
    if row is None:
        raise NotFoundError("request_unknown")
    return row


def waiting_row(approvals: Approvals, session: Session, approval_id: str) -> ApprovalRow:
    """Return the row of a request that may still be decided."""
    row = row_of(session, approval_id)
    if row.state != ApprovalState.WAITING.value:
        raise OrderError("request_not_waiting", state=row.state)
    if approvals.people.clock() >= row.expires_at:
        raise OrderError("request_waited_too_long")
    return row


def content_of(row: ApprovalRow) -> dict[str, Any]:
    """Return the content of a request; empty once retention has erased it.

    Raises:
        StoreError: What is stored is not what was asked for.
    """
    if not row.content:
        return {}
    found: dict[str, Any] = json.loads(row.content)
    if content_digest(found) != row.digest:
        raise StoreError("stored_request_differs", approval=row.approval_id)
    return found


def about(row: ApprovalRow, word: Word | None = None) -> dict[str, Any]:
    """Return the fields of an entry about a request."""
    ids = {"approval": row.approval_id, "what": Word(row.kind), "author": row.author}
    return {
        "round": row.round_id or None,
        "digests": {"content": row.digest},
        "ids": ids if word is None else ids | {"how": word},
    }


def about_content(row: ApprovalRow, content: Content) -> dict[str, Any]:
    """Return the fields of an entry from which an auditor makes the content's digest again (PROTOCOL.md 10.2.1)."""
    named, fields = named_in_entry(content), about(row)
    return fields | {name: fields.get(name, {}) | more for name, more in named.items()}


def waiting_of(session: Session, kind: ApprovalKind, now: int) -> PendingApproval | None:
    """Return the newest request of a kind that waits for a second person, and may still be approved."""
    waiting = ApprovalRow.state == ApprovalState.WAITING.value, ApprovalRow.expires_at > now
    query = select(ApprovalRow).where(*waiting, ApprovalRow.kind == kind.value)
    row = session.scalars(query.order_by(ApprovalRow.asked_at.desc(), ApprovalRow.approval_id).limit(1)).first()
    return None if row is None else _pending(row)


def waiting_contents(session: Session, kind: ApprovalKind, now: int) -> Iterator[Content]:
    """Yield the contents of the requests of a kind that wait for a second person, and may still be approved."""
    waiting = ApprovalRow.state == ApprovalState.WAITING.value, ApprovalRow.expires_at > now
    for content in session.scalars(select(ApprovalRow.content).where(*waiting, ApprovalRow.kind == kind.value)):
        yield json.loads(content)


def waiting_count(session: Session, now: int) -> int:
    """Return how many requests wait for a second person, and may still be approved."""
    waiting = ApprovalRow.state == ApprovalState.WAITING.value, ApprovalRow.expires_at > now
    return session.scalar(select(func.count()).select_from(ApprovalRow).where(*waiting)) or 0


def _pending(row: ApprovalRow, submission_id: str | None = None) -> PendingApproval:
    return PendingApproval.of_fields(row, round_id=row.round_id or None, submission_id=submission_id)


def _check_new(session: Session, row: ApprovalRow) -> None:
    """Refuse a request that waits already, or one too many of its author."""
    waiting = ApprovalRow.state == ApprovalState.WAITING.value, ApprovalRow.expires_at > row.asked_at
    same = select(ApprovalRow.approval_id).where(*waiting, ApprovalRow.subject == row.subject)
    if (found := session.scalar(same)) is not None:
        raise OrderError("same_request_already_waiting", approval=found)
    own = select(func.count()).select_from(ApprovalRow).where(*waiting, ApprovalRow.author == row.author)
    if (session.scalar(own) or 0) >= MOST_WAITING:
        raise PolicyError("waiting_requests_too_many", most_waiting=MOST_WAITING)
