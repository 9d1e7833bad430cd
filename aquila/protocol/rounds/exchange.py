"""The sealed exchange after a hit, free of I/O: tokens that met become keys, keys open notes (PROTOCOL.md 3.7.5 ff.).

A hit is prepared once, while the token secrets are there. What is kept from then on, the `Opening`, opens and verifies
the counterpart's note of this hit and nothing else, so that token secrets need not wait for notes.
"""

import hashlib
import operator
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from pydantic import ValidationError

from aquila.crypto import sealing
from aquila.crypto.oprf import SECRET_BYTES
from aquila.errors import InputError, MalformedError
from aquila.matching.certainty import GradingBasis, grade_on
from aquila.octets import hexadecimal, parted
from aquila.protocol.encoding import behind_length, canonical, digest, framed
from aquila.protocol.messages import Fault, HitReport, Kind, Note
from aquila.protocol.rounds.hit_columns import (
    DIGEST_BYTES,
    FAULTS,
    HIT_ID_BYTES,
    HitColumns,
    HitKind,
    NoteOpenings,
    TokensByRecord,
)
from aquila.protocol.rounds.round_state import ReportKey, RoundState
from aquila.records.rules import RuleTable, mask_of

Random = Callable[[int], bytes]

NOTE_BYTES = 640
"""Bytes of every note, its length included: texts of 60 characters each in any of the region's scripts."""

MOST_MARKS = 256
_MARKS_STEP = 32
_BEFORE_ID = HIT_ID_BYTES.to_bytes(4, "big")  # as `behind_length` has it
_FIXED_BYTES = HIT_ID_BYTES + sealing.NONCE_BYTES + NOTE_BYTES + sealing.TAG_BYTES
_MARK_BITS = np.uint64(8 * sealing.MARK_BYTES)
_NO_MARK = np.uint64(2**64 - 1)


@dataclass(frozen=True, slots=True, repr=False)
class PreparedNotes:
    """Hits that can be sealed, as columns: what seals the own note of each, and what opens the other side's."""

    keys: bytes
    """`NOTE_KEYS_BYTES` for each own note."""
    marks: bytes
    """The marks of each own note, one behind the other; as many as `openings` has tokens."""
    openings: NoteOpenings
    """What opens the notes that are to come."""


def prepare(
    sizes: tuple[int, int], table: RuleTable, report: HitReport, hits: HitColumns, held: TokensByRecord, random: Random
) -> PreparedNotes:
    """Check a report's hits, and derive the keys of their notes (PROTOCOL.md 3.7.5 and 3.7.8).

    Args:
        sizes: How many records the party of the report and its counterpart signed (`signed_sizes`).
        report: The own report; hits that it holds itself are not looked at.
        hits: Some of its hits.
        held: The tokens of the own records that these name.
        random: For the keys of a hit that cannot be sealed; its note then opens for nobody.
    """
    own = held.columns_of(hits.handles)
    compared = _compare(sizes, table, report, hits, own.rules)
    for place, one in enumerate(compared):
        if one is _FOREIGN:
            own.rules[place], own.tokens[place], own.secrets[place] = b"", b"", random(SECRET_BYTES)
    secrets = [
        every if one.are_all else b"".join([every[SECRET_BYTES * at : SECRET_BYTES * (at + 1)] for at in one.places])
        for every, one in zip(own.secrets, compared, strict=True)
    ]
    terms = sealing.NoteTerms(secrets, own.tokens, _contexts(report, hits, compared))
    (keys, marks), (others, others_marks) = sealing.derive_marked(bytes.fromhex(report.binding), terms)
    ids = parted(hits.ids, HIT_ID_BYTES)
    told = [hashlib.sha256(one.told + hit_id).digest() for one, hit_id in zip(compared, ids, strict=True)]
    openings = NoteOpenings(
        hits.ids,
        others,
        b"".join(told),
        bytes([FAULTS.index(one.fault) for one in compared]),
        bytes(map(len, own.rules)),
        b"".join(own.rules),
        others_marks,
        bytes([len(one.places) for one in compared]),
        b"".join([one.places for one in compared]),
    )
    return PreparedNotes(keys, marks, openings)


