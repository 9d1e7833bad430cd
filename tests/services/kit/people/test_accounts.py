"""Accounts: made by the administrator, in roles of the service, never deleted."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from aquila.audit.roles import Role
from aquila.errors import InputError, KeyMaterialError
from aquila.interface.people import AccountState, NewAccount, SignIn
from services.kit.errors import NotFoundError, SignInError
from services.kit.people import accounts
from services.kit.people.context import People
from services.kit.people.keys import PeopleKey, key_at_start, make_next_key
from services.kit.people.sign_in import sign_in
from services.kit.people.tables import AccountRow, PeopleRows
from services.kit.storage.files import write_secret
from tests.support.accounts import ADMINISTRATOR, PASSWORD, Member, enrolled
from tests.support.clock import Clock


def state(people: People, login: str = "ana") -> AccountState:
    return next(view.state for view in accounts.list_accounts(people).accounts if view.login == login)


def test_an_account_is_invited_active_locked_and_deactivated(people: People, clock: Clock) -> None:
    accounts.add_account(people, ADMINISTRATOR, NewAccount(login="zala", roles=(Role.AUDITOR,)))
    assert state(people, "zala") is AccountState.INVITED
    member = enrolled(people, clock, "ana", Role.OFFICER)
    assert state(people) is AccountState.ACTIVE
    for _ in range(5):
        with pytest.raises(SignInError):
            sign_in(people, SignIn(login="ana", password="another password", code="123456"))
    assert state(people) is AccountState.LOCKED
    accounts.switch_account(people, ADMINISTRATOR, member.person, active=False)
    assert state(people) is AccountState.DEACTIVATED


def test_a_reset_lifts_a_lock(member: Member, people: People) -> None:
    for _ in range(6):
        with pytest.raises(SignInError):
            sign_in(people, SignIn(login="ana", password="another password", code="123456"))
    accounts.reset_account(people, ADMINISTRATOR, member.person)
    assert state(people) is AccountState.INVITED
    with pytest.raises(SignInError):
        sign_in(people, SignIn(login="ana", password=PASSWORD, code=member.code()))


@pytest.mark.parametrize(
    ("login", "roles", "told"),
    [
        ("ana", (Role.OFFICER,), "there is an account of this login"),
        ("bor", (Role.SECRETARIAT,), "a node has no role secretariat"),
        ("local", (Role.OFFICER,), "local names the key"),
    ],
)
def test_an_account_that_cannot_be(member: Member, login: str, roles: tuple[Role, ...], told: str) -> None:
    with pytest.raises(InputError, match=told):
        accounts.add_account(member.people, ADMINISTRATOR, NewAccount(login=login, roles=roles))
    assert len(accounts.list_accounts(member.people).accounts) == 1


def test_an_account_that_is_not_there(people: People) -> None:
    with pytest.raises(NotFoundError):
        accounts.switch_account(people, ADMINISTRATOR, "p-0123456789ab", active=True)


def test_an_account_of_the_provider_has_nothing_to_reset(member: Member, people: People) -> None:
    with people.store.transaction("test") as session:
        row = session.get_one(AccountRow, member.person)
        row.issuer, row.subject, row.password_hash = "https://provider.example", "7", None
    assert state(people) is AccountState.ACTIVE
    with pytest.raises(InputError, match="at the provider"):
        accounts.reset_account(people, ADMINISTRATOR, member.person)
    with pytest.raises(SignInError):
        member.sign_in()


def test_a_secret_opens_for_its_person_under_its_key_alone(tmp_path: Path) -> None:
    key = PeopleKey.of_home(tmp_path)
    sealed = key.seal("p-0123456789ab", "JBSWY3DPEHPK3PXP")
    assert PeopleKey.of_home(tmp_path).open("p-0123456789ab", sealed) == "JBSWY3DPEHPK3PXP"
    with pytest.raises(KeyMaterialError, match="does not open"):
        key.open("p-ba9876543210", sealed)
    with pytest.raises(KeyMaterialError, match="does not open"):
        PeopleKey(bytes(32)).open("p-0123456789ab", sealed)
    with pytest.raises(KeyMaterialError, match="length"):
        PeopleKey(b"short")
    assert repr(key) == "PeopleKey()"


def test_secrets_are_sealed_under_a_new_key(tmp_path: Path, people: People, member: Member) -> None:
    key, waiting = tmp_path / "people.key", tmp_path / "people.next.key"
    before = key.read_bytes()
    make_next_key(tmp_path)
    made = waiting.read_bytes()
    make_next_key(tmp_path)  # again, before the restart: secrets may be under it already
    assert waiting.read_bytes() == made != before
    renewed = replace(people, key=key_at_start(tmp_path, people.store, (PeopleRows,)))
    assert not waiting.exists()
    assert (key.read_bytes(), key.stat().st_mode & 0o777) == (made, 0o600)
    assert replace(member, people=renewed).sign_in().person == member.person
    with pytest.raises(KeyMaterialError, match="does not open"):
        member.sign_in()
    # A start that ended before the file had its name: the next one finds everything under the new key.
    write_secret(waiting, made)
    write_secret(key, before)
    again = replace(people, key=key_at_start(tmp_path, people.store, (PeopleRows,)))
    assert replace(member, people=again).sign_in().person == member.person


def test_a_new_key_takes_the_place_of_one_that_is_gone(tmp_path: Path, people: People, member: Member) -> None:
    """Rows are taken as they are; what the new key does not open stays sealed, and its person has to enrol again."""
    (tmp_path / "people.key").unlink()
    with pytest.raises(KeyMaterialError, match=r"the home has no people\.key, and its database has accounts"):
        key_at_start(tmp_path, people.store, (PeopleRows,))
    make_next_key(tmp_path)
    renewed = replace(people, key=key_at_start(tmp_path, people.store, (PeopleRows,)))
    with pytest.raises(KeyMaterialError, match="does not open"):
        replace(member, people=renewed).sign_in()
    assert enrolled(renewed, member.clock, "zala", Role.AUDITOR).sign_in()


def test_a_row_under_another_key_stays_refused(tmp_path: Path, people: People, member: Member) -> None:
    """A renewal seals what the old key sealed, and makes no row right that somebody else wrote."""
    with people.store.engine.begin() as connection:
        connection.execute(text("UPDATE account SET roles = '[\"administrator\"]'"))
    make_next_key(tmp_path)
    renewed = replace(people, key=key_at_start(tmp_path, people.store, (PeopleRows,)))
    with pytest.raises(SignInError):
        replace(member, people=renewed).sign_in()
