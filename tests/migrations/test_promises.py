"""The migrations to proofs of statements: earlier statements are not asked for, and say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from services.kit.storage.migrate import migrate
from tests.migrations.test_flag import ROUND

if TYPE_CHECKING:
    from services.kit.storage.store import Store


def test_earlier_statements_of_a_node_promise_nothing(store: Store) -> None:
    """Migration 0019 keeps statements; nothing is to be proved of them, and nothing waits."""
    migrate(store, "services.node.storage", "0018")
    with store.transaction("test.before") as session:
        session.execute(
            text(
                "INSERT INTO round (round_id, manifest, manifest_digest, discovered_at, cursor, phase, state,"
                " consent_wished, close_wished) VALUES ('r', :manifest, 'd', 100, 0, 'open', 'active', :no, :no)"
            ),
            {"manifest": b"{}", "no": False},
        )
        session.execute(
            text(
                "INSERT INTO statement (round_id, digest, party, kind, envelope, own, sent)"
                " VALUES ('r', 's', 'AL', 'consent', :envelope, :yes, :yes)"
            ),
            {"envelope": b"{}", "yes": True},
        )
    assert migrate(store, "services.node.storage", "0019") == "0019"
    with store.reading("test.after") as session:
        row = session.execute(text("SELECT promise, log_index, unproved FROM statement")).one()
        assert tuple(row) == (None, None, 0)
        assert not session.execute(text("SELECT * FROM due_statement")).all()


def test_earlier_events_of_the_matcher_have_no_place(store: Store) -> None:
    """Migration 0014 keeps events; where the log holds their statements is not known."""
    migrate(store, "services.matcher.storage", "0013")
    with store.transaction("test.before") as session:
        session.execute(text(ROUND), {"id": "0" * 32, "manifest": b"{}"})
        session.execute(
            text(
                "INSERT INTO event (round_id, kind, party, audience, digest)"
                " VALUES (:id, 'statement', 'AL', 'all', 'd')"
            ),
            {"id": "0" * 32},
        )
    assert migrate(store, "services.matcher.storage", "0014") == "0014"
    with store.reading("test.after") as session:
        assert tuple(session.execute(text("SELECT digest, log_index FROM event")).one()) == ("d", None)
