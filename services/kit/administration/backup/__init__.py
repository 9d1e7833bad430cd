"""Backup and restore: a sealed file with the rows of a service, and files of its home without secrets (ADR 58)."""
