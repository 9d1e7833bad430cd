"""The tokens of own records that hit, with token secrets, of which keys of notes are made (PROTOCOL.md 3.7.5)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np

from aquila.crypto.oprf import SECRET_BYTES, TOKEN_BYTES
from aquila.protocol.submissions.submission import HANDLE_BYTES, TOKEN_ROW, FinalizedChunk

_SIFT_BITS = 20
_HANDLE = f"S{HANDLE_BYTES}"  # of one length all of them, so that NumPy's zeros at an end change no comparison


class HeldColumns(NamedTuple):
    """The tokens of some own records, a list for each column; of a record they are in ascending order.

    Attributes:
        rules: Of each record the rules of its tokens, 1 byte each.
        tokens: The tokens, 16 bytes each.
        secrets: Their token secrets, 32 bytes each.
    """

    rules: list[bytes]
    tokens: list[bytes]
    secrets: list[bytes]

    def __repr__(self) -> str:
        return object.__repr__(self)


class TokensByRecord:
    """The tokens of some own records by handle, as columns over all of them: 65 bytes for each token.

    Args:
        handles: The handle of each token, 16 bytes, ascending.
        rules: The rule of each token.
        tokens: The tokens, ascending within a handle.
        secrets: Their token secrets.
    """

    def __init__(self, handles: np.ndarray, rules: bytes, tokens: bytes, secrets: bytes) -> None:
        changes = np.flatnonzero(handles[1:] != handles[:-1]) + 1
        starts = np.concatenate([np.zeros(min(1, len(handles)), dtype=np.int64), changes])
        self._handles, self._ends = handles[starts], np.append(starts, len(handles))
        self._rules, self._tokens, self._secrets = rules, tokens, secrets

    @property
    def handles(self) -> bytes:
        """The handles of the records, ascending, 16 bytes each."""
        handles: bytes = self._handles.tobytes()
        return handles

    def of(self, handles: Collection[bytes]) -> TokensByRecord:
        """Return the tokens of those of some records that are here, columns alike: so they travel fast."""
        wanted = _each_once(handles)
        starts, ends = self._bounds_of(wanted)
        counts = ends - starts
        rows = np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        return TokensByRecord(
            np.repeat(wanted, counts),
            np.frombuffer(self._rules, dtype=np.uint8)[rows].tobytes(),
            np.frombuffer(self._tokens, dtype=f"V{TOKEN_BYTES}")[rows].tobytes(),
            np.frombuffer(self._secrets, dtype=f"V{SECRET_BYTES}")[rows].tobytes(),
        )

    def columns_of(self, handles: bytes) -> HeldColumns:
        """Return the tokens of each of some records of 16 bytes, in their order; of one that is not here, none."""
        starts, ends = self._bounds_of(np.frombuffer(handles, dtype=_HANDLE))
        bounds = list(zip(starts.tolist(), ends.tolist(), strict=True))
        return HeldColumns(
            [self._rules[start:end] for start, end in bounds],
            [self._tokens[TOKEN_BYTES * start : TOKEN_BYTES * end] for start, end in bounds],
            [self._secrets[SECRET_BYTES * start : SECRET_BYTES * end] for start, end in bounds],
        )

    def _bounds_of(self, handles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the first token of each record, and the one behind its last; of one that is not here, 0 and 0."""
        places = np.searchsorted(self._handles, handles)
        here = places < len(self._handles)
        here[here] = self._handles[places[here]] == handles[here]
        return np.where(here, self._ends[places * here], 0), np.where(here, self._ends[(places + 1) * here], 0)

    @property
    def most(self) -> int:
        """The number of tokens of the record that has most of them."""
        return int(np.diff(self._ends).max(initial=0))


def held_tokens(handles: Iterable[bytes], chunks: Iterable[FinalizedChunk]) -> TokensByRecord:
    """Pick the tokens of some records out of a whole submission.

    Args:
        handles: The handles of the records, in any order, and more than once or several in one piece as it comes.
        chunks: All chunks of the submission, looked at one by one.
    """
    wanted = _each_once(handles)
    shift = np.uint64(64 - _SIFT_BITS)
    sift = np.zeros(1 << _SIFT_BITS, dtype=bool)
    sift[wanted.view(">u8")[::2].astype(np.uint64) >> shift] = True
    rows, secrets = [np.empty(0, dtype=TOKEN_ROW)], [np.empty(0, dtype=f"V{SECRET_BYTES}")]
    for chunk in chunks:
        found = np.frombuffer(chunk.rows, dtype=TOKEN_ROW)
        first = np.ascontiguousarray(found["handle"]).view(">u8")[::2].astype(np.uint64)
        # One look into a small table sifts out nearly all rows; what chance lets through is dropped next.
        places = np.flatnonzero(sift[first >> shift])
        places = places[np.isin(np.ascontiguousarray(found["handle"][places]).view(_HANDLE), wanted)]
        rows.append(found[places])
        secrets.append(np.frombuffer(chunk.secrets, dtype=f"V{SECRET_BYTES}")[places])
    return _by_record(np.concatenate(rows), np.concatenate(secrets))


def _each_once(handles: Iterable[bytes]) -> np.ndarray:
    """Return handles in ascending order, each once. With counts, since `np.unique` alone takes three times as long."""
    return np.unique(np.frombuffer(b"".join(handles), dtype=_HANDLE), return_counts=True)[0]


def _by_record(rows: np.ndarray, secrets: np.ndarray) -> TokensByRecord:
    words = [
        np.ascontiguousarray(rows[name]).view(">u8")[part::2].astype(np.uint64)
        for name in ("token", "handle")
        for part in (1, 0)
    ]
    order = np.lexsort(words)
    rows = rows[order]
    handles = np.ascontiguousarray(rows["handle"]).view(_HANDLE)
    return TokensByRecord(handles, rows["rule"].tobytes(), rows["token"].tobytes(), secrets[order].tobytes())
