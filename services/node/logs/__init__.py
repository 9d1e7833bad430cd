"""Proofs about logs: about the node's own, and of the required entries in the matcher's (PROTOCOL.md 10.5)."""
