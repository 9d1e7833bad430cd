"""The sealed exchange of a rehearsal: every hit gets a note from both sides, and both verify (PROTOCOL.md 3.7.5 ff.).

Notes are of the length and kind of real ones; what they say of a record is nothing, because a rehearsal keeps no more
of a record than its id. Two processes could share the work, but it is a small part of a round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila.protocol.exchange import held_tokens, marks_needed, note_batches, prepare, seal_entry, verify_batch
from aquila.protocol.messages import MAX_NOTES, Fault, Note, Notes
from aquila.rehearsal.terms import REHEARSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aquila.records.rules import RuleTable
    from aquila.rehearsal.seats import Seat

    Random = Callable[[int], bytes]


def prepare_notes(seat: Seat, table: RuleTable, random: Random) -> Iterator[tuple[str, list[bytes]]]:
    """Prepare a seat's hits, and yield batches of sealed notes with their receivers; its token secrets go."""
    assert seat.report is not None
    handles = {bytes.fromhex(hit.handle) for hit in seat.report.hits}
    held = held_tokens(handles, seat.finalized())
    seat.forget_tokens()
    prepared = list(prepare(seat.round, table, seat.report, held, random))
    seat.openings = {one.opening.hit_id: one.opening for one in prepared}
    marks = marks_needed(prepared)
    for to, batch in note_batches(prepared, MAX_NOTES):
        yield to, [seal_entry(one, _note(seat.code, one.opening.told, random), marks, random) for one in batch]


def verify_notes(seat: Seat, notes: Notes) -> dict[str, Fault]:
    """Open a batch of notes at its receiver; return the hits that do not hold, and why."""
    assert seat.secrets is not None
    found = verify_batch(seat.openings, seat.noted, seat.party.open_notes(notes, seat.secrets.sealing))
    seat.noted |= set(found)
    return {hit_id: fault for hit_id, fault in found.items() if isinstance(fault, Fault)}


def _note(code: str, told: str, random: Random) -> Note:
    drawn = random(6).hex().upper()
    return Note(
        source_evaluation=None, information_evaluation=None, handling_code=None, category=REHEARSED.category,
        reference=f"{code}-{drawn[:4]}-{drawn[4:8]}-{drawn[8:]}", contact=REHEARSED.officer, report=told,
    )  # fmt: skip
