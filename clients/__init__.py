"""What people and programs use to reach a node or the matcher: the typed client, the command, the demo, the bench."""
