"""What notes are made of and opened with, as columns (PROTOCOL.md 3.7.5, 3.7.6 and 3.7.8).

The hits of a report are parted into batches whose notes go together. The tokens of own records
that hit, with token secrets, give the keys of notes. Openings are the secrets with which one side of a hit opens and
verifies the other side's note.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import starmap
from operator import attrgetter
from struct import Struct
from typing import NamedTuple

import numpy as np

from aquila.crypto.keys import KEY_BYTES
from aquila.crypto.oprf import SECRET_BYTES, TOKEN_BYTES
from aquila.crypto.sealing import MARK_BYTES, NOTE_KEYS_BYTES, NoteKeys
from aquila.errors import KeyMaterialError
from aquila.matching.certainty import Level
from aquila.octets import hexadecimal, parted, parted_by
from aquila.protocol.messages import Fault, Hit, HitReport
from aquila.protocol.submissions.submission import HANDLE_BYTES, TOKEN_ROW, FinalizedChunk

HIT_ID_BYTES = 16


class HitKind(NamedTuple):
    """The result of grading, which many hits have in common."""

    level: Level
    second: bool
    families: tuple[str, ...]


class HitColumns(NamedTuple):
    """Hits of a report, as columns: compact, and fast to hand on."""

    ids: bytes
    """16 bytes each."""
    handles: bytes
    """Of the own records, 16 bytes each."""
    counterpart_handles: bytes
    """Of the other ones."""
    met: list[bytes]
    """The places of the tokens that met, a byte each."""
    kinds: list[HitKind]
    """The kinds that occur."""
    kind: list[int]
    """Which of them each hit is of."""

    @classmethod
    def of(cls, hits: Sequence[Hit]) -> "HitColumns":
        """Return hits as columns."""
        places: dict[str, bytes] = {}  # few of all places and kinds occur: each is kept once
        kinds: dict[tuple[Level, bool, tuple[str, ...]], int] = {}
        met, kind = [], []
        for hit in hits:
            if hit.met not in places:
                places[hit.met] = bytes.fromhex(hit.met)
            met.append(places[hit.met])
            kind.append(kinds.setdefault((hit.certainty, hit.second, hit.families), len(kinds)))
        return cls(
            bytes.fromhex("".join([hit.hit_id for hit in hits])),
            bytes.fromhex("".join([hit.handle for hit in hits])),
            bytes.fromhex("".join([hit.counterpart_handle for hit in hits])),
            met,
            list(starmap(HitKind, kinds)),
            kind,
        )

    def hits(self) -> Iterator[Hit]:
        """Yield the hits as objects again."""
        columns = (hexadecimal(column, HIT_ID_BYTES) for column in (self.ids, self.handles, self.counterpart_handles))
        for hit_id, handle, counterpart_handle, met, kind in zip(*columns, self.met, self.kind, strict=True):
            level, second, families = self.kinds[kind]
            yield Hit(
                certainty=level,
                counterpart_handle=counterpart_handle,
                families=families,
                handle=handle,
                hit_id=hit_id,
                met=met.hex(),
                second=second,
            )


@dataclass(frozen=True, slots=True)
class HitBatch:
    """Hits of a report whose notes are sent together, and which batch of the report it is."""

    index: int
    hits: HitColumns


class HitBatches:
    """Parts a report's hits into batches, in the order of their ids.

    The same pages give the same batches, and no more hits than a batch are held meanwhile.

    Args:
        most: Hits of a batch at most.
    """

    def __init__(self, most: int) -> None:
        self._most, self._index = most, 0
        self._waiting: list[Hit] = []

    def put(self, page: HitReport) -> Iterator[HitBatch]:
        """Take the next page, or the one message that the report is, and yield the batches that are ready.

        With the last page these are all that are left.
        """
        for hit in sorted(page.hits, key=attrgetter("hit_id")):
            self._waiting.append(hit)
            if len(self._waiting) == self._most:
                yield self._batch()
        if page.is_complete and self._waiting:
            yield self._batch()

    def _batch(self) -> HitBatch:
        batch = HitBatch(self._index, HitColumns.of(self._waiting))
        self._index, self._waiting = self._index + 1, []
        return batch


def hit_batches(pages: Iterable[HitReport], most: int) -> Iterator[HitBatch]:
    """Part the hits of a report's pages, in their order, as `HitBatches` does."""
    together = HitBatches(most)
    for page in pages:
        yield from together.put(page)


DIGEST_BYTES = 32
FAULTS = (None, *Fault)
_OPENING = Struct(f"{HIT_ID_BYTES}s{KEY_BYTES}s{KEY_BYTES}s{DIGEST_BYTES}s3B")


