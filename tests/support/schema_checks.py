"""Checks of tables: what a migrated schema lacks, and columns without a comment."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData

from services.kit.storage.store import Store, schema_change


def differences(store: Store, metadata: MetaData) -> list[str]:
    """List what the models have and the migrated schema has not, and the other way round."""
    with schema_change(store) as connection:
        migration = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return [repr(difference) for difference in compare_metadata(migration, metadata)]


def uncommented(metadata: MetaData) -> list[str]:
    columns = [column for table in metadata.tables.values() for column in table.columns]
    return [f"{column.table.name}.{column.name}" for column in columns if not column.comment]
