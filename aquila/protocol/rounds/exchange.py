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
from operator import attrgetter
from struct import Struct
from typing import TYPE_CHECKING

import numpy as np
from pydantic import ValidationError

from aquila.crypto.oprf import SECRET_BYTES, TOKEN_BYTES
from aquila.crypto.sealing import MARK_BYTES, NONCE_BYTES, TAG_BYTES, NoteKeys
from aquila.errors import InputError, KeyMaterialError, MalformedError, SealError
from aquila.matching.certainty import GradingBasis, grade_on
from aquila.protocol.encoding import behind_length, canonical, digest, framed
from aquila.protocol.messages import Fault, Kind, Note
from aquila.protocol.submissions.submission import HANDLE_BYTES, TOKEN_ROW
from aquila.records.rules import mask_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from aquila.matching.certainty import Level
    from aquila.protocol.messages import Basis, Hit, HitReport
    from aquila.protocol.rounds.round_state import RoundState
    from aquila.protocol.submissions.submission import FinalizedChunk
    from aquila.records.rules import RuleTable

    Random = Callable[[int], bytes]

NOTE_BYTES = 640
"""Bytes of every note, its length included: texts of 60 characters each in any of the region's scripts."""

MOST_MARKS = 256
_MARKS_STEP = 32
_ID_BYTES = 16
_KEY_BYTES = 32
_FIXED_BYTES = _ID_BYTES + NONCE_BYTES + NOTE_BYTES + TAG_BYTES

_MARK = Struct(f"{MARK_BYTES}s")
_SIFT_BITS = 20
_HANDLE = f"S{HANDLE_BYTES}"  # of one length all of them, so that NumPy's zeros at an end change no comparison
_FAULTS = (None, *Fault)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class HeldTokens:
    """The tokens of one own record in ascending order, as columns: rules 1 byte, tokens 16, token secrets 32 each."""

    rules: bytes
    tokens: bytes
    secrets: bytes


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
        wanted = np.unique(np.frombuffer(b"".join(handles), dtype=_HANDLE))
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
    wanted = np.unique(np.frombuffer(b"".join(handles), dtype=_HANDLE))
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


