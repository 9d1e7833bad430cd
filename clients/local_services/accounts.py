"""The stage's people: accounts at each service, enrolled and signed in as persons would do it.

Logins say the role, because nobody here is anybody. Passwords and authenticators' secrets lie beside the homes, so that
whoever keeps the demo running can sign in; in real use nobody but the person has them.
"""

import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pyotp

from aquila.audit.roles import Role
from aquila.interface.approval import PendingApproval
from clients.local_services.processes import Process
from clients.sdk import ApprovalClient, Connection, MatcherClient, NodeClient, PeopleClient
from services.kit.storage.files import write_secret

PASSWORD = "only for this demo"
SECRETS = "authenticators"
_LOGINS = {
    "node": {
        "officer": Role.OFFICER,
        "approver": Role.APPROVER,
        "analyst": Role.ANALYST,
        "auditor": Role.AUDITOR,
        "administrator": Role.ADMINISTRATOR,
    },
    "matcher": {
        "secretariat-1": Role.SECRETARIAT,
        "secretariat-2": Role.SECRETARIAT,
        "auditor": Role.AUDITOR,
        "administrator": Role.ADMINISTRATOR,
    },
}


@dataclass(slots=True)
class StaffSessions:
    """The people of one service, each with a connection of their own."""

    process: Process
    connections: dict[str, Connection] = field(default_factory=dict)
    pseudonyms: dict[str, str] = field(default_factory=dict)
    """By login, how the log calls them."""

    def node(self, login: str) -> NodeClient:
        return NodeClient(self.connections[login])

    def matcher(self, login: str) -> MatcherClient:
        return MatcherClient(self.connections[login])

    def approve(self, login: str, asked: PendingApproval) -> None:
        second = ApprovalClient(self.connections[login])
        second.approve(asked.approval_id, second.show(asked.approval_id).entry.digest)


def open_sessions(process: Process, opened: ExitStack, logins: Collection[str] = ()) -> StaffSessions:
    """Make accounts of a service with the key of its home, and let each person enrol.

    Args:
        opened: Closes the persons' connections at its end.
        logins: Whose accounts; all of `logins_of` if empty.

    Raises:
        AquilaError: What the service refuses.
    """
    office = StaffSessions(process)
    with process.connect() as administrator:
        for login, role in _LOGINS[process.home.service].items():
            if logins and login not in logins:
                continue
            code = PeopleClient(administrator).add_account(login, [role]).code
            connection = opened.enter_context(Connection(process.anonymous()))
            office.connections[login] = connection
            office.pseudonyms[login] = _enrol(connection, login, code, secret_file(process, login))
    return office


def open_all(processes: Sequence[Process], opened: ExitStack) -> dict[str, StaffSessions]:
    """Let the people of all services enrol, side by side; arguments and errors as `open_sessions`, staff by service."""
    with ThreadPoolExecutor(len(processes)) as pool:
        staff = pool.map(partial(open_sessions, opened=opened), processes)
        return {process.name: found for process, found in zip(processes, staff, strict=True)}


def logins_of(process: Process) -> tuple[str, ...]:
    """Return the logins of a service's people; each names the role."""
    return tuple(_LOGINS[process.home.service])


def secret_file(process: Process, login: str) -> Path:
    return secret_beside(process.home.path, login)


def secret_beside(home: Path, login: str) -> Path:
    return home.parent / SECRETS / f"{home.name}-{login}"


def _enrol(connection: Connection, login: str, code: str, secret: Path) -> str:
    """Enrol and stay signed in; return how the log calls the person."""
    people = PeopleClient(connection)
    authenticator = people.begin_enrolment(login, code)
    secret.parent.mkdir(mode=0o700, exist_ok=True)
    write_secret(secret, authenticator.secret.encode() + b"\n")
    grant = people.confirm_enrolment(login, code, PASSWORD, pyotp.TOTP(authenticator.secret).at(int(time.time())))
    connection.carry(grant.token)
    return grant.person
