"""Tests of aquila.audit.checkpoint."""

import pytest

from aquila.audit.checkpoint import (
    COSIGNATURE,
    Checkpoint,
    Note,
    Signature,
    cosign,
    cosigned_at,
    key_id,
    open_checkpoint,
    parse_checkpoint,
)
from aquila.audit.merkle import EMPTY_ROOT
from aquila.crypto.keys import IdentityKey
from aquila.errors import AuditError, InputError

ORIGIN, WITNESS = "matcher.aquila.example", "rs.aquila.example"
LOG, SEEN = IdentityKey(bytes(range(32))), IdentityKey(bytes(range(1, 33)))
CHECKPOINT = Checkpoint(ORIGIN, 7, bytes(range(32)))
SIGNED = CHECKPOINT.sign(LOG)


def test_what_was_verified_once_counts_for_the_same_bytes_log_and_key_alone() -> None:
    """A result is remembered; another key, another name, or one other bit is verified anew, and refused."""
    content = SIGNED.to_bytes()
    changed = SIGNED.with_signature(Signature(ORIGIN, SIGNED.signatures[0].key_id, bytes(64))).to_bytes()
    for _ in range(2):
        assert open_checkpoint(content, ORIGIN, LOG.public)[0] == CHECKPOINT
        for others in ((content, ORIGIN, SEEN.public), (content, WITNESS, LOG.public), (changed, ORIGIN, LOG.public)):
            with pytest.raises(AuditError):
                open_checkpoint(*others)
    cosigned = cosign(SIGNED, WITNESS, SEEN, 1_800_000_000)
    for _ in range(2):
        assert cosigned_at(cosigned, WITNESS, SEEN.public) == 1_800_000_000
        assert cosigned_at(cosigned, WITNESS, LOG.public) is None
        assert cosigned_at(SIGNED, WITNESS, SEEN.public) is None


def test_the_text_is_three_lines() -> None:
    """Origin, size and head in base64, as C2SP tlog-checkpoint has them."""
    assert CHECKPOINT.text() == f"{ORIGIN}\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"


def test_a_changed_time_is_found() -> None:
    cosigned = cosign(SIGNED, WITNESS, SEEN, 5)
    last = cosigned.signatures[-1]
    moved = Signature(last.name, last.key_id, (6).to_bytes(8, "big") + last.signature[8:])
    with pytest.raises(AuditError, match="cosignature is wrong"):
        cosigned_at(cosigned.with_signature(moved), WITNESS, SEEN.public)


def test_a_cut_cosignature_is_found() -> None:
    identity = key_id(WITNESS, COSIGNATURE, bytes.fromhex(SEEN.public.hex))
    with pytest.raises(AuditError, match="72 bytes"):
        cosigned_at(SIGNED.with_signature(Signature(WITNESS, identity, b"short")), WITNESS, SEEN.public)


def test_a_checkpoint_of_another_log_is_refused() -> None:
    with pytest.raises(AuditError, match="another log's"):
        open_checkpoint(SIGNED.to_bytes(), "other.example", LOG.public)


def test_an_unsigned_checkpoint_is_refused() -> None:
    cosigned = cosign(SIGNED, WITNESS, SEEN, 5)
    with pytest.raises(AuditError, match="not signed by its log"):
        open_checkpoint(Note(cosigned.text, cosigned.signatures[1:]).to_bytes(), ORIGIN, LOG.public)


HEAD = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n7\n",
        f"{ORIGIN}\n7\n{HEAD}",
        f"\n7\n{HEAD}\n",
        f"{ORIGIN}\n07\n{HEAD}\n",
        f"{ORIGIN}\n-7\n{HEAD}\n",
        f"{ORIGIN}\n{1 << 64}\n{HEAD}\n",
        f"{ORIGIN}\n7\nAAEC\n",
        f"{ORIGIN}\n7\n{HEAD[:-2]}9=\n",
        f"{ORIGIN}\n7\nnot base64\n",
        f"{ORIGIN}\n0\n{HEAD}\n",
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    """Missing lines, sizes written otherwise or beyond 64 bits, heads that are none."""
    with pytest.raises(AuditError):
        parse_checkpoint(text)


def test_an_empty_log_has_the_empty_head() -> None:
    assert parse_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT).text()).size == 0


@pytest.mark.parametrize(("origin", "root"), [("", EMPTY_ROOT), ("two\nlines", EMPTY_ROOT), (ORIGIN, b"short")])
def test_a_checkpoint_that_cannot_be_read_back_is_not_written(origin: str, root: bytes) -> None:
    with pytest.raises(InputError):
        Checkpoint(origin, 1, root).text()
