"""The node's migration to erased justifications lets earlier statements count from now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import text

from services.kit.storage.migrate import migrate
from tests.migrations.test_hit_handling import ROUND

if TYPE_CHECKING:
    from services.kit.storage.store import Store

STATEMENT = """
INSERT INTO statement (round_id, digest, party, kind, envelope, own, sent)
VALUES ('r', 's', 'RS', 'submission', :content, :no, :no)
"""


def test_earlier_statements_count_from_now(store: Store) -> None:
    """Migration 0015 cannot know when they came, so it keeps them for three years more at most."""
    migrate(store, "services.node.storage", "0014")
    started = int(time.time())
    with store.transaction("test.before") as session:
        session.execute(text(ROUND), {"content": b"", "no": False})
        session.execute(text(STATEMENT), {"content": b"", "no": False})
    assert migrate(store, "services.node.storage", "0015") == "0015"
    with store.reading("test.after") as session:
        taken, erased = session.execute(text("SELECT taken_at, erased_at FROM statement")).one()
    assert (started <= taken, erased) == (True, None)
