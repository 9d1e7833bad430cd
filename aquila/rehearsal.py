"""A whole real round in one process: every party, the matcher and every cryptographic step, without a network.

It is what `aquila rehearse` runs, the world of the scenario tests, and the reference that the services must agree
with. The parties here are honest; tests make them lie by replacing one of their answers.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from aquila.crypto.keys import IdentityKey, SecretBytes
from aquila.errors import InputError
from aquila.matching.join import TOKEN_ROW_BYTES, TokenTable
from aquila.protocol import matcher as roles
from aquila.protocol.matcher import Matcher
from aquila.protocol.messages import (
    ClassCounts,
    Justification,
    Kind,
    Manifest,
    Mode,
    Outcome,
    Padding,
    Participant,
    PartyCap,
    TableReference,
    Window,
)
from aquila.protocol.party import Party, RoundSecrets
from aquila.protocol.preparation import Preparation
from aquila.protocol.registry import RegisteredParty, Registry
from aquila.protocol.rounds import Round
from aquila.protocol.submission import chunk_reference, finalize_chunk, handle_of, merge_runs
from aquila.records.normalize import NORMALIZER_VERSION, normalizer_digest
from aquila.records.rules import InputClass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from aquila.crypto.group import Group
    from aquila.matching.certainty import Level
    from aquila.protocol.messages import ChunkReference, Evaluation, HitReport
    from aquila.records.person import Record
    from aquila.records.rules import RuleTable

DEFAULT_PADDING = Padding(inputs_per_record=(8, 16, 24, 32), records_multiple=100)
NO_PADDING = Padding(inputs_per_record=(), records_multiple=1)
CHUNK_ELEMENTS = 16_384
_LARGEST_CAP = 2**40


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
    """Seconds per phase and party, and counts, of one rehearsal."""

    clock: Callable[[], float] = time.perf_counter
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


class Rehearsal:
    """One round of several parties' lists.

    Args:
        group: The group backend.
        table: The match rules.
        lists: Each party's records, by code; at least two parties.
        random: Gives random bytes.
        directory: An empty directory for the tokens, which the caller deletes.
        padding: The manifest's padding.
        minimum: The least certainty that is a hit.
        now: Seconds since 1970, for the window.
        frequency_limit: How many records of one list may share a value.
        chunk_elements: Elements of a chunk at most.
    """

    def __init__(  # noqa: PLR0913  # a round has these terms
        self,
        group: Group,
        table: RuleTable,
        lists: Mapping[str, Sequence[Record]],
        random: Callable[[int], bytes],
        directory: Path,
        *,
        padding: Padding = NO_PADDING,
        minimum: Level,
        now: int,
        frequency_limit: int = 8,
        chunk_elements: int = CHUNK_ELEMENTS,
    ) -> None:
        if len(lists) < 2:  # noqa: PLR2004  # a match needs two
            raise InputError("a round needs at least two parties", got=len(lists))
        self.group, self.table, self.random, self.directory, self.now = group, table, random, directory, now
        self.measured = Measurements()
        keys = {code: IdentityKey.generate(random) for code in sorted(lists)}
        self.matcher = Matcher(IdentityKey.generate(random))
        parties = {code: RegisteredParty(code, code, key.public) for code, key in keys.items()}
        self.registry = Registry(self.matcher.identity.public, parties)
        terms = Terms(table, padding, minimum, frequency_limit, chunk_elements)
        self.manifest = make_manifest(self.registry, terms, random(16).hex(), now)
        envelope = self.matcher.propose(self.manifest)
        self.round = Round.from_manifest(self.registry, group, envelope, sees_everything=True)
        self.seats = {
            code: Seat(
                Party(code, key, group), RecordList(lists[code]), lists[code],
                Round.from_manifest(self.registry, group, envelope),
            )
            for code, key in keys.items()
        }  # fmt: skip

    def run(self) -> list[RehearsedHit]:
        """Play the round from consent to close, and return the hits in the order of parties and records."""
        self.consent()
        for seat in self.seats.values():
            self.submit(seat)
        for seat in self.seats.values():
            self.evaluate(seat)
        for seat in self.seats.values():
            self.finalize(seat)
        hits = self.match()
        self.close()
        return hits

    def consent(self) -> None:
        """Let every party consent, then open the round (PROTOCOL.md 3.3)."""
        for seat in self.seats.values():
            seat.party.check_manifest(self.manifest, self.table, normalizer_reference())
            with self.measured.phase("consent", seat.code):
                seat.secrets, envelope = seat.party.consent(seat.round, seat.next_sequence(), (), self.random)
                self.publish(envelope)
        self.publish(self.matcher.open(self.round, self.now))
        for seat in self.seats.values():
            seat.party.check_opening(seat.round, seat.round.consent_digests[seat.code])

    def submit(self, seat: Seat) -> None:
        """Blind a party's list and sign its submission (PROTOCOL.md 3.4)."""
        seat.seed, seat.submission_id = SecretBytes(self.random(32)), self.random(16).hex()
        prepared = Preparation(self.group, self.manifest, seat.round.first_binding, self.table, seat.seed, seat.source)
        with self.measured.phase("normalize", seat.code):
            held_back = prepared.count_values()
        with self.measured.phase("blind", seat.code):
            runs = [prepared.batch(number, held_back) for number in range(prepared.batches)]
            for kind in InputClass:
                for rows in merge_runs([run[kind] for run in runs], self.manifest.chunk_elements):
                    reference, elements = chunk_reference(kind, rows)
                    seat.chunks.append((reference, rows, elements))
                    self.measured.elements[seat.code] += len(rows)
                    self.measured.bytes_sent[seat.code] += len(elements)
        names = {rule.number: rule.name for rule in self.table.rules}
        self.measured.held_back[seat.code] = {names[rule]: count for rule, count in held_back.by_rule.items()}
        references = [reference for reference, _, _ in seat.chunks]
        self.publish(
            seat.party.submit(
                seat.round, seat.next_sequence(), seat.submission_id, Kind.LIST, REHEARSED, prepared.records, references
            )
        )

    def evaluate(self, origin: Seat) -> None:
        """Let everyone else evaluate a party's chunks, and the party verify each answer (PROTOCOL.md 3.5, 3.6)."""
        for seat in self.seats.values():
            if seat is origin:
                continue
            for index, (_, _, elements) in enumerate(origin.chunks):
                self.evaluate_chunk(origin, seat, index, elements)

    def evaluate_chunk(self, origin: Seat, seat: Seat, index: int, elements: bytes) -> None:
        """Evaluate one chunk at a seat, send the answer, and verify it at its origin."""
        assert seat.secrets is not None
        with self.measured.phase("evaluate", seat.code):
            answer = seat.party.evaluate(
                seat.round, seat.secrets, seat.next_sequence(), origin.submission_id, index, elements, self.random(32)
            )
        self.measured.bytes_sent[seat.code] += len(answer.elements)
        self.publish(answer.envelope)
        with self.measured.phase("verify", origin.code):
            evaluation: Evaluation = origin.round.evaluations[origin.submission_id, index, seat.code]
            origin.party.check_evaluation(origin.round, evaluation, elements, answer.elements)
        origin.answers[index, seat.code] = answer.elements

    def finalize(self, seat: Seat) -> None:
        """Turn a party's evaluated chunks into tokens and send them (PROTOCOL.md 3.6)."""
        assert seat.secrets is not None
        assert seat.seed is not None
        with self.measured.phase("finalize", seat.code):
            for index, (reference, rows, _) in enumerate(seat.chunks):
                share = seat.secrets.shares[reference.input_class]
                answers = [seat.answers[index, code] for code in seat.round.evaluators_of(seat.submission_id)]
                seat.token_chunks.append(finalize_chunk(self.group, rows, seat.seed, share, answers).rows)
        chunks = [(len(c) // TOKEN_ROW_BYTES, hashlib.sha256(c).hexdigest()) for c in seat.token_chunks]
        self.measured.bytes_sent[seat.code] += sum(map(len, seat.token_chunks))
        self.publish(seat.party.tokens(seat.round, seat.next_sequence(), seat.submission_id, chunks))
        count = roles.TokenCount(self.table)
        for chunk in seat.token_chunks:
            count.add(chunk)
        count.check(self.round.submissions[seat.submission_id])

    def match(self) -> list[RehearsedHit]:
        """Join, grade and report, and let every party acknowledge its report (PROTOCOL.md 3.7)."""
        submissions = [seat.submission_id for seat in self.seats.values()]
        pairs = [(submissions.index(a), submissions.index(b)) for a, b in roles.lists_to_join(self.round)]
        with self.measured.phase("match", "matcher"), TokenTable(self.directory) as tokens:
            for number, seat in enumerate(self.seats.values()):
                for chunk in seat.token_chunks:
                    tokens.add(number, chunk)
            tokens.join(pairs, self.manifest.frequency_limit)
            shares = roles.learn_bases(self.round, self.table, submissions, tokens.patterns())
            graded = list(roles.grade_pairs(self.round, self.table, submissions, shares, tokens.pairs()))
            reports = roles.make_reports(self.round, submissions, shares, graded, None, self.random)
        for report in reports:
            self.publish(self.matcher.report(report))
            seat = self.seats[report.party]
            seat.report = report
            self.publish(seat.party.receipt(seat.round, seat.next_sequence(), None, len(report.hits)))
        return self._with_record_ids(graded)

    def close(self) -> None:
        """End the round and destroy every secret (PROTOCOL.md 3.9)."""
        self.publish(self.matcher.end(self.round, Outcome.CLOSED, "every party has its hits"))
        for seat in self.seats.values():
            if seat.secrets is not None:
                seat.secrets.close()
            if seat.seed is not None:
                seat.seed.close()
            hits = len(seat.report.hits) if seat.report else 0
            self.publish(seat.party.close(seat.round, seat.next_sequence(), hits))

    def publish(self, envelope: bytes) -> None:
        """Give a statement to the matcher and, once it counts there, to every party."""
        self.round.accept(envelope, now=self.now)
        for seat in self.seats.values():
            seat.round.accept(envelope)

    def _with_record_ids(self, graded: Sequence[roles.GradedPair]) -> list[RehearsedHit]:
        seats = list(self.seats.values())
        ids = [_handles(seat) for seat in seats]
        hits = [
            RehearsedHit(
                seats[pair.left].code, ids[pair.left][pair.left_handle],
                seats[pair.right].code, ids[pair.right][pair.right_handle],
                level, result.probability, result.rules,
            )
            for pair, level, result in graded
        ]  # fmt: skip
        return sorted(hits)


def _handles(seat: Seat) -> dict[bytes, str]:
    assert seat.seed is not None
    return {handle_of(seat.seed, position): record.record_id for position, record in enumerate(seat.records)}


REHEARSED = Justification(
    legal_basis="rehearsal", purpose="rehearsal", case_reference="rehearsal", category="rehearsal", officer="rehearsal"
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a round's manifest fixes besides its parties."""

    table: RuleTable
    padding: Padding
    minimum: Level
    frequency_limit: int
    chunk_elements: int


def normalizer_reference() -> tuple[str, str]:
    """Return this release's normalizer as a manifest names it: version and conformance digest."""
    return f"normalizer {NORMALIZER_VERSION}", normalizer_digest()


def make_manifest(registry: Registry, terms: Terms, round_id: str, now: int) -> Manifest:
    """Return the manifest of a round among all parties of a registry, everyone with everyone, without caps."""
    codes = sorted(registry.parties)
    version, conformance = normalizer_reference()
    return Manifest(
        protocol="aquila/1",
        round_id=round_id,
        mode=Mode.LISTS,
        area="rehearsal",
        legal_basis="rehearsal",
        purpose="rehearsal",
        category="rehearsal",
        participants=tuple(
            Participant(party=code, identity_fingerprint=registry.parties[code].key.fingerprint) for code in codes
        ),
        pairs=tuple((a, b) for a in codes for b in codes if a < b),
        rules=TableReference(name=terms.table.name, digest=terms.table.digest),
        normalizer=TableReference(name=version, digest=conformance),
        caps=tuple(
            PartyCap(party=code, elements=ClassCounts(full=_LARGEST_CAP, partial=_LARGEST_CAP)) for code in codes
        ),
        window=Window(consent_by=now, submit_by=now, evaluate_by=now, closes_at=now),
        chunk_elements=terms.chunk_elements,
        padding=terms.padding,
        minimum_certainty=terms.minimum,
        frequency_limit=terms.frequency_limit,
        retention_days=1,
    )
