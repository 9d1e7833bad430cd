"""Decisions about requests, the persons who may ask and decide, and what happens to requests that nobody decides.

The key in the home has no account. It may ask for what administrators may ask for, and whoever holds it is one of them:
so no administrator approves what it asked for.

A request whose author was deactivated or reset, or has lost the right to ask, is withdrawn in the transaction in which
that happens. None takes effect either way: an approval looks at both accounts in its own transaction, and housekeeping
withdraws what an author lost by another way, such as a new role table. It also ends requests whose time is over, and
erases old contents. The digest stays, with who asked and who decided: a copy that somebody kept can still be told from
a forged one.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind, Word
from aquila.audit.roles import Action, Role, role_table
from aquila.errors import OrderError, PolicyError
from aquila.interface.approval import ApprovalEntry, ApprovalKind, ApprovalState
from aquila.interface.people import AccountState
from services.kit.actor import LOCAL_KEY, Actor
from services.kit.approvals import requests
from services.kit.approvals.tables import ApprovalRow
from services.kit.errors import NotAllowedError
from services.kit.people.accounts import state_of
from services.kit.people.context import People, log_entry
from services.kit.people.sessions import roles_of
from services.kit.people.tables import AccountRow

_ASKED_BY: Mapping[ApprovalKind, Action] = MappingProxyType(
    {
        ApprovalKind.CONSENT: Action.ASK_CONSENT,
        ApprovalKind.SUBMISSION: Action.ASK_SUBMISSION,
        ApprovalKind.ERASURE: Action.ERASE_RECORD,
        ApprovalKind.STANDING_QUERY: Action.ASK_SUBMISSION,
        ApprovalKind.PROPOSAL: Action.PROPOSE_ROUND,
        ApprovalKind.ABORT: Action.ABORT_ROUND,
        ApprovalKind.REGISTRY: Action.MANAGE_REGISTRY,
    }
)
_ABLE = frozenset({AccountState.ACTIVE, AccountState.LOCKED})


def check_persons(session: Session, people: People, row: ApprovalRow, actor: Actor) -> None:
    """Refuse to let a request take effect unless both persons may still do their part."""
    if not _may_ask(people, row, session.get(AccountRow, row.author)):
        raise OrderError("asking_person_not_allowed", approval=row.approval_id)
    account = session.get(AccountRow, actor.person)
    if account is None or not _may(people, account, Action.DECIDE_APPROVALS):
        raise NotAllowedError("account_decision_not_allowed")
    if row.author == LOCAL_KEY and Role.ADMINISTRATOR in roles_of(account):
        raise NotAllowedError("request_of_home_key", approval=row.approval_id)


def withdraw_lost(session: Session, people: People, account: AccountRow, actor: Actor | None) -> None:
    """Withdraw, in the caller's transaction, what an account asked for and may not ask for any more."""
    waiting = ApprovalRow.state == ApprovalState.WAITING.value, ApprovalRow.author == account.person
    for row in session.scalars(select(ApprovalRow).where(*waiting)):
        if not _may_ask(people, row, account):
            _withdraw(session, people, row, actor)


def withdraw_abandoned(approvals: requests.Approvals) -> bool:
    """Withdraw every request whose author may not ask for it any more, and return whether there were any."""
    people = approvals.people
    query = (
        select(ApprovalRow, AccountRow)
        .join_from(ApprovalRow, AccountRow, ApprovalRow.author == AccountRow.person, isouter=True)
        .where(ApprovalRow.state == ApprovalState.WAITING.value)
    )
    with people.store.reading("approval.authors") as session:
        lost = [row.approval_id for row, account in session.execute(query) if not _may_ask(people, row, account)]
    for approval_id in lost:
        with people.store.transaction("approval.abandon") as session:
            row = session.get_one(ApprovalRow, approval_id)
            if row.state == ApprovalState.WAITING.value:
                _withdraw(session, people, row, None)
    return bool(lost)


def _withdraw(session: Session, people: People, row: ApprovalRow, actor: Actor | None) -> None:
    row.state, row.decided_at = ApprovalState.WITHDRAWN.value, people.clock()
    row.decided_by = None if actor is None else actor.person
    log_entry(session, people, EntryKind.APPROVAL_DENIED, actor, **requests.about(row, Word.WITHDRAWN))


def _may_ask(people: People, row: ApprovalRow, account: AccountRow | None) -> bool:
    """Return whether the author of a request may ask for it."""
    action = _ASKED_BY[ApprovalKind(row.kind)]
    if row.author == LOCAL_KEY:
        return role_table().allows(people.service, (Role.ADMINISTRATOR,), action)
    return _may(people, account, action)


def _may(people: People, account: AccountRow | None, action: Action) -> bool:
    """Return whether an account is one that a person uses, and its roles allow an action."""
    if account is None or state_of(people, account) not in _ABLE:
        return False
    return role_table().allows(people.service, roles_of(account), action)


