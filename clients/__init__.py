"""Clients of a node or the matcher: the typed client, the command, the pages, the demo, the bench."""
