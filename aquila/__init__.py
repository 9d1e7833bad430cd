"""Aquila's core: records, cryptography, protocol and matching, without network, database, clock or randomness."""

__version__ = "1.0.1.dev0"
