"""The sealed exchange of a rehearsal: every hit gets a note from both sides, and both verify (PROTOCOL.md 3.7.5 ff.).

Notes are of the length and kind of real ones; what they say of a record is nothing, because a rehearsal keeps no more
of a record than its id. Hits are independent pieces of work, and go to the executor like chunks, a batch at once. What
opens notes travels as bytes; it shows nothing of itself.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import shake_256
from itertools import chain, count, zip_longest

import numpy as np

from aquila.crypto.group import Group
from aquila.octets import hexadecimal
from aquila.protocol.messages import Fault, HitReport, Note, Notes
from aquila.protocol.rounds import exchange, hit_columns
from aquila.protocol.rounds.verified_round import AcceptedStatement
from aquila.records.rules import RuleTable
from aquila.simulation.manifest import REHEARSED
from aquila.simulation.party_state import HIT_ID, SimulatedParty, ToldReport

Random = Callable[[int], bytes]

_REFERENCE_BYTES = 6


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NoteSealing:
    """A batch of hits whose notes are to be sealed."""

    sizes: tuple[int, int]
    """How many records the party of the report and its counterpart signed."""
    table: RuleTable
    """The match rules."""
    report: HitReport
    """The report without its hits."""
    hits: hit_columns.HitColumns
    """The hits."""
    held: hit_columns.TokensByRecord
    """The tokens of their records."""
    marks: int
    """How many marks each note of the report has."""
    fresh: bytes
    """32 fresh random bytes, from which all that is drawn follows."""


@dataclass(frozen=True, slots=True, repr=False)
class SealedNotes:
    """The sealed notes of a batch, and what opens the notes of the other side, both in the order of the hits."""

    entries: list[bytes]
    openings: hit_columns.NoteOpenings


def sealings_of(
    told: Iterable[tuple[SimulatedParty, ToldReport]], table: RuleTable, random: Random
) -> Iterator[tuple[tuple[SimulatedParty, ToldReport, hit_columns.HitBatch], NoteSealing]]:
    """Gather, batch by batch, what sealing the notes of reports needs.

    Args:
        told: The reports, each as soon as its party has it. When both sides of a pair have theirs, their notes are
            sealed, a batch of both in turn.
        table: The match rules.
        random: Gives each batch its seed.
    """
    waiting: dict[
        tuple[str, str], Iterator[tuple[tuple[SimulatedParty, ToldReport, hit_columns.HitBatch], NoteSealing]]
    ]
    waiting = {}
    for node, report in told:
        own, other = _sealings(node, report, table, random), waiting.pop((report.terms.counterpart, node.code), None)
        if other is None:
            waiting[node.code, report.terms.counterpart] = own
        else:
            yield from filter(None, chain.from_iterable(zip_longest(other, own)))
    for left in waiting.values():  # whose counterparts are not here
        yield from left


def _sealings(
    node: SimulatedParty, report: ToldReport, table: RuleTable, random: Random
) -> Iterator[tuple[tuple[SimulatedParty, ToldReport, hit_columns.HitBatch], NoteSealing]]:
    """Yield the batches of a report with what sealing them needs."""
    held = hit_columns.held_tokens(
        (batch.hits.handles for batch in report.batches), node.finalized(report.terms.counterpart)
    )
    marks, sizes = exchange.marks_needed(held.most), exchange.signed_sizes(node.round, report.terms)
    for batch in report.batches:
        terms = sizes, table, report.terms, batch.hits, held.of([batch.hits.handles]), marks
        yield (node, report, batch), NoteSealing(*terms, random(32))


def seal_notes(_group: Group, work: NoteSealing) -> SealedNotes:
    """Seal a note for each hit of a batch; a task for any executor, which needs no group."""
    random = drawn_from(work.fresh)
    prepared = exchange.prepare(work.sizes, work.table, work.report, work.hits, work.held, random)
    digests = hexadecimal(prepared.openings.told, hit_columns.DIGEST_BYTES)
    references = hexadecimal(random(_REFERENCE_BYTES * len(digests)), _REFERENCE_BYTES)
    notes = _notes(work.report.party, references, digests)
    return SealedNotes(exchange.seal_entries(prepared, notes, work.marks, random), prepared.openings)


class WaitingBatches:
    """Batches of notes that wait until their receiver has prepared all hits that they can name.

    Every party goes through its hits in the order of their ids, so a batch waits for the other side's next one, and no
    more than a few are on their way.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], deque[tuple[bytes, AcceptedStatement]]] = {}
        self._reached: dict[tuple[str, str], bytes] = {}

    def put(
        self, sender: str, receiver: str, batch: hit_columns.HitBatch, accepted: AcceptedStatement
    ) -> Iterator[AcceptedStatement]:
        """Take a batch that was sent, and yield those that can be verified now, in the order of their coming."""
        last = batch.hits.ids[-hit_columns.HIT_ID_BYTES :]
        sent, back = (sender, receiver), (receiver, sender)
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
    """A batch of notes at its receiver, each still sealed."""

    batch: bytes
    """The batch (`aquila.protocol.rounds.exchange.entries_of`)."""
    hits: int
    """How many notes it holds."""
    openings: hit_columns.NoteOpenings
    """What opens those that the receiver's report names."""
    before: frozenset[str]
    """The hits of which the same sender sent a note before."""


