"""The second person's decision, and the author's second thoughts."""

from __future__ import annotations

from aquila.audit.entries import Word
from aquila.errors import PolicyError
from aquila.interface.approval import ApprovalEntry, ApprovalKind, ApprovalState
from services.kit.actor import Actor
from services.kit.approvals.authors import check_persons
from services.kit.approvals.context import Approvals
from services.kit.approvals.requests import about, about_content, content_of, entry_of, row_of, waiting_row
from services.kit.approvals.tables import ApprovalRow
from services.kit.errors import NotAllowedError
from services.kit.people.log import EntryKind, log_entry


def approve(approvals: Approvals, actor: Actor, approval_id: str, digest: str) -> ApprovalEntry:
    """Let a request take effect.

    1. Who approves is not who asked.
    2. What was read is what was asked for: the digests are one.
    3. What is stored is what was asked for: its digest is computed anew.
    4. Both accounts may still do their part: the author's was not deactivated, reset or deprived of the right.
    5. The use case takes effect in the transaction that records the approval; if either fails, neither happened.

    Args:
        approvals: The service's four eyes.
        actor: Who approves.
        approval_id: The request.
        digest: SHA-256 of the content that the person has read.

    Raises:
        NotFoundError: There is no such request.
        NotAllowedError: The actor asked for it, may be who did with the key in the home, or may not decide any more.
        PolicyError: Another content was read than was asked for.
        OrderError: It was decided, its time is over, or its author may not ask for it any more.
        StoreError: What is stored is not what was asked for.
        AquilaError: It cannot take effect any more; the use case says why.
    """
    people = approvals.people
    with people.store.reading("approval.read") as session:
        content = content_of(waiting_row(approvals, session, approval_id))
    use_case = approvals.use_case(ApprovalKind(content["kind"]))
    with use_case.open("approval.approve", content) as opened:
        row = waiting_row(approvals, opened.session, approval_id)
        _check_other(row, actor)  # 1
        if row.digest != digest:  # 2
            raise PolicyError("decision_digest_differs", expected=row.digest, got=digest)
        content = content_of(row)  # 3
        check_persons(opened.session, people, row, actor)  # 4
        # The log has the approval before what follows from it (PROTOCOL.md 10.2.1); if 5 fails, it has neither.
        _decide(approvals, row, actor, ApprovalState.APPROVED)
        log_entry(opened.session, people, EntryKind.APPROVED, actor, **about_content(row, content))
        use_case.apply(opened)  # 5
    return entry_of(row, actor, people.clock())


def refuse(approvals: Approvals, actor: Actor, approval_id: str, reason: str) -> ApprovalEntry:
    """End a request with a reason.

    Raises:
        NotFoundError: There is no such request.
        NotAllowedError: The actor asked for it: an author withdraws.
        OrderError: It was decided, or its time is over.
    """
    people = approvals.people
    with people.store.transaction("approval.refuse") as session:
        row = waiting_row(approvals, session, approval_id)
        _check_other(row, actor)
        _decide(approvals, row, actor, ApprovalState.REFUSED)
        row.reason = reason
        log_entry(session, people, EntryKind.APPROVAL_DENIED, actor, **about(row, Word.REFUSED))
    return entry_of(row, actor, people.clock())


def withdraw(approvals: Approvals, actor: Actor, approval_id: str) -> ApprovalEntry:
    """Take a request back.

    Raises:
        NotFoundError: There is no such request.
        NotAllowedError: Another person asked for it.
        OrderError: It was decided, or its time is over.
    """
    people = approvals.people
    with people.store.transaction("approval.withdraw") as session:
        row = row_of(session, approval_id)
        if row.author != actor.person:
            raise NotAllowedError("request_of_another_person")
        row = waiting_row(approvals, session, approval_id)
        _decide(approvals, row, actor, ApprovalState.WITHDRAWN)
        log_entry(session, people, EntryKind.APPROVAL_DENIED, actor, **about(row, Word.WITHDRAWN))
    return entry_of(row, actor, people.clock())


def _check_other(row: ApprovalRow, actor: Actor) -> None:
    if row.author == actor.person:
        raise NotAllowedError("request_of_same_person", approval=row.approval_id)


def _decide(approvals: Approvals, row: ApprovalRow, actor: Actor, state: ApprovalState) -> None:
    row.state, row.decided_by, row.decided_at = state.value, actor.person, approvals.people.clock()
