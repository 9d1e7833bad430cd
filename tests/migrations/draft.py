"""Draft a migration: `python -m tests.migrations.draft node "Say who made a list"`, for a person to edit.

It writes the difference between the models and the schema that the migrations make of a database of 1.0.0.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from services.kit.settings import DatabaseSettings
from services.kit.storage.migrate import migrate
from services.kit.storage.store import Store, database_url
from services.matcher.storage.tables import MatcherRows
from services.node.storage.tables import NodeRows
from tests.migrations.stored_home import unpack
from tests.support.migration_packages import draft

if __name__ == "__main__":
    service, message = sys.argv[1:]
    with TemporaryDirectory() as folder:
        unpack("1.0.0", Path(folder))
        file = Path(folder) / {"node": "AL/node.db", "matcher": "matcher/matcher.db"}[service]
        store = Store(database_url(DatabaseSettings(), file))
        package = f"services.{service}.storage"
        migrate(store, package)
        metadata = NodeRows.metadata if service == "node" else MatcherRows.metadata
        sys.stdout.write(f"{draft(store, package, metadata, message)}\n")
        store.close()
