"""Accounts: the administrator makes them, each person enrols with a one-time code, and nobody is ever deleted.

An account that was once in the log keeps its pseudonymous id, so that the administrator can say later whose it was.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import Word
from aquila.audit.roles import Role, role_table
from aquila.errors import InputError, OrderError, PolicyError
from aquila.interface.people import Accounts, AccountState, AccountView, Admission, Invitation, NewAccount
from services.kit.actor import Actor
from services.kit.errors import NotFoundError, StoreConflictError
from services.kit.people.context import People, log_change
from services.kit.people.sessions import end_all, roles_of
from services.kit.people.tables import AccountRow

LOCAL = "local"
"""A login that nobody gets: commands name the home's key by it."""

_PERSON_BYTES = 6
_CODE_BYTES = 15  # 120 bits in 24 letters


def add_account(people: People, actor: Actor, wanted: NewAccount) -> Invitation:
    """Create an account and return the code with which its person enrols.

    Raises:
        InputError: This service does not have one of the roles, or the login is taken.
    """
    _check_roles(people, wanted.roles)
    if wanted.login == LOCAL:
        raise InputError("login_reserved_for_home_key", login=LOCAL)
    row = AccountRow(
        person=new_person(), login=wanted.login, roles=sorted(set(wanted.roles)), active=True, created_at=people.clock()
    )
    try:
        with people.store.transaction("account.add") as session:
            session.add(row)
            session.flush()
            log_change(session, people, row, actor, Word.CREATED)
            return _invite(people, row)
    except StoreConflictError:
        raise InputError("login_taken") from None


def list_accounts(people: People) -> Accounts:
    with people.store.reading("account.list") as session:
        rows = list(session.scalars(select(AccountRow).order_by(AccountRow.login)))
    return Accounts(accounts=tuple(_view(people, row) for row in rows))


def has_administrator(people: People) -> bool:
    """Return whether there is an administrator who can sign in: until then, the holder of the home's key makes one."""
    with people.store.reading("account.administrators") as session:
        rows = list(session.scalars(select(AccountRow).where(AccountRow.active)))
    able = {AccountState.ACTIVE, AccountState.LOCKED}
    return any(Role.ADMINISTRATOR in roles_of(row) and state_of(people, row) in able for row in rows)


def reset_account(people: People, actor: Actor, person: str) -> Invitation:
    """Remove password and authenticator, end all sessions, and return a new enrolment code.

    What the account asked for is withdrawn: until the person has enrolled, nobody stands behind it.

    Raises:
        NotFoundError: There is no such account.
        InputError: The person comes by the provider, which keeps the password.
    """
    with people.store.transaction("account.reset") as session:
        row = _row(session, person)
        if row.issuer is not None:
            raise InputError("account_of_provider")
        row.password_hash = row.totp_secret = None
        row.attempts = row.locked_until = 0
        end_all(session, person)
        log_change(session, people, row, actor, Word.PASSWORD)
        people.revoke(session, people, row, actor)
        return _invite(people, row)


def change_roles(people: People, actor: Actor, person: str, roles: Sequence[Role]) -> AccountView:
    """Give an account other roles, end its sessions, and withdraw what it may not ask for any more.

    Raises:
        NotFoundError: There is no such account.
        InputError: This service does not have one of the roles.
    """
    _check_roles(people, roles)
    with people.store.transaction("account.roles") as session:
        row = _row(session, person)
        row.roles = sorted(set(roles))
        end_all(session, person)
        log_change(session, people, row, actor, Word.ROLES)
        people.revoke(session, people, row, actor)
        return _view(people, row)


def switch_account(people: People, actor: Actor, person: str, *, active: bool) -> AccountView:
    """Let an account sign in again, or stop it: then its sessions end at once, and what it asked for is withdrawn.

    Raises:
        NotFoundError: There is no such account.
    """
    with people.store.transaction("account.switch") as session:
        row = _row(session, person)
        row.active = active
        if not active:
            end_all(session, person)
        word = Word.ENABLED if active else Word.DISABLED
        log_change(session, people, row, actor, word)
        people.revoke(session, people, row, actor)
        return _view(people, row)


def admit_account(people: People, actor: Actor, person: str, shown: Admission) -> AccountView:
    """Activate an account that the provider signed in, for the person whom the administrator has read.

    Raises:
        NotFoundError: There is no such account.
        OrderError: It does not wait to be let in.
        PolicyError: The provider names somebody else by now than the administrator has read.
    """
    with people.store.transaction("account.admit") as session:
        row = _row(session, person)
        if row.admitted:
            raise OrderError("account_not_waiting")
        if (row.issuer, row.subject, row.name) != (shown.issuer, shown.subject, shown.name):
            raise PolicyError("account_person_differs")
        row.admitted = True
        log_change(session, people, row, actor, Word.ENABLED)
        return _view(people, row)


def state_of(people: People, row: AccountRow) -> AccountState:
    if not row.active:
        return AccountState.DEACTIVATED
    if not row.admitted or (row.issuer is None and row.password_hash is None):
        return AccountState.INVITED
    return AccountState.LOCKED if people.clock() < row.locked_until else AccountState.ACTIVE


def new_person() -> str:
    return f"p-{secrets.token_hex(_PERSON_BYTES)}"


def hashed_code(code: str) -> str:
    """Return the stored hash of an enrolment code, however it is typed: it is random, so that one hash is enough."""
    return hashlib.sha256(code.replace("-", "").strip().upper().encode()).hexdigest()


def _invite(people: People, row: AccountRow) -> Invitation:
    """Set a new enrolment code and return it with the account."""
    letters = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode()
    row.enrolment_hash = hashed_code(letters)
    row.enrolment_until = people.clock() + people.settings.enrolment_hours * 3_600
    code = "-".join(letters[start : start + 6] for start in range(0, len(letters), 6))
    return Invitation(account=_view(people, row), code=code, until=row.enrolment_until)


def _view(people: People, row: AccountRow) -> AccountView:
    state, provider = state_of(people, row), row.issuer is not None
    return AccountView.of_fields(row, roles=roles_of(row), state=state, provider=provider)


def _row(session: Session, person: str) -> AccountRow:
    row = session.get(AccountRow, person)
    if row is None:
        raise NotFoundError("account_unknown")
    return row


def _check_roles(people: People, roles: Sequence[Role]) -> None:
    known = role_table().roles_of(people.service)
    strangers = sorted(set(roles) - set(known))
    if strangers:
        raise InputError(
            "service_role_unknown",
            service=people.service,
            unknown_roles=", ".join(strangers),
            known_roles=", ".join(known),
        )


def names_of(session: Session, persons: Iterable[str | None]) -> Mapping[str, str]:
    """Return the names of accounts by pseudonymous id; an id without an account, such as a party's code, has none."""
    wanted = {person for person in persons if person}
    query = select(AccountRow.person, AccountRow.name, AccountRow.login).where(AccountRow.person.in_(wanted))
    return {person: name or login for person, name, login in session.execute(query)} if wanted else {}
