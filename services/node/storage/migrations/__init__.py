"""The node's migrations: Alembic scripts, one a file, never edited once merged."""
