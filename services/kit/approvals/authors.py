"""The persons behind a request: one who may make it, and one who may decide.

The key in the home has no account. It may ask for what administrators may ask for, and whoever holds it is one of them:
so no administrator approves what it asked for.

A request whose author was deactivated or reset, or has lost the right to ask, is withdrawn in the transaction in which
that happens. None takes effect either way: an approval looks at both accounts in its own transaction, and housekeeping
withdraws what an author lost by another way, such as a new role table.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import Word
from aquila.audit.roles import Action, Role, role_table
from aquila.errors import OrderError
from aquila.interface.approval import ApprovalKind, ApprovalState
from aquila.interface.people import AccountState
from services.kit.actor import LOCAL_KEY, Actor
from services.kit.approvals.context import Approvals
from services.kit.approvals.requests import about
from services.kit.approvals.tables import ApprovalRow
from services.kit.errors import NotAllowedError
from services.kit.people.accounts import state_of
from services.kit.people.context import People
from services.kit.people.log import EntryKind, log_entry
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
    """Refuse to let a request take effect unless both persons may still do their part.

    Raises:
        OrderError: The author may not ask for this any more.
        NotAllowedError: Who decides may not decide any more, or may be who asked with the key in the home.
    """
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


def withdraw_abandoned(approvals: Approvals) -> bool:
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
    log_entry(session, people, EntryKind.APPROVAL_DENIED, actor, **about(row, Word.WITHDRAWN))


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
