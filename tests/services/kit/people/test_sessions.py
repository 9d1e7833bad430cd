"""Sessions: they end in time, at the person's word, and with what the administrator changes."""

from pathlib import Path

import pytest

from aquila.audit.roles import Role
from services.kit.actor import Actor
from services.kit.errors import NotFoundError
from services.kit.people import accounts
from services.kit.people.context import People
from services.kit.people.sessions import end_session, find_actor, list_sessions
from tests.support.accounts import ADMINISTRATOR, Member, enrolled, logged
from tests.support.clock import Clock


def opens(member: Member, token: str) -> Actor | None:
    return find_actor(member.people, token)


def test_a_session_that_is_not_used_ends(member: Member, clock: Clock) -> None:
    """Each call keeps it awake; half an hour without one ends it."""
    for _ in range(3):
        clock.time += 29 * 60
        assert opens(member, member.grant.token)
    clock.time += 30 * 60
    assert opens(member, member.grant.token) is None


def test_a_session_ends_whatever_happens(member: Member, clock: Clock) -> None:
    """Ten hours after the sign-in it is over, however much it is used."""
    while clock.time + 29 * 60 < member.grant.ends_at:
        clock.time += 29 * 60
        assert opens(member, member.grant.token)
    clock.time = member.grant.ends_at
    assert opens(member, member.grant.token) is None
    member.sign_in()  # which also removes what is over
    actor = opens(member, member.sign_in().token)
    assert actor
    assert len(list_sessions(member.people, actor).sessions) == 2


def test_signing_in_replaces_the_session_that_came_with_it(member: Member) -> None:
    """Whoever had put a token of theirs into a browser does not get into the person's session."""
    grant = member.sign_in(replaced=member.grant.token)
    assert opens(member, member.grant.token) is None
    assert opens(member, grant.token)


def test_a_person_ends_own_sessions_alone(member: Member, people: People, clock: Clock) -> None:
    other = enrolled(people, clock, "bor", Role.ANALYST)
    mine, theirs = opens(member, member.sign_in().token), opens(other, other.grant.token)
    assert mine
    assert theirs
    assert [view.this for view in list_sessions(people, mine).sessions] == [True, False]
    with pytest.raises(NotFoundError):
        end_session(people, mine, theirs.session_id)
    end_session(people, mine, mine.session_id)
    assert [view.this for view in list_sessions(people, mine).sessions] == [False]
    assert logged(people)[-1] == "sign_out"


@pytest.mark.parametrize("change", ["deactivated", "reset", "other roles"])
def test_what_the_administrator_changes_ends_sessions(member: Member, change: str) -> None:
    if change == "deactivated":
        accounts.switch_account(member.people, ADMINISTRATOR, member.person, active=False)
    elif change == "reset":
        accounts.reset_account(member.people, ADMINISTRATOR, member.person)
    else:
        accounts.change_roles(member.people, ADMINISTRATOR, member.person, [Role.AUDITOR])
    assert opens(member, member.grant.token) is None
    assert logged(member.people)[-1] == "account_changed"


def test_no_token_is_stored(member: Member, tmp_path: Path) -> None:
    """The database's files hold a hash of it, which opens nothing."""
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("aquila.db*"))
    assert member.grant.token.encode() not in stored
    assert member.codes.secret.encode() not in stored
