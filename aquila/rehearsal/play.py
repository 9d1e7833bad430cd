"""The rehearsed round itself, step by step as PROTOCOL.md section 3 has them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from aquila.crypto.keys import IdentityKey, SecretBytes
from aquila.errors import InputError
from aquila.matching.join import TOKEN_ROW_BYTES, TokenTable
from aquila.protocol import matcher as roles
from aquila.protocol.matcher import Matcher
from aquila.protocol.messages import Kind, Outcome, Padding
from aquila.protocol.party import Party
from aquila.protocol.preparation import Preparation
from aquila.protocol.registry import RegisteredParty, Registry
from aquila.protocol.rounds import Round
from aquila.protocol.submission import chunk_reference, finalize_chunk, merge_runs
from aquila.records.rules import InputClass
from aquila.rehearsal.seats import Measurements, RecordList, RehearsedHit, Seat, unwatched
from aquila.rehearsal.terms import (
    CHUNK_ELEMENTS,
    NO_PADDING,
    REHEARSED,
    Terms,
    make_manifest,
    normalizer_reference,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from aquila.crypto.group import Group
    from aquila.matching.certainty import Level
    from aquila.protocol.messages import Evaluation
    from aquila.records.person import Record
    from aquila.records.rules import RuleTable
    from aquila.rehearsal.seats import Watch


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
        watch: Is told how far each phase of each party is.

    Raises:
        InputError: Fewer than two parties.
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
        watch: Watch = unwatched,
    ) -> None:
        if len(lists) < 2:  # noqa: PLR2004  # a match needs two
            raise InputError("a round needs at least two parties", got=len(lists))
        self.group, self.table, self.random, self.directory, self.now = group, table, random, directory, now
        self.measured = Measurements(watch=watch)
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
            self.measured.watch("consent", seat.code, 1, 1)
        self.publish(self.matcher.open(self.round, self.now))
        for seat in self.seats.values():
            seat.party.check_opening(seat.round, seat.round.consent_digests[seat.code])

    def submit(self, seat: Seat) -> None:
        """Blind a party's list and sign its submission (PROTOCOL.md 3.4)."""
        seat.seed, seat.submission_id = SecretBytes(self.random(32)), self.random(16).hex()
        prepared = Preparation(self.group, self.manifest, seat.round.first_binding, self.table, seat.seed, seat.source)
        with self.measured.phase("normalize", seat.code):
            held_back = prepared.count_values()
        self.measured.watch("normalize", seat.code, 1, 1)
        with self.measured.phase("blind", seat.code):
            runs = []
            for number in range(prepared.batches):
                runs.append(prepared.batch(number, held_back))
                self.measured.watch("blind", seat.code, number + 1, prepared.batches)
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
        seat.evaluated += 1
        others = sum(len(other.chunks) for other in self.seats.values() if other is not seat)
        self.measured.watch("evaluate", seat.code, seat.evaluated, others)
        self.measured.watch("verify", origin.code, len(origin.answers), len(origin.chunks) * (len(self.seats) - 1))

    def finalize(self, seat: Seat) -> None:
        """Turn a party's evaluated chunks into tokens and send them (PROTOCOL.md 3.6)."""
        assert seat.secrets is not None
        assert seat.seed is not None
        with self.measured.phase("finalize", seat.code):
            for index, (reference, rows, _) in enumerate(seat.chunks):
                share = seat.secrets.shares[reference.input_class]
                answers = [seat.answers[index, code] for code in seat.round.evaluators_of(seat.submission_id)]
                seat.token_chunks.append(finalize_chunk(self.group, rows, seat.seed, share, answers).rows)
                self.measured.watch("finalize", seat.code, index + 1, len(seat.chunks))
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
        self.measured.watch("match", "matcher", 1, 1)
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
            assert seat.secrets is not None
            assert seat.seed is not None
            assert seat.report is not None
            seat.secrets.close()
            seat.seed.close()
            self.publish(seat.party.close(seat.round, seat.next_sequence(), len(seat.report.hits)))

    def publish(self, envelope: bytes) -> None:
        """Give a statement to the matcher and, once it counts there, to every party."""
        self.round.accept(envelope, now=self.now)
        for seat in self.seats.values():
            seat.round.accept(envelope)

    def _with_record_ids(self, graded: Sequence[roles.GradedPair]) -> list[RehearsedHit]:
        seats = list(self.seats.values())
        ids = [seat.handles() for seat in seats]
        hits = [
            RehearsedHit(
                seats[pair.left].code, ids[pair.left][pair.left_handle],
                seats[pair.right].code, ids[pair.right][pair.right_handle],
                level, result.probability, result.rules,
            )
            for pair, level, result in graded
        ]  # fmt: skip
        return sorted(hits)
