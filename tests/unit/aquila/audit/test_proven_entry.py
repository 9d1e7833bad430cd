"""Tests of aquila.audit.proven_entry."""

import base64

import pytest

from aquila.audit.checkpoint import Checkpoint
from aquila.audit.entries import Entry, EntryKind
from aquila.audit.merkle import leaf_hash, tree_root
from aquila.audit.proven_entry import LARGEST_PROOF, ProvenEntry, read_proven_entry
from aquila.crypto.keys import IdentityKey
from aquila.errors import AuditError

KEY = IdentityKey(bytes(range(32)))
ENTRY = Entry.of(EntryKind.IMPORT, 1, "SI").salted("0" * 32)
OTHER = leaf_hash(b"other")
NOTE = Checkpoint("log.example", 2, tree_root([OTHER, ENTRY.leaf()])).sign(KEY)
PROVEN = ProvenEntry(1, ENTRY, (OTHER,), NOTE)
CONTENT = PROVEN.to_bytes()


def test_the_file_is_that_of_c2sp() -> None:
    """First line, extra data, index, hashes, an empty line, the checkpoint; what is read is what was written."""
    lines = CONTENT.decode().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert base64.b64decode(lines[1].removeprefix("extra ")) == ENTRY.content()
    assert lines[2:5] == ["index 1", base64.b64encode(OTHER).decode(), ""]
    assert "\n".join(lines[5:]) == NOTE.to_bytes().decode()
    assert read_proven_entry(CONTENT) == PROVEN
    assert PROVEN.verify("log.example", KEY.public).size == 2


def test_another_place_or_another_entry_is_not_proved() -> None:
    for wrong in (
        ProvenEntry(0, ENTRY, (OTHER,), NOTE),
        ProvenEntry(1, ENTRY.salted("1" * 32), (OTHER,), NOTE),
        ProvenEntry(1, ENTRY, (), NOTE),
    ):
        with pytest.raises(AuditError, match="proof"):
            wrong.verify("log.example", KEY.public)
    with pytest.raises(AuditError, match="another log"):
        PROVEN.verify("other.example", KEY.public)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        CONTENT.replace(b"@v1", b"@v2"),
        CONTENT.replace(b"extra ", b"extra !"),
        CONTENT.replace(b"index 1", b"index 01"),
        CONTENT.replace(b"index 1\n", b"index 1\n" + b"AAAA\n" * 64),
        CONTENT + bytes(LARGEST_PROOF),
    ],
    ids=["empty", "not text", "version", "extra", "index", "too many hashes", "too long"],
)
def test_other_bytes_are_no_proof(content: bytes) -> None:
    with pytest.raises(AuditError, match="not the proof"):
        read_proven_entry(content)
