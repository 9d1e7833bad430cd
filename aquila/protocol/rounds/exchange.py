"""The sealed exchange after a hit, free of I/O: tokens that met become keys, keys open notes (PROTOCOL.md 3.7.5 ff.).

A hit is prepared once, while the token secrets are there. What is kept from then on, the `Opening`, opens and verifies
the counterpart's note of this hit and nothing else, so that token secrets need not wait for notes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from operator import attrgetter, ge
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import ValidationError

from aquila.crypto.oprf import SECRET_BYTES, TOKEN_BYTES
from aquila.crypto.sealing import (
    MARK_BYTES,
    NONCE_BYTES,
    TAG_BYTES,
    NoteKeys,
    NoteTerms,
    derive_marked,
    note_core,
    open_notes,
    seal_notes,
)
from aquila.errors import InputError, KeyMaterialError, MalformedError
from aquila.matching.certainty import GradingBasis, grade_on
from aquila.protocol.encoding import behind_length, canonical, digest, framed
from aquila.protocol.messages import Fault, Kind, Note
from aquila.protocol.submissions.submission import HANDLE_BYTES, TOKEN_ROW
from aquila.records.rules import mask_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from aquila.matching.certainty import Level
    from aquila.protocol.messages import Basis, Hit, HitReport
    from aquila.protocol.rounds.round_state import RoundState
    from aquila.protocol.submissions.submission import FinalizedChunk
    from aquila.records.rules import RuleTable

    Random = Callable[[int], bytes]
    _HitKind = tuple[bytes, Level, bool | None, tuple[str, ...]]
    _Sealable = tuple["_Pair", "HeldTokens", bytes, bytes]
    """What a hit has in common with others, the tokens of the own record, which of them met, and the rules of these."""

NOTE_BYTES = 640
"""Bytes of every note, its length included: texts of 60 characters each in any of the region's scripts."""

MOST_MARKS = 256
_MARKS_STEP = 32
_ID_BYTES = 16
_BEFORE_ID = _ID_BYTES.to_bytes(4, "big")  # as `behind_length` has it
_KEY_BYTES = 32
_PREPARED_AT_ONCE = 512
_FIXED_BYTES = _ID_BYTES + NONCE_BYTES + NOTE_BYTES + TAG_BYTES

_OPENING = Struct(f"{_ID_BYTES}s{_KEY_BYTES}s{_KEY_BYTES}s{_KEY_BYTES}s3B")
_MARK_BITS = np.uint64(8 * MARK_BYTES)
_NO_MARK = np.uint64(2**64 - 1)
_SIFT_BITS = 20
_HANDLE = f"S{HANDLE_BYTES}"  # of one length all of them, so that NumPy's zeros at an end change no comparison
_FAULTS = (None, *Fault)


class HeldTokens(NamedTuple):
    """The tokens of one own record in ascending order, as columns: rules 1 byte, tokens 16, token secrets 32 each."""

    rules: bytes
    tokens: bytes
    secrets: bytes

    def __repr__(self) -> str:
        return object.__repr__(self)


