"""Migrations: each service's package `migrations` of Alembic scripts, applied at start, on both databases.

They run in the one writing transaction of the store, so workers that start together wait for each other, and a crash
in the middle leaves the old schema whole. An empty database gets the tables of the models. A merged migration is never
edited; its way back is for empty tables alone, which a backup of an earlier release is restored into. The folder holds
scripts and `__init__.py` alone; what Alembic usually reads from `alembic.ini` and `env.py` is here.
"""

from functools import cache
from importlib import resources

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from services.kit.errors import StoreError
from services.kit.logging import Log
from services.kit.storage.store import Store, schema_change

_LOG = Log("kit.migrate")


def migrate(store: Store, package: str) -> str:
    """Bring the schema up to date and return its revision."""
    after = head_revision(package)
    with schema_change(store) as connection:
        before = revision_of(connection)
        if not before:
            lay(connection, package, after)
        elif before in known_revisions(package):
            _run(connection, _scripts(package), after)
        else:
            raise StoreError("database_schema_unknown", revision=before)
    if after != before:
        _LOG.info("schema_migrated", revision=after)
    return after


def lay(connection: Connection, package: str, revision: str) -> None:
    """Make the tables of a known revision in an empty database, within the caller's `schema_change`.

    The first script makes the tables of the models, which are those of the newest revision.
    """
    scripts = _scripts(package)
    _run(connection, scripts, scripts.get_base() or "")
    MigrationContext.configure(connection).stamp(scripts, "head")
    if revision != scripts.get_current_head():
        _run(connection, scripts, revision, back=True)


def head_revision(package: str) -> str:
    """Return the revision of the schema that this program needs."""
    return _scripts(package).get_current_head() or ""


def known_revisions(package: str) -> frozenset[str]:
    """Return the revisions that this program can bring up to date."""
    return frozenset(script.revision for script in _scripts(package).walk_revisions())


def revision_of(connection: Connection) -> str:
    """Return the revision of a database's schema, or nothing for an empty database."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def _scripts(package: str) -> ScriptDirectory:
    folder = resources.files(f"{package}.migrations")
    return _read_scripts(str(folder), frozenset(file.name for file in folder.iterdir()))


@cache
def _read_scripts(folder: str, _names: frozenset[str]) -> ScriptDirectory:
    """Return the scripts of a folder; a process that starts several services reads them once."""
    return ScriptDirectory(folder, version_locations=[folder])


def _run(connection: Connection, scripts: ScriptDirectory, revision: str, *, back: bool = False) -> None:
    """Run the scripts up or back to a revision on a connection, within its transaction."""

    def steps(current: object, _context: MigrationContext) -> object:
        # The calls that Alembic's documentation gives for running without env.py (EnvironmentContext).
        between = scripts._downgrade_revs if back else scripts._upgrade_revs  # noqa: SLF001 - see above
        return between(revision, current)  # type: ignore[arg-type]

    with EnvironmentContext(Config(), scripts, fn=steps, destination_rev=revision) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
