"""The migrations that make the tables of people, at the matcher and at a node, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import MetaData, Table, insert, inspect, text

from services.kit.people.tables import SessionRow
from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store

TABLES = {"account", "session"}
BEFORE = {"matcher": "0002", "node": "0003"}
REVISION = {"matcher": "0003", "node": "0004"}


@pytest.mark.parametrize("service", ["matcher", "node"])
def test_it_makes_the_tables_of_people(store: Store, service: str) -> None:
    """After it an account and a session of it can be stored."""
    migrate(store, f"services.{service}.storage", BEFORE[service])
    had = set(inspect(store.engine).get_table_names())
    migrate(store, f"services.{service}.storage", REVISION[service])
    assert set(inspect(store.engine).get_table_names()) == had | TABLES
    account = {"person": "p-0123456789ab", "login": "ana", "roles": ["officer"], "created_at": 1}
    opened = {"session_id": "0" * 16, "method": "password", "opened_at": 1, "seen_at": 1, "ends_at": 2}
    with store.transaction("test.insert") as session:
        table = Table("account", MetaData(), autoload_with=session.connection())
        zero = {"totp_step": 0, "enrolment_until": 0, "attempts": 0, "locked_until": 0}
        session.execute(insert(table).values(**account, **zero, active=True))
        session.execute(insert(SessionRow).values(token_hash="0" * 64, person=account["person"], **opened))
    with store.reading("test.read") as session:
        assert session.scalar(text("SELECT login FROM account")) == "ana"
