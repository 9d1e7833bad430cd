"""The matcher's log: entries of its actions, and the statistics in them (PROTOCOL.md 10)."""
