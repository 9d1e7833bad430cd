"""Shadow columns: tags as the protocol says, each once, cut into pieces, and too many of them left out by sets."""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
import pytest

from aquila.crypto.keys import SecretBytes
from aquila.protocol.encoding import digest, framed
from aquila.protocol.shadow import columns
from aquila.protocol.shadow.columns import Column
from aquila.protocol.shadow.token_rows import RecordRows, numbered
from aquila.protocol.submissions.column_sizes import (
    DUMMIES,
    MOST_TAGS_OF_A_RECORD,
    PIECE_TAGS,
    PLANNED_QUERIES,
    QUERY_DUMMIES,
    TAG_BYTES,
)
from tests.support.shadow_pairs import ShadowPair, handle, rows_of, token

SETS = ((1,), (2, 3))
KEY = bytes(range(32))


def tag(*parts: bytes, label: str = "aquila/2 shadow") -> bytes:
    """Return a tag as PROTOCOL.md 3.7.12 says it."""
    return hmac.digest(KEY, framed(label, *parts), "sha256")[:TAG_BYTES]


def test_tags_are_what_the_protocol_says() -> None:
    """One for each record, set and choice of a token for each rule, each once, and the dummies; ascending."""
    rows = RecordRows([rows_of(0, [{1: [5], 2: [6, 7], 3: [8]}, {1: [5], 2: [9]}])])
    with SecretBytes(KEY) as key:
        column = columns.make_column(key, rows, SETS)
        said = column.statement("RS", key, {3: 1, 1: 4}, [(3, "a" * 64), (2, "b" * 64)])
    due = {tag(bytes([0]), token(1, 5)), *(tag(bytes([1]), token(2, n), token(3, 8)) for n in (6, 7))}
    due |= {tag(n.to_bytes(4, "big"), label="aquila/2 shadow dummy") for n in range(DUMMIES)}
    assert column.tags.tobytes() == b"".join(sorted(due))
    assert (said.counterpart, said.left_out) == ("RS", ())
    assert [(one.rule, one.rows) for one in said.rules] == [(1, 4), (3, 1)]
    assert [(chunk.rows, chunk.digest) for chunk in said.chunks] == [(3, "a" * 64), (2, "b" * 64)]
    assert said.key == digest("aquila/2 shadow key", KEY).hex()
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


def test_rows_at_places() -> None:
    """The rows of a record by their places in ascending order of the tokens; nothing of a record that is not here."""
    rows = RecordRows([rows_of(0, [{1: [5], 2: [6, 3]}, {1: [7]}])])
    found = rows.at([handle(0, 1), handle(0, 9), handle(0, 0), handle(1, 0)], [b"\0\1", b"\0", b"\2\0", b"\0"])
    assert (found.count, found.records.tolist(), found.rules.tolist()) == (4, [0, 2, 2], [1, 2, 1])
    assert rows.tokens[found.tokens].tobytes() == token(1, 7) + token(2, 6) + token(1, 5)


@pytest.mark.parametrize("same", [0, 8, 15])
def test_values_that_begin_alike(same: int) -> None:
    """They are told apart by their last byte, and numbered in ascending order."""
    values = [bytes(same) + bytes([last]) * (16 - same) for last in (7, 0, 255, 7, 1)]
    distinct, numbers = numbered(np.array(values, dtype="V16"))
    assert distinct.tobytes() == b"".join(sorted({*values}))
    assert numbers.tolist() == [2, 0, 3, 2, 1]


def test_dummies_of_queries() -> None:
    """A list's column has those of all queries of its counterpart, and each query its own; no two parties share any."""
    with SecretBytes(KEY) as key:
        listed = set(columns.make_column(key, RecordRows([]), SETS, "AL").tags.tolist())
        third = columns.query_dummies(key, "AL", range(2, 3))
        others = set(columns.query_dummies(key, "RS", range(PLANNED_QUERIES)).tolist())
    label = "aquila/2 shadow query dummy"
    numbers = range(2 * QUERY_DUMMIES, 3 * QUERY_DUMMIES)
    assert third.tobytes() == b"".join(tag(b"AL", number.to_bytes(4, "big"), label=label) for number in numbers)
    assert len(listed) == DUMMIES + PLANNED_QUERIES * QUERY_DUMMIES
    assert set(third.tolist()) < listed
    assert not others & listed


def test_tags_that_begin_alike() -> None:
    """Of a column those stay that have the first 64 bits of one of some others, in their order."""
    column = [np.array([tag], dtype="S16") for tag in (b"b" * 16, b"a" * 16, b"a" * 8 + b"c" * 8)]
    others = np.array([b"x" * 16, b"a" * 16], dtype="S16")
    assert columns.tags_alike(column, others).tolist() == [b"a" * 16, b"a" * 8 + b"c" * 8]
    assert columns.tags_alike([], others).tolist() == []
