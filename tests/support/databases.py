"""Databases that have their tables: a copy costs a hundredth of what the migrations of a service cost.

The migrations themselves are tested in `tests/migrations`, and run in every test with real processes.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from services.kit.settings import DatabaseSettings
from services.kit.storage.files import write_secret
from services.kit.storage.migrate import migrate
from services.kit.storage.store import Store, database_url
from services.matcher import main as matcher_main
from services.matcher.storage import home as matcher_home
from services.node import main as node_main
from services.node.storage import home as node_home


def lay_tables(home: Path) -> None:
    """Give the new home of a node or a matcher, by its settings file, a database of SQLite that has its tables."""
    of_matcher = (home / "matcher.toml").exists()
    file = matcher_home.DATABASE_FILE if of_matcher else node_home.DATABASE_FILE
    write_secret(home / file, _migrated(matcher_main.PACKAGE if of_matcher else node_main.PACKAGE))


@cache
def _migrated(package: str) -> bytes:
    """Return a service's database after all migrations."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "made.db"
        store = Store(database_url(DatabaseSettings(), file))
        migrate(store, package)
        store.close()
        return file.read_bytes()
