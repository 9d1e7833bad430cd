"""Access to a log over HTTP: its use cases and routes, the same at node and matcher."""
