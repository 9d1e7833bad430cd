"""A service's log: entries, checkpoints, verification, retention, and the witness of other logs (PROTOCOL.md 10)."""
