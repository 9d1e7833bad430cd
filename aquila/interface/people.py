"""Views and requests about people at a service: accounts, sessions and enrolment. Nothing here is signed.

A login name is what a person types; the log and other people see the pseudonymous id alone. What must not be shown
again (passwords, codes, tokens) is left out of every repr.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from aquila.audit.roles import Action, Role, Service
from aquila.protocol.messages.base import Message, Seconds

Person = Annotated[str, StringConstraints(pattern=r"^p-[0-9a-f]{12}$")]
Login = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9._-]{1,63}$")]
Password = Annotated[str, Field(min_length=1, max_length=256, repr=False)]
Code = Annotated[str, Field(pattern=r"^[0-9]{6}$", repr=False)]
EnrolmentCode = Annotated[str, Field(min_length=1, max_length=64, repr=False)]
LanguageTag = Annotated[str, StringConstraints(max_length=16, pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,8})?$")]
SessionId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class AccountState(StrEnum):
    """The state of an account.

    Invited is one whose person has not enrolled, or one of the provider that no administrator has let in. Over is a
    program's whose token is over.
    """

    INVITED = "invited"
    ACTIVE = "active"
    LOCKED = "locked"
    DEACTIVATED = "deactivated"
    OVER = "over"


class Method(StrEnum):
    """The method by which a person signed in."""

    PASSWORD = "password"
    PROVIDER = "provider"


class SignIn(Message):
    """The credentials with which a person signs in."""

    login: Login
    password: Password
    code: Code


class SessionGrant(Message):
    """A session that was opened; its token is shown once. With the language that the person chose, if any."""

    token: Annotated[str, Field(min_length=32, max_length=128, repr=False)]
    person: Person
    login: str
    roles: tuple[Role, ...]
    ends_at: Seconds
    language: LanguageTag | None = None


class LanguageChoice(Message):
    """The language in which a person reads the pages."""

    language: LanguageTag


class CurrentUser(Message):
    """The caller, as the service knows it; the local key has neither a login nor a session."""

    service: Service
    person: Person
    login: str | None
    roles: tuple[Role, ...]
    actions: tuple[Action, ...]
    ends_at: Seconds | None


class SessionView(Message):
    """One of a person's own sessions."""

    session_id: SessionId
    method: Method
    opened_at: Seconds
    seen_at: Seconds
    ends_at: Seconds
    this: bool


class Sessions(Message):
    """A person's own sessions that are not over, newest first."""

    sessions: tuple[SessionView, ...]


class SignInWays(Message):
    """Ways to sign in at this service; with a provider the browser goes there and comes back.

    A service is set up once an administrator can sign in.
    """

    password: bool
    provider: bool
    set_up: bool


class ProviderStart(Message):
    """The provider's address for the sign-in, and the values that the browser keeps until it comes back."""

    url: Annotated[str, Field(max_length=4_096)]
    binding: Annotated[str, Field(min_length=32, max_length=128, repr=False)]


class ProviderReturn(Message):
    """The values with which the browser comes back, and those that it kept."""

    state: Annotated[str, Field(min_length=1, max_length=128, repr=False)]
    code: Annotated[str, Field(min_length=1, max_length=2_048, repr=False)]
    issuer: Annotated[str, Field(max_length=400)] = ""
    binding: Annotated[str, Field(min_length=1, max_length=128, repr=False)]


class NewAccount(Message):
    """An account to make."""

    login: Login
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]


class RoleChange(Message):
    """The roles that an account shall have."""

    roles: Annotated[tuple[Role, ...], Field(min_length=1)]


class Admission(Message):
    """The person whom an administrator admits, exactly as the account showed the provider's person."""

    issuer: Annotated[str, Field(max_length=400)]
    subject: Annotated[str, Field(max_length=255)]
    name: Annotated[str, Field(max_length=200)] = ""


class AccountView(Message):
    """An account as the administrator sees it; with issuer, subject and name from the provider, if it is its own.

    A program's account has the networks from which its token counts, and until when.
    """

    person: Person
    login: str
    roles: tuple[Role, ...]
    state: AccountState
    created_at: Seconds
    provider: bool
    issuer: str | None = None
    subject: str | None = None
    name: str | None = None
    networks: tuple[str, ...] | None = None
    token_until: Seconds | None = None


class Accounts(Message):
    """All accounts, by login."""

    accounts: tuple[AccountView, ...]


class Invitation(Message):
    """The administrator's one-time invitation: with it the person sets password and authenticator."""

    account: AccountView
    code: EnrolmentCode
    until: Seconds


class NewProgram(Message):
    """An account to make for a program: one role, the addresses or networks it calls from, and for how many days."""

    login: Login
    role: Role
    networks: Annotated[tuple[Annotated[str, Field(max_length=49)], ...], Field(min_length=1, max_length=32)]
    days: Annotated[int, Field(ge=1, le=366)]


class ProgramGrant(Message):
    """A program's account, and the token that the program shows with each call; the token is shown once."""

    account: AccountView
    token: Annotated[str, Field(min_length=32, max_length=128, repr=False)]


class BeginEnrolment(Message):
    """A person shows the enrolment code and asks for the authenticator's secret."""

    login: Login
    code: EnrolmentCode


class Authenticator(Message):
    """The secret for the person's authenticator, as letters and as the URI of its picture."""

    secret: Annotated[str, Field(repr=False)]
    uri: Annotated[str, Field(repr=False)]


class ConfirmEnrolment(Message):
    """A person sets the password, and shows that the authenticator works."""

    login: Login
    enrolment: EnrolmentCode
    password: Password
    code: Code


class PasswordChange(Message):
    """A person sets another password."""

    password: Password
    code: Code
    new_password: Password
