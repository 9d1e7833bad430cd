"""The `aquila` command."""
