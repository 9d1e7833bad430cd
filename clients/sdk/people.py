"""The client of what concerns people: signing in, own sessions, accounts. The same at a node and at the matcher."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from aquila.interface.attention import NotificationChoice, NotificationSettingsView, Waiting
from aquila.interface.people import (
    Accounts,
    AccountView,
    Admission,
    Authenticator,
    BeginEnrolment,
    ConfirmEnrolment,
    CurrentUser,
    Invitation,
    LanguageChoice,
    NewAccount,
    PasswordChange,
    ProviderReturn,
    ProviderStart,
    RoleChange,
    SessionGrant,
    Sessions,
    SignIn,
    SignInWays,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aquila.audit.roles import Role
    from aquila.protocol.messages import Message
    from clients.sdk.connection import Connection

_PEOPLE = "/v1/people"


class PeopleClient:
    """The people of a service. Every method raises the error in the service's problem document."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sign_in(self, login: str, password: str, code: str) -> SessionGrant:
        """Open a session; `Connection.carry` goes on with it.

        Raises:
            ValidationError: Login or code are none that can be.
            SignInError: Login, password or code are not right.
        """
        return self._grant("/sign-in", SignIn(login=login, password=password, code=code))

    def begin_enrolment(self, login: str, code: str) -> Authenticator:
        """Return the secret for the person's authenticator."""
        shown = BeginEnrolment(login=login, code=code)
        body = shown.model_dump(mode="json")
        return self._connection.fetch(Authenticator, "POST", f"{_PEOPLE}/enrolment", json=body)

    def confirm_enrolment(self, login: str, enrolment: str, password: str, code: str) -> SessionGrant:
        """Set the password, show that the authenticator works, and open the first session."""
        shown = ConfirmEnrolment(login=login, enrolment=enrolment, password=password, code=code)
        return self._grant("/enrolment/confirm", shown)

    def change_password(self, password: str, code: str, new_password: str) -> SessionGrant:
        """Set another password; all sessions end but the one that is returned."""
        return self._grant("/password", PasswordChange(password=password, code=code, new_password=new_password))

    def ways(self) -> SignInWays:
        """Return how one can sign in."""
        return self._connection.fetch(SignInWays, "GET", f"{_PEOPLE}/ways")

    def start_at_provider(self) -> ProviderStart:
        """Begin a sign-in at the ministry's provider: the browser goes to its URL, and keeps the binding."""
        return self._connection.fetch(ProviderStart, "POST", f"{_PEOPLE}/provider/start")

    def finish_at_provider(self, shown: ProviderReturn) -> SessionGrant:
        """End a sign-in at the provider with what the browser came back with, and what it kept."""
        return self._grant("/provider/finish", shown)

    def sign_out(self) -> None:
        """End the session of this connection."""
        self._connection.call("POST", f"{_PEOPLE}/sign-out")

    def me(self) -> CurrentUser:
        """Return the account of this connection."""
        return self._connection.fetch(CurrentUser, "GET", f"{_PEOPLE}/me")

    def choose_language(self, language: str) -> None:
        """Keep the language in which the person reads the pages with the account."""
        body = LanguageChoice(language=language).model_dump(mode="json")
        self._connection.call("PUT", f"{_PEOPLE}/language", json=body)

    def sessions(self) -> Sessions:
        """Return the person's own sessions, newest first."""
        return self._connection.fetch(Sessions, "GET", f"{_PEOPLE}/sessions")

    def end_session(self, session_id: str) -> None:
        """End one of the person's own sessions."""
        self._connection.call("DELETE", f"{_PEOPLE}/sessions/{quote(session_id, safe='')}")

    def accounts(self) -> Accounts:
        """Return all accounts, by login."""
        return self._connection.fetch(Accounts, "GET", f"{_PEOPLE}/accounts")

    def add_account(self, login: str, roles: Iterable[Role]) -> Invitation:
        """Make an account; its enrolment code is shown once."""
        body = NewAccount(login=login, roles=tuple(roles)).model_dump(mode="json")
        return self._connection.fetch(Invitation, "POST", f"{_PEOPLE}/accounts", json=body)

    def reset_account(self, person: str) -> Invitation:
        """Let a person enrol again."""
        return self._connection.fetch(Invitation, "POST", _account(person, "/reset"))

    def admit_account(self, person: str, issuer: str, subject: str, name: str) -> AccountView:
        """Activate an account of the provider, for the person whom one has read."""
        body = Admission(issuer=issuer, subject=subject, name=name).model_dump(mode="json")
        return self._connection.fetch(AccountView, "POST", _account(person, "/admit"), json=body)

    def change_roles(self, person: str, roles: Iterable[Role]) -> AccountView:
        """Give an account other roles."""
        body = RoleChange(roles=tuple(roles)).model_dump(mode="json")
        return self._connection.fetch(AccountView, "PUT", _account(person, "/roles"), json=body)

    def deactivate_account(self, person: str) -> AccountView:
        """Let an account sign in no more, and end its sessions."""
        return self._connection.fetch(AccountView, "POST", _account(person, "/deactivate"))

    def activate_account(self, person: str) -> AccountView:
        """Let an account sign in again."""
        return self._connection.fetch(AccountView, "POST", _account(person, "/activate"))

    def waiting(self) -> Waiting:
        """Return how much waits for the caller."""
        return self._connection.fetch(Waiting, "GET", "/v1/waiting")

    def notifications(self) -> NotificationSettingsView:
        """Return the caller's choice of notifications, and the channels of the service."""
        return self._connection.fetch(NotificationSettingsView, "GET", "/v1/notifications")

    def choose_notifications(self, wanted: NotificationChoice) -> NotificationSettingsView:
        """Choose a channel and an address for notifications.

        Raises:
            InputError: The service does not have that channel, or mail may not go to that address.
        """
        body = wanted.model_dump(mode="json")
        return self._connection.fetch(NotificationSettingsView, "PUT", "/v1/notifications", json=body)

    def end_notifications(self) -> None:
        """End the caller's notifications."""
        self._connection.call("DELETE", "/v1/notifications")

    def _grant(self, path: str, shown: Message) -> SessionGrant:
        return self._connection.fetch(SessionGrant, "POST", _PEOPLE + path, json=shown.model_dump(mode="json"))


def _account(person: str, rest: str) -> str:
    return f"{_PEOPLE}/accounts/{quote(person, safe='')}{rest}"
