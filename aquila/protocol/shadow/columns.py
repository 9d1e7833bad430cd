"""A party's shadow column for one counterpart, from its own token rows (PROTOCOL.md 3.7.12)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aquila.crypto.hashing import digests_core, hmac_each
from aquila.crypto.keys import SecretBytes
from aquila.matching.list_rows import are_among
from aquila.protocol.encoding import behind_length, digest, framed
from aquila.protocol.messages import RuleRows, TagPiece, TokenChunkReference, TokenColumn
from aquila.protocol.shadow.token_rows import RecordRows, Sets, TokenRows, numbered
from aquila.protocol.submissions.column_sizes import (
    DUMMIES,
    MOST_TAGS_OF_A_RECORD,
    PIECE_TAGS,
    PLANNED_QUERIES,
    QUERY_DUMMIES,
    TAG_BYTES,
)

_TAG = f"S{TAG_BYTES}"  # of one length all of them, so that NumPy's zeros at an end change no comparison
_NUMBER_BYTES = 4


class Column(NamedTuple):
    """A party's tags for one counterpart."""

    tags: NDArray[np.bytes_]
    """Ascending, each once."""
    left_out: tuple[int, ...]
    """The numbers of the sets of which it has none, because they would give too many."""

    def statement(
        self, counterpart: str, key: SecretBytes, rules: Mapping[int, int], chunks: Sequence[tuple[int, str]]
    ) -> TokenColumn:
        """Return what the statement of tokens says of it.

        Args:
            counterpart: For whom it is.
            key: The pair's key of the purpose `shadow`.
            rules: By rule, the number of token rows for the counterpart; of no rule none.
            chunks: Rows and SHA-256 of each chunk of these rows, in order.
        """
        rows = [TokenChunkReference(rows=rows, digest=value) for rows, value in chunks]
        pieces = [TagPiece(tags=len(one) // TAG_BYTES, digest=piece_digest(one)) for one in self.pieces()]
        return TokenColumn(
            counterpart=counterpart,
            rules=tuple(RuleRows(rule=rule, rows=count) for rule, count in sorted(rules.items())),
            chunks=tuple(rows),
            key=key_digest(key),
            left_out=self.left_out,
            pieces=tuple(pieces),
        )

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes of the column, cut for sending."""
        for first in range(0, len(self.tags), PIECE_TAGS):
            yield self.tags[first : first + PIECE_TAGS].tobytes()


def make_column(key: SecretBytes, rows: RecordRows, sets: Sets, asker: str | None = None) -> Column:
    """Make the column of a party's list for one counterpart.

    Args:
        key: The pair's key of the purpose `shadow`.
        rows: All token rows of the party's list.
        sets: The rule table's sets for the longer of the two lists.
        asker: The counterpart, where it may ask queries: the dummies of all of them are in the column.
    """
    left_out = too_many(rows.numbers, sets, rows.numbers.count * MOST_TAGS_OF_A_RECORD)
    tags = [tags_of(key, rows, found.number, found.tokens) for found in rows.numbers.combinations(sets, left_out)]
    planned = [] if asker is None else [query_dummies(key, asker, range(PLANNED_QUERIES))]
    return Column(ascending([*tags, dummies(key), *planned]), left_out)


def too_many(rows: TokenRows, sets: Sets, most_tags: int) -> tuple[int, ...]:
    """Return the sets that have to be left out, beginning with the one that gives most tags."""
    counts = {number: rows.combined_count(rules) for number, rules in enumerate(sets)}
    gone: list[int] = []
    while sum(counts.values()) > most_tags:
        most = max(counts, key=lambda number: counts[number])
        gone.append(most)
        del counts[most]
    return tuple(sorted(gone))


def tags_of(key: SecretBytes, rows: RecordRows, number: int, combined: NDArray[np.int64]) -> NDArray[np.bytes_]:
    """Return the tags of combinations of tokens.

    Args:
        key: The pair's key of the purpose `shadow`.
        rows: Whose tokens they are.
        number: The place of their set among those of the rule table.
        combined: The numbers of the tokens of each, n x k.
    """
    return _tags(key, framed("aquila/2 shadow", bytes([number])), rows.tokens, combined)


def ascending(tags: Sequence[NDArray[np.bytes_]]) -> NDArray[np.bytes_]:
    """Return all of some tags in ascending order, each once."""
    return numbered(np.concatenate(tags))[0].view(_TAG)[:, 0]


def dummies(key: SecretBytes) -> NDArray[np.bytes_]:
    """Return the tags of no record, which both columns of a pair have."""
    numbers = np.arange(DUMMIES, dtype=">u4").view(np.uint8).reshape(-1, _NUMBER_BYTES)
    return _tags(key, framed("aquila/2 shadow dummy"), numbers, np.arange(DUMMIES).reshape(-1, 1))


def query_dummies(key: SecretBytes, asker: str, queries: range) -> NDArray[np.bytes_]:
    """Return the tags of no record for some queries of a party, by their numbers from 0.

    They are in the column of each query, and from the start in those of the lists that it meets.
    """
    numbers = np.arange(queries.start * QUERY_DUMMIES, queries.stop * QUERY_DUMMIES, dtype=">u4")
    parts = numbers.view(np.uint8).reshape(-1, _NUMBER_BYTES)
    prefix = framed("aquila/2 shadow query dummy", asker.encode())
    return _tags(key, prefix, parts, np.arange(len(parts)).reshape(-1, 1))


def key_digest(key: SecretBytes) -> str:
    """Return the digest by which both sides name their key, hexadecimal; it must be the same."""
    with key.reveal() as octets:
        return digest("aquila/2 shadow key", bytes(octets)).hex()


def met_digest(tags: NDArray[np.bytes_]) -> str:
    """Return the digest of tags that met, which are in ascending order, hexadecimal."""
    return digest("aquila/2 shadow met", tags.tobytes()).hex()


def read_column(pieces: Iterable[bytes]) -> NDArray[np.bytes_]:
    """Return the tags of a column that came in pieces."""
    return np.frombuffer(b"".join(pieces), dtype=_TAG)


def tags_alike(pieces: Iterable[NDArray[np.bytes_]], others: NDArray[np.bytes_]) -> NDArray[np.bytes_]:
    """Return the tags of a column, piece by piece, that begin with the same 64 bits as one of some others."""
    sought = np.sort(_first_bits(others))
    return np.concatenate([others[:0], *(piece[are_among(_first_bits(piece), sought)] for piece in pieces)])


def _first_bits(tags: NDArray[np.bytes_]) -> NDArray[np.uint64]:
    return tags.view(">u8")[::2].astype(np.uint64)


def piece_digest(piece: bytes) -> str:
    """Return the digest by which a statement of tokens names a piece, hexadecimal."""
    return hashlib.sha256(piece).hexdigest()


def _tags(key: SecretBytes, prefix: bytes, parts: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.bytes_]:
    """Return the tags of messages of a framed prefix and, framed as well, some of the parts."""
    width = parts.shape[1]
    lead = behind_length(bytes(width))[:-width]
    return np.frombuffer(hmac_each(key, prefix, lead, parts, places, TAG_BYTES, digests_core()), dtype=_TAG)
