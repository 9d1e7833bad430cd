"""The sealed exchange of a rehearsal: every hit gets a note from both sides, and both verify (PROTOCOL.md 3.7.5 ff.).

Notes are of the length and kind of real ones; what they say of a record is nothing, because a rehearsal keeps no more
of a record than its id. Hits are independent pieces of work, and go to the executor like chunks: a report at once, then
a batch of notes at once. What opens notes travels with them; it shows nothing of itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import shake_256
from itertools import count
from typing import TYPE_CHECKING

from aquila.protocol.messages import MAX_NOTES, Fault, HitReport, Note, Notes
from aquila.protocol.rounds.exchange import (
    held_tokens,
    marks_needed,
    note_batches,
    prepare_sized,
    seal_entry,
    signed_sizes,
    verify_batch,
)
from aquila.simulation.manifest import REHEARSED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aquila.crypto.group import Group
    from aquila.protocol.rounds.exchange import HeldTokens, NoteOpening
    from aquila.records.rules import RuleTable
    from aquila.simulation.party_state import SimulatedParty

    Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sealing:
    """The notes of a report to seal.

    Attributes:
        sizes: How many records the parties of the report signed.
        table: The match rules.
        report: The report as JSON, which travels faster than the object.
        held: The tokens of its records.
        fresh: 32 fresh random bytes, from which all that is drawn follows.
    """

    sizes: Mapping[str, int]
    table: RuleTable
    report: bytes
    held: Mapping[bytes, HeldTokens]
    fresh: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """The batches of sealed notes of a report with their receivers, and what opens the notes of the others."""

    batches: tuple[tuple[str, tuple[bytes, ...]], ...]
    openings: Mapping[str, NoteOpening]


def sealing_of(node: SimulatedParty, table: RuleTable, random: Random) -> Sealing:
    """Gather what sealing a node's notes needs; its token secrets go."""
    assert node.report is not None
    held = held_tokens({bytes.fromhex(hit.handle) for hit in node.report.hits}, node.finalized())
    node.forget_tokens()
    report = node.report.model_dump_json().encode()
    return Sealing(signed_sizes(node.round, node.report), table, report, held, random(32))


def seal_notes(_group: Group, work: Sealing) -> Sealed:
    """Seal a note for each hit of a report; a task for any executor, which needs no group."""
    report, random = HitReport.model_validate_json(work.report), drawn_from(work.fresh)
    prepared = list(prepare_sized(work.sizes, work.table, report, work.held, random))
    marks = marks_needed(prepared)
    batches = (
        (to, tuple(seal_entry(one, _note(report.party, one.opening.told, random), marks, random) for one in batch))
        for to, batch in note_batches(prepared, MAX_NOTES)
    )
    return Sealed(tuple(batches), {one.opening.hit_id: one.opening for one in prepared})


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """A batch of notes at its receiver, each still sealed, with the openings of those that its report names."""

    entries: Sequence[tuple[str, bytes]]
    openings: Mapping[str, NoteOpening]


def open_notes(node: SimulatedParty, notes: Notes) -> Opened:
    """Open a batch of notes at its receiver."""
    assert node.secrets is not None
    entries = node.party.open_notes(notes, node.secrets.sealing)
    return Opened(entries, {hit_id: node.openings[hit_id] for hit_id, _ in entries if hit_id in node.openings})


def verify_notes(_group: Group, work: Opened) -> dict[str, Fault | None]:
    """Verify the notes of a batch, and return for each hit the parts that do not hold; a task for any executor."""
    found = verify_batch(work.openings, (), work.entries)
    return {hit_id: one if isinstance(one, Fault) else None for hit_id, one in found.items()}


def refuted_of(node: SimulatedParty, found: Mapping[str, Fault | None]) -> dict[str, Fault]:
    """Return the hits of a batch that do not hold, and why; a second note of a hit is none."""
    again = dict.fromkeys(node.noted & set(found), Fault.REPEATED)
    node.noted |= set(found)
    return {hit_id: fault for hit_id, fault in {**found, **again}.items() if fault}


def drawn_from(fresh: bytes) -> Random:
    """Return a function that gives ever further random bytes of one seed."""
    numbers = count()
    return lambda size: shake_256(fresh + next(numbers).to_bytes(8, "big")).digest(size)


def _note(code: str, told: str, random: Random) -> Note:
    drawn = random(6).hex().upper()
    return Note(
        source_evaluation=None, information_evaluation=None, handling_code=None, category=REHEARSED.category,
        reference=f"{code}-{drawn[:4]}-{drawn[4:8]}-{drawn[8:]}", contact=REHEARSED.officer, report=told,
    )  # fmt: skip
