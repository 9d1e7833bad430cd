"""`aquila login`, `logout`, `whoami`, `enrol`, `code`, `roles`: who may do what, and who one is."""

import time
from pathlib import Path
from typing import Annotated

import pyotp
import typer

from aquila.audit.roles import Action, Role, RoleTable, Service, role_table
from aquila.errors import InputError
from clients.cli.connect import ConnectedService, begin_sign_in, connect
from clients.cli.identity import LOGIN
from clients.cli.options import Ca, HomePath, Json, Url
from clients.cli.output.screen import Screen, Table
from clients.cli.prompts import ask, ask_new_password
from clients.cli.services.speaking import speaking
from clients.sdk.homes import SessionFiles, open_home
from clients.sdk.operations import operations
from services.kit.errors import UnknownCallerError

Name = Annotated[str, typer.Argument(metavar="LOGIN", help="The login of the account, such as ana.novak.")]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", metavar="FILE", help="A file with the password, for scripts.")
]


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
