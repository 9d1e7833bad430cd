"""The way of parties into the registry: invitations, statements on it, spoken words (PROTOCOL.md 11)."""
