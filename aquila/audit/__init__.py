"""The append-only log: RFC 6962 trees, their proofs, and C2SP checkpoints with witnesses."""
