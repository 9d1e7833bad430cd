"""Packages of migrations that a test makes, such as those of a release that is yet to come."""

import re
import shutil
from importlib import resources
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, MetaData, Text

from services.kit.storage.migrate import head_revision, known_revisions
from services.kit.storage.store import Store, declare, new_metadata, schema_change
from services.node.main import PACKAGE
from services.node.storage.tables import NodeRows

_FIRST = '''"""Make the tables of the models."""
from alembic import op
from tests.support.migration_packages import MODELS
revision = "0001"
down_revision = None
def upgrade():
    MODELS["{package}"].create_all(op.get_bind(), checkfirst=False)
'''

_NEXT = '''"""Say who made a list."""
import sqlalchemy as sa
from alembic import op
revision = "next"
down_revision = "{before}"
def upgrade():
    op.add_column("import", sa.Column("made_by", sa.Text(), nullable=True))
def downgrade():
    op.drop_column("import", "made_by")
'''

_SCRIPT = '''"""{message}."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {before!r}


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''

MODELS: dict[str, MetaData] = {}
"""The models of each package of a test, which its first migration makes."""


def draft(store: Store, package: str, metadata: MetaData, message: str) -> Path:
    """Write a script from the difference between a migrated store and the models, for a person to edit."""
    revision = f"{len(known_revisions(package)) + 1:04d}"
    with schema_change(store) as connection:
        options = {"compare_type": True, "target_metadata": metadata}
        migration = MigrationContext.configure(connection, opts=options)
        difference = produce_migrations(migration, metadata)
        # Batch operations rebuild a table where SQLite cannot alter it.
        upgrade, downgrade = (
            "\n".join(
                line
                for line in render_python_code(ops, render_as_batch=True, migration_context=migration).splitlines()
                if not line.lstrip().startswith("# ###")
            ).strip()
            for ops in (difference.upgrade_ops, difference.downgrade_ops)
            if ops is not None
        )
    path = _folder(package) / f"{revision}_{re.sub('[^a-z0-9]+', '_', message.lower()).strip('_')}.py"
    script = _SCRIPT.format(
        message=message, revision=revision, before=head_revision(package), upgrade=upgrade, downgrade=downgrade
    )
    path.write_text(script, "utf-8")
    return path


def add_first_tables(package: str, metadata: MetaData) -> None:
    """Put a first migration into a package, or give it the models of a later release."""
    MODELS[package] = metadata
    add_migration(package, "0001_first_tables", _FIRST.format(package=package))


def add_migration(package: str, name: str, content: str) -> None:
    (_folder(package) / f"{name}.py").write_text(content, encoding="utf-8")


def add_migrations_of_next_release(package: str) -> str:
    """Put the node's migrations and one more into a package, and return the revision of that one."""
    for path in sorted(_folder(PACKAGE).glob("[0-9]*.py")):
        shutil.copy(path, _folder(package))
        before = path.name[:4]
    later = new_metadata()
    declare(later, NodeRows.metadata)
    later.tables["import"].append_column(Column("made_by", Text))
    add_first_tables(package, later)
    add_migration(package, "next", _NEXT.format(before=before))
    return "next"


def _folder(package: str) -> Path:
    return Path(str(resources.files(f"{package}.migrations")))