class _Compared(NamedTuple):
    """The result of comparing hits of one kind on records with the same rules, which is done once for all of them."""

    places: bytes
    """Of the tokens that met."""
    are_all: bool
    """Whether all of the record's tokens met."""
    rules: bytes
    """What the contexts of the notes' keys end with: the rules of these tokens, behind their length."""
    fault: Fault | None
    """What is wrong with the report on them."""
    told: bytes
    """What is hashed before the id of a hit, for the digest of the report on it."""


_FOREIGN = _Compared(b"", are_all=True, rules=b"", fault=Fault.FOREIGN, told=b"")
"""Of hits on what the own record lacks."""


def _compare(
    sizes: tuple[int, int], table: RuleTable, report: HitReport, hits: HitColumns, rules: Sequence[bytes]
) -> list[_Compared]:
    """Compare each hit with the own record, whose tokens are of some rules, and grade it again."""
    ground = _Ground.of(sizes, report)
    known: dict[tuple[bytes, bytes, int], _Compared] = {}
    found = []
    for case in zip(rules, hits.met, hits.kind, strict=True):
        if case not in known:
            own, places, kind = case
            known[case] = _FOREIGN
            if _are_places(places, len(own)):
                known[case] = _compared(table, ground, own, places, hits.kinds[kind])
        found.append(known[case])
    return found


def _compared(table: RuleTable, ground: "_Ground", rules: bytes, places: bytes, kind: HitKind) -> _Compared:
    met = bytes([rules[place] for place in places])
    grade = grade_on(table, mask_of(met), ground.grading_basis, second=kind.second)
    fault = None if (grade.level, grade.families) == (kind.level, kind.families) else Fault.LEVEL
    shown = kind.level.value.encode(), bytes([kind.second]), *(family.encode() for family in kind.families)
    told = framed("aquila/2 told", digest("aquila/2 grade", ground.digest, *shown)) + _BEFORE_ID
    return _Compared(places, len(places) == len(rules), behind_length(met), fault, told)


def _contexts(report: HitReport, hits: HitColumns, compared: Sequence[_Compared]) -> tuple[list[bytes], list[bytes]]:
    """Return the contexts of the keys of the own notes, and of the other side's: who sends to whom (3.7.5)."""
    own, other = behind_length(report.party.encode()), behind_length(report.counterpart.encode())
    prefix = framed("aquila/2 note", bytes.fromhex(report.binding)) + _BEFORE_ID
    to, back = own + other + _BEFORE_ID, other + own + _BEFORE_ID
    columns = (parted(column, HIT_ID_BYTES) for column in (hits.ids, hits.handles, hits.counterpart_handles))
    sent, received = [], []
    for hit_id, mine, theirs, one in zip(*columns, compared, strict=True):
        start, end = prefix + hit_id, one.rules
        sent.append(start + to + mine + _BEFORE_ID + theirs + end)
        received.append(start + back + theirs + _BEFORE_ID + mine + end)
    return sent, received


@dataclass(frozen=True, slots=True)
class _Ground:
    """On what the hits of a report are graded, and its digest, which is the same on both sides."""

    grading_basis: GradingBasis
    digest: bytes

    @classmethod
    def of(cls, sizes: tuple[int, int], report: HitReport) -> "_Ground":
        # The sizes are those that both parties signed; a report with others was refused.
        grading_basis = grading_basis_on(report, sizes)
        shown: dict[str, object] = {
            "sizes": [records for _, records in sorted(zip((report.party, report.counterpart), sizes, strict=True))],
            "basis": report.basis.model_dump(mode="json", exclude={"records"}),
            "learned": [list(weight) for weight in grading_basis.learned],
        }
        return cls(grading_basis, digest("aquila/2 basis", canonical(shown)))


def grading_basis_on(report: HitReport, sizes: tuple[int, int]) -> GradingBasis:
    """Return on what a report states that its hits were graded.

    Args:
        report: The report.
        sizes: Records of its party's submission and of the counterpart's, dummies included.
    """
    basis = report.basis
    learned = tuple((weight.of, weight.centibits) for weight in basis.learned)
    return GradingBasis(*sizes, basis.common_per_million, basis.duplicates_per_million, basis.settled, learned)


