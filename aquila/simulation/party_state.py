"""The places at the table of a rehearsal: what each party holds meanwhile."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aquila.crypto.keys import SecretBytes
from aquila.matching.certainty import Level
from aquila.protocol.messages import BelowPair, HitReport
from aquila.protocol.party import Party, RoundSecrets
from aquila.protocol.rounds.hit_columns import HIT_ID_BYTES, HitBatch, HitBatches, NoteOpenings
from aquila.protocol.rounds.locks import pair_key
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.shadow.columns import read_column
from aquila.protocol.submission_plan import SubmissionPlan
from aquila.protocol.submissions.submission import HANDLE_BYTES, FinalizedChunk, handles_of, order_rows
from aquila.protocol.submissions.tasks import Outline
from aquila.records.rows import Finding, ReadReport
from aquila.records.rules import InputClass
from aquila.simulation.scratch_files import Chunks, RecordIds, Runs, Spool
from aquila.simulation.sources import ListFile

HIT_ID = f"S{HIT_ID_BYTES}"  # as NumPy has it; of one length all of them, so that zeros at an end change no comparison
_HANDLES_AT_ONCE = 1 << 16


class RehearsedHit(NamedTuple):
    """A pair of records that met, with both record ids: what only a rehearsal can know."""

    party_a: str
    record_id_a: str
    party_b: str
    record_id_b: str
    certainty: Level
    probability: float
    rules: tuple[str, ...]


class WaitingOpenings:
    """The note openings of one batch, until a note of each of its hits came."""

    def __init__(self, openings: NoteOpenings) -> None:
        self.openings = openings
        self._ids = np.frombuffer(openings.ids, dtype=HIT_ID)
        self._awaited = np.ones(len(self._ids), dtype=bool)

    def may_name(self, ids: np.ndarray) -> bool:
        """Return whether some ids, ascending, may have one of this batch among them."""
        return bool(self._ids[0] <= ids[-1] and ids[0] <= self._ids[-1])

    def tick_off(self, ids: np.ndarray) -> bool:
        """Note that notes of some hits came, and return whether none of this batch is awaited any more."""
        self._awaited &= ~np.isin(self._ids, ids)
        return not self._awaited.any()


@dataclass(slots=True)
class ToldReport:
    """A report that came, or the pages of it that did: its hits are kept as columns, in the batches of their notes."""

    terms: HitReport
    """The report without its pairs."""
    hits: int = 0
    """How many hits it has."""
    below: list[BelowPair] = field(default_factory=list)
    """Its pairs that are no hits."""
    batches: list[HitBatch] = field(default_factory=list)
    """Its hits as their notes will be sent."""

    def parts(self) -> Iterator[HitReport]:
        """Yield the report in parts: its pairs that are no hits, then its hits batch by batch."""
        yield self.terms.model_copy(update={"below": tuple(self.below)})
        for batch in self.batches:
            yield self.terms.model_copy(update={"hits": tuple(batch.hits.hits())})

    @property
    def whole(self) -> HitReport:
        """The report as one message, all pairs of it in memory."""
        hits = sorted((hit for part in self.parts() for hit in part.hits), key=attrgetter("hit_id"))
        return self.terms.model_copy(update={"hits": tuple(hits), "below": tuple(self.below)})


@dataclass(slots=True)
class SimulatedParty:
    """One party at the table: its role, its record of the round, its secrets and what it made."""

    party: Party
    """The role."""
    source: ListFile
    """Its list."""
    round: Round
    """Its record of the round."""
    directory: Path
    """Where its part of the scratch lies; made when the list is read."""
    secrets: RoundSecrets | None = None
    sequence: int = 0
    seed: SecretBytes | None = None
    submission_id: str = ""
    record_ids: RecordIds = field(default_factory=RecordIds)
    """By position, for naming hits."""
    counts: ReadReport = field(default_factory=ReadReport)
    """Rows read."""
    findings: list[tuple[Finding, str]] = field(default_factory=list)
    """What is wrong with the list, each beside a record id."""
    outlines: list[Outline] = field(default_factory=list)
    digests: Spool | None = None
    """What the first pass made, until the second is over."""
    plan: SubmissionPlan | None = None
    runs: dict[InputClass, Runs] = field(default_factory=dict)
    """What the second pass made, until it is cut into chunks."""
    chunks: Chunks = field(init=False)
    """The submission."""
    evaluated: int = 0
    verified: int = 0
    told: dict[str, ToldReport] = field(default_factory=dict)
    """Its reports of the lists, by counterpart."""
    columns: dict[str, Spool] = field(default_factory=dict)
    """Its shadow columns, for each counterpart in their order."""
    openings: dict[str, list[WaitingOpenings]] = field(default_factory=dict)
    """What opens the notes that are to come, by sender."""
    noted: dict[str, list[np.ndarray]] = field(default_factory=dict)
    """The ids of the hits whose note came, by sender: of each batch, ascending."""
    _unordered: dict[str, Spool] = field(default_factory=dict)
    _tokens: dict[str, Spool] = field(default_factory=dict)
    _parting: dict[str, HitBatches] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chunks = Chunks(self.directory)

    @property
    def code(self) -> str:
        """The party's code."""
        return self.party.code

    def pair_key(self, counterpart: str) -> SecretBytes:
        """Return the key of its shadow columns for a counterpart."""
        assert self.secrets is not None
        return pair_key(self.round, self.code, self.secrets, counterpart, "shadow")

    def column_for(self, counterpart: str) -> NDArray[np.bytes_]:
        """Return its shadow column for a counterpart."""
        spool = self.columns[counterpart]
        return read_column(spool[number] for number in range(len(spool)))

    def forget_columns(self) -> None:
        """Delete its shadow columns."""
        while self.columns:
            self.columns.popitem()[1].delete()

    def next_sequence(self) -> int:
        """Count one statement on."""
        self.sequence += 1
        return self.sequence

    def keep_finalized(self, counterpart: str, chunk: FinalizedChunk) -> None:
        """Keep what was finalized of the next chunk for a counterpart, until its column is put in order."""
        if counterpart not in self._unordered:
            self._unordered[counterpart] = Spool(self.directory / f"finalized-{counterpart}")
        self._unordered[counterpart].append(chunk.to_bytes())

    def order_column(self, counterpart: str) -> Iterator[FinalizedChunk]:
        """Yield the chunks of the column for a counterpart (PROTOCOL.md 3.6.2), which are kept for sealing notes."""
        unordered = self._unordered.pop(counterpart)
        tokens = self._tokens[counterpart] = Spool(self.directory / f"tokens-{counterpart}")
        terms = self.chunks.references, lambda place: FinalizedChunk.from_bytes(unordered[place])
        for _, chunk in order_rows(*terms):
            tokens.append(chunk.to_bytes())
            yield chunk
        unordered.delete()

    def finalized(self, counterpart: str) -> Iterator[FinalizedChunk]:
        """Yield the chunks of the column for a counterpart, which was put in order."""
        tokens = self._tokens[counterpart]
        return (FinalizedChunk.from_bytes(tokens[place]) for place in range(len(tokens)))

    def forget_tokens(self, counterpart: str) -> None:
        """Delete what was kept of the column for a counterpart."""
        self._tokens.pop(counterpart).delete()

    def take_report(self, page: HitReport, most: int) -> None:
        """Keep a page of a report, or the one message that it is, in place of an earlier report of the same pair.

        Args:
            page: The page, or the whole report.
            most: Notes of a batch at most.
        """
        if page.page is None or not page.page.number:
            terms = page.model_copy(update={"page": None, "hits": (), "below": ()})
            self.told[page.counterpart], self._parting[page.counterpart] = ToldReport(terms), HitBatches(most)
        report = self.told[page.counterpart]
        report.hits += len(page.hits)
        report.below += page.below
        report.batches += self._parting[page.counterpart].put(page)

    @property
    def hits(self) -> int:
        """How many hits its reports have."""
        return sum(report.hits for report in self.told.values())

    def record_ids_of(self, handles: Collection[bytes], counterpart: str) -> dict[bytes, str]:
        """Return the record id of each of some handles that this party has for a counterpart."""
        return {handle: self.record_ids[position] for handle, position in self._positions_of(handles, counterpart)}

    def _positions_of(self, handles: Collection[bytes], counterpart: str) -> Iterator[tuple[bytes, int]]:
        assert self.seed is not None
        wanted = np.unique(np.frombuffer(b"".join(handles), dtype=f"S{HANDLE_BYTES}"))
        for first in range(0, len(self.record_ids), _HANDLES_AT_ONCE):
            positions = np.arange(first, min(first + _HANDLES_AT_ONCE, len(self.record_ids)), dtype=np.uint64)
            every = handles_of(self.seed, positions, self.round.handles_for(counterpart))
            own = np.frombuffer(every, dtype=f"V{HANDLE_BYTES}")
            for place in np.flatnonzero(np.isin(own.view(f"S{HANDLE_BYTES}"), wanted)).tolist():
                yield own[place].tobytes(), first + place
