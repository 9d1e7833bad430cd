"""`aquila user`, `login`, `logout`, `whoami`, `enrol`, `roles`: who may do what, and who one is."""

import time
from pathlib import Path
from typing import Annotated

import pyotp
import typer

from aquila.audit.roles import Action, Role, RoleTable, Service, role_table
from aquila.errors import InputError
from aquila.interface.people import AccountView, Invitation
from clients.cli.connect import ConnectedService, begin_sign_in, connect
from clients.cli.identity import LOGIN
from clients.cli.options import Ca, HomePath, Json, Url
from clients.cli.output.screen import Screen, Table, moment
from clients.cli.prompts import ask, ask_new_password
from clients.cli.services.speaking import speaking
from clients.sdk import PeopleClient
from clients.sdk.homes import SessionFiles, open_home
from clients.sdk.operations import operations
from services.kit.errors import UnknownCallerError

app = typer.Typer()

Name = Annotated[str, typer.Argument(metavar="LOGIN", help="The login of the account, such as ana.novak.")]
Roles = Annotated[list[Role], typer.Option("--role", help="A role of the account, once for each.")]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", metavar="FILE", help="A file with the password, for scripts.")
]


@app.command()
@speaking
def add(reached: ConnectedService, screen: Screen, login: Name, role: Roles) -> None:
    """Make an account, and show its enrolment code once."""
    invitation = reached.people.add_account(login, role)
    _show_invitation(screen, invitation, reached.connection.url)


@app.command("add-program")
@speaking
def add_program(
    reached: ConnectedService,
    screen: Screen,
    login: Name,
    role: Annotated[Role, typer.Option("--role", help="The one role of the program.")],
    network: Annotated[
        list[str], typer.Option("--from", metavar="NETWORK", help="An address or network it calls from, once for each.")
    ],
    days: Annotated[int, typer.Option(min=1, max=366, help="For how many days its token counts.")] = 90,
) -> None:
    """Make an account of a program, and show its token once."""
    granted = reached.people.add_program(login, role, tuple(network), days)
    account = granted.account
    screen.result(
        granted.model_dump(mode="json"),
        f"Account {account.login} ({role}) is {account.person} in the log. It calls from {', '.join(network)}.",
        f"Token, shown once: {granted.token}",
        f"It counts for {days} days. `aquila user deactivate {account.login}` ends it at once and for good.",
    )


@app.command("list")
@speaking
def list_users(reached: ConnectedService, screen: Screen) -> None:
    """List all accounts."""
    found = reached.people.accounts()
    rows = [
        (account.login, account.person, ", ".join(account.roles), account.state.value) for account in found.accounts
    ]
    view: Table | str = Table("", ("login", "in the log", "roles", "state"), rows) if rows else "There is no account."
    of_provider = [
        (account.login, account.name or "", account.subject or "", account.issuer or "")
        for account in found.accounts
        if account.provider
    ]
    of_programs = [
        (account.login, ", ".join(account.networks or ()), moment(account.token_until or 0))
        for account in found.accounts
        if account.networks is not None
    ]
    more = [Table("By the provider", ("login", "name", "subject", "issuer"), of_provider)] if of_provider else []
    more += [Table("Programs", ("login", "calls from", "until"), of_programs)] if of_programs else []
    screen.result(found.model_dump(mode="json"), view, *more)


@app.command()
@speaking
def admit(
    reached: ConnectedService,
    screen: Screen,
    login: Name,
    subject: Annotated[str, typer.Option(help="Who it is at the provider, as `user list` shows it.")],
) -> None:
    """Let in an account of the ministry's provider, once you know whose it is."""
    account = _account(reached.people, login)
    if account.issuer is None or account.subject != subject:
        raise InputError("provider_subject_differs", login=login)
    admitted = reached.people.admit_account(account.person, account.issuer, subject, account.name or "")
    screen.result(admitted.model_dump(mode="json"), f"{login} can sign in now.")


@app.command()
@speaking
def reset(reached: ConnectedService, screen: Screen, login: Name) -> None:
    """Forget an account's password and authenticator, and show a new enrolment code once."""
    invitation = reached.people.reset_account(_person(reached.people, login))
    _show_invitation(screen, invitation, reached.connection.url)


@app.command()
@speaking
def roles(reached: ConnectedService, screen: Screen, login: Name, role: Roles) -> None:
    """Give an account other roles, in place of those it has."""
    account = reached.people.change_roles(_person(reached.people, login), role)
    screen.result(
        account.model_dump(mode="json"),
        f"{login} now has the roles {', '.join(account.roles)}; its sessions have ended.",
    )


@app.command()
@speaking
def deactivate(reached: ConnectedService, screen: Screen, login: Name) -> None:
    """Deactivate an account, and end its sessions."""
    account = reached.people.deactivate_account(_person(reached.people, login))
    screen.result(account.model_dump(mode="json"), f"{login} can no longer sign in; its sessions have ended.")


@app.command()
@speaking
def activate(reached: ConnectedService, screen: Screen, login: Name) -> None:
    """Let a deactivated account sign in again."""
    account = reached.people.activate_account(_person(reached.people, login))
    screen.result(account.model_dump(mode="json"), f"{login} can sign in again.")


