"""Migrations: each service's folder `migrations/` of Alembic scripts, applied at start, on both databases.

A migration runs in the one writing transaction of the store, so workers that start together wait for each other, and
a crash in the middle leaves the old schema whole. A merged migration is never edited. The folder's `env.py` calls
`run_environment`; nothing else is in it.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from services.kit.errors import StoreError
from services.kit.logs import Log
from services.kit.store import schema_change

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData

    from services.kit.store import Store

_LOG = Log("kit.migrate")
_FOLDER = "migrations"


def migrate(store: Store, package: str) -> str:
    """Bring the schema up to date and return its revision.

    Args:
        store: Where.
        package: The service, `services.matcher`, whose folder `migrations/` has the scripts.

    Raises:
        StoreError: The database failed, or its schema is newer than this program.
    """
    config = _config(package)
    with schema_change(store) as connection:
        before = _revision(connection)
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise StoreError(
                f"the database has the schema {before}, which this version does not know",
                hint="start the version that made it, or a newer one",
                revision=before,
            ) from None
        after = _revision(connection)
    if after != before:
        _LOG.info("schema_migrated", revision=after)
    return after


def run_environment() -> None:
    """Run what Alembic asks for; the one line of each `env.py`."""
    connection = context.config.attributes["connection"]
    metadata = context.config.attributes.get("metadata")
    # Batch operations rebuild a table where SQLite cannot alter it.
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
    context.run_migrations()


def draft(store: Store, package: str, metadata: MetaData, message: str) -> None:
    """Write a script from the difference between a migrated store and the models, for a person to edit."""
    config = _config(package)
    with schema_change(store) as connection:
        config.attributes |= {"connection": connection, "metadata": metadata}
        number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")


def differences(store: Store, metadata: MetaData) -> list[str]:
    """List what the models have and the migrated schema has not, or the other way round."""
    with schema_change(store) as connection:
        migration = MigrationContext.configure(connection, opts={"compare_type": True})
        return [repr(difference) for difference in compare_metadata(migration, metadata)]


def migrations_folder(package: str) -> Path:
    """Return the folder with a package's scripts."""
    return Path(str(resources.files(package))) / _FOLDER


def _config(package: str) -> Config:
    """Return Alembic's configuration for a package, without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(migrations_folder(package)).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _revision(connection: Connection) -> str:
    """Return the revision of the schema, or nothing for an empty database."""
    return MigrationContext.configure(connection).get_current_revision() or ""
