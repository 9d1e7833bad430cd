"""Persons of a service, each at a machine of their own, who play rounds by the commands of the operations page."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import manual
from tests.support.operators import Operator
from tests.support.process_world import PASSWORD, Service, next_code


@dataclass
class Person(Operator):
    """A person, who has the service's address, the CA of its certificate, and a certificate where it asks for one."""

    login: str = ""
    secret: str = ""
    used: str = ""

    def enrol(self, administrator: Operator, roles: Sequence[str]) -> None:
        """Get an account of the administrator, set password and authenticator, and be signed in."""
        command = manual.command("People", "aquila call post_account")
        command = command.replace("roles=officer", " ".join(f"roles={role}" for role in roles))
        made = administrator.document(command, **{"LOGIN": self.login, "…": str(self.process.home)})
        self.enrol_by(made["code"])

    def enrol_by(self, code: str) -> None:
        """Set password and authenticator by an enrolment code, and be signed in."""
        self.secret = self.process.enrol_by(self.login, code, self.folder, from_afar=True)
        self.used = next_code(self.secret)

    def sign_in(self) -> None:
        """Sign in again, with the authenticator's next code."""
        command = manual.command("People", "aquila login LOGIN").removesuffix(" --home …")
        self.sign_in_by(command, LOGIN=self.login)

    def sign_in_anew(self) -> None:
        """Sign in at a service that has another address or another CA than before."""
        assert self.process.ca is not None
        (self.folder / "ca.pem").write_bytes(self.process.ca.read_bytes())
        command = manual.command("People", "aquila login NAME")
        self.sign_in_by(command, **{"NAME": self.login, "https://node.example.org:8701": self.process.url})

    def sign_in_by(self, command: str, **places: str) -> None:
        """Sign in by a command, as soon as the authenticator shows a code that was not used."""
        while (code := next_code(self.secret)) == self.used:
            time.sleep(0.5)
        self.used = code
        assert "is signed in" in self.give(command, f"{PASSWORD}\n{code}", **places)


@dataclass(frozen=True)
class Pair:
    first: Person
    second: Person

    @classmethod
    def at(cls, process: Service, root: Path) -> "Pair":
        """Return two persons, with the folders that they have had if they were here before."""
        made = []
        for name in ("first", "second"):
            login = f"{name}-{process.name.lower()}"
            folder = root / f"person-{login}"
            folder.mkdir(exist_ok=True)
            made.append(Person(process, process.port, folder, process.name, login=login))
        return cls(*made)

    def do(self, command: str, *more: str, **places: str) -> Any:
        """Do what needs two persons; arguments and result as `Operator.document` has them for the first one."""
        asked = self.first.document(command, *more, **places)
        approve = manual.command("A round", "aquila call post_approve")
        self.second.document(approve, f"approval_id={asked['approval_id']}", f"digest={asked['digest']}")
        return asked
