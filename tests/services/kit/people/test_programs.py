"""Accounts of programs: a token of one role that counts from named networks until a day, and approves nothing."""

from pathlib import Path

import pytest

from aquila.audit.roles import FOR_PEOPLE, Action, Role, Service
from aquila.errors import InputError
from aquila.interface.people import AccountState, NewProgram, ProgramGrant, SignIn
from services.kit.actor import Actor
from services.kit.errors import NotAllowedError, SignInError, UnknownCallerError
from services.kit.people import accounts
from services.kit.people.context import People
from services.kit.people.keys import OperatorToken
from services.kit.people.permissions import AccessControl, in_role
from services.kit.people.sign_in import sign_in
from tests.support.accounts import ADMINISTRATOR, Member, logged
from tests.support.clock import Clock

HERE = "192.0.2.7"


def program(people: People, *networks: str, role: Role = Role.ANALYST, days: int = 30) -> ProgramGrant:
    wanted = NewProgram(login="case-system", role=role, networks=networks or ("192.0.2.0/28", "2001:db8::1"), days=days)
    return accounts.add_program(people, ADMINISTRATOR, wanted)


@pytest.fixture
def door(people: People, tmp_path: Path) -> AccessControl:
    return AccessControl(people.service, OperatorToken.create(tmp_path / "operator.token"), people)


def test_a_token_counts_from_its_networks_until_its_day(people: People, door: AccessControl, clock: Clock) -> None:
    granted = program(people)
    shown = f"Bearer {granted.token}"
    for address in (HERE, "::ffff:192.0.2.7", "2001:db8::1"):
        actor = door.admit(shown, address)
        assert (actor.person, actor.roles) == (granted.account.person, {Role.ANALYST})
    for elsewhere in ("192.0.2.16", "2001:db8::2", "pages", ""):
        with pytest.raises(NotAllowedError, match="does not count from"):
            door.admit(shown, elsewhere)
    clock.time += 30 * 86_400 - 1
    assert door.admit(shown, HERE)
    clock.time += 1
    with pytest.raises(NotAllowedError, match="token is over"):
        door.admit(shown, HERE)
    assert accounts.list_accounts(people).accounts[0].state is AccountState.OVER


def test_a_token_is_nowhere_but_in_the_answer(people: People, tmp_path: Path) -> None:
    granted = program(people)
    assert granted.token not in repr(granted)
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert granted.account.person.encode() in stored
    assert granted.token.encode() not in stored
    assert logged(people) == ["account_changed"]


def test_a_program_does_nothing_that_is_for_people(people: People, door: AccessControl) -> None:
    actor = door.admit(f"Bearer {program(people).token}", HERE)
    assert in_role(Service.NODE, actor, Action.DECIDE_HITS).role is Role.ANALYST
    with pytest.raises(NotAllowedError, match="role officer"):
        in_role(Service.NODE, actor, Action.ASK_CONSENT)
    everything = Actor(actor.person, frozenset(Role), is_program=True)
    for action in FOR_PEOPLE:
        with pytest.raises(NotAllowedError, match="a program may not"):
            in_role(Service.NODE, everything, action)
    with pytest.raises(SignInError):
        sign_in(people, SignIn(login="case-system", password="none", code="123456"))


def test_a_deactivated_program_is_gone_for_good(people: People, door: AccessControl) -> None:
    granted = program(people)
    person = granted.account.person
    accounts.switch_account(people, ADMINISTRATOR, person, active=False)
    with pytest.raises(UnknownCallerError):
        door.admit(f"Bearer {granted.token}", HERE)
    with pytest.raises(InputError, match="is a program's"):
        accounts.switch_account(people, ADMINISTRATOR, person, active=True)
    with pytest.raises(InputError, match="is a program's"):
        accounts.reset_account(people, ADMINISTRATOR, person)
    with pytest.raises(InputError, match="is a program's"):
        accounts.change_roles(people, ADMINISTRATOR, person, [Role.OFFICER])


@pytest.mark.parametrize(
    ("role", "networks", "told"),
    [
        (Role.APPROVER, "192.0.2.7", "a program cannot be approver here; it can be officer, analyst, auditor"),
        (Role.ADMINISTRATOR, "192.0.2.7", "a program cannot be administrator"),
        (Role.SECRETARIAT, "192.0.2.7", "a program cannot be secretariat"),
        (Role.OFFICER, "192.0.2.7/28", "no address and no network"),
        (Role.OFFICER, "case.example", "no address and no network"),
        (Role.OFFICER, "192.0.2.7 0.0.0.0/0", "limits nothing"),
        (Role.OFFICER, "0.0.0.0/1 192.0.2.7 128.0.0.0/1", "limits nothing"),
        (Role.OFFICER, "192.0.2.7 ::/1 8000::/1", "limits nothing"),
    ],
)
def test_a_program_that_cannot_be(people: People, role: Role, networks: str, told: str) -> None:
    with pytest.raises(InputError) as refused:
        program(people, *networks.split(), role=role)
    assert told in f"{refused.value}; {refused.value.hint}"
    assert accounts.list_accounts(people).accounts == ()


def test_a_login_is_taken_once(people: People, member: Member) -> None:
    with pytest.raises(InputError, match="account of this login"):
        accounts.add_program(
            people, ADMINISTRATOR, NewProgram(login=member.login, role=Role.OFFICER, networks=(HERE,), days=1)
        )
