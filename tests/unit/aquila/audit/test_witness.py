"""Updates of a log in the form of C2SP tlog-witness, and whether a log only grew."""

from collections.abc import Sequence

import pytest

from aquila.audit.checkpoint import (
    LARGEST_UPDATE,
    Checkpoint,
    Signature,
    Update,
    check_growth,
    check_named,
    log_name,
    parse_update,
    witness_name,
)
from aquila.audit.merkle import EMPTY_ROOT, leaf_hash, node_hash, prove_consistency, tree_root
from aquila.crypto.keys import IdentityKey
from aquila.errors import AuditError, LogRewrittenError

KEY = IdentityKey.generate(lambda count: bytes(range(count)))
LEAVES = [leaf_hash(bytes([number])) for number in range(13)]
OTHERS = [leaf_hash(bytes([number, 1])) for number in range(13)]


def head(size: int, leaves: Sequence[bytes] = LEAVES) -> Checkpoint:
    return Checkpoint("log", size, tree_root(leaves[:size]))


def update(old: int, size: int, leaves: Sequence[bytes] = LEAVES) -> Update:
    def read(level: int, number: int) -> bytes:
        if level == 0:
            return leaves[number]
        return node_hash(read(level - 1, 2 * number), read(level - 1, 2 * number + 1))

    proof = prove_consistency(old, size, read) if 0 < old < size else []
    return Update(old, tuple(proof), head(size, leaves).sign(KEY))


def test_names_name_holder_and_key() -> None:
    """A log's origin and a witness's name are lines without a space, different for another key."""
    other = IdentityKey.generate(bytes)
    assert log_name("SI", KEY.public) == f"aquila-log/SI/{KEY.public.fingerprint[:16]}"
    assert len({log_name("SI", KEY.public), log_name("SI", other.public), witness_name("SI", KEY.public)}) == 3


@pytest.mark.parametrize(("old", "size"), [(0, 5), (4, 4), (3, 7), (8, 13)])
def test_an_update_comes_back_as_it_was(old: int, size: int) -> None:
    """What was written is read, and an honest log grew."""
    sent = update(old, size)
    got = parse_update(sent.to_bytes())
    assert got == sent
    check_growth(head(old) if old else None, head(size), got)


def test_nothing_to_compare_with() -> None:
    check_growth(None, head(3), update(0, 3))
    check_growth(Checkpoint("log", 0, EMPTY_ROOT), head(3), update(0, 3))


@pytest.mark.parametrize(
    ("seen", "got", "shown", "what"),
    [
        (head(7), head(6), update(7, 6), "shrunk"),
        (head(7), head(7, OTHERS), update(7, 7, OTHERS), "fork"),
        (head(7), head(9, OTHERS), update(7, 9, OTHERS), "fork"),
        (head(7), head(9), update(7, 9, OTHERS), "fork"),
    ],
)
def test_a_rewritten_log_is_found(seen: Checkpoint, got: Checkpoint, shown: Update, what: str) -> None:
    with pytest.raises(LogRewrittenError, match="shrank" if what == "shrunk" else "forked") as caught:
        check_growth(seen, got, shown)
    assert caught.value.fields["what"] == what


def test_a_proof_from_elsewhere_is_no_proof() -> None:
    """A proof from another size than asked for is refused, and is no evidence of a fork."""
    with pytest.raises(AuditError, match="another size") as caught:
        check_growth(head(7), head(9), update(6, 9))
    assert not isinstance(caught.value, LogRewrittenError)


def _bytes(old: str = "old 3", lines: tuple[str, ...] = (), note: bytes | None = None) -> bytes:
    content = update(3, 7).note.to_bytes() if note is None else note
    return "\n".join([old, *lines, "", ""]).encode() + content


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "does not begin"),
        (b"x" * (LARGEST_UPDATE + 1), "too long"),
        (_bytes("old 03"), "does not begin"),
        (_bytes("old -1"), "does not begin"),
        (_bytes("new 3"), "does not begin"),
        (_bytes(lines=("A" * 43 + "=",) * 64), "does not begin"),
        (_bytes(lines=("AAAA",)), "not a hash"),
        (_bytes(lines=("!" * 44,)), "not a hash"),
        (_bytes(lines=("A" * 42 + "B=",)), "not a hash"),
        (_bytes(note=b"\n"), "no signature"),
    ],
)
def test_other_bytes_are_none(content: bytes, sentence: str) -> None:
    with pytest.raises(AuditError, match=sentence):
        parse_update(content)


def test_a_note_with_more_signatures_is_the_same_checkpoint() -> None:
    shown = update(3, 7)
    cosigned = shown.note.with_signature(Signature("witness", b"1234", b"signature"))
    assert parse_update(Update(3, shown.proof, cosigned).to_bytes()).note.signatures[1].name == "witness"


@pytest.mark.parametrize(("named", "size"), [(1, 1), (4, 9), (8, 8), (13, 13)])
def test_a_head_that_another_one_saw_is_of_this_log(named: int, size: int) -> None:
    check_named(head(size), named, head(named).root, update(named, size).proof)


@pytest.mark.parametrize(
    ("named", "leaves", "proof", "what"),
    [
        (10, LEAVES, (), "shrunk"),
        (9, OTHERS, (), "fork"),
        (4, OTHERS, update(4, 9).proof, "fork"),
        (4, OTHERS, update(4, 9, OTHERS).proof, "fork"),
        (4, LEAVES, (), "fork"),
    ],
)
def test_a_head_that_another_one_saw_is_of_no_log_that_is_shown(
    named: int, leaves: Sequence[bytes], proof: tuple[bytes, ...], what: str
) -> None:
    """A log that shows less here, or another past, keeps two histories."""
    with pytest.raises(LogRewrittenError) as raised:
        check_named(head(9), named, head(named, leaves).root, proof)
    assert raised.value.fields["what"] == what
