"""Sessions: on the server, known by the hash of a token that the caller alone holds, ended by time or at once.

A session ends when it was idle for too long, when its time is over whatever happens, when its person signs out or
ends it, and when the account is deactivated, reset or given other roles. Roles are read with each call.
"""

import hashlib
import secrets

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind
from aquila.audit.roles import Action, Role, role_table
from aquila.errors import InputError
from aquila.interface.people import CurrentUser, LanguageChoice, Method, SessionGrant, Sessions, SessionView
from services.kit.actor import Actor
from services.kit.errors import ForgedRowError, NotFoundError
from services.kit.people.context import People, log_entry
from services.kit.people.tables import AccountRow, SessionRow

_TOKEN_BYTES = 32
_ID_BYTES = 8
_SEEN_SECONDS = 60


def open_session(
    session: Session, people: People, account: AccountRow, method: Method, replaced: str = ""
) -> SessionGrant:
    """Open a session within the caller's transaction.

    Args:
        replaced: A token that was shown with the sign-in: its session ends, so that nobody goes on with it.
    """
    now, token = people.clock(), secrets.token_urlsafe(_TOKEN_BYTES)
    ends_at = now + people.settings.session_minutes * 60
    session.execute(delete(SessionRow).where(SessionRow.ends_at <= now))
    if replaced:
        session.execute(delete(SessionRow).where(SessionRow.token_hash == _hashed(replaced)))
    session.add(
        SessionRow(
            token_hash=_hashed(token),
            session_id=secrets.token_hex(_ID_BYTES),
            person=account.person,
            method=method.value,
            opened_at=now,
            seen_at=now,
            ends_at=ends_at,
        )
    )
    return SessionGrant.of_fields(account, token=token, roles=roles_of(account), ends_at=ends_at)


def find_actor(people: People, token: str) -> Actor | None:
    """Return whose session a token opens, or None; a session in use stays awake."""
    try:
        with people.store.reading("session.find") as session:
            row = session.get(SessionRow, _hashed(token))
            account = session.get(AccountRow, row.person) if row else None
    except ForgedRowError:
        return None  # no sign-in wrote it
    now = people.clock()
    if row is None or account is None or not account.active or not _lives(people, row, now):
        return None
    if now - row.seen_at >= _SEEN_SECONDS:
        with people.store.transaction("session.seen") as session:
            seen = session.get(SessionRow, row.token_hash)
            if seen is not None:
                seen.seen_at = now
    return Actor(account.person, frozenset(roles_of(account)), session_id=row.session_id)


def list_sessions(people: People, actor: Actor) -> Sessions:
    """Return the actor's own sessions that are not over, newest first."""
    query = select(SessionRow).where(SessionRow.person == actor.person).order_by(SessionRow.opened_at.desc())
    with people.store.reading("session.list") as session:
        rows = list(session.scalars(query))
    return Sessions(
        sessions=tuple(
            SessionView.of_fields(row, this=row.session_id == actor.session_id)
            for row in rows
            if _lives(people, row, people.clock())
        )
    )


def end_session(people: People, actor: Actor, session_id: str) -> None:
    """End one of the actor's own sessions; raises NotFoundError if the actor has no such session."""
    mine = SessionRow.session_id == session_id, SessionRow.person == actor.person
    with people.store.transaction("session.end") as session:
        row = session.scalar(select(SessionRow).where(*mine))
        if row is None:
            raise NotFoundError("session_unknown")
        session.delete(row)
        log_entry(session, people, EntryKind.SIGN_OUT, actor)


def end_all(session: Session, person: str) -> None:
    """End all sessions of a person within the caller's transaction."""
    session.execute(delete(SessionRow).where(SessionRow.person == person))


def roles_of(account: AccountRow) -> tuple[Role, ...]:
    return tuple(map(Role, account.roles))


def _lives(people: People, row: SessionRow, now: int) -> bool:
    return now < row.ends_at and now - row.seen_at < people.settings.idle_minutes * 60


def _hashed(token: str) -> str:
    """Return the stored hash of a token: it is random, so that one hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def show_current_user(people: People, actor: Actor) -> CurrentUser:
    """Return the caller and the actions that its roles allow."""
    with people.store.reading("account.me") as session:
        account = session.get(AccountRow, actor.person)
        ends_at = session.scalar(select(SessionRow.ends_at).where(SessionRow.session_id == actor.session_id))
    known = role_table().roles_of(people.service)
    return CurrentUser(
        service=people.service,
        person=actor.person,
        login=account and account.login,
        roles=tuple(role for role in known if role in actor.roles),
        actions=tuple(action for action in Action if role_table().allows(people.service, actor.roles, action)),
        ends_at=ends_at,
    )


def choose_language(people: People, actor: Actor, wanted: LanguageChoice) -> None:
    """Keep the language with the caller's account; its next sign-in anywhere returns it."""
    with people.store.transaction("account.language") as session:
        account = session.get(AccountRow, actor.person)
        if account is None:
            raise InputError("key_without_account")
        account.language = wanted.language
