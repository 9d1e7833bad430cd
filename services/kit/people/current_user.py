"""A caller's view of itself, and the language in which it reads."""

from __future__ import annotations

from sqlalchemy import select

from aquila.audit.roles import Action, role_table
from aquila.errors import InputError
from aquila.interface.people import CurrentUser, LanguageChoice
from services.kit.actor import Actor
from services.kit.people.context import People
from services.kit.people.tables import AccountRow, SessionRow


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
    """Keep the language with the caller's account; its next sign-in anywhere returns it.

    Raises:
        InputError: The caller is the home's key, which has no account.
    """
    with people.store.transaction("account.language") as session:
        account = session.get(AccountRow, actor.person)
        if account is None:
            raise InputError("key_without_account")
        account.language = wanted.language