class NoteOpening(NamedTuple):
    """The data on a hit with which one side opens and verifies the other side's note. Secret: it never shows itself."""

    hit_id: str
    """Which hit, hexadecimal."""
    keys: NoteKeys
    """Of the note that is to come."""
    rules: bytes
    """The rule of each token of the own record, in ascending order of the tokens."""
    places: bytes
    """Which of these tokens met, as the matcher reported."""
    marks: bytes
    """Of each token 5 bytes, as the other side's note has them where it holds the same."""
    report_digest: str
    """Digest of what the matcher reported of the hit."""
    fault: Fault | None
    """What is wrong with the report already."""

    def __repr__(self) -> str:
        return object.__repr__(self)

    @property
    def met(self) -> tuple[int, ...]:
        """The numbers of the rules that met, ascending."""
        return tuple(sorted({self.rules[place] for place in self.places}))

    def to_bytes(self) -> bytes:
        """Return it for a key to seal."""
        return b"".join(
            (
                bytes.fromhex(self.hit_id),
                self.keys.seal,
                self.keys.mark,
                bytes.fromhex(self.report_digest),
                bytes([FAULTS.index(self.fault), len(self.rules), len(self.places)]),
                self.rules,
                self.places,
                self.marks,
            )
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> "NoteOpening":
        """Read back what `to_bytes` gave; raises KeyMaterialError if the bytes are not the opening key of a note."""
        if len(content) < _OPENING.size:
            raise KeyMaterialError("note_opening_key_unreadable")
        hit_id, seal, mark, told, fault, rules, places = _OPENING.unpack_from(content)
        met = _OPENING.size + rules
        if len(content) != met + places + rules * MARK_BYTES or fault >= len(FAULTS):
            raise KeyMaterialError("note_opening_key_unreadable")
        return cls(
            hit_id.hex(),
            NoteKeys(seal, mark),
            content[_OPENING.size : met],
            content[met : met + places],
            content[met + places :],
            told.hex(),
            FAULTS[fault],
        )


@dataclass(frozen=True, slots=True, repr=False)
class NoteOpenings:
    """The note openings of some hits, as columns of bytes: compact, and fast to hand on. Secret as each of them."""

    ids: bytes
    """Of each hit 16 bytes."""
    keys: bytes
    """`NOTE_KEYS_BYTES` of each."""
    told: bytes
    """The digest of what the matcher reported, 32 bytes of each."""
    faults: bytes
    """Of each the place of its fault in `FAULTS`."""
    tokens: bytes
    """How many tokens each own record has."""
    rules: bytes
    """The rules of these, a byte for each token."""
    marks: bytes
    """Their marks."""
    met: bytes
    """How many of them met."""
    places: bytes
    """The places of those, a byte each."""

    @classmethod
    def of(cls, openings: Iterable[NoteOpening]) -> "NoteOpenings":
        """Return openings as columns."""
        every = list(openings)
        return cls(
            bytes.fromhex("".join([one.hit_id for one in every])),
            b"".join([one.keys.seal + one.keys.mark for one in every]),
            bytes.fromhex("".join([one.report_digest for one in every])),
            bytes([FAULTS.index(one.fault) for one in every]),
            bytes([len(one.rules) for one in every]),
            b"".join([one.rules for one in every]),
            b"".join([one.marks for one in every]),
            bytes([len(one.places) for one in every]),
            b"".join([one.places for one in every]),
        )

    @classmethod
    def together(cls, parts: Sequence["NoteOpenings"]) -> "NoteOpenings":
        """Return the openings of some parts as those of one."""
        return cls(*(b"".join([getattr(part, column.name) for part in parts]) for column in fields(cls)))

    def each(self) -> Iterator[NoteOpening]:
        """Yield one opening after the other."""
        columns = (
            hexadecimal(self.ids, HIT_ID_BYTES),
            map(NoteKeys.of, parted(self.keys, NOTE_KEYS_BYTES)),
            self.own_rules(),
            self.own_places(),
            self.own_marks(),
            hexadecimal(self.told, DIGEST_BYTES),
            [FAULTS[place] for place in self.faults],
        )
        return starmap(NoteOpening, zip(*columns, strict=True))

    def own_rules(self) -> list[bytes]:
        """Return of each own record the rules of its tokens."""
        return parted_by(self.rules, self.tokens)

    def own_marks(self) -> list[bytes]:
        """Return of each own record the marks of its tokens."""
        return parted_by(self.marks, self.tokens, MARK_BYTES)

    def own_places(self) -> list[bytes]:
        """Return of each own record the places of its tokens that met."""
        return parted_by(self.places, self.met)


_SIFT_BITS = 20
_HANDLE = f"S{HANDLE_BYTES}"  # of one length all of them, so that NumPy's zeros at an end change no comparison


class HeldColumns(NamedTuple):
    """The tokens of some own records, a list for each column; of a record they are in ascending order."""

    rules: list[bytes]
    """Of each record the rules of its tokens, 1 byte each."""
    tokens: list[bytes]
    """The tokens, 16 bytes each."""
    secrets: list[bytes]
    """Their token secrets, 32 bytes each."""

    def __repr__(self) -> str:
        return object.__repr__(self)


class TokensByRecord:
    """The tokens of some own records by handle, as columns over all of them: 65 bytes for each token.

    Args:
        handles: The handle of each token, 16 bytes, ascending.
        tokens: The tokens, ascending within a handle.
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

    def of(self, handles: Collection[bytes]) -> "TokensByRecord":
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
