"""Packages of migrations that a test makes, such as those of a release that is yet to come."""

import re
import shutil
from importlib import resources
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData

from services.kit.storage.migrate import head_revision, known_revisions
from services.kit.storage.store import Store, schema_change
from services.node.main import PACKAGE

_NEXT = '''"""Say who made a list."""
import sqlalchemy as sa
from alembic import op
revision = "next"
down_revision = "{before}"
def upgrade():
    op.add_column("import", sa.Column("made_by", sa.Text(), nullable=True))
'''

_SCRIPT = '''"""{message}."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {before!r}


def upgrade() -> None:
    {upgrade}
'''


def draft(store: Store, package: str, metadata: MetaData, message: str) -> Path:
    """Write a script from the difference between a migrated store and the models, for a person to edit."""
    revision = f"{len(known_revisions(package)) + 1:04d}"
    with schema_change(store) as connection:
        options = {"compare_type": True, "target_metadata": metadata}
        migration = MigrationContext.configure(connection, opts=options)
        difference = produce_migrations(migration, metadata)
        assert difference.upgrade_ops is not None
        # Batch operations rebuild a table where SQLite cannot alter it.
        code = render_python_code(difference.upgrade_ops, render_as_batch=True, migration_context=migration)
    upgrade = "\n".join(line for line in code.splitlines() if not line.lstrip().startswith("# ###")).strip()
    path = _folder(package) / f"{revision}_{re.sub('[^a-z0-9]+', '_', message.lower()).strip('_')}.py"
    before = head_revision(package) or None
    path.write_text(_SCRIPT.format(message=message, revision=revision, before=before, upgrade=upgrade), "utf-8")
    return path


def add_migration(package: str, name: str, content: str) -> None:
    (_folder(package) / f"{name}.py").write_text(content, encoding="utf-8")


def add_migrations_of_next_release(package: str) -> str:
    """Put the node's migrations and one more into a package, and return the revision of that one."""
    for path in sorted(_folder(PACKAGE).glob("[0-9]*.py")):
        shutil.copy(path, _folder(package))
        before = path.name[:4]
    add_migration(package, "next", _NEXT.format(before=before))
    return "next"


def _folder(package: str) -> Path:
    return Path(str(resources.files(f"{package}.migrations")))