class TokensByRecord(Mapping[bytes, HeldTokens]):
    """The tokens of some own records by handle, as columns over all of them: 65 bytes for each token.

    To look one up makes a dictionary of all of them: take those that are needed with `of` first.

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

    def __getitem__(self, handle: bytes) -> HeldTokens:
        start, end = self._bounds[handle]
        return HeldTokens(
            self._rules[start:end],
            self._tokens[TOKEN_BYTES * start : TOKEN_BYTES * end],
            self._secrets[SECRET_BYTES * start : SECRET_BYTES * end],
        )

    @cached_property
    def _bounds(self) -> dict[bytes, tuple[int, int]]:
        """The first token of each record, and the one behind its last."""
        return dict(zip(self, pairwise(self._ends.tolist()), strict=True))

    def of(self, handles: Collection[bytes]) -> TokensByRecord:
        """Return the tokens of those of some records that are here, columns alike: so they travel fast."""
        wanted = _each_once(handles)
        places = np.searchsorted(self._handles, wanted)
        here = places < len(self._handles)
        here[here] = self._handles[places[here]] == wanted[here]
        starts, ends = self._ends[places[here]], self._ends[places[here] + 1]
        counts = ends - starts
        rows = np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        return TokensByRecord(
            np.repeat(wanted[here], counts),
            np.frombuffer(self._rules, dtype=np.uint8)[rows].tobytes(),
            np.frombuffer(self._tokens, dtype=f"V{TOKEN_BYTES}")[rows].tobytes(),
            np.frombuffer(self._secrets, dtype=f"V{SECRET_BYTES}")[rows].tobytes(),
        )

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._handles.view(f"V{HANDLE_BYTES}").tolist())

    def __len__(self) -> int:
        return len(self._handles)

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


class NoteOpening(NamedTuple):
    """The data on a hit with which one side opens and verifies the other side's note. Secret: it never shows itself.

    Attributes:
        hit_id: Which hit, hexadecimal.
        keys: Of the note that is to come.
        rules: The rule of each token of the own record, in ascending order of the tokens.
        places: Which of these tokens met, as the matcher reported.
        marks: Of each token 5 bytes, as the other side's note has them where it holds the same.
        report_digest: Digest of what the matcher reported of the hit.
        fault: What is wrong with the report already.
    """

    hit_id: str
    keys: NoteKeys
    rules: bytes
    places: bytes
    marks: bytes
    report_digest: str
    fault: Fault | None

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
                bytes.fromhex(self.hit_id), self.keys.seal, self.keys.mark, bytes.fromhex(self.report_digest),
                bytes([_FAULTS.index(self.fault), len(self.rules), len(self.places)]),
                self.rules, self.places, self.marks,
            )
        )  # fmt: skip

    @classmethod
    def from_bytes(cls, content: bytes) -> NoteOpening:
        """Read back what `to_bytes` gave.

        Raises:
            KeyMaterialError: The bytes are none.
        """
        if len(content) < _OPENING.size:
            raise KeyMaterialError("note_opening_key_unreadable")
        hit_id, seal, mark, told, fault, rules, places = _OPENING.unpack_from(content)
        met = _OPENING.size + rules
        if len(content) != met + places + rules * MARK_BYTES or fault >= len(_FAULTS):
            raise KeyMaterialError("note_opening_key_unreadable")
        return cls(
            hit_id.hex(), NoteKeys(seal, mark), content[_OPENING.size : met], content[met : met + places],
            content[met + places :], told.hex(), _FAULTS[fault],
        )  # fmt: skip


class PreparedNote(NamedTuple):
    """A hit that can be sealed: the hit, the keys of the own note with its marks, and what opens the other's."""

    hit: Hit
    keys: NoteKeys
    marks: bytes
    opening: NoteOpening

    def __repr__(self) -> str:
        return object.__repr__(self)


def prepare(
    round_: RoundState, table: RuleTable, report: HitReport, held: Mapping[bytes, HeldTokens], random: Random
) -> Iterator[PreparedNote]:
    """Check a report's hits, and derive the keys of their notes (PROTOCOL.md 3.7.5 and 3.7.8).

    Args:
        round_: The record, which has taken the report.
        table: The match rules.
        report: The own report, or some of its hits.
        held: The tokens of the own records that it names.
        random: For the keys of a hit that cannot be sealed; its note then opens for nobody.
    """
    return prepare_sized(signed_sizes(round_, report), table, report, held, random)


def prepare_sized(
    sizes: Mapping[str, int], table: RuleTable, report: HitReport, held: Mapping[bytes, HeldTokens], random: Random
) -> Iterator[PreparedNote]:
    """Do as `prepare` where the record of the round is not at hand, but what is needed of it (`signed_sizes`)."""
    bases = {basis.counterpart: basis for basis in report.bases}
    pairs: dict[str, _Pair | None] = {}
    for first in range(0, len(report.hits), _PREPARED_AT_ONCE):
        found: list[tuple[Hit, _Sealable | None]] = []
        for hit in report.hits[first : first + _PREPARED_AT_ONCE]:
            code = hit.counterpart
            if code not in pairs:
                pairs[code] = _Pair.of(sizes, table, report, bases[code]) if code in bases else None
            on, own, places = pairs[code], held.get(bytes.fromhex(hit.handle)), bytes.fromhex(hit.met or "")
            if on is None or own is None or not _are_places(places, len(own.rules)):
                found.append((hit, None))
            else:
                rules = own.rules if len(places) == len(own.rules) else bytes([own.rules[place] for place in places])
                found.append((hit, (on, own, places, rules)))
        terms = [one[0].terms(hit, *one[1:]) for hit, one in found if one]
        derived = derive_marked(bytes.fromhex(report.binding), terms, note_core())
        for hit, one in found:
            yield _unsealable(hit, random) if one is None else one[0].prepare(hit, *one[1:], next(derived))


