"""The matcher's administration: the registry with its signed statements, and the report on health."""
