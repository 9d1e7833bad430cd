"""The migrations to admission keep accounts and requests of before: let in, and without a subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import MetaData, Table, insert, text

from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store

BEFORE = {"matcher": "0010", "node": "0016"}
REVISION = {"matcher": "0011", "node": "0017"}
ACCOUNT = {
    "person": "p-0123456789ab", "login": "sso-0123456789ab", "roles": ["officer"], "active": True, "created_at": 1,
    "totp_step": 0, "enrolment_until": 0, "attempts": 0, "locked_until": 0, "issuer": "https://sso", "subject": "7",
}  # fmt: skip
REQUEST = {
    "approval_id": "0" * 32, "kind": "consent", "round_id": "1" * 32, "content": b"{}", "digest": "2" * 64,
    "author": "p-0123456789ab", "asked_at": 1, "expires_at": 2, "state": "waiting",
}  # fmt: skip


@pytest.mark.parametrize("service", ["matcher", "node"])
def test_accounts_and_requests_of_before_stay(store: Store, service: str) -> None:
    """Whoever came by the provider goes on, and a request that waits still waits."""
    migrate(store, f"services.{service}.storage", BEFORE[service])
    with store.transaction("test.before") as session:
        for name, row in (("account", ACCOUNT), ("approval", REQUEST)):
            session.execute(insert(Table(name, MetaData(), autoload_with=session.connection())).values(**row))
    assert migrate(store, f"services.{service}.storage", REVISION[service]) == REVISION[service]
    with store.reading("test.after") as session:
        assert tuple(session.execute(text("SELECT login, admitted, name FROM account")).one()) == (
            "sso-0123456789ab", True, None,
        )  # fmt: skip
        assert tuple(session.execute(text("SELECT state, subject FROM approval")).one()) == ("waiting", "")
        assert session.scalar(text("SELECT COUNT(*) FROM unknown_login")) == 0
