"""A party's shadow column for one counterpart, from its own token rows (PROTOCOL.md 3.7.12)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from aquila.crypto.oprf import TOKEN_BYTES
from aquila.protocol.encoding import behind_length, digest, framed
from aquila.protocol.messages import ShadowColumn, TagPiece
from aquila.protocol.submissions.column_sizes import DUMMIES, MOST_TAGS_OF_A_RECORD, PIECE_TAGS, TAG_BYTES
from aquila.protocol.submissions.submission import HANDLE_BYTES, TOKEN_ROW

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from aquila.crypto.keys import SecretBytes

    Sets = Sequence[tuple[int, ...]]

_TAG = f"S{TAG_BYTES}"  # of one length all of them, so that NumPy's zeros at an end change no comparison
_HANDLE = f"S{HANDLE_BYTES}"
_TOKEN = f"S{TOKEN_BYTES}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Combinations:
    """The combinations of tokens from which the tags of one set of rules are made.

    Attributes:
        number: The set's place among those of the rule table.
        tokens: Of each of n combinations the tokens, one for each of the set's k rules: k x 16 bytes each.
        handles: The handle of the record of each.
    """

    number: int
    tokens: NDArray[np.bytes_]
    handles: NDArray[np.bytes_]

    def each_once(self) -> Combinations:
        """Return each combination once, in ascending order; two records may share one."""
        tokens, first = np.unique(self.tokens, return_index=True)
        return Combinations(self.number, tokens, self.handles[first])

    def tags(self, key: SecretBytes) -> NDArray[np.bytes_]:
        """Return the tag of each combination."""
        rules = self.tokens.dtype.itemsize // TOKEN_BYTES
        before, length = (
            framed("aquila/1 shadow", bytes([self.number])),
            behind_length(bytes(TOKEN_BYTES))[:-TOKEN_BYTES],
        )
        parts = np.frombuffer(self.tokens.tobytes(), dtype=np.uint8).reshape(len(self.tokens), rules, TOKEN_BYTES)
        lengths = np.broadcast_to(np.frombuffer(length, dtype=np.uint8), (*parts.shape[:2], len(length)))
        octets, step = np.concatenate([lengths, parts], axis=2).tobytes(), rules * (len(length) + TOKEN_BYTES)
        return _tags(key, (before + octets[at : at + step] for at in range(0, len(octets), step)))


class Column(NamedTuple):
    """A party's tags for one counterpart.

    Attributes:
        tags: Ascending, each once.
        left_out: The numbers of the sets of which it has none, because they would give too many.
    """

    tags: NDArray[np.bytes_]
    left_out: tuple[int, ...]

    def statement(self, counterpart: str, key: SecretBytes) -> ShadowColumn:
        """Return its entry in the statement of tokens."""
        pieces = [TagPiece(tags=len(one) // TAG_BYTES, digest=piece_digest(one)) for one in self.pieces()]
        return ShadowColumn(counterpart=counterpart, key=key_digest(key), left_out=self.left_out, pieces=tuple(pieces))

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes of the column, cut for sending."""
        for first in range(0, len(self.tags), PIECE_TAGS):
            yield self.tags[first : first + PIECE_TAGS].tobytes()