def _unsealable(hit: Hit, random: Random) -> PreparedNote:
    """Return a hit whose note opens for nobody, because the own record lacks what the report names."""
    keys, other = (NoteKeys(random(_KEY_BYTES), random(_KEY_BYTES)) for _ in range(2))
    opening = NoteOpening(hit.hit_id, other, b"", b"", b"", hit.hit_id * 2, Fault.FOREIGN)
    return PreparedNote(hit, keys, b"", opening)


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """The part that the hits with one counterpart have in common; they are of few kinds, each graded once.

    Attributes:
        kinds: By rules that met, level, order and families: what is wrong with these, and what is hashed before the
            id of a hit.
    """

    table: RuleTable
    ground: _Ground
    prefix: bytes
    codes: tuple[bytes, bytes]
    kinds: dict[_HitKind, tuple[Fault | None, bytes]] = field(default_factory=dict)

    @classmethod
    def of(cls, sizes: Mapping[str, int], table: RuleTable, report: HitReport, basis: Basis) -> _Pair:
        binding = bytes.fromhex(report.binding)
        mine, theirs = behind_length(report.party.encode()), behind_length(basis.counterpart.encode())
        prefix = framed("aquila/1 note", binding)
        return cls(table, _Ground.of(sizes, report, basis), prefix, (mine + theirs, theirs + mine))

    def terms(self, hit: Hit, own: HeldTokens, places: bytes, rules: bytes) -> NoteTerms:
        """Return the terms of the keys of a hit's two notes: first of the own one, then of the other side's."""
        secrets = own.secrets
        if len(places) != len(own.rules):
            secrets = b"".join([secrets[SECRET_BYTES * place : SECRET_BYTES * (place + 1)] for place in places])
        # The keys of a note are bound to sender and receiver with their handles, in this order (3.7.5).
        mine, theirs = _BEFORE_ID + bytes.fromhex(hit.handle), bytes.fromhex(hit.counterpart_handle or "")
        theirs, behind = behind_length(theirs), behind_length(rules)
        prefix = self.prefix + _BEFORE_ID + bytes.fromhex(hit.hit_id)
        sent, received = self.codes
        contexts = prefix + sent + mine + theirs + behind, prefix + received + theirs + mine + behind
        return NoteTerms(secrets, contexts, own.tokens)

    def prepare(
        self, hit: Hit, own: HeldTokens, places: bytes, rules: bytes, derived: tuple[tuple[NoteKeys, bytes], ...]
    ) -> PreparedNote:
        """Return a hit that can be sealed, with the keys and marks that were derived of its terms."""
        kind = rules, hit.certainty, hit.second, hit.families
        if kind not in self.kinds:
            self.kinds[kind] = self._compare(kind)
        fault, told = self.kinds[kind]
        digest_of_hit = hashlib.sha256(told + _BEFORE_ID + bytes.fromhex(hit.hit_id)).hexdigest()
        (keys, own_marks), (other, marks) = derived
        opening = NoteOpening(hit.hit_id, other, own.rules, places, marks, digest_of_hit, fault)
        return PreparedNote(hit, keys, own_marks, opening)

    def _compare(self, kind: _HitKind) -> tuple[Fault | None, bytes]:
        """Grade hits of a kind again, and return their fault and the beginning of the digest of the report on each."""
        rules, level, second, families = kind
        grade = grade_on(self.table, mask_of(rules), self.ground.grading_basis, second=bool(second))
        fault = None if (grade.level, grade.families) == (level, families) else Fault.LEVEL
        told = level.value.encode(), bytes([bool(second)]), *(family.encode() for family in families)
        return fault, framed("aquila/1 told", digest("aquila/1 grade", self.ground.digest, *told))


