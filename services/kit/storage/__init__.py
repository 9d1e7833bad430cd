"""Storage: the database, its migrations, and files."""
