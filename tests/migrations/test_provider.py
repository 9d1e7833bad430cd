"""The migrations that make the table of sign-ins at a provider, at the matcher and at a node, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select

from services.kit.people.tables import ProviderSignInRow
from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store

BEFORE = {"matcher": "0006", "node": "0006"}
REVISION = {"matcher": "0007", "node": "0007"}


@pytest.mark.parametrize("service", ["matcher", "node"])
def test_it_makes_the_table_of_sign_ins(store: Store, service: str) -> None:
    """After it a sign-in that has begun can be stored."""
    migrate(store, f"services.{service}.storage", BEFORE[service])
    migrate(store, f"services.{service}.storage", REVISION[service])
    begun = {"state_hash": "0" * 64, "binding_hash": "1" * 64, "nonce": "n", "verifier": "v", "started_at": 1}
    with store.transaction("test.insert") as session:
        session.execute(insert(ProviderSignInRow).values(**begun))
    with store.reading("test.read") as session:
        assert session.scalars(select(ProviderSignInRow)).one().started_at == 1
