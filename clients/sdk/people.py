"""The client of what concerns people: signing in, own sessions, accounts. The same at a node and at the matcher."""

from __future__ import annotations

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
from aquila.protocol.messages import Message
from clients.sdk.service_client import ServiceClient, acts, answers

_PEOPLE = "/v1/people"


class PeopleClient(ServiceClient):
    """The people of a service. What follows the sign-in is operations; `change_password` ends all other sessions."""

    change_password = answers("post_password", SessionGrant, PasswordChange)
    sign_out = acts("post_sign_out")
    me = answers("get_me", CurrentUser)
    choose_language = acts("put_language", LanguageChoice)
    sessions = answers("get_sessions", Sessions)
    end_session = acts("delete_session")
    accounts = answers("get_accounts", Accounts)
    add_account = answers("post_account", Invitation, NewAccount)
    reset_account = answers("post_reset", Invitation)
    admit_account = answers("post_admit", AccountView, Admission)
    change_roles = answers("put_roles", AccountView, RoleChange)
    deactivate_account = answers("post_deactivate", AccountView)
    activate_account = answers("post_activate", AccountView)
    waiting = answers("get_waiting", Waiting)
    notifications = answers("get_notifications", NotificationSettingsView)
    choose_notifications = answers("put_notifications", NotificationSettingsView, NotificationChoice)
    end_notifications = acts("delete_notifications")

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

    def ways(self) -> SignInWays:
        """Return how one can sign in."""
        return self._connection.fetch(SignInWays, "GET", f"{_PEOPLE}/ways")

    def start_at_provider(self) -> ProviderStart:
        """Begin a sign-in at the ministry's provider: the browser goes to its URL, and keeps the binding."""
        return self._connection.fetch(ProviderStart, "POST", f"{_PEOPLE}/provider/start")

    def finish_at_provider(self, shown: ProviderReturn) -> SessionGrant:
        """End a sign-in at the provider with what the browser came back with, and what it kept."""
        return self._grant("/provider/finish", shown)

    def _grant(self, path: str, shown: Message) -> SessionGrant:
        return self._connection.fetch(SessionGrant, "POST", _PEOPLE + path, json=shown.model_dump(mode="json"))