def signed_sizes(round_: RoundState, report: HitReport) -> tuple[int, int]:
    """Return how many records the party of a report and its counterpart signed (`records_in_report`)."""
    own, other = (
        records_in_report(round_, party, report.submission_id) for party in (report.party, report.counterpart)
    )
    return own, other


def submission_in_report(round_: RoundState, party: str, query: str | None) -> str | None:
    """Return which submission of a party a report is about: the query where it asked it, else its list."""
    asked = round_.submissions.get(query or "")
    return query if asked is not None and asked.party == party and asked.kind is Kind.QUERY else round_.list_of(party)


def records_in_report(round_: RoundState, party: str, query: str | None) -> int:
    """Return how many records, dummies included, a party signed for what a report is about; 0 where it did not."""
    found = submission_in_report(round_, party, query)
    return round_.submissions[found].records if found else 0


def _are_places(places: bytes, tokens: int) -> bool:
    return bool(places) and places[-1] < tokens and not any(map(operator.ge, places, places[1:]))


def marks_needed(most: int) -> int:
    """Return how many marks each note of a report has: enough for any of its records, rounded up.

    So the length of a note says nothing of its record, not even to the counterpart.

    Args:
        most: How many tokens the record has that has most (`TokensByRecord.most`).
    """
    return min(MOST_MARKS, -(-max(most, 1) // _MARKS_STEP) * _MARKS_STEP)


def seal_entries(prepared: PreparedNotes, notes: Sequence[bytes], marks: int, random: Random) -> list[bytes]:
    """Seal notes as entries of a batch.

    Args:
        notes: What is told of the record of each, as JSON (`Note`).
        marks: How many marks each note of the report has (`marks_needed`).
        random: For nonces, and for marks of no token.

    Raises:
        InputError: A note is too long.
    """
    longest = max(map(len, notes), default=0)
    if longest > NOTE_BYTES - 2:
        raise InputError("note_too_long", got=longest)
    nonces = random(sealing.NONCE_BYTES * len(notes))
    filled = parted(_filled_up(prepared, marks, random), marks * sealing.MARK_BYTES)
    plaintexts = [
        len(content).to_bytes(2, "big") + content.ljust(NOTE_BYTES - 2, b"\x00") + own
        for content, own in zip(notes, filled, strict=True)
    ]
    sealed = sealing.seal_notes(prepared.keys, nonces, plaintexts)
    return list(map(operator.add, parted(prepared.openings.ids, HIT_ID_BYTES), sealed))


def _filled_up(prepared: PreparedNotes, marks: int, random: Random) -> bytes:
    """Return the marks of each of some notes, filled up with random ones.

    They are in the order of their bytes, which says nothing of the order of the tokens.
    """
    counts = np.frombuffer(prepared.openings.tokens, dtype=np.uint8)
    octets = np.frombuffer(random(len(counts) * marks * sealing.MARK_BYTES), dtype=np.uint8).copy()
    every = octets.reshape(len(counts), marks, sealing.MARK_BYTES)
    every[np.arange(marks) < counts[:, np.newaxis]] = np.frombuffer(prepared.marks, np.uint8).reshape(
        -1, sealing.MARK_BYTES
    )
    ordered = np.sort(_numbers(octets).reshape(len(counts), marks), axis=1)
    return ordered.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - sealing.MARK_BYTES :].tobytes()


def _numbers(marks: np.ndarray) -> np.ndarray:
    """Return marks of 5 bytes as numbers in the order of their bytes."""
    padded = np.zeros((len(marks) // sealing.MARK_BYTES, 8), dtype=np.uint8)
    padded[:, 8 - sealing.MARK_BYTES :] = marks.reshape(-1, sealing.MARK_BYTES)
    return padded.view(">u8")[:, 0].astype(np.uint64)


def entries_of(batch: bytes, hits: int) -> Iterator[tuple[str, bytes]]:
    """Yield the hit id and the sealed note of each entry of a batch; raises as `entry_bytes` does."""
    width = entry_bytes(batch, hits)
    for place in range(0, len(batch), width):
        yield batch[place : place + HIT_ID_BYTES].hex(), batch[place + HIT_ID_BYTES : place + width]


def entry_bytes(batch: bytes, hits: int) -> int:
    """Return of how many bytes each entry of a batch is; the first of them are the hit id.

    Raises:
        MalformedError: It does not hold so many entries of one length, each with a number of marks that it can have.
    """
    width, over = divmod(len(batch), hits)
    marks, odd = divmod(width - _FIXED_BYTES, sealing.MARK_BYTES)
    if over or odd or not 0 < marks <= MOST_MARKS:
        raise MalformedError("batch_note_count_differs", expected=hits)
    return width


def _read_note(report_digest: str, content: bytes | None) -> tuple[Note, bytes] | Fault:
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
    if note.report != report_digest:
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
    counts = np.array([len(some) // sealing.MARK_BYTES for some in marks], dtype=np.int64)
    whole = b"".join([some[: len(some) // sealing.MARK_BYTES * sealing.MARK_BYTES] for some in marks])
    notes = np.repeat(np.arange(len(marks), dtype=np.uint64), counts)
    return counts, notes << _MARK_BITS | _numbers(np.frombuffer(whole, dtype=np.uint8))


def verify_batch(
    openings: NoteOpenings, verified: Collection[str], entries: Iterable[tuple[str, bytes]]
) -> dict[str, Note | Fault]:
    """Open and verify the notes of a batch (PROTOCOL.md 3.7.8).

    Args:
        openings: What opens the notes of its sender for hits of this report.
        verified: Hits whose note came before.
        entries: Hit ids and sealed notes, as `entries_of` gives them.

    Returns:
        For each hit that the batch names its note where it holds, else what is wrong.
    """
    found: dict[str, Note | Fault] = {}
    places = {hit_id: place for place, hit_id in enumerate(hexadecimal(openings.ids, HIT_ID_BYTES))}
    waiting: dict[str, tuple[int, bytes]] = {}
    for hit_id, sealed in entries:
        place = places.get(hit_id)
        if hit_id in found or hit_id in waiting or hit_id in verified:
            found[hit_id] = Fault.REPEATED
        elif place is None:
            found[hit_id] = Fault.UNREPORTED
        # 1. The report itself was right: the tokens are this record's, and the level follows from their rules.
        elif (fault := FAULTS[openings.faults[place]]) is not None:
            found[hit_id] = fault
        else:
            waiting[hit_id] = place, sealed
    opened: dict[str, tuple[int, bytes]] = {}
    keys, told = parted(openings.keys, sealing.NOTE_KEYS_BYTES), hexadecimal(openings.told, DIGEST_BYTES)
    due = list(waiting.values())
    contents = sealing.open_notes(b"".join([keys[place] for place, _ in due]), [sealed for _, sealed in due])
    for (hit_id, (place, _)), content in zip(waiting.items(), contents, strict=True):
        result = _read_note(told[place], content)
        if hit_id in found:  # a second note of the hit is a fault already
            continue
        if isinstance(result, Fault):
            found[hit_id] = result
        else:
            found[hit_id], marks = result
            opened[hit_id] = place, marks
    # 4. The matcher reported every token that met: the marks of both sides agree where the tokens do, and nowhere else.
    own_marks, own_places = openings.own_marks(), openings.own_places()
    common = _common_places([own_marks[place] for place, _ in opened.values()], [marks for _, marks in opened.values()])
    for (hit_id, (place, _)), agreed in zip(opened.items(), common, strict=True):
        if agreed != own_places[place]:
            found[hit_id] = Fault.WITHHELD if set(agreed) > set(own_places[place]) else Fault.UNREADABLE
    return found


def unfinished(round_: RoundState) -> tuple[tuple[str, str], ...]:
    """Return for which parties notes of which counterparts are not all verified, for a record that sees everything.

    Returns:
        Pairs of the party that waits or has not confirmed, and the counterpart.
    """
    verified: Counter[ReportKey] = Counter()
    for one in round_.confirmations.values():
        verified[ReportKey(one.party, one.to, one.submission_id)] += one.confirmed + len(one.refuted)
    waiting = {
        (report.party, report.counterpart)
        for report, hits in round_.reported.items()
        if report.other_side in round_.reports  # a query's asker may not have been told yet, or never is
        and verified[report] < hits.total
    }
    return tuple(sorted(waiting))
