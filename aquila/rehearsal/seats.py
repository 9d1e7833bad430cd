"""The places at the table of a rehearsal: what each party holds meanwhile, and what is measured of it."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from aquila.protocol.submission import HANDLE_BYTES, handles_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np

    from aquila.crypto.keys import SecretBytes
    from aquila.matching.certainty import Level
    from aquila.protocol.messages import ChunkReference, HitReport
    from aquila.protocol.party import Party, RoundSecrets
    from aquila.protocol.rounds import Round
    from aquila.records.person import Record

Watch: TypeAlias = "Callable[[str, str, int, int], None]"
"""Is told of every step: phase, party, how many parts of it are done, and of how many."""


def unwatched(_phase: str, _party: str, _done: int, _of: int) -> None:
    """Let the steps pass."""


class RecordList:
    """Records in memory, as a source of a submission."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    def read(self, first: int, count: int) -> Sequence[Record]:
        """Return up to so many records from a position on."""
        return self._records[first : first + count]


class RehearsedHit(NamedTuple):
    """A pair of records that met, with both record ids: what only a rehearsal can know."""

    party_a: str
    record_id_a: str
    party_b: str
    record_id_b: str
    certainty: Level
    probability: float
    rules: tuple[str, ...]


@dataclass(slots=True)
class Measurements:
    """Seconds per phase and party, and counts, of one rehearsal.

    Attributes:
        clock: Seconds from any start.
        watch: Is told how far each phase of each party is.
        seconds: By phase and party.
        elements: Elements that each party submitted.
        bytes_sent: Elements, evaluations and tokens that each party sent; statements are not counted.
        held_back: For each party and rule, the records whose value too many others share.
    """

    clock: Callable[[], float] = time.perf_counter
    watch: Watch = unwatched
    seconds: dict[str, dict[str, float]] = field(default_factory=dict)
    elements: Counter[str] = field(default_factory=Counter)
    bytes_sent: Counter[str] = field(default_factory=Counter)
    held_back: dict[str, dict[str, int]] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str, party: str) -> Iterator[None]:
        """Add the time that a block takes to a party's phase."""
        started = self.clock()
        yield
        parties = self.seconds.setdefault(name, {})
        parties[party] = parties.get(party, 0.0) + self.clock() - started


@dataclass(slots=True)
class Seat:
    """One party at the table: its role, its record of the round, its secrets and what it made."""

    party: Party
    source: RecordList
    records: Sequence[Record]
    round: Round
    secrets: RoundSecrets | None = None
    sequence: int = 0
    seed: SecretBytes | None = None
    submission_id: str = ""
    chunks: list[tuple[ChunkReference, np.ndarray, bytes]] = field(default_factory=list)
    answers: dict[tuple[int, str], bytes] = field(default_factory=dict)
    evaluated: int = 0
    token_chunks: list[bytes] = field(default_factory=list)
    report: HitReport | None = None

    @property
    def code(self) -> str:
        """The party's code."""
        return self.party.code

    def next_sequence(self) -> int:
        """Count one statement on."""
        self.sequence += 1
        return self.sequence

    def handles(self) -> dict[bytes, str]:
        """Return the record id of each handle."""
        assert self.seed is not None
        handles = handles_of(self.seed, range(len(self.records)))
        starts = range(0, len(handles), HANDLE_BYTES)
        return {
            handles[start : start + HANDLE_BYTES]: record.record_id
            for start, record in zip(starts, self.records, strict=True)
        }
