"""The node's migration to words of records leaves earlier lists as lists whose words are still to be made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store


def test_earlier_records_have_no_words_yet(store: Store) -> None:
    """Migration 0013 keeps lists and records; the version 0 says that their words are still to be made."""
    migrate(store, "services.node.storage", "0012")
    with store.transaction("test.before") as session:
        session.execute(
            text(
                'INSERT INTO "import" (import_id, name, format, records, refused, imported_at, complete)'
                " VALUES ('i', 'list', 'csv', 1, 0, 1, :yes)"
            ),
            {"yes": True},
        )
        session.execute(
            text("INSERT INTO record (import_id, position, record_id, content) VALUES ('i', 0, 'r', :content)"),
            {"content": b"{}"},
        )
    assert migrate(store, "services.node.storage", "0013") == "0013"
    with store.reading("test.after") as session:
        assert tuple(session.execute(text('SELECT name, normalizer FROM "import"')).one()) == ("list", 0)
        assert tuple(session.execute(text("SELECT record_id, words FROM record")).one()) == ("r", "")
