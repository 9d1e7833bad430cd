"""The migrations that keep a language with an account, at the matcher and at a node, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import MetaData, Table, insert, select

from services.kit.people.tables import AccountRow
from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store

BEFORE = {"matcher": "0016", "node": "0026"}
REVISION = {"matcher": "0017", "node": "0027"}


@pytest.mark.parametrize("service", ["matcher", "node"])
def test_earlier_accounts_have_chosen_none(store: Store, service: str) -> None:
    """An account that was there before stays, without a language."""
    migrate(store, f"services.{service}.storage", BEFORE[service])
    account = {"person": "p-0123456789ab", "login": "ana", "roles": ["officer"], "created_at": 1}
    with store.transaction("test.before") as session:
        table = Table("account", MetaData(), autoload_with=session.connection())
        zero = {"totp_step": 0, "enrolment_until": 0, "attempts": 0, "locked_until": 0}
        session.execute(insert(table).values(**account, **zero, active=True, admitted=True))
    assert migrate(store, f"services.{service}.storage", REVISION[service]) == REVISION[service]
    with store.reading("test.after") as session:
        assert session.execute(select(AccountRow.login, AccountRow.language)).one() == ("ana", None)
