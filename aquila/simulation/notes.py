"""The sealed exchange of a rehearsal: every hit gets a note from both sides, and both verify (PROTOCOL.md 3.7.5 ff.).

Notes are of the length and kind of real ones; what they say of a record is nothing, because a rehearsal keeps no more
of a record than its id. Hits are independent pieces of work, and go to the executor like chunks, a batch at once. What
opens notes travels as bytes; it shows nothing of itself.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from hashlib import shake_256
from itertools import count
from typing import TYPE_CHECKING

from aquila.protocol.messages import Fault, HitReport, Note, Notes
from aquila.protocol.rounds.exchange import (
    NoteOpening,
    held_tokens,
    marks_needed,
    prepare_sized,
    seal_entries,
    signed_sizes,
    verify_batch,
)
from aquila.simulation.manifest import REHEARSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from aquila.crypto.group import Group
    from aquila.protocol.rounds.exchange import TokensByRecord
    from aquila.protocol.rounds.verified_round import AcceptedStatement
    from aquila.records.rules import RuleTable
    from aquila.simulation.party_state import ReportedBatch, SimulatedParty

    Random = Callable[[int], bytes]

_ID_BYTES = 16
_REFERENCE_DIGITS = 12


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NoteSealing:
    """A batch of hits whose notes are to be sealed.

    Attributes:
        sizes: How many records the parties of the report signed.
        table: The match rules.
        report: The report with these hits alone, as JSON, which travels faster than the object.
        held: The tokens of its records.
        marks: How many marks each note of the report has.
        fresh: 32 fresh random bytes, from which all that is drawn follows.
    """

    sizes: Mapping[str, int]
    table: RuleTable
    report: bytes
    held: TokensByRecord
    marks: int
    fresh: bytes


@dataclass(frozen=True, slots=True, repr=False)
class SealedNotes:
    """The sealed notes of a batch, and what opens the notes of the other side, both in the order of the hits."""

    entries: tuple[bytes, ...]
    openings: tuple[bytes, ...]


def sealings_of(node: SimulatedParty, table: RuleTable, random: Random) -> Iterator[tuple[ReportedBatch, NoteSealing]]:
    """Gather, batch by batch, what sealing a node's notes needs; its token secrets go before the first.

    Args:
        node: The party, which has its report.
        table: The match rules.
        random: Gives each batch its seed.
    """
    assert node.told is not None
    held = held_tokens((batch.handles for batch in node.batches), node.finalized())
    node.forget_tokens()
    marks, sizes = marks_needed(held.most), signed_sizes(node.round, node.told)
    for place, batch in enumerate(node.batches):
        yield batch, NoteSealing(sizes, table, node.report_of(place), held.of([batch.handles]), marks, random(32))


def seal_notes(_group: Group, work: NoteSealing) -> SealedNotes:
    """Seal a note for each hit of a batch; a task for any executor, which needs no group."""
    report, random = HitReport.model_validate_json(work.report), drawn_from(work.fresh)
    prepared = list(prepare_sized(work.sizes, work.table, report, work.held, random))
    drawn = random(_REFERENCE_DIGITS // 2 * len(prepared)).hex().upper()
    notes = [
        _note(report.party, drawn[place : place + _REFERENCE_DIGITS], one.opening.report_digest)
        for place, one in zip(count(0, _REFERENCE_DIGITS), prepared, strict=False)
    ]
    entries = seal_entries(prepared, notes, work.marks, random)
    return SealedNotes(tuple(entries), tuple([one.opening.to_bytes() for one in prepared]))


class WaitingBatches:
    """Batches of notes that wait until their receiver has prepared all hits that they can name.

    Every party goes through its hits in the order of their ids, so a batch waits for the other side's next one, and no
    more than a few are on their way.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], deque[tuple[bytes, AcceptedStatement]]] = {}
        self._reached: dict[tuple[str, str], bytes] = {}

    def put(self, sender: str, batch: ReportedBatch, accepted: AcceptedStatement) -> Iterator[AcceptedStatement]:
        """Take a batch that was sent, and yield those that can be verified now, in the order of their coming."""
        last = batch.ids[-_ID_BYTES:]
        sent, back = (sender, batch.counterpart), (batch.counterpart, sender)
        self._reached[sent] = last
        self._waiting.setdefault(sent, deque()).append((last, accepted))
        for there, here in ((sent, back), (back, sent)):
            line = self._waiting.get(there, ())
            while line and line[0][0] <= self._reached.get(here, b""):
                yield line.popleft()[1]

    def rest(self) -> Iterator[AcceptedStatement]:
        """Yield the batches that still wait, once every party has sent its last one."""
        for line in self._waiting.values():
            yield from (accepted for _, accepted in line)


@dataclass(frozen=True, slots=True, repr=False)
class OpenedNotes:
    """A batch of notes at its receiver, each still sealed.

    Attributes:
        entries: Hit ids and sealed notes.
        openings: What opens those that the receiver's report names.
        before: The hits of which the same sender sent a note before.
    """

    entries: Sequence[tuple[str, bytes]]
    openings: Mapping[str, bytes]
    before: frozenset[str]


def open_notes(node: SimulatedParty, notes: Notes) -> OpenedNotes:
    """Open a batch of notes at its receiver; what opens each of them goes."""
    assert node.secrets is not None
    entries = node.party.open_notes(notes, node.secrets.sealing)
    ids = sorted({hit_id for hit_id, _ in entries})
    openings = {hit_id: node.openings.pop(hit_id) for hit_id in ids if hit_id in node.openings}
    return OpenedNotes(entries, openings, _noted_before(node, notes.party, ids))


def ids_of(joined: bytes) -> Iterator[str]:
    """Yield the hit ids of 16 bytes each, hexadecimal."""
    return (joined[place : place + _ID_BYTES].hex() for place in range(0, len(joined), _ID_BYTES))


def _noted_before(node: SimulatedParty, sender: str, ids: Sequence[str]) -> frozenset[str]:
    """Return those of some hits, ascending, of which a sender's note came before; from now on all of them have."""
    noted, now = node.noted.setdefault(sender, []), bytes.fromhex("".join(ids))
    near = [one for one in noted if one[:_ID_BYTES] <= now[-_ID_BYTES:] and now[:_ID_BYTES] <= one[-_ID_BYTES:]]
    noted.append(now)
    every = {hit_id for one in near for hit_id in ids_of(one)}
    return frozenset(every & set(ids))


def verify_notes(_group: Group, work: OpenedNotes) -> dict[str, Fault]:
    """Verify the notes of a batch, and return the hits that do not hold, and why; a task for any executor."""
    openings = {hit_id: NoteOpening.from_bytes(content) for hit_id, content in work.openings.items()}
    found = verify_batch(openings, work.before, work.entries)
    return {hit_id: one for hit_id, one in found.items() if isinstance(one, Fault)}


def drawn_from(fresh: bytes) -> Random:
    """Return a function that gives ever further random bytes of one seed."""
    numbers = count()
    return lambda size: shake_256(fresh + next(numbers).to_bytes(8, "big")).digest(size)


def _note(code: str, drawn: str, told: str) -> Note:
    return Note(
        source_evaluation=None, information_evaluation=None, handling_code=None, category=REHEARSED.category,
        reference=f"{code}-{drawn[:4]}-{drawn[4:8]}-{drawn[8:]}", contact=REHEARSED.officer, report=told,
    )  # fmt: skip
