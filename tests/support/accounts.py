"""The people of a node on a fresh database, with cheap passwords and a clock that a test sets."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import MetaData

from aquila.audit.roles import Role, Service
from aquila.interface.people import BeginEnrolment, ConfirmEnrolment, NewAccount, SessionGrant, SignIn
from services.kit.actor import LOCAL_KEY, Actor
from services.kit.log.entries import TABLES
from services.kit.people.accounts import add_account
from services.kit.people.context import People
from services.kit.people.keys import PeopleKey
from services.kit.people.passwords import Passwords
from services.kit.people.sign_in import begin_enrolment, confirm_enrolment, sign_in
from services.kit.people.tables import PeopleRows
from services.kit.settings import DatabaseSettings, PeopleSettings
from services.kit.storage.store import Store, database_url, declare, schema_change
from tests.support import stored_log
from tests.support.clock import Clock

NAMES = ("aquila", "node", "si", "slovenia")
PASSWORD = "four words are long enough"
ADMINISTRATOR = Actor(LOCAL_KEY, frozenset({Role.ADMINISTRATOR}), Role.ADMINISTRATOR)


@dataclass
class Member:
    people: People
    clock: Clock
    login: str
    person: str
    codes: pyotp.TOTP
    grant: SessionGrant

    def code(self) -> str:
        """Return the code of now, one step later than any code before."""
        self.clock.time += 30
        return self.codes.at(self.clock.time)

    def sign_in(self, password: str = PASSWORD, replaced: str = "") -> SessionGrant:
        return sign_in(self.people, SignIn(login=self.login, password=password, code=self.code()), replaced)


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until it is set."""
    return Clock()


@pytest.fixture
def people(tmp_path: Path, clock: Clock) -> Iterator[People]:
    """The people of Slovenia's node."""
    store = Store(database_url(DatabaseSettings(), tmp_path / "aquila.db"))
    metadata = MetaData()
    declare(metadata, TABLES, PeopleRows.metadata)
    with schema_change(store) as connection:
        metadata.create_all(connection)
    # As cheap as the library lets it be: what is tested is not how long it takes.
    settings = PeopleSettings().model_copy(update={"argon2_kibibytes": 32, "argon2_passes": 1})
    key, passwords = PeopleKey.of_home(tmp_path), Passwords(settings)
    store.row_key = key.rows
    yield People(Service.NODE, "SI", store, settings, key, passwords, clock, lambda *_: None, NAMES)
    store.close()


@pytest.fixture
def member(people: People, clock: Clock) -> Member:
    return enrolled(people, clock, "ana", Role.OFFICER)


def enrolled(people: People, clock: Clock, login: str, *roles: Role) -> Member:
    invitation = add_account(people, ADMINISTRATOR, NewAccount(login=login, roles=roles))
    authenticator = begin_enrolment(people, BeginEnrolment(login=login, code=invitation.code))
    codes = pyotp.TOTP(authenticator.secret)
    shown = ConfirmEnrolment(login=login, enrolment=invitation.code, password=PASSWORD, code=codes.at(clock.time))
    grant = confirm_enrolment(people, shown)
    return Member(people, clock, login, grant.person, codes, grant)


def logged(people: People) -> list[str]:
    with people.store.reading("test.log") as session:
        return [entry.kind.value for _, entry in stored_log.entries(session) if entry]
