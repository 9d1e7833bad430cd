"""Canonical bytes: framed so that no two sequences are the same."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from aquila.protocol.encoding import canonical, digest, framed
from aquila.protocol.messages import ANNOUNCEMENTS, PARTY_STATEMENTS, Manifest, Message

LARGEST = 2**53 - 1
NAMES = st.text(st.characters(max_codepoint=0x7F), max_size=9)
DOCUMENTS = st.dictionaries(
    NAMES,
    st.recursive(
        st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    ),
)


def test_canonical_json() -> None:
    """Members are sorted, without blanks, texts as they are (RFC 8785)."""
    assert canonical({"b": [1, True, None], "a": "č"}) == '{"a":"č","b":[1,true,null]}'.encode()


@given(DOCUMENTS)
def test_canonical_json_is_that_of_rfc_8785(document: dict[str, object]) -> None:
    """An independent implementation gives the same bytes of whatever messages hold."""
    assert canonical(document) == rfc8785.dumps(document)  # type: ignore[arg-type]  # as any JSON value


@pytest.mark.parametrize("kind", [Manifest, *PARTY_STATEMENTS, *ANNOUNCEMENTS])
def test_messages_hold_nothing_whose_encoding_differs(kind: type[Message]) -> None:
    """No fraction, no integer from 2^53 on, no free name of a member: RFC 8785 writes these otherwise."""
    for part in schemas(kind.model_json_schema()):
        assert part.get("type") != "number"
        if part.get("type") == "integer" and not {"const", "enum"} & part.keys():
            least, most = part.get("minimum", part.get("exclusiveMinimum")), part["maximum"]
            assert -LARGEST <= least <= most <= LARGEST
        assert all(abs(value) <= LARGEST for value in part.get("enum", ()) if isinstance(value, int))
        if part.get("type") == "object":
            assert part["additionalProperties"] is False
            assert all(name.isascii() for name in part["properties"])


def schemas(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, list):
        for item in part:
            yield from schemas(item)
    elif isinstance(part, dict):
        yield part
        for item in part.values():
            yield from schemas(item)


def test_framing() -> None:
    """Label and parts stand behind their lengths, 4 bytes, big endian (PROTOCOL.md 2.3)."""
    assert framed("ab", b"c", b"") == b"\0\0\0\2ab\0\0\0\1c\0\0\0\0"


def test_no_two_sequences_are_the_same() -> None:
    """Moving a byte from one part to another gives other bytes."""
    sequences = [("a", b"bc"), ("ab", b"c"), ("a", b"b", b"c"), ("abc",), ("a", b"bc", b"")]
    assert len({framed(*sequence) for sequence in sequences}) == len(sequences)


def test_digest() -> None:
    assert digest("label", b"part") == hashlib.sha256(framed("label", b"part")).digest()