@dataclass(frozen=True, slots=True, repr=False)
class NoteOpening:
    """The data on a hit with which one side opens and verifies the other side's note. Secret: it never shows itself.

    Attributes:
        hit_id: Which hit, hexadecimal.
        keys: Of the note that is to come.
        rules: The rule of each token of the own record, in ascending order of the tokens.
        places: Which of these tokens met, as the matcher reported.
        marks: Of each token, as the other side's note has it where it holds the same.
        report_digest: Digest of what the matcher reported of the hit.
        fault: What is wrong with the report already.
    """

    hit_id: str
    keys: NoteKeys
    rules: bytes
    places: bytes
    marks: tuple[bytes, ...]
    report_digest: str
    fault: Fault | None

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
                self.rules, self.places, *self.marks,
            )
        )  # fmt: skip

    @classmethod
    def from_bytes(cls, content: bytes) -> NoteOpening:
        """Read back what `to_bytes` gave.

        Raises:
            KeyMaterialError: The bytes are none.
        """
        fixed = _ID_BYTES + 3 * _KEY_BYTES
        fault, rules, places = content[fixed : fixed + 3] if len(content) >= fixed + 3 else (0, 0, 0)
        ends = [fixed + 3, fixed + 3 + rules, fixed + 3 + rules + places]
        if len(content) != ends[2] + rules * MARK_BYTES or fault >= len(_FAULTS):
            raise KeyMaterialError("note_opening_key_unreadable")
        keys = [content[_ID_BYTES + _KEY_BYTES * n : _ID_BYTES + _KEY_BYTES * (n + 1)] for n in range(3)]
        marks = (content[place : place + MARK_BYTES] for place in range(ends[2], len(content), MARK_BYTES))
        return cls(
            content[:_ID_BYTES].hex(), NoteKeys(*keys[:2]), content[ends[0] : ends[1]], content[ends[1] : ends[2]],
            tuple(marks), keys[2].hex(), _FAULTS[fault],
        )  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class PreparedNote:
    """A hit that can be sealed: the hit, the keys of the own note with its marks, and what opens the other's."""

    hit: Hit
    keys: NoteKeys
    marks: tuple[bytes, ...]
    opening: NoteOpening


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
    for hit in report.hits:
        code = hit.counterpart
        if code not in pairs:
            pairs[code] = _Pair.of(sizes, table, report, bases[code]) if code in bases else None
        on, own, places = pairs[code], held.get(bytes.fromhex(hit.handle)), bytes.fromhex(hit.met or "")
        if on is None or own is None or not _are_places(places, len(own.rules)):
            keys, other = (NoteKeys(random(_KEY_BYTES), random(_KEY_BYTES)) for _ in range(2))
            nothing = hit.hit_id * 2
            yield PreparedNote(hit, keys, (), NoteOpening(hit.hit_id, other, b"", b"", (), nothing, Fault.FOREIGN))
        else:
            yield on.prepare(hit, own, places)


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """The part that the hits with one counterpart have in common; they are of few kinds, each graded once."""

    table: RuleTable
    ground: _Ground
    binding: bytes
    prefix: bytes
    codes: tuple[bytes, bytes]
    grades: dict[tuple[bytes, bool], tuple[Level | None, tuple[str, ...]]] = field(default_factory=dict)

    @classmethod
    def of(cls, sizes: Mapping[str, int], table: RuleTable, report: HitReport, basis: Basis) -> _Pair:
        binding = bytes.fromhex(report.binding)
        mine, theirs = behind_length(report.party.encode()), behind_length(basis.counterpart.encode())
        prefix = framed("aquila/1 note", binding)
        return cls(table, _Ground.of(sizes, report, basis), binding, prefix, (mine + theirs, theirs + mine))

    def prepare(self, hit: Hit, own: HeldTokens, places: bytes) -> PreparedNote:
        """Derive the keys of a hit that can be sealed."""
        secrets = b"".join([own.secrets[SECRET_BYTES * place : SECRET_BYTES * (place + 1)] for place in places])
        rules = bytes([own.rules[place] for place in places])
        # The keys of a note are bound to sender and receiver with their handles, in this order (3.7.5).
        mine, theirs = behind_length(bytes.fromhex(hit.handle)), bytes.fromhex(hit.counterpart_handle or "")
        theirs, prefix = behind_length(theirs), self.prefix + behind_length(bytes.fromhex(hit.hit_id))
        behind = behind_length(rules)
        sent, received = self.codes
        contexts = prefix + sent + mine + theirs + behind, prefix + received + theirs + mine + behind
        keys, other = NoteKeys.derive(secrets, self.binding, *contexts)
        fault = None if (hit.certainty, hit.families) == self._grade(rules, second=bool(hit.second)) else Fault.LEVEL
        opening = NoteOpening(
            hit.hit_id,
            other,
            own.rules,
            places,
            tuple(other.marks(own.tokens)),
            self.ground.report_digest_of(hit),
            fault,
        )
        return PreparedNote(hit, keys, tuple(keys.marks(own.tokens)), opening)

    def _grade(self, rules: bytes, *, second: bool) -> tuple[Level | None, tuple[str, ...]]:
        kind = rules, second
        if kind not in self.grades:
            result = grade_on(self.table, mask_of(rules), self.ground.grading_basis, second=second)
            self.grades[kind] = result.level, result.families
        return self.grades[kind]


@dataclass(frozen=True, slots=True)
class _Ground:
    """On what the hits with one counterpart are graded, and its digest, which is the same on both sides."""

    grading_basis: GradingBasis
    digest: bytes
    digests_before: dict[tuple[Level, bool | None, tuple[str, ...]], bytes] = field(default_factory=dict)

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

    def report_digest_of(self, hit: Hit) -> str:
        """Return the digest of the matcher's report on a hit (PROTOCOL.md 3.7.8)."""
        kind = hit.certainty, hit.second, hit.families
        if kind not in self.digests_before:  # few grades are told of many hits
            families = (family.encode() for family in hit.families)
            grade = hit.certainty.value.encode(), bytes([bool(hit.second)]), *families
            self.digests_before[kind] = framed("aquila/1 told", digest("aquila/1 grade", self.digest, *grade))
        return hashlib.sha256(self.digests_before[kind] + behind_length(bytes.fromhex(hit.hit_id))).hexdigest()


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
    ascending = all(left < right for left, right in pairwise(places))
    return bool(places) and ascending and places[-1] < tokens


