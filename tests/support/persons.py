"""Persons of a service, each at a machine of their own, who play rounds by the commands of the operations page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support import manual
from tests.support.operators import Operator
from tests.support.process_world import PASSWORD, next_code

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.process_world import Service


@dataclass
class Person(Operator):
    """A person, who has the service's address, the CA of its certificate, and a certificate where it asks for one.

    Attributes:
        login: Of the account.
        secret: In the authenticator.
    """

    login: str = ""
    secret: str = ""

    def enrol(self, administrator: Operator, roles: Sequence[str]) -> None:
        """Get an account of the administrator, set password and authenticator, and be signed in."""
        command = manual.command("People", "aquila user add LOGIN")
        options = " ".join(f"--role {role}" for role in roles)
        command = command.replace("--role officer", options)
        made = administrator.document(command, **{"LOGIN": self.login, "…": str(self.process.home)})
        self.secret = self.process.enrol_by(self.login, made["code"], self.folder, from_afar=True)

    def sign_in(self) -> None:
        """Sign in again, with the authenticator's next code."""
        command = manual.command("People", "aquila login LOGIN").removesuffix(" --home …")
        assert "is signed in" in self.give(command, f"{PASSWORD}\n{next_code(self.secret)}", LOGIN=self.login)


@dataclass(frozen=True)
class Pair:
    """Two persons of a service: one asks, and the other approves exactly that."""

    first: Person
    second: Person

    @classmethod
    def at(cls, process: Service, root: Path) -> Pair:
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
        approve = manual.command("A round", "aquila approval approve")
        self.second.document(approve, asked["approval_id"], "--digest", asked["digest"])
        return asked