def open_notes(node: SimulatedParty, notes: Notes) -> OpenedNotes:
    """Open a batch of notes at its receiver; what opens the notes of a batch goes once all of them came.

    Raises:
        SealError: As `Party.open_notes`.
        MalformedError: As `Party.open_notes`.
    """
    assert node.secrets is not None
    batch = node.party.open_batch(notes, node.secrets.sealing)
    ids = np.unique(np.frombuffer(batch, dtype=f"S{exchange.entry_bytes(batch, notes.hits)}").astype(HIT_ID))
    waiting = node.openings.get(notes.party, [])
    near = [one for one in waiting if one.may_name(ids)]
    ended = [one for one in near if one.tick_off(ids)]
    node.openings[notes.party] = [one for one in waiting if one not in ended]
    openings = hit_columns.NoteOpenings.together([one.openings for one in near])
    return OpenedNotes(batch, notes.hits, openings, _noted_before(node, notes.party, ids))


def _noted_before(node: SimulatedParty, sender: str, ids: np.ndarray) -> frozenset[str]:
    """Return those of some hits, ascending, of which a sender's note came before; from now on all of them have."""
    noted = node.noted.setdefault(sender, [])
    near = [one for one in noted if one[0] <= ids[-1] and ids[0] <= one[-1]]
    noted.append(ids)
    return frozenset(
        one.hex() for before in near for one in ids[np.isin(ids, before)].view(f"V{hit_columns.HIT_ID_BYTES}").tolist()
    )


def verify_notes(_group: Group, work: OpenedNotes) -> dict[str, Fault]:
    """Verify the notes of a batch, and return the hits that do not hold, and why; a task for any executor."""
    found = exchange.verify_batch(work.openings, work.before, exchange.entries_of(work.batch, work.hits))
    return {hit_id: one for hit_id, one in found.items() if isinstance(one, Fault)}


def drawn_from(fresh: bytes) -> Random:
    """Return a function that gives ever further random bytes of one seed."""
    numbers = count()
    return lambda size: shake_256(fresh + next(numbers).to_bytes(8, "big")).digest(size)


def _notes(code: str, references: Sequence[str], digests: Sequence[str]) -> list[bytes]:
    """Return notes as JSON, which differ in nothing but reference and digest: one is written, the others copied."""
    reference, told = f"{code}-0000-0000-0000", "0" * 2 * hit_columns.DIGEST_BYTES
    note = Note(
        source_evaluation=None,
        information_evaluation=None,
        handling_code=None,
        category=REHEARSED.category,
        reference=reference,
        contact=REHEARSED.officer,
        report=told,
    )
    before, rest = note.model_dump_json().split(reference)
    between, behind = rest.split(told)
    return [
        f"{before}{code}-{drawn[:4]}-{drawn[4:8]}-{drawn[8:]}{between}{own}{behind}".encode()
        for drawn, own in zip(map(str.upper, references), digests, strict=True)
    ]
