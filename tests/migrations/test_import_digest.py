"""The node's migration to digests of imports leaves those of earlier lists to be made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from services.kit.storage.migrate import migrate
from tests.migrations.test_hit_handling import IMPORT

if TYPE_CHECKING:
    from services.kit.storage.store import Store


def test_earlier_lists_have_no_digest_yet(store: Store) -> None:
    """Migration 0016 keeps lists; their digest is made when it is first needed."""
    migrate(store, "services.node.storage", "0015")
    with store.transaction("test.before") as session:
        session.execute(text(IMPORT), {"yes": True})
    assert migrate(store, "services.node.storage", "0016") == "0016"
    with store.reading("test.after") as session:
        assert tuple(session.execute(text('SELECT name, digest FROM "import"')).one()) == ("list", None)
