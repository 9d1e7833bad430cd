"""What the node proves about logs: its own, and what the matcher's must hold (PROTOCOL.md 10.5)."""