@dataclass(frozen=True, slots=True)
class _Ground:
    """On what the hits with one counterpart are graded, and its digest, which is the same on both sides."""

    grading_basis: GradingBasis
    digest: bytes

    @classmethod
    def of(cls, sizes: Mapping[str, int], report: HitReport, basis: Basis) -> _Ground:
        own, other = sizes[report.party], sizes[basis.counterpart]
        # The sizes are those that both parties signed; a report with others was refused.
        grading_basis = grading_basis_on(report, basis, own, other)
        shown: dict[str, object] = {
            "sizes": [records for _, records in sorted([(report.party, own), (basis.counterpart, other)])],
            "basis": basis.model_dump(mode="json", exclude={"counterpart", "records"}),
            "learned": [list(weight) for weight in grading_basis.learned],
        }
        return cls(grading_basis, digest("aquila/1 basis", canonical(shown)))


def grading_basis_on(report: HitReport, basis: Basis, own: int, other: int) -> GradingBasis:
    """Return on what a report states that the hits with one counterpart were graded.

    Args:
        report: A report that can be verified.
        basis: What it says of the counterpart.
        own: Records of this party's submission, dummies included.
        other: Records of the counterpart's.
    """
    learned = tuple((weight.of, weight.centibits) for weight in (*(report.learned or ()), *(basis.learned or ())))
    twice, settled = basis.duplicates_per_million or 0, basis.settled or 0
    return GradingBasis(own, other, basis.common_per_million, twice, settled, learned)


def signed_sizes(round_: RoundState, report: HitReport) -> dict[str, int]:
    """Return for the party of a report and its counterparts how many records each signed (`records_in_report`)."""
    parties = (report.party, *(basis.counterpart for basis in report.bases))
    return {party: records_in_report(round_, party, report.submission_id) for party in parties}


def submission_in_report(round_: RoundState, party: str, query: str | None) -> str | None:
    """Return which submission of a party a report is about: the query where it asked it, else its list."""
    asked = round_.submissions.get(query or "")
    return query if asked is not None and asked.party == party and asked.kind is Kind.QUERY else round_.list_of(party)


def records_in_report(round_: RoundState, party: str, query: str | None) -> int:
    """Return how many records, dummies included, a party signed for what a report is about; 0 where it did not."""
    found = submission_in_report(round_, party, query)
    return round_.submissions[found].records if found else 0


def _are_places(places: bytes, tokens: int) -> bool:
    return bool(places) and places[-1] < tokens and not any(map(ge, places, places[1:]))


