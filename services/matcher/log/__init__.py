"""The matcher's log: how entries are made of what happened, and the statistics in it (PROTOCOL.md 10)."""
