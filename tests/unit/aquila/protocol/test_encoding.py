"""Canonical bytes: framed so that no two sequences are the same."""

from __future__ import annotations

import hashlib

from aquila.protocol.encoding import canonical, digest, framed


def test_canonical_json() -> None:
    """Members are sorted, without blanks, texts as they are (RFC 8785)."""
    assert canonical({"b": [1, True, None], "a": "č"}) == '{"a":"č","b":[1,true,null]}'.encode()


def test_framing() -> None:
    """Label and parts stand behind their lengths, 4 bytes, big endian (PROTOCOL.md 2.3)."""
    assert framed("ab", b"c", b"") == b"\0\0\0\2ab\0\0\0\1c\0\0\0\0"


def test_no_two_sequences_are_the_same() -> None:
    """Moving a byte from one part to another gives other bytes."""
    sequences = [("a", b"bc"), ("ab", b"c"), ("a", b"b", b"c"), ("abc",), ("a", b"bc", b"")]
    assert len({framed(*sequence) for sequence in sequences}) == len(sequences)


def test_digest() -> None:
    """A digest is the SHA-256 of the framed parts."""
    assert digest("label", b"part") == hashlib.sha256(framed("label", b"part")).digest()