def login(
    name: Name,
    home: HomePath,
    password_file: PasswordFile = None,
    url: Url = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Sign in at a node or matcher. Asks for password and code; scripts give them as lines of stdin.

    With `--url` (and `--ca`), the first sign-in makes a home of your own, and later commands need neither.
    """
    with begin_sign_in(home, url, ca) as attempt:
        grant = attempt.people.sign_in(name, ask("Password", password_file), ask("Code of the authenticator"))
        attempt.keep(grant)
    _show_grant(Screen(as_json), name, grant.roles)


def enrol(
    name: Name,
    home: HomePath,
    password_file: PasswordFile = None,
    url: Url = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Set password and authenticator with the code that the administrator gave, and sign in, as `aquila login` does.

    Scripts give lines of stdin: the enrolment code, the password unless it lies in a file, and, after the secret was
    shown on stderr, the authenticator's code.
    """
    screen = Screen(as_json)
    with begin_sign_in(home, url, ca) as attempt:
        code = ask("Enrolment code")
        password = ask_new_password(password_file)
        authenticator = attempt.people.begin_enrolment(name, code)
        screen.show("Put this secret into your authenticator:", f"  {authenticator.secret}", f"  {authenticator.uri}")
        grant = attempt.people.confirm_enrolment(name, code, password, ask("Code of the authenticator"))
        attempt.keep(grant)
    _show_grant(screen, name, grant.roles)


def logout(home: HomePath, url: Url = None, ca: Ca = None, as_json: Json = False) -> None:
    """Sign out: the session ends at the service, and its file here goes."""
    files = SessionFiles(open_home(home))
    name = files.chosen(LOGIN.get())
    if name is None:
        raise InputError("nobody_to_sign_out")
    try:
        with connect(home, url, None, ca) as reached:
            reached.people.sign_out()
    except UnknownCallerError:  # it was over already
        pass
    finally:
        files.remove(name)
    Screen(as_json).result({"login": name}, f"{name} is signed out.")


@speaking
def whoami(reached: ConnectedService, screen: Screen) -> None:
    """Show the account under which commands act at a home, and its roles."""
    me = reached.people.me()
    name = me.login or "the key in the home folder"
    screen.result(
        me.model_dump(mode="json"), f"{name}, in the log {me.person}, at the {me.service} as {', '.join(me.roles)}."
    )


def code(
    secret: Annotated[Path, typer.Argument(metavar="FILE", help="A file whose first line is the secret.")],
    as_json: Json = False,
) -> None:
    """Show the current code of an authenticator's secret, for machines that sign in by themselves and for the demo."""
    try:
        shown = pyotp.TOTP(ask("Secret", secret)).at(int(time.time()))
    except ValueError:
        raise InputError("authenticator_secret_malformed", secret=secret) from None
    Screen(as_json).result({"code": shown}, shown)


def show_roles(as_json: Json = False) -> None:
    """Show the role table, and with --json the operations that each role may call."""
    Screen(as_json).result(role_document(role_table()), *role_tables(role_table()))


def _person(people: PeopleClient, login: str) -> str:
    return _account(people, login).person


def _account(people: PeopleClient, login: str) -> AccountView:
    """Return an account; raises InputError if there is no account of this login."""
    for account in people.accounts().accounts:
        if login in {account.login, account.person}:
            return account
    raise InputError("login_unknown", login=login)


def _show_invitation(screen: Screen, invitation: Invitation, url: str) -> None:
    account = invitation.account
    ca = " --ca ca.pem, where ca.pem is the CA of the service's certificate" if url.startswith("https:") else ""
    screen.result(
        invitation.model_dump(mode="json"),
        f"Account {account.login} ({', '.join(account.roles)}) is {account.person} in the log.",
        f"Enrolment code, shown once: {invitation.code}",
        f"Its person opens {url}/enrol, or runs as a user of their own: aquila enrol {account.login} --url {url}{ca}",
    )


def _show_grant(screen: Screen, name: str, roles: tuple[Role, ...]) -> None:
    screen.result({"login": name, "roles": list(roles)}, f"{name} is signed in as {', '.join(roles)}.")


def role_document(table: RoleTable) -> dict[str, object]:
    """Return the table for programs, with the operations that each role may call (`aquila call`)."""
    return {
        service.value: {
            row.role.value: {
                "means": row.means,
                "actions": sorted(row.actions),
                "operations": [name for name, one in operations(service.value).items() if one.action in row.actions],
            }
            for row in table.rows.values()
            if row.service is service
        }
        for service in Service
    }


def role_tables(table: RoleTable) -> list[Table | str]:
    """Return the table for people: for each role what it is for, and what it may do."""
    shown: list[Table | str] = []
    for service in Service:
        rows = [row for row in table.rows.values() if row.service is service]
        shown.append(Table(f"At the {service}", ("role", "purpose"), [(row.role.value, row.means) for row in rows]))
        actions = [action for action in Action if any(action in row.actions for row in rows)]
        cells = [(action.value, *("yes" if action in row.actions else "" for row in rows)) for action in actions]
        shown.append(Table("", ("action", *(row.role.value for row in rows)), cells))
    shown.append(
        "A consent, a submission, a standing query, the proposal or abort of a round, and a change of the registry or "
        "its acceptance need two persons: one asks and another approves, whatever their roles. "
        "The key in a home folder acts as administrator."
    )
    return shown
