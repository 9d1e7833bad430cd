"""Signing in: what is needed, what a refusal does not say, lock-out, and codes that count once."""

import threading

import pytest

from aquila.audit.roles import Role
from aquila.interface.people import BeginEnrolment, ConfirmEnrolment, NewAccount, PasswordChange, SignIn
from services.kit.actor import LOCAL_KEY, Actor
from services.kit.errors import SignInError
from services.kit.people import accounts
from services.kit.people.context import People
from services.kit.people.sessions import find_actor
from services.kit.people.sign_in import begin_enrolment, change_password, confirm_enrolment, delay_after, sign_in
from tests.support.accounts import ADMINISTRATOR, PASSWORD, Member, enrolled, logged
from tests.support.clock import Clock


def refused(member: Member, **changes: str) -> str:
    shown = {"login": member.login, "password": PASSWORD, "code": member.code()} | changes
    with pytest.raises(SignInError) as caught:
        sign_in(member.people, SignIn.model_validate(shown))
    return str(caught.value.message + caught.value.hint + str(caught.value.fields))


def test_login_password_and_code_open_a_session(member: Member) -> None:
    grant = member.sign_in()
    actor = find_actor(member.people, grant.token)
    assert actor is not None
    assert (actor.person, actor.roles) == (member.person, {Role.OFFICER})
    assert logged(member.people)[-1] == "sign_in"
    assert grant.token not in repr(grant)


def test_a_refusal_does_not_say_what_was_wrong(member: Member, people: People) -> None:
    """Unknown login, wrong password, wrong code, deactivated and locked account are told alike."""
    told = {
        refused(member, login="nobody"),
        refused(member, password="another password"),
        refused(member, code="000000"),
    }
    accounts.switch_account(people, ADMINISTRATOR, member.person, active=False)
    told.add(refused(member))
    accounts.switch_account(people, ADMINISTRATOR, member.person, active=True)
    for _ in range(9):
        told.add(refused(member, password="another password"))
    assert len(told) == 1


def test_an_account_waits_longer_after_each_failure(member: Member, clock: Clock) -> None:
    """Four failures are free; the right password does not help while the account waits, and helps afterwards."""
    for _ in range(5):
        refused(member, password="another password")
    assert logged(member.people)[-2:] == ["sign_in_failed", "account_locked"]
    before = len(logged(member.people))
    refused(member)
    assert len(logged(member.people)) == before  # what is not looked at fills no log
    clock.time += 60
    member.sign_in()
    refused(member, password="another password")
    member.sign_in()


def test_delays_double_up_to_an_hour() -> None:
    """The first four failures cost nothing, the fifth a minute."""
    assert [delay_after(attempts) for attempts in (1, 4, 5, 6, 7, 11, 1_000)] == [0, 0, 60, 120, 240, 3_600, 3_600]


def test_attempts_at_once_count_as_many(member: Member) -> None:
    """Eight wrong passwords at the same time are no way around the lock."""
    shown = SignIn(login=member.login, password="another password", code="123456")

    def attempt() -> None:
        with pytest.raises(SignInError):
            sign_in(member.people, shown)

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert logged(member.people).count("sign_in_failed") == 5


def test_a_code_counts_once(member: Member, clock: Clock) -> None:
    code = member.code()
    shown = SignIn(login=member.login, password=PASSWORD, code=code)
    sign_in(member.people, shown)
    with pytest.raises(SignInError):
        sign_in(member.people, shown)
    refused(member, code=member.codes.at(clock.time - 30))
    refused(member, code=member.codes.at(clock.time + 90))


def test_a_clock_may_be_a_step_off(member: Member, clock: Clock) -> None:
    clock.time += 300
    sign_in(member.people, SignIn(login="ana", password=PASSWORD, code=member.codes.at(clock.time - 30)))
    sign_in(member.people, SignIn(login="ana", password=PASSWORD, code=member.codes.at(clock.time + 30)))


def test_an_enrolment_code_counts_once_and_for_a_time(people: People, clock: Clock) -> None:
    """A wrong, a used and an old code are refused alike."""
    member = enrolled(people, clock, "bor", Role.ANALYST)
    with pytest.raises(SignInError):
        begin_enrolment(people, BeginEnrolment(login="bor", code="AAAAAA-AAAAAA-AAAAAA-AAAAAA"))
    invitation = accounts.reset_account(people, ADMINISTRATOR, member.person)
    clock.time = invitation.until
    with pytest.raises(SignInError):
        begin_enrolment(people, BeginEnrolment(login="bor", code=invitation.code))


def test_enrolling_needs_the_authenticator_to_work(people: People) -> None:
    """Without a right code nothing is set, and beginning anew gives another secret."""
    invitation = accounts.add_account(people, ADMINISTRATOR, NewAccount(login="cene", roles=(Role.AUDITOR,)))
    shown = {"login": "cene", "enrolment": invitation.code, "password": PASSWORD, "code": "000000"}
    with pytest.raises(SignInError):
        confirm_enrolment(people, ConfirmEnrolment.model_validate(shown))
    begin = BeginEnrolment(login="cene", code=invitation.code.lower())
    first = begin_enrolment(people, begin)
    assert begin_enrolment(people, begin).secret != first.secret
    assert first.uri.startswith("otpauth://totp/Aquila%20node:cene?secret=")
    with pytest.raises(SignInError):
        confirm_enrolment(people, ConfirmEnrolment.model_validate(shown))


def test_another_password_ends_all_sessions_but_its_own(member: Member) -> None:
    """The old password and a code are needed; afterwards the old one opens nothing."""
    actor = find_actor(member.people, member.grant.token)
    assert actor is not None
    wrong = PasswordChange(password="another password", code=member.code(), new_password="five words are longer still")
    with pytest.raises(SignInError):
        change_password(member.people, actor, wrong)
    change = PasswordChange(password=PASSWORD, code=member.code(), new_password="five words are longer still")
    grant = change_password(member.people, actor, change)
    assert find_actor(member.people, member.grant.token) is None
    assert find_actor(member.people, grant.token) is not None
    refused(member)
    member.sign_in("five words are longer still")


def test_the_key_of_the_home_has_no_password(people: People) -> None:
    change = PasswordChange(password=PASSWORD, code="123456", new_password="five words are longer still")
    with pytest.raises(SignInError):
        change_password(people, Actor(LOCAL_KEY, frozenset()), change)


def test_a_password_is_hashed_anew_when_the_settings_change(member: Member) -> None:
    member.people.passwords._hasher = type(member.people.passwords._hasher)(time_cost=2, memory_cost=64, parallelism=4)
    member.sign_in()
    with member.people.store.reading("test") as session:
        row = session.get_one(accounts.AccountRow, member.person)
    assert row.password_hash is not None
    assert "m=64,t=2" in row.password_hash
    member.sign_in()
