"""Somebody who writes into a database puts the row of an account back that the service itself wrote before."""

from typing import Any

import pytest
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from aquila.audit.entries import Word
from aquila.audit.roles import Role
from services.kit.errors import SignInError
from services.kit.people.accounts import change_roles, list_accounts, reset_account, switch_account
from services.kit.people.context import People, log_change
from services.kit.people.sessions import find_actor
from services.kit.people.tables import AccountRow, PeopleRows, SessionRow
from services.kit.storage.row_seals import count_forged
from tests.support.accounts import ADMINISTRATOR, Member, clock, member, people

__all__ = ["clock", "member", "people"]


@pytest.mark.parametrize("change", ["roles", "dismissed", "password"])
def test_an_older_row_put_back_signs_nobody_in(member: Member, people: People, change: str) -> None:
    """Whoever writes in the database puts an account back as it was, with its session: it is as if there were none."""
    before = member.sign_in()
    assert find_actor(people, before.token) is not None
    older = rows_of(people)
    if change == "roles":
        change_roles(people, ADMINISTRATOR, member.person, [Role.AUDITOR])
    elif change == "dismissed":
        switch_account(people, ADMINISTRATOR, member.person, active=False)
    else:
        reset_account(people, ADMINISTRATOR, member.person)
    with people.store.engine.begin() as connection:
        connection.execute(delete(SessionRow))
        connection.execute(delete(AccountRow))
        for table, rows in older.items():
            connection.execute(insert(table), rows)
    assert find_actor(people, before.token) is None
    with pytest.raises(SignInError):
        member.sign_in()
    assert list_accounts(people).accounts == ()
    assert people.key.rows.forged()["account"] == 1
    with Session(people.store.engine) as session:
        assert +count_forged(session, (PeopleRows,), people.key.rows) == {"account": 1}


def rows_of(people: People) -> dict[type[PeopleRows], list[dict[str, Any]]]:
    """Return the accounts and sessions as they are stored, seals and all."""
    with people.store.engine.connect() as connection:
        return {
            one: [dict(row) for row in connection.execute(select(one.__table__)).mappings()]
            for one in (AccountRow, SessionRow)
        }


def test_a_change_that_is_taken_back_locks_nobody_out(member: Member, people: People) -> None:
    """An entry that was never committed makes no row older."""

    def fail() -> None:
        with people.store.transaction("test.rollback") as session:
            row = session.get_one(AccountRow, member.person)
            log_change(session, people, row, ADMINISTRATOR, Word.ROLES)
            session.flush()
            assert session.scalars(select(AccountRow)).all() == [row]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert member.sign_in().person == member.person
