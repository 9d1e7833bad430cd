"""The places at the table of a rehearsal: what each party holds meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from aquila.protocol.messages import HitReport
from aquila.protocol.rounds.exchange import HitBatches
from aquila.protocol.submissions.submission import HANDLE_BYTES, FinalizedChunk, handles_of
from aquila.records.rows import ReadReport
from aquila.simulation.scratch_files import Chunks, RecordIds, Runs, Spool

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from aquila.crypto.keys import ExchangeKey, SecretBytes
    from aquila.matching.certainty import Level
    from aquila.protocol.canaries import Canary, PlantedCanary
    from aquila.protocol.party import Party, RoundSecrets
    from aquila.protocol.rounds.exchange import HitBatch
    from aquila.protocol.rounds.verified_round import Round
    from aquila.protocol.submission_plan import SubmissionPlan
    from aquila.protocol.submissions.tasks import Outline
    from aquila.records.reading.lists import Finding
    from aquila.records.rules import InputClass
    from aquila.simulation.sources import Source

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


@dataclass(frozen=True, slots=True)
class ReportedBatch:
    """Hits of a report whose notes go together, by their ids and handles of 16 bytes each.

    Attributes:
        counterpart: With whom they are.
        index: Which batch of the report it is.
        ids: The ids of the hits, ascending.
        handles: Their own handles.
    """

    counterpart: str
    index: int
    ids: bytes
    handles: bytes


@dataclass(slots=True)
class SimulatedParty:
    """One party at the table: its role, its record of the round, its secrets and what it made.

    Attributes:
        party: The role.
        source: Its list.
        round: Its record of the round.
        directory: Where its part of the scratch lies; made when the list is read.
        record_ids: By position, for naming hits.
        counts: Rows read.
        findings: What is wrong with the list, each beside a record id.
        digests: What the first pass made, until the second is over.
        runs: What the second pass made, until it is cut into chunks.
        chunks: The submission.
        told: Its report without the hits.
        hits: How many hits its report has.
        batches: These hits as their notes will be sent.
        openings: What opens the notes that are to come, by hit id.
        noted: The ids of the hits whose note came, by sender: of each batch 16 bytes each, ascending.
        canaries: What its list is to carry.
        carried: What it keeps of them.
    """

    party: Party
    source: Source
    round: Round
    directory: Path
    secrets: RoundSecrets | None = None
    sequence: int = 0
    seed: SecretBytes | None = None
    submission_id: str = ""
    record_ids: RecordIds = field(default_factory=RecordIds)
    counts: ReadReport = field(default_factory=ReadReport)
    findings: list[tuple[Finding, str]] = field(default_factory=list)
    outlines: list[Outline] = field(default_factory=list)
    digests: Spool | None = None
    plan: SubmissionPlan | None = None
    runs: dict[InputClass, Runs] = field(default_factory=dict)
    chunks: Chunks = field(init=False)
    evaluated: int = 0
    verified: int = 0
    told: HitReport | None = None
    hits: int = 0
    canaries: tuple[Canary, ...] = ()
    carried: tuple[PlantedCanary, ...] = ()
    openings: dict[str, bytes] = field(default_factory=dict)
    noted: dict[str, list[bytes]] = field(default_factory=dict)
    _tokens: Spool | None = None
    batches: list[ReportedBatch] = field(default_factory=list)
    _kept: Spool | list[bytes] = field(default_factory=list)
    _parting: HitBatches = field(default_factory=lambda: HitBatches(1))

    def __post_init__(self) -> None:
        self.chunks = Chunks(self.directory)

    @property
    def code(self) -> str:
        """The party's code."""
        return self.party.code

    def pair_terms(self) -> tuple[str, ExchangeKey, tuple[PlantedCanary, ...]]:
        """Return this party's arguments for disclosing and judging canaries."""
        assert self.secrets is not None
        return self.code, self.secrets.exchange, self.carried

    def next_sequence(self) -> int:
        """Count one statement on."""
        self.sequence += 1
        return self.sequence

    def keep_tokens(self, chunk: FinalizedChunk) -> None:
        """Keep a chunk's tokens and token secrets until notes are sealed."""
        if self._tokens is None:
            self._tokens = Spool(self.directory / "tokens")
        self._tokens.append(chunk.rows)
        self._tokens.append(chunk.secrets)

    def finalized(self) -> Iterator[FinalizedChunk]:
        """Yield the chunks that were kept."""
        assert self._tokens is not None
        for place in range(0, len(self._tokens), 2):
            yield FinalizedChunk(self._tokens[place], self._tokens[place + 1])

    def forget_tokens(self) -> None:
        """Delete what was kept."""
        assert self._tokens is not None
        self._tokens.delete()
        self._tokens = None

    def take_report(self, page: HitReport, most: int) -> None:
        """Keep a page of the report, or the one message that it is, in place of an earlier report.

        It is kept in the batches in which its notes will be sent, so that no hit is read again.

        Args:
            page: The page, or the whole report.
            most: Notes of a batch at most.
        """
        if self.told is None or page.page is None or not page.page.number:
            self.forget_report()
            self.told, self._parting = page.model_copy(update={"page": None, "hits": ()}), HitBatches(most)
            self._kept = [] if page.page is None else Spool(self.directory / "report")
        self.hits += len(page.hits)
        for batch in self._parting.put(page):
            self._keep(batch)
        if page.is_complete:
            for batch in self._parting.rest():
                self._keep(batch)

    def _keep(self, batch: HitBatch) -> None:
        assert self.told is not None
        self._kept.append(self.told.model_copy(update={"hits": batch.hits}).payload())
        ids = bytes.fromhex("".join([hit.hit_id for hit in batch.hits]))
        handles = bytes.fromhex("".join([hit.handle for hit in batch.hits]))
        self.batches.append(ReportedBatch(batch.counterpart, batch.index, ids, handles))

    def report_of(self, place: int) -> bytes:
        """Return the report with the hits of one of its batches alone, as JSON."""
        return self._kept[place]

    def reports(self) -> Iterator[HitReport]:
        """Yield the report in parts, each with the hits of one batch."""
        return map(HitReport.model_validate_json, map(self.report_of, range(len(self.batches))))

    @property
    def report(self) -> HitReport | None:
        """The whole report as one message, all hits of it in memory; None before it came."""
        if self.told is None:
            return None
        hits = sorted((hit for part in self.reports() for hit in part.hits), key=attrgetter("hit_id"))
        return self.told.model_copy(update={"hits": tuple(hits)})

    def forget_report(self) -> None:
        """Delete what was kept of a report."""
        if isinstance(self._kept, Spool):
            self._kept.delete()
        self.told, self._kept, self.batches, self.hits = None, [], [], 0

    def record_ids_of(self, handles: Collection[bytes]) -> dict[bytes, str]:
        """Return the record id of each of some handles of this party."""
        return {handle: self.record_ids[position] for handle, position in self._positions_of(handles)}

    def _positions_of(self, handles: Collection[bytes]) -> Iterator[tuple[bytes, int]]:
        assert self.seed is not None
        wanted = np.unique(np.frombuffer(b"".join(handles), dtype=f"S{HANDLE_BYTES}"))
        for first in range(0, len(self.record_ids), _HANDLES_AT_ONCE):
            positions = np.arange(first, min(first + _HANDLES_AT_ONCE, len(self.record_ids)), dtype=np.uint64)
            own = np.frombuffer(handles_of(self.seed, positions), dtype=f"V{HANDLE_BYTES}")
            for place in np.flatnonzero(np.isin(own.view(f"S{HANDLE_BYTES}"), wanted)).tolist():
                yield own[place].tobytes(), first + place