def marks_needed(most: int) -> int:
    """Return how many marks each note of a report has: enough for any of its records, rounded up.

    So the length of a note says nothing of its record, not even to the counterpart.

    Args:
        most: How many tokens the record has that has most (`TokensByRecord.most`).
    """
    return min(MOST_MARKS, -(-max(most, 1) // _MARKS_STEP) * _MARKS_STEP)


def seal_entry(prepared: PreparedNote, note: Note, marks: int, random: Random) -> bytes:
    """Seal a note as an entry of a batch.

    Args:
        prepared: The hit.
        note: What is told of its record.
        marks: How many marks each note of the report has (`marks_needed`).
        random: For the nonce, and for marks of no token.

    Raises:
        InputError: The note is too long.
    """
    content = note.model_dump_json().encode()
    if len(content) > NOTE_BYTES - 2:
        raise InputError("note_too_long", got=len(content))
    padded = len(content).to_bytes(2, "big") + content.ljust(NOTE_BYTES - 2, b"\x00")
    drawn = random(NONCE_BYTES + (marks - len(prepared.marks)) * MARK_BYTES)
    every = [*prepared.marks, *(mark for (mark,) in _MARK.iter_unpack(drawn[NONCE_BYTES:]))]
    # In the order of their bytes, which says nothing of the order of the tokens.
    every.sort()
    sealed = prepared.keys.seal_note(padded + b"".join(every), drawn[:NONCE_BYTES])
    return bytes.fromhex(prepared.hit.hit_id) + sealed


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


def open_entry(opening: NoteOpening, sealed: bytes) -> Note | Fault:
    """Open and verify a note (PROTOCOL.md 3.7.8).

    Returns:
        The note where the hit holds, else what is wrong.
    """
    # 1. The report itself was right: the tokens are this record's, and the level follows from their rules.
    if opening.fault is not None:
        return opening.fault
    # 2. The note was sealed by who has the same token secrets, for this hit, from that side to this one.
    try:
        content = opening.keys.open_note(sealed)
    except SealError:
        return Fault.SEALED
    length = int.from_bytes(content[:2], "big")
    try:
        note = Note.model_validate_json(content[2 : 2 + length])
    except ValidationError:
        return Fault.UNREADABLE
    # 3. The matcher told both sides the same.
    if note.report != opening.report_digest:
        return Fault.TOLD
    # 4. It reported every token that met: the marks of both sides agree where the tokens do, and nowhere else.
    marks = content[NOTE_BYTES:]
    theirs = {mark for (mark,) in _MARK.iter_unpack(marks[: len(marks) // MARK_BYTES * MARK_BYTES])}
    common = {place for place, mark in enumerate(opening.marks) if mark in theirs}
    if common != set(opening.places):
        return Fault.WITHHELD if common > set(opening.places) else Fault.UNREADABLE
    return note


def verify_batch(
    openings: Mapping[str, NoteOpening], verified: Collection[str], entries: Iterable[tuple[str, bytes]]
) -> dict[str, Note | Fault]:
    """Verify the notes of a batch (PROTOCOL.md 3.7.8).

    Args:
        openings: What opens the notes of its sender for hits of this report, by hit id.
        verified: Hits whose note came before.
        entries: Hit ids and sealed notes, as `entries_of` gives them.

    Returns:
        For each hit that the batch names its note where it holds, else what is wrong.
    """
    found: dict[str, Note | Fault] = {}
    for hit_id, sealed in entries:
        opening = openings.get(hit_id)
        if hit_id in found or hit_id in verified:
            found[hit_id] = Fault.REPEATED
        else:
            found[hit_id] = Fault.UNREPORTED if opening is None else open_entry(opening, sealed)
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
