"""Hits at a node: their lifecycle, follow-up, notes, withdrawals and views."""
