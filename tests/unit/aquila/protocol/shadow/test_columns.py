"""Shadow columns: tags as the protocol says, each once, cut into pieces, and too many of them left out by sets."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import numpy as np
import pytest

from aquila.crypto.keys import SecretBytes
from aquila.protocol.encoding import digest, framed
from aquila.protocol.shadow import columns, pair_keys
from aquila.protocol.shadow.columns import Column, RecordRows
from aquila.protocol.shadow.meeting import number_of, shared_rows
from aquila.protocol.submissions.column_sizes import DUMMIES, MOST_TAGS_OF_A_RECORD, PIECE_TAGS, TAG_BYTES
from tests.support.shadow_pairs import ShadowPair, handle, rows_of, token

if TYPE_CHECKING:
    from tests.support.staged_round import StagedRound

SETS = ((1,), (2, 3))
KEY = bytes(range(32))


def tag(*parts: bytes, label: str = "aquila/1 shadow") -> bytes:
    """Return a tag as PROTOCOL.md 3.7.12 says it."""
    return hmac.digest(KEY, framed(label, *parts), "sha256")[:TAG_BYTES]


def test_tags_are_what_the_protocol_says() -> None:
    """One for each record, set and choice of a token for each rule, each once, and the dummies; ascending."""
    rows = RecordRows([rows_of(0, [{1: [5], 2: [6, 7], 3: [8]}, {1: [5], 2: [9]}])])
    with SecretBytes(KEY) as key:
        column = columns.make_column(key, rows, SETS)
        said = column.statement("RS", key)
    due = {tag(bytes([0]), token(1, 5)), *(tag(bytes([1]), token(2, n), token(3, 8)) for n in (6, 7))}
    due |= {tag(n.to_bytes(4, "big"), label="aquila/1 shadow dummy") for n in range(DUMMIES)}
    assert column.tags.tobytes() == b"".join(sorted(due))
    assert (said.counterpart, said.left_out) == ("RS", ())
    assert said.key == digest("aquila/1 shadow key", KEY).hex()
    (piece,) = said.pieces
    assert (piece.tags, piece.digest) == (len(due), hashlib.sha256(column.tags.tobytes()).hexdigest())


def test_a_column_is_cut_into_pieces() -> None:
    """No piece has more tags than one call may bring, and together they are the column."""
    tags = np.frombuffer(b"".join(n.to_bytes(16, "big") for n in range(1, PIECE_TAGS + 3)), dtype="S16")
    pieces = list(Column(tags, ()).pieces())
    assert [len(one) // TAG_BYTES for one in pieces] == [PIECE_TAGS, 2]
    assert columns.read_column(pieces).tobytes() == tags.tobytes()


def test_a_list_without_rows() -> None:
    """It has the dummies alone."""
    with SecretBytes(KEY) as key:
        assert len(columns.make_column(key, RecordRows([]), SETS).tags) == DUMMIES


def test_sets_that_give_too_many_tags_are_left_out() -> None:
    """Whole sets, beginning with the one that gives most; what the other side has of them is not expected."""
    many = range(MOST_TAGS_OF_A_RECORD)
    left, right = [{1: [1], 2: many, 3: [1, 2]}], [{1: [1], 2: [3], 3: [1]}]
    pair = ShadowPair.of(left, right, SETS)
    assert (pair.columns[0].left_out, pair.columns[1].left_out) == ((1,), ())
    assert pair.due == len(pair.met) == DUMMIES + 1
    assert pair.check(0, pair.told(0)) is pair.check(1, pair.told(1)) is None


def test_records_by_handle() -> None:
    """The rules and tokens of a record in the order of the tokens; nothing of one that is not here."""
    rows = RecordRows([rows_of(0, [{1: [5], 2: [6, 3]}, {1: [7]}])])
    rules, tokens = rows.of(handle(0, 0))
    assert rules.tolist() == [1, 2, 2]
    assert tokens.tolist() == sorted(tokens.tolist())
    for other in (handle(0, 9), handle(1, 0)):
        assert len(rows.of(other)[0]) == 0


@pytest.mark.parametrize("number", [0, 1, 255, 256, 70_000])
def test_pairs_by_number(number: int) -> None:
    """The number of a pair is read from the handle that stands for it, whatever zeros NumPy leaves out."""
    rows = shared_rows([number], b"\1", token(1, 1))
    assert number_of(RecordRows([rows.tobytes()]).handles.tolist()[0]) == number


def test_keys_of_a_pair(stage: StagedRound) -> None:
    """Both sides have the same key for a purpose, and no other pair and no other purpose has it."""
    stage.consent()

    def key(own: str, other: str, purpose: str = "shadow") -> bytes:
        node = stage.nodes[own]
        with pair_keys.pair_key(node.round, own, node.secrets.exchange, other, purpose) as found:
            return found.to_bytes()

    assert key("AL", "RS") == key("RS", "AL")
    assert len({key("AL", "RS"), key("AL", "SI"), key("RS", "SI"), key("AL", "RS", "other")}) == 4