def marks_needed(most: int) -> int:
    """Return how many marks each note of a report has: enough for any of its records, rounded up.

    So the length of a note says nothing of its record, not even to the counterpart.

    Args:
        most: How many tokens the record has that has most (`TokensByRecord.most`).
    """
    return min(MOST_MARKS, -(-max(most, 1) // _MARKS_STEP) * _MARKS_STEP)


def seal_entries(prepared: Sequence[PreparedNote], notes: Sequence[Note], marks: int, random: Random) -> list[bytes]:
    """Seal notes as entries of a batch.

    Args:
        prepared: The hits.
        notes: What is told of the record of each.
        marks: How many marks each note of the report has (`marks_needed`).
        random: For nonces, and for marks of no token.

    Raises:
        InputError: A note is too long.
    """
    nonces, plaintexts = random(NONCE_BYTES * len(prepared)), []
    filled = _filled_up([one.marks for one in prepared], marks, random)
    width = marks * MARK_BYTES
    for place, note in enumerate(notes):
        content = note.model_dump_json().encode()
        if len(content) > NOTE_BYTES - 2:
            raise InputError("note_too_long", got=len(content))
        padded = len(content).to_bytes(2, "big") + content.ljust(NOTE_BYTES - 2, b"\x00")
        plaintexts.append(padded + filled[place * width : (place + 1) * width])
    sealed = seal_notes([one.keys for one in prepared], nonces, plaintexts, note_core())
    return [bytes.fromhex(one.opening.hit_id) + note for one, note in zip(prepared, sealed, strict=True)]


def _filled_up(own: Sequence[bytes], marks: int, random: Random) -> bytes:
    """Return the marks of each of some notes, filled up with random ones.

    They are in the order of their bytes, which says nothing of the order of the tokens.
    """
    octets = np.frombuffer(random(len(own) * marks * MARK_BYTES), dtype=np.uint8).copy()
    every = octets.reshape(len(own), marks, MARK_BYTES)
    counts = np.array([len(one) // MARK_BYTES for one in own], dtype=np.int64)
    every[np.arange(marks) < counts[:, np.newaxis]] = np.frombuffer(b"".join(own), np.uint8).reshape(-1, MARK_BYTES)
    ordered = np.sort(_numbers(octets).reshape(len(own), marks), axis=1)
    return ordered.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - MARK_BYTES :].tobytes()


def _numbers(marks: np.ndarray) -> np.ndarray:
    """Return marks of 5 bytes as numbers in the order of their bytes."""
    padded = np.zeros((len(marks) // MARK_BYTES, 8), dtype=np.uint8)
    padded[:, 8 - MARK_BYTES :] = marks.reshape(-1, MARK_BYTES)
    return padded.view(">u8")[:, 0].astype(np.uint64)


def entries_of(batch: bytes, hits: int) -> Iterator[tuple[str, bytes]]:
    """Yield the hit id and the sealed note of each entry of a batch.

    Raises:
        MalformedError: It does not hold so many entries of one length, each with a number of marks that it can have.
    """
    width, over = divmod(len(batch), hits)
    marks, odd = divmod(width - _FIXED_BYTES, MARK_BYTES)
    if over or odd or not 0 < marks <= MOST_MARKS:
        raise MalformedError("batch_note_count_differs", expected=hits)
    for place in range(0, len(batch), width):
        yield batch[place : place + _ID_BYTES].hex(), batch[place + _ID_BYTES : place + width]


def _read_note(opening: NoteOpening, content: bytes | None) -> tuple[Note, bytes] | Fault:
    """Read a note that was opened, if it was, and return it with its marks, or what is wrong with it."""
    # 2. The note was sealed by who has the same token secrets, for this hit, from that side to this one.
    if content is None:
        return Fault.SEALED
    length = int.from_bytes(content[:2], "big")
    try:
        note = Note.model_validate_json(content[2 : 2 + length])
    except ValidationError:
        return Fault.UNREADABLE
    # 3. The matcher told both sides the same.
    if note.report != opening.report_digest:
        return Fault.TOLD
    return note, content[NOTE_BYTES:]


def _common_places(own: Sequence[bytes], theirs: Sequence[bytes]) -> Iterator[bytes]:
    """Yield, note by note, the places of the own marks that the other side has too."""
    counts, mine = _by_note(own)
    others = np.sort(_by_note(theirs)[1])
    found = np.flatnonzero(np.append(others, _NO_MARK)[np.searchsorted(others, mine)] == mine)
    notes = (mine[found] >> _MARK_BITS).astype(np.int64)
    places = (found - (np.cumsum(counts) - counts)[notes]).astype(np.uint8).tobytes()
    ends = np.cumsum(np.bincount(notes, minlength=len(own))).tolist()
    return (places[start:end] for start, end in pairwise([0, *ends]))


def _by_note(marks: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Return how many marks each note has, and all of them as numbers with that of the note, from 0, before them."""
    counts = np.array([len(some) // MARK_BYTES for some in marks], dtype=np.int64)
    whole = b"".join([some[: len(some) // MARK_BYTES * MARK_BYTES] for some in marks])
    notes = np.repeat(np.arange(len(marks), dtype=np.uint64), counts)
    return counts, notes << _MARK_BITS | _numbers(np.frombuffer(whole, dtype=np.uint8))


def verify_batch(
    openings: Mapping[str, NoteOpening], verified: Collection[str], entries: Iterable[tuple[str, bytes]]
) -> dict[str, Note | Fault]:
    """Open and verify the notes of a batch (PROTOCOL.md 3.7.8).

    Args:
        openings: What opens the notes of its sender for hits of this report, by hit id.
        verified: Hits whose note came before.
        entries: Hit ids and sealed notes, as `entries_of` gives them.

    Returns:
        For each hit that the batch names its note where it holds, else what is wrong.
    """
    found: dict[str, Note | Fault] = {}
    waiting: dict[str, bytes] = {}
    for hit_id, sealed in entries:
        opening = openings.get(hit_id)
        if hit_id in found or hit_id in waiting or hit_id in verified:
            found[hit_id] = Fault.REPEATED
        elif opening is None:
            found[hit_id] = Fault.UNREPORTED
        # 1. The report itself was right: the tokens are this record's, and the level follows from their rules.
        elif opening.fault is not None:
            found[hit_id] = opening.fault
        else:
            waiting[hit_id] = sealed
    opened: dict[str, bytes] = {}
    contents = open_notes([openings[hit_id].keys for hit_id in waiting], list(waiting.values()), note_core())
    for hit_id, content in zip(waiting, contents, strict=True):
        result = _read_note(openings[hit_id], content)
        if hit_id in found:  # a second note of the hit is a fault already
            continue
        if isinstance(result, Fault):
            found[hit_id] = result
        else:
            found[hit_id], opened[hit_id] = result
    # 4. The matcher reported every token that met: the marks of both sides agree where the tokens do, and nowhere else.
    common = _common_places([openings[hit_id].marks for hit_id in opened], list(opened.values()))
    for hit_id, places in zip(opened, common, strict=True):
        told = openings[hit_id].places
        if places != told:
            found[hit_id] = Fault.WITHHELD if set(places) > set(told) else Fault.UNREADABLE
    return found


@dataclass(frozen=True, slots=True)
class HitBatch:
    """Hits of a report whose notes are sent together: with whom, which batch of the report it is, and the hits."""

    counterpart: str
    index: int
    hits: tuple[Hit, ...]


class HitBatches:
    """Parts a report's hits into batches for each counterpart, in the order of their ids.

    The same pages give the same batches, and no more hits than a batch of each counterpart are held meanwhile.

    Args:
        most: Hits of a batch at most.
    """

    def __init__(self, most: int) -> None:
        self._most, self._index = most, 0
        self._waiting: dict[str, list[Hit]] = {}

    def put(self, page: HitReport) -> Iterator[HitBatch]:
        """Take the next page, or the one message that the report is, and yield the batches that are full."""
        for hit in sorted(page.hits, key=attrgetter("hit_id")):
            together = self._waiting.setdefault(hit.counterpart, [])
            together.append(hit)
            if len(together) == self._most:
                yield self._batch(hit.counterpart)

    def rest(self) -> Iterator[HitBatch]:
        """Yield the hits that are left when every page was taken, a batch for each counterpart."""
        for counterpart in sorted(self._waiting):
            yield self._batch(counterpart)

    def _batch(self, counterpart: str) -> HitBatch:
        self._index += 1
        return HitBatch(counterpart, self._index - 1, tuple(self._waiting.pop(counterpart)))


def hit_batches(pages: Iterable[HitReport], most: int) -> Iterator[HitBatch]:
    """Part the hits of a report's pages, in their order, as `HitBatches` does."""
    together = HitBatches(most)
    for page in pages:
        yield from together.put(page)
    yield from together.rest()


def unfinished(round_: RoundState) -> tuple[tuple[str, str], ...]:
    """Return for which parties notes of which counterparts are not all verified, for a record that sees everything.

    Returns:
        Pairs of the party that waits or has not confirmed, and the counterpart.
    """
    verified: dict[tuple[str, str | None, str], int] = {}
    for confirmation in round_.confirmations.values():
        place = confirmation.party, confirmation.submission_id, confirmation.to
        verified[place] = verified.get(place, 0) + confirmation.confirmed + len(confirmation.refuted)
    waiting = {
        (party, counterpart)
        for (party, submission_id), hits in round_.reported.items()
        for counterpart, count in hits.items()
        if (counterpart, submission_id) in round_.reports  # a query's asker may not have been told yet
        and not round_.has_refused(party, submission_id)  # or never is
        and verified.get((party, submission_id, counterpart), 0) < count
    }
    return tuple(sorted(waiting))