def approve(approvals: requests.Approvals, actor: Actor, approval_id: str, digest: str) -> ApprovalEntry:
    """Let a request take effect.

    1. Who approves is not who asked.
    2. What was read is what was asked for: the digests are one.
    3. What is stored is what was asked for: its digest is computed again.
    4. Both accounts may still do their part: the author's was not deactivated, reset or deprived of the right.
    5. The use case takes effect in the transaction that records the approval; if either fails, neither happened.

    Raises:
        NotFoundError: There is no such request.
        NotAllowedError: The actor asked for it, may be who did with the key in the home, or may not decide any more.
        PolicyError: Another content was read than was asked for.
        OrderError: It was decided, its time is over, or its author may not ask for it any more.
        StoreError: What is stored is not what was asked for.
        AquilaError: It cannot take effect any more; its kind says why.
    """
    people = approvals.people
    with people.store.reading("approval.read") as session:
        content = requests.content_of(requests.waiting_row(approvals, session, approval_id))
    with approvals.openings[ApprovalKind(content["kind"])]("approval.approve", content) as opened:
        row = requests.waiting_row(approvals, opened.session, approval_id)
        _check_other(row, actor)  # 1
        if row.digest != digest:  # 2
            raise PolicyError("decision_digest_differs", expected=row.digest, got=digest)
        content = requests.content_of(row)  # 3
        check_persons(opened.session, people, row, actor)  # 4
        # The log has the approval before what follows from it (PROTOCOL.md 10.2.1); if 5 fails, it has neither.
        _decide(approvals, row, actor, ApprovalState.APPROVED)
        log_entry(opened.session, people, EntryKind.APPROVED, actor, **requests.about_content(row, content))
        opened.apply()  # 5
    return requests.entry_of(row, actor, people.clock())


def refuse(approvals: requests.Approvals, actor: Actor, approval_id: str, reason: str) -> ApprovalEntry:
    """End a request with a reason.

    Raises:
        NotAllowedError: The actor asked for it: an author withdraws.
        OrderError: It was decided, or its time is over.
    """
    people = approvals.people
    with people.store.transaction("approval.refuse") as session:
        row = requests.waiting_row(approvals, session, approval_id)
        _check_other(row, actor)
        _decide(approvals, row, actor, ApprovalState.REFUSED)
        row.reason = reason
        log_entry(session, people, EntryKind.APPROVAL_DENIED, actor, **requests.about(row, Word.REFUSED))
    return requests.entry_of(row, actor, people.clock())


def withdraw(approvals: requests.Approvals, actor: Actor, approval_id: str) -> ApprovalEntry:
    """Take a request back.

    Raises:
        OrderError: It was decided, or its time is over.
    """
    people = approvals.people
    with people.store.transaction("approval.withdraw") as session:
        row = requests.row_of(session, approval_id)
        if row.author != actor.person:
            raise NotAllowedError("request_of_another_person")
        row = requests.waiting_row(approvals, session, approval_id)
        _decide(approvals, row, actor, ApprovalState.WITHDRAWN)
        log_entry(session, people, EntryKind.APPROVAL_DENIED, actor, **requests.about(row, Word.WITHDRAWN))
    return requests.entry_of(row, actor, people.clock())


def _check_other(row: ApprovalRow, actor: Actor) -> None:
    if row.author == actor.person:
        raise NotAllowedError("request_of_same_person", approval=row.approval_id)


def _decide(approvals: requests.Approvals, row: ApprovalRow, actor: Actor, state: ApprovalState) -> None:
    row.state, row.decided_by, row.decided_at = state.value, actor.person, approvals.people.clock()


_DAY = 86_400


def expire_requests(approvals: requests.Approvals, retention_days: int) -> bool:
    """End requests that were not decided in time or lost their author, erase old contents; return whether any was."""
    return requests.expire(approvals) | withdraw_abandoned(approvals) | erase_contents(approvals, retention_days)


def erase_contents(approvals: requests.Approvals, retention_days: int) -> bool:
    """Erase the contents of requests that were decided, after the retention; return whether there were any."""
    people = approvals.people
    old = (
        ApprovalRow.asked_at <= people.clock() - retention_days * _DAY,
        ApprovalRow.state != ApprovalState.WAITING.value,
        ApprovalRow.content != b"",
    )
    with people.store.reading("approval.old") as session:
        count = session.scalar(select(func.count()).select_from(ApprovalRow).where(*old)) or 0
    if count:
        with people.store.transaction("approval.erase") as session:
            session.execute(update(ApprovalRow).where(*old).values(content=b""))
            log_entry(session, people, EntryKind.ERASURE, None, counts={"requests": count})
    return count > 0
