"""Who has no account wants to learn the logins of those who have one, by what a refusal says and by how long it takes.

Time itself is not measured here: what takes time is counted. A refusal costs one hash of a password and two commits
that write, whatever is wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import event, update

from aquila.audit.roles import Role
from aquila.errors import InputError
from aquila.interface.people import BeginEnrolment, ConfirmEnrolment, NewAccount, SignIn
from services.kit.errors import SignInError
from services.kit.people.accounts import add_account, switch_account
from services.kit.people.context import People
from services.kit.people.passwords import Passwords
from services.kit.people.sign_in import begin_enrolment, confirm_enrolment, sign_in
from services.kit.people.tables import AccountRow, PeopleRows
from tests.support.accounts import ADMINISTRATOR, PASSWORD, Member, clock, member, people
from tests.support.sealing import sealed

__all__ = ["clock", "member", "people"]


class Watched(Passwords):
    """Notes the parameters of each hash that is computed in vain or not."""

    def __init__(self, people: People) -> None:
        settings = people.settings.model_copy(update={"argon2_kibibytes": 32, "argon2_passes": 1})
        super().__init__(settings)
        self.verified = list[str]()

    def verify(self, stored: str | None, password: str, decoy: str | None = None) -> bool:
        """Verify, and note with what."""
        self.verified.append((stored or decoy or self._nobodys).rsplit("$", 2)[0])
        return super().verify(stored, password, decoy)


@dataclass
class Cost:
    """What calls cost: transactions that wrote, and hashes by their parameters."""

    people: People
    written: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._writes = 0
        self.people = replace(self.people, passwords=Watched(self.people))
        event.listen(self.people.store.engine, "before_cursor_execute", self._statement)
        event.listen(self.people.store.engine, "commit", self._commit)

    def _statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self._writes += statement.split(maxsplit=1)[0] in {"INSERT", "UPDATE", "DELETE"}

    def _commit(self, _connection: Any) -> None:
        self.written += [1] if self._writes else []
        self._writes = 0

    def of(self, call: Callable[[People], object]) -> tuple[int, list[str]]:
        self.written.clear()
        assert isinstance(self.people.passwords, Watched)
        self.people.passwords.verified.clear()
        with pytest.raises(SignInError):
            call(self.people)
        return len(self.written), list(self.people.passwords.verified)


def signing_in(login: str) -> Callable[[People], object]:
    return lambda people: sign_in(people, SignIn(login=login, password="another password", code="123456"))


def test_a_refused_sign_in_costs_the_same_whatever_is_wrong(member: Member) -> None:
    """No such login, a wrong password, an account that was invited, deactivated, or is locked."""
    cost = Cost(member.people)
    add_account(member.people, ADMINISTRATOR, NewAccount(login="invited", roles=(Role.OFFICER,)))
    known = cost.of(signing_in(member.login))
    assert known[0] == 2
    assert len(known[1]) == 1
    assert [cost.of(signing_in(login)) for login in ("nobody", "invited", "nobody")] == [known] * 3
    for _ in range(5):
        cost.of(signing_in(member.login))
    assert cost.of(signing_in(member.login)) == known  # locked by now
    switch_account(member.people, ADMINISTRATOR, member.person, active=False)
    assert cost.of(signing_in(member.login)) == known


def test_no_login_costs_as_some_stored_hash(member: Member) -> None:
    """Where the settings have changed since, hashes of before cost otherwise; unknown logins then cost as these do."""
    cost = Cost(member.people)
    dear = Passwords(member.people.settings.model_copy(update={"argon2_kibibytes": 64, "argon2_passes": 2}))
    with member.people.store.transaction("test.dear") as session:
        session.execute(update(AccountRow).values(password_hash=dear.hash(PASSWORD)))
        sealed(session, PeopleRows)
    assert cost.of(signing_in("nobody")) == cost.of(signing_in(member.login))


def test_an_enrolment_costs_the_same_whatever_is_wrong(people: People) -> None:
    """A login that is none, and one whose code is another."""
    cost = Cost(people)
    add_account(people, ADMINISTRATOR, NewAccount(login="invited", roles=(Role.OFFICER,)))
    begun = [
        cost.of(lambda people, login=login: begin_enrolment(people, BeginEnrolment(login=login, code="AAAA")))  # type: ignore[misc]
        for login in ("nobody", "invited")
    ]
    assert begun[0] == begun[1]
    confirmed = [
        cost.of(lambda people, login=login: confirm_enrolment(people, confirmation(login, "AAAA", "password1234")))  # type: ignore[misc]
        for login in ("nobody", "invited")
    ]
    assert confirmed[0] == confirmed[1]


def test_only_who_holds_the_code_hears_that_a_password_is_too_easy(people: People) -> None:
    """So that nobody else makes the service think about passwords; choosing another one is no failed attempt."""
    code = add_account(people, ADMINISTRATOR, NewAccount(login="invited", roles=(Role.OFFICER,))).code
    for _ in range(9):
        with pytest.raises(InputError, match="too easy"):
            confirm_enrolment(people, confirmation("invited", code, "password12345"))
    with pytest.raises(SignInError):
        confirm_enrolment(people, confirmation("invited", "AAAA", "password12345"))


def confirmation(login: str, enrolment: str, password: str) -> ConfirmEnrolment:
    return ConfirmEnrolment(login=login, enrolment=enrolment, password=password, code="123456")