class RecordRows:
    """Token rows of one submission in the order of records, rules and tokens.

    Args:
        chunks: The rows, chunk by chunk.
        handles: The handles of the records that count, 16 bytes each; all by default.
    """

    def __init__(self, chunks: Iterable[bytes], handles: NDArray[np.bytes_] | None = None) -> None:
        found = [np.empty(0, dtype=TOKEN_ROW)]
        for chunk in chunks:
            rows = np.frombuffer(chunk, dtype=TOKEN_ROW)
            kept = (
                slice(None) if handles is None else np.isin(np.ascontiguousarray(rows["handle"]).view(_HANDLE), handles)
            )
            found.append(rows[kept])
        rows = np.concatenate(found)
        named = np.ascontiguousarray(rows["handle"]).view(_HANDLE)
        tokens = np.ascontiguousarray(rows["token"]).view(_TOKEN)
        self.handles, records = np.unique(named, return_inverse=True)
        order = np.lexsort((tokens, rows["rule"], records))
        self._records, self._rules, self._tokens = records[order], rows["rule"][order], tokens[order]

    def combinations(self, sets: Sets, left_out: Iterable[int] = ()) -> list[Combinations]:
        """Return the combinations of every set but those that are left out; of two records with one, both."""
        return [self._of_set(number, rules) for number, rules in enumerate(sets) if number not in left_out]

    def too_many(self, sets: Sets) -> tuple[int, ...]:
        """Return the sets that have to be left out, beginning with the one that gives most tags."""
        records = len(self.handles)
        counts = {number: self._count(rules) for number, rules in enumerate(sets)}
        gone: list[int] = []
        while sum(counts.values()) > records * MOST_TAGS_OF_A_RECORD:
            most = max(counts, key=lambda number: counts[number])
            gone.append(most)
            del counts[most]
        return tuple(sorted(gone))

    def of(self, handle: bytes) -> tuple[NDArray[np.uint8], NDArray[np.bytes_]]:
        """Return the rules and the tokens of a record, in the order of the tokens; nothing of one that is not here."""
        at = int(np.searchsorted(self.handles, np.frombuffer(handle, dtype=_HANDLE)[0]))
        first, last = np.searchsorted(self._records, [at, at + 1])
        if at == len(self.handles) or self.handles[at] != np.frombuffer(handle, dtype=_HANDLE)[0]:
            first = last = 0
        order = np.argsort(self._tokens[first:last])
        return self._rules[first:last][order], self._tokens[first:last][order]

    def _count(self, rules: tuple[int, ...]) -> int:
        product = np.ones(len(self.handles))
        for rule in rules:
            product *= np.bincount(self._records[self._rules == rule], minlength=len(self.handles))
        return int(product.sum())

    def _of_set(self, number: int, rules: tuple[int, ...]) -> Combinations:
        """Combine the tokens of each record: one for each rule, in the order of the rules."""
        records = np.arange(len(self.handles))
        tokens: list[NDArray[np.bytes_]] = []
        for rule in rules:
            rows = np.flatnonzero(self._rules == rule)
            counts = np.bincount(self._records[rows], minlength=len(self.handles))
            starts = np.cumsum(counts) - counts
            often = counts[records]
            left = np.repeat(np.arange(len(records)), often)
            within = np.arange(len(left)) - np.repeat(np.cumsum(often) - often, often)
            records = records[left]
            tokens = [column[left] for column in tokens] + [self._tokens[rows[starts[records] + within]]]
        joined = np.stack([column.view(np.uint8).reshape(len(records), TOKEN_BYTES) for column in tokens], axis=1)
        width = len(rules) * TOKEN_BYTES
        return Combinations(number, np.frombuffer(joined.tobytes(), dtype=f"S{width}"), self.handles[records])


def make_column(key: SecretBytes, rows: RecordRows, sets: Sets) -> Column:
    """Make a party's column for one counterpart.

    Args:
        key: The pair's key of the purpose `shadow`.
        rows: All token rows of the party's list.
        sets: The rule table's sets for the longer of the two lists.
    """
    left_out = rows.too_many(sets)
    tags = [found.each_once().tags(key) for found in rows.combinations(sets, left_out)]
    return Column(np.unique(np.concatenate([*tags, dummies(key)])), left_out)


def dummies(key: SecretBytes) -> NDArray[np.bytes_]:
    """Return the tags of no record, which both columns of a pair have."""
    return _tags(key, (framed("aquila/1 shadow dummy", number.to_bytes(4, "big")) for number in range(DUMMIES)))


def key_digest(key: SecretBytes) -> str:
    """Return the digest by which both sides name their key, hexadecimal; it must be the same."""
    with key.reveal() as octets:
        return digest("aquila/1 shadow key", bytes(octets)).hex()


def met_digest(tags: NDArray[np.bytes_]) -> str:
    """Return the digest of tags that met, in ascending order, hexadecimal."""
    return digest("aquila/1 shadow met", np.sort(tags).tobytes()).hex()


def read_column(pieces: Iterable[bytes]) -> NDArray[np.bytes_]:
    """Return the tags of a column that came in pieces."""
    return np.frombuffer(b"".join(pieces), dtype=_TAG)


def piece_digest(piece: bytes) -> str:
    """Return the digest by which a statement of tokens names a piece, hexadecimal."""
    return hashlib.sha256(piece).hexdigest()


def _tags(key: SecretBytes, messages: Iterable[bytes]) -> NDArray[np.bytes_]:
    with key.reveal() as octets:
        made = b"".join([hmac.digest(octets, message, "sha256")[:TAG_BYTES] for message in messages])
    return np.frombuffer(made, dtype=_TAG)
