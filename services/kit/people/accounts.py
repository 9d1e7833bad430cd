"""Accounts: the administrator makes them, each person enrols with a one-time code, and nobody is ever deleted.

A program has an account too, with a token of 256 random bits in place of password and session. It has one role, which
leaves approvals to people, calls from networks that the administrator names, and ends on a day that is set at its
beginning. A token is not renewed: a program gets another account, and the first one is deactivated for good.

An account that was once in the log keeps its pseudonymous id, so that the administrator can say later whose it was.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Network, IPv6Address, IPv6Network, collapse_addresses, ip_address, ip_network

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import Word
from aquila.audit.roles import Role, role_table
from aquila.errors import InputError, OrderError, PolicyError
from aquila.interface.people import (
    Accounts,
    AccountState,
    AccountView,
    Admission,
    Invitation,
    NewAccount,
    NewProgram,
    ProgramGrant,
)
from services.kit.actor import Actor
from services.kit.errors import NotAllowedError, NotFoundError, StoreConflictError
from services.kit.logging import Log
from services.kit.people.context import People, log_change
from services.kit.people.sessions import end_all, roles_of
from services.kit.people.tables import AccountRow

_LOG = Log("kit.accounts")
LOCAL = "local"
"""A login that nobody gets: commands name the home's key by it."""

_PERSON_BYTES = 6
_TOKEN_BYTES = 32
_TOKEN_PREFIX = "aquila-program-"  # by which scanners find one that lies where it should not
_DAY = 86_400
_CODE_BYTES = 15  # 120 bits in 24 letters


def add_account(people: People, actor: Actor, wanted: NewAccount) -> Invitation:
    """Create an account and return the code with which its person enrols.

    Raises:
        InputError: This service does not have one of the roles, or the login is taken.
    """
    _check_roles(people, wanted.roles)
    row = _new_row(people, wanted.login, wanted.roles)
    with _adding(people, row, actor):
        return _invite(people, row)


def add_program(people: People, actor: Actor, wanted: NewProgram) -> ProgramGrant:
    """Create an account of a program and return its token, which is not stored."""
    known = role_table().for_programs(people.service)
    if wanted.role not in known:
        raise InputError("program_role_impossible", role=wanted.role, known_roles=", ".join(known))
    token = _TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
    row = _new_row(people, wanted.login, [wanted.role])
    row.networks = _networks(wanted.networks)
    row.token_hash, row.token_until = _hashed_token(token), people.clock() + wanted.days * _DAY
    with _adding(people, row, actor):
        return ProgramGrant(account=_view(people, row), token=token)


def find_program(people: People, token: str, address: str) -> Actor | None:
    """Return the program whose token is shown from an address, or None if there is none."""
    if not token.startswith(_TOKEN_PREFIX):
        return None
    with people.store.reading("account.program") as session:
        row = session.scalar(select(AccountRow).where(AccountRow.token_hash == _hashed_token(token)))
    if row is None or not row.active:
        return None
    if people.clock() >= (row.token_until or 0):
        raise NotAllowedError("program_token_over", person=row.person)
    if not _is_within(address, row.networks or ()):
        _LOG.warning("program_elsewhere", person=row.person)
        raise NotAllowedError("program_elsewhere", person=row.person, address=address)
    return Actor(row.person, frozenset(roles_of(row)), is_program=True)


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
    """
    with people.store.transaction("account.reset") as session:
        row = _row_of_person(session, person)
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
        InputError: This service does not have one of the roles, or it is a program's.
    """
    _check_roles(people, roles)
    with people.store.transaction("account.roles") as session:
        row = _row_of_person(session, person)
        row.roles = sorted(set(roles))
        end_all(session, person)
        log_change(session, people, row, actor, Word.ROLES)
        people.revoke(session, people, row, actor)
        return _view(people, row)


def switch_account(people: People, actor: Actor, person: str, *, active: bool) -> AccountView:
    """Let an account sign in again, or stop it: then its sessions end at once, and what it asked for is withdrawn.

    Raises:
        InputError: It is a program's, which is deactivated for good.
    """
    with people.store.transaction("account.switch") as session:
        row = _row_of_person(session, person) if active else _row(session, person)
        row.active = active
        if not active:
            end_all(session, person)
        word = Word.ENABLED if active else Word.DISABLED
        log_change(session, people, row, actor, word)
        people.revoke(session, people, row, actor)
        return _view(people, row)


def admit_account(people: People, actor: Actor, person: str, shown: Admission) -> AccountView:
    """Activate an account that the provider signed in, for the person whom the administrator has read."""
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
    if row.token_until is not None:
        return AccountState.ACTIVE if people.clock() < row.token_until else AccountState.OVER
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


def _row_of_person(session: Session, person: str) -> AccountRow:
    row = _row(session, person)
    if row.token_hash is not None:
        raise InputError("account_of_program")
    return row


def _new_row(people: People, login: str, roles: Sequence[Role]) -> AccountRow:
    if login == LOCAL:
        raise InputError("login_reserved_for_home_key", login=LOCAL)
    return AccountRow(
        person=new_person(), login=login, roles=sorted(set(roles)), active=True, created_at=people.clock()
    )


@contextmanager
def _adding(people: People, row: AccountRow, actor: Actor) -> Iterator[None]:
    """Store a new account with its entry in the log, and what the block sets in it."""
    try:
        with people.store.transaction("account.add") as session:
            session.add(row)
            session.flush()
            log_change(session, people, row, actor, Word.CREATED)
            yield
    except StoreConflictError:
        raise InputError("login_taken") from None


def _networks(given: Sequence[str]) -> list[str]:
    """Return addresses and networks as they are stored; raises InputError if one is none, or they are all together."""
    found = [_network(one) for one in given]
    of_4 = collapse_addresses(one for one in found if isinstance(one, IPv4Network))
    of_6 = collapse_addresses(one for one in found if isinstance(one, IPv6Network))
    if any(one.prefixlen == 0 for one in of_4) or any(one.prefixlen == 0 for one in of_6):
        raise InputError("program_network_everything", network=", ".join(given))
    return [str(network) for network in found]


def _network(given: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(given.strip())
    except ValueError:
        raise InputError("program_network_malformed", network=given) from None


def _is_within(address: str, networks: Iterable[str]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False  # not of a network: pages within the process
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in ip_network(network) for network in networks)


def _hashed_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


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
