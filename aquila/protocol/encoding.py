"""Canonical bytes: what is signed, hashed or used as a domain (PROTOCOL.md section 2).

Statements travel as RFC 8785 canonical JSON, so that equal contents are equal bytes. Everything that is hashed is a
sequence of length-prefixed parts under a label of its own, so that no two different sequences give the same bytes.
"""

import hashlib
import json


def canonical(document: dict[str, object]) -> bytes:
    """Return the RFC 8785 encoding of a document of strings, integers, booleans, lists and objects.

    For these, where integers are below 2^53 and names are ASCII, it is Python's own JSON with sorted names and without
    blanks (docs/adr/0005). Messages hold nothing else, and tests hold both.
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
    return text.encode()


def framed(label: str, *parts: bytes) -> bytes:
    """Return the label and the parts, each behind its length as 4 bytes, big endian (PROTOCOL.md 2.3)."""
    return b"".join([behind_length(part) for part in (label.encode(), *parts)])


def behind_length(part: bytes) -> bytes:
    """Return a part behind its length as 4 bytes, big endian, as `framed` has it."""
    return len(part).to_bytes(4, "big") + part


def digest(label: str, *parts: bytes) -> bytes:
    """Return the 32-byte SHA-256 of the framed parts (PROTOCOL.md 2.3)."""
    return hashlib.sha256(framed(label, *parts)).digest()
