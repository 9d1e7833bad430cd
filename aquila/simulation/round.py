"""The rehearsed round itself, step by step as PROTOCOL.md section 3 has them.

Lists, batches and chunks stream through an executor, a bounded number of them at a time; what is signed and accepted
is signed and accepted here, in order. What is large lies in files (`aquila.simulation.scratch_files`).
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import cast

import numpy as np

from aquila.crypto.backend import Backend
from aquila.crypto.group import ELEMENT_BYTES, Group
from aquila.crypto.keys import IdentityKey, SecretBytes
from aquila.errors import InputError
from aquila.executors import InProcess
from aquila.matching.certainty import Level
from aquila.matching.join import TOKEN_ROW_BYTES, TokenTable
from aquila.protocol import matcher as roles
from aquila.protocol.matcher import Matcher
from aquila.protocol.messages import (
    MAX_NOTES,
    MOST_HITS_OF_A_PAGE,
    CheckFault,
    Fault,
    HitReport,
    Kind,
    LogHead,
    Mode,
    Notes,
    Outcome,
    Padding,
    TokenColumn,
)
from aquila.protocol.messages.base import LEAST_PARTIES
from aquila.protocol.party import Party
from aquila.protocol.registry import RegisteredParty, Registry
from aquila.protocol.rounds.hit_columns import HitBatch
from aquila.protocol.rounds.round_state import EvaluationKey, ReportKey
from aquila.protocol.rounds.verified_round import AcceptedStatement, Round, read_statement
from aquila.protocol.shadow.checks import ToldPairs, check_pair, own_side
from aquila.protocol.shadow.columns import make_column
from aquila.protocol.shadow.meeting import sets_between
from aquila.protocol.shadow.strangers import count_strangers
from aquila.protocol.shadow.token_rows import RecordRows
from aquila.protocol.submissions.submission import ROW
from aquila.protocol.submissions.tasks import VerifyTask
from aquila.records.conformance import normalizer_reference
from aquila.records.rules import RuleTable
from aquila.simulation.list_passes import blind_lists, read_lists
from aquila.simulation.manifest import CHUNK_ELEMENTS, NO_PADDING, REHEARSED, Terms, make_manifest
from aquila.simulation.metrics import Measurements, TaskRunner, Watch, without_measurement
from aquila.simulation.notes import WaitingBatches, open_notes, seal_notes, sealings_of, verify_notes
from aquila.simulation.party_state import RehearsedHit, SimulatedParty, ToldReport, WaitingOpenings
from aquila.simulation.scratch_files import (
    Spool,
    StoredEvaluateTask,
    StoredFinalizeTask,
    evaluate_stored,
    finalize_stored,
)
from aquila.simulation.sources import ListFile

NO_LOG = LogHead(size=1, root="0" * 64)
"""What statements name as the newest checkpoint of the matcher's log: a rehearsed round has no log."""

_NAMED_AT_ONCE = 100_000
_BATCHES_AHEAD = 64  # of half a megabyte: work for the time in which the next report is made


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """A party's evaluation of one chunk of another's list, on its way."""

    origin: SimulatedParty
    """Whose chunk it is."""
    index: int
    """The chunk's place in the submission."""
    node: SimulatedParty
    """Who evaluates it."""

    @property
    def place(self) -> tuple[str, int]:
        """The chunk: its submission and its place there."""
        return self.origin.submission_id, self.index

    @property
    def chunk(self) -> Path:
        """Return the path of the chunk."""
        return self.origin.chunks.path(self.index)

    @property
    def path(self) -> Path:
        """Return the path of the evaluated elements, once they are there."""
        return self.origin.chunks.answer(self.index, self.node.code)

    @property
    def elements(self) -> bytes:
        """The evaluated elements."""
        return self.path.read_bytes()


class Rehearsal:
    """One round of several parties' lists.

    Args:
        group: The group backend; tasks use one of the same name in their processes.
        table: The match rules.
        lists: Each party's list by code; at least two parties.
        random: Gives random bytes.
        directory: An empty directory for what is too large for memory, which the caller deletes; every worker of the
            executor sees it.
        padding: The manifest's padding.
        minimum: The least certainty that is a hit.
        now: Seconds since 1970, for the window.
        frequency_limit: How many records of one list may share a value.
        chunk_elements: Elements of a chunk at most.
        most_hits: Hits of a page of a report at most.
        most_notes: Notes of a batch at most.
        watch: Is told how far each phase of each party is.
        executor: Where the tasks are done; by default in this process.
        workers: How many tasks it does at the same time.

    Raises:
        InputError: Fewer than two parties.
    """

    def __init__(  # noqa: PLR0913  # a round has these terms
        self,
        group: Group,
        table: RuleTable,
        lists: Mapping[str, ListFile],
        random: Callable[[int], bytes],
        directory: Path,
        *,
        padding: Padding = NO_PADDING,
        minimum: Level,
        now: int,
        frequency_limit: int = 8,
        chunk_elements: int = CHUNK_ELEMENTS,
        most_hits: int = MOST_HITS_OF_A_PAGE,
        most_notes: int = MAX_NOTES,
        watch: Watch = without_measurement,
        executor: Executor | None = None,
        workers: int = 1,
    ) -> None:
        if len(lists) < LEAST_PARTIES:
            raise InputError("simulated_parties_too_few", got=len(lists))
        self.group, self.table, self.random, self.directory, self.now = group, table, random, directory, now
        self._most_hits, self._most_notes = most_hits, most_notes
        self.measured = Measurements(watch=watch)
        self.refuted: dict[str, Fault] = {}
        self.checked: dict[tuple[str, str], CheckFault | None] = {}
        self.executor = executor or InProcess()
        self.workshop = TaskRunner(self.executor, workers, cast("Backend", group.name), self.measured)
        keys = {code: IdentityKey.generate(random) for code in sorted(lists)}
        self.matcher = Matcher(IdentityKey.generate(random))
        parties = {code: RegisteredParty(code, code, key.public) for code, key in keys.items()}
        self.registry = Registry(self.matcher.identity.public, parties)
        terms = Terms(table, padding, minimum, frequency_limit, chunk_elements)
        self.manifest = make_manifest(self.registry, terms, random(16).hex(), now)
        envelope = self.matcher.propose(self.manifest)
        self.round = Round.from_manifest(self.registry, group, envelope, sees_everything=True)
        self.nodes = {
            code: SimulatedParty(
                Party(code, key, group, lambda: NO_LOG),
                lists[code],
                Round.from_manifest(self.registry, group, envelope),
                directory / code,
            )
            for code, key in keys.items()
        }

    def run(self) -> list[RehearsedHit]:
        """Play the round from consent to close, and return the hits in the order of parties and records."""
        nodes = list(self.nodes.values())
        self.consent()
        self.lock()
        self.submit_lists(nodes)
        (self.directory / "tokens").mkdir()
        with TokenTable(self.directory / "tokens") as tokens:
            chunks = ((node, index) for node in nodes for index in range(len(node.chunks)))
            answers = self.evaluate_chunks(chunks, nodes)
            lists = roles.lists_to_join(self.round)
            columns = roles.columns_of(self.round, lists)
            for node, index, counterparts in self.finalize_chunks(answers):
                node.chunks.delete(index)
                if index + 1 < len(node.chunks):
                    continue
                for counterpart, rows in self.send_columns(node, counterparts):
                    with self.measured.phase("match", "matcher"):
                        tokens.add(columns.index((node.submission_id, counterpart)), rows)
            pairs, reports = self.grade_tokens(tokens, lists)
            for node in nodes:
                node.forget_columns()
        hits = self._with_record_ids(pairs, lists)
        self.exchange_notes(self.deliver(reports))
        self.close()
        return hits

    def consent(self) -> None:
        """Let every party consent, then open the round (PROTOCOL.md 3.3)."""
        for node in self.nodes.values():
            node.party.check_manifest(self.manifest, self.table, normalizer_reference())
            with self.measured.phase("consent", node.code):
                node.secrets, envelope = node.party.consent(node.round, node.next_sequence(), (), self.random)
                self.publish(envelope)
            self.measured.watch("consent", node.code, 1, 1)
        self.publish(self.matcher.open(self.round, self.now))
        for node in self.nodes.values():
            node.party.check_opening(node.round, node.round.consent_digests[node.code])

    def lock(self) -> None:
        """Let every party make its halves of the locks with the others (PROTOCOL.md 3.3.8)."""
        for node in self.nodes.values():
            assert node.secrets is not None
            with self.measured.phase("consent", node.code):
                self.publish(node.party.locks(node.round, node.next_sequence(), node.secrets))

    def submit_lists(self, nodes: Sequence[SimulatedParty], kind: Kind = Kind.LIST) -> None:
        """Read and blind the lists of some parties, and sign each submission (PROTOCOL.md 3.4)."""
        for node in nodes:
            node.seed, node.submission_id = SecretBytes(self.random(32)), self.random(16).hex()
        # All lists are read before the first is blinded: what is wrong with the last one is told early.
        planned = list(read_lists(self.workshop, self.manifest, self.table, nodes))
        for node in blind_lists(self.workshop, self.manifest, planned):
            assert node.plan is not None
            assert node.seed is not None
            names = {rule.number: rule.name for rule in self.table.rules}
            self.measured.held_back[node.code] = {names[n]: count for n, count in sorted(node.plan.held_back.items())}
            elements = sum(reference.elements for reference in node.chunks.references)
            self.measured.elements[node.code] += elements
            self.measured.bytes_sent[node.code] += elements * ELEMENT_BYTES
            terms = node.submission_id, kind, REHEARSED, node.plan.records, node.chunks.references
            self.publish(node.party.submit(node.round, node.next_sequence(), *terms))
            node.plan = None

    def evaluate_chunks(
        self, chunks: Iterable[tuple[SimulatedParty, int]], nodes: Sequence[SimulatedParty]
    ) -> Iterator[Answer]:
        """Let everyone else evaluate some chunks, and publish each statement (PROTOCOL.md 3.5).

        Args:
            chunks: Their origin and place.
            nodes: Who evaluates what others submit.
        """
        of = {
            node.code: sum(len(other.chunks) for other in nodes if _evaluates(node, other.submission_id))
            for node in nodes
        }
        works = self._evaluations(chunks, nodes)
        for answer, done in self.workshop.do("evaluate", lambda label: label.node.code, evaluate_stored, works):
            node, reference = answer.node, answer.origin.chunks.references[answer.index]
            with self.measured.phase("evaluate", node.code):
                signed = node.party.sign_evaluation(node.round, node.next_sequence(), *answer.place, done)
                self.publish(signed.envelope)
            self.measured.bytes_sent[node.code] += reference.elements * ELEMENT_BYTES
            node.evaluated += 1
            self.measured.watch("evaluate", node.code, node.evaluated, of[node.code])
            yield answer

    def _evaluations(
        self, chunks: Iterable[tuple[SimulatedParty, int]], nodes: Sequence[SimulatedParty]
    ) -> Iterator[tuple[Answer, StoredEvaluateTask]]:
        for origin, index in chunks:
            chunk = origin.chunks.elements(index)
            for node in nodes:
                if _evaluates(node, origin.submission_id):
                    assert node.secrets is not None
                    answer, fresh = Answer(origin, index, node), self.random(32)
                    work = node.party.to_evaluate(node.round, node.secrets, *answer.place, chunk, fresh)
                    yield answer, StoredEvaluateTask(replace(work, chunk=b""), answer.chunk, answer.path)

    def finalize_chunks(self, answers: Iterable[Answer]) -> Iterator[tuple[SimulatedParty, int, list[str]]]:
        """Verify evaluations, and turn chunks into tokens, which their origins keep (PROTOCOL.md 3.6).

        Args:
            answers: Of whole submissions, chunk by chunk; rows are made for each party whose answers there are.

        Yields:
            The origin of a chunk, its place, and for whom rows were made.
        """
        works = self._finalizations(answers)
        for (node, index), made in self.workshop.do("finalize", lambda label: label[0].code, finalize_stored, works):
            self.measured.move("finalize", "verify", node.code, made.verify_seconds, made.verify_group_seconds)
            evaluators = len(node.round.evaluators_of(node.submission_id))
            for counterpart, chunk in made.chunks.items():
                node.verified += 1
                self.measured.watch("verify", node.code, node.verified, len(node.chunks) * evaluators)
                node.keep_finalized(counterpart, chunk)
            self.measured.watch("finalize", node.code, index + 1, len(node.chunks))
            yield node, index, list(made.chunks)

    def send_columns(self, node: SimulatedParty, counterparts: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Put the rows of a party's columns in order, and sign for each; yield each chunk of rows and for whom it is.

        Args:
            node: Whose columns they are; all chunks of its submission are finalized.
            counterparts: For whom they are.
        """
        for counterpart in counterparts:
            count, sent = roles.TokenCount(self.table, self.round.submissions[node.submission_id]), []
            chunks = node.order_column(counterpart)
            while True:
                with self.measured.phase("finalize", node.code):
                    chunk = next(chunks, None)
                if chunk is None:
                    break
                count.add(chunk.rows)
                sent.append((len(chunk.rows) // TOKEN_ROW_BYTES, hashlib.sha256(chunk.rows).hexdigest()))
                self.measured.bytes_sent[node.code] += len(chunk.rows)
                yield counterpart, chunk.rows
            column = self._make_column(node, counterpart, count.counts, sent)
            self.publish(node.party.tokens(node.round, node.next_sequence(), node.submission_id, column))
            count.check(column)

    def _make_column(
        self, node: SimulatedParty, counterpart: str, rules: Mapping[int, int], chunks: Sequence[tuple[int, str]]
    ) -> TokenColumn:
        """Make a list's shadow column for a counterpart, and return what its statement says (PROTOCOL.md 3.7.12)."""
        with self.measured.phase("shadow", node.code), node.pair_key(counterpart) as key:
            rows = RecordRows(chunk.rows for chunk in node.finalized(counterpart))
            sets = sets_between(node.round, self.table, node.code, counterpart)
            takes_queries = self.manifest.mode is Mode.LISTS_AND_QUERIES
            column = make_column(key, rows, sets, counterpart if takes_queries else None)
            node.columns[counterpart] = Spool(node.directory / f"column-{counterpart}")
            for piece in column.pieces():
                node.columns[counterpart].append(piece)
                self.measured.bytes_sent[node.code] += len(piece)
            return column.statement(counterpart, key, rules, chunks)

    def _finalizations(
        self, answers: Iterable[Answer]
    ) -> Iterator[tuple[tuple[SimulatedParty, int], StoredFinalizeTask]]:
        for _, of_chunk in groupby(answers, key=lambda answer: answer.place):
            gathered = list(of_chunk)
            origin, index = gathered[0].origin, gathered[0].index
            assert origin.secrets is not None
            assert origin.seed is not None
            verified = dict.fromkeys((answer.node.code for answer in gathered), b"")
            terms = origin.secrets, origin.seed, origin.submission_id, index, np.zeros(0, dtype=ROW), verified
            work = origin.party.to_finalize(origin.round, *terms)
            paths = tuple(answer.path for answer in gathered)
            yield (origin, index), StoredFinalizeTask(work, gathered[0].chunk, paths, tuple(map(_to_verify, gathered)))

    def grade_tokens(
        self, tokens: TokenTable, submissions: list[str]
    ) -> tuple[list[roles.GradedPair], Iterator[HitReport]]:
        """Join and grade (PROTOCOL.md 3.7.1 to 3.7.3).

        Args:
            tokens: What parties sent, under the numbers of `columns_of`.
            submissions: The lists, the two of each pair one after the other.

        Returns:
            The pairs that are hits, and the reports, each made when it is asked for.
        """
        with self.measured.phase("match", "matcher"):
            graded, positions = roles.find_pairs(
                self.round,
                self.table,
                submissions,
                tokens,
                lambda submission, party: self.nodes[self.round.submissions[submission].party].column_for(party),
                executor=self.executor,
            )
            terms = self.round, submissions, graded, positions, None, self.random
            reports = roles.make_reports(*terms, most_hits=self._most_hits)
        self.measured.look_at_disk(self.directory)
        self.measured.watch("match", "matcher", 1, 1)
        return graded.pairs, reports

    def deliver(self, reports: Iterable[HitReport]) -> Iterator[tuple[SimulatedParty, ToldReport]]:
        """Report to every party, and at last let it check and acknowledge its reports (PROTOCOL.md 3.7.3 and 3.7.4).

        Args:
            reports: The reports, or their pages in their order.

        Yields:
            Each party with a report as soon as it has all of it.
        """
        told = dict[str, list[str]]()
        for node, report in self.tell_lists(reports):
            told.setdefault(node.code, []).append(report.terms.counterpart)
            yield node, report
        self.acknowledge(told)

    def tell_lists(self, reports: Iterable[HitReport]) -> Iterator[tuple[SimulatedParty, ToldReport]]:
        """Report to every party; as `deliver`. As in a real round, no other party is shown a report."""
        for report in reports:
            node = self.nodes[report.party]
            node.party.check_report(report, self.table)
            self.publish(self.matcher.report(report), only={report.party})
            node.take_report(report, self._most_notes)
            if report.is_complete:
                yield node, node.told[report.counterpart]

    def acknowledge(self, told: Mapping[str, Iterable[str]]) -> None:
        """Let parties check and acknowledge their reports.

        Args:
            told: By party the counterparts of the reports.
        """
        for code, counterparts in sorted(told.items()):
            with self.measured.phase("check", code):
                self._check(self.nodes[code], sorted(counterparts))
        for code, counterparts in sorted(told.items()):
            node = self.nodes[code]
            for counterpart in sorted(counterparts):
                receipt = node.party.receipt(node.round, node.next_sequence(), counterpart)
                self.publish(receipt, only={code})

    def exchange_notes(self, reported: Iterable[tuple[SimulatedParty, ToldReport]] | None = None) -> None:
        """Let every party seal a note for each of its hits, and verify the notes of the others (PROTOCOL.md 3.7.5 ff.).

        What does not hold is in `refuted`, by hit id; of every other hit both sides know that the other holds the same.

        Args:
            reported: The reports in the order in which they come; by default all of them have. Two parties exchange
                their notes while others wait for their reports.
        """
        self._verify(self._arriving(_told(self.nodes.values()) if reported is None else reported))
        for code in self.nodes:
            self.measured.watch("exchange", code, 1, 1)

    def verify(self, *sent: AcceptedStatement) -> None:
        """Let the receivers of batches of notes verify and confirm them."""
        self._verify(sent)

    def _arriving(self, told: Iterable[tuple[SimulatedParty, ToldReport]]) -> Iterator[AcceptedStatement]:
        """Let parties send their notes, and yield each batch as soon as it can be verified."""
        arrivals = WaitingBatches()
        for batch, accepted in self._sent(told):
            notes = cast("Notes", accepted.message)
            yield from arrivals.put(notes.party, notes.to, batch, accepted)
        yield from arrivals.rest()

    def _sent(self, told: Iterable[tuple[SimulatedParty, ToldReport]]) -> Iterator[tuple[HitBatch, AcceptedStatement]]:
        """Let parties seal and send the notes on their reports, and forget the token secrets that these need."""
        works = sealings_of(told, self.table, self.random)
        done = self.workshop.do("exchange", lambda label: label[0].code, seal_notes, works, ahead=_BATCHES_AHEAD)
        senders = dict[tuple[str, str], SimulatedParty]()
        for (node, report, batch), sealed in done:
            with self.measured.phase("exchange", node.code):
                counterpart = report.terms.counterpart
                node.openings.setdefault(counterpart, []).append(WaitingOpenings(sealed.openings))
                terms = counterpart, None, batch.index, sealed.entries
                envelope = node.party.notes(node.round, node.next_sequence(), *terms)
                accepted = self.publish(envelope, only={node.code, counterpart})
            senders[node.code, counterpart] = node
            yield batch, accepted
        for (_, counterpart), node in senders.items():
            node.forget_tokens(counterpart)

    def _verify(self, sent: Iterable[AcceptedStatement]) -> None:
        every = ((accepted.digest, cast("Notes", accepted.message)) for accepted in sent)
        works = (((digest, notes), open_notes(self.nodes[notes.to], notes)) for digest, notes in every)
        for (digest, notes), refuted in self.workshop.do("exchange", lambda label: label[1].to, verify_notes, works):
            node = self.nodes[notes.to]
            with self.measured.phase("exchange", node.code):
                self.refuted |= refuted
                confirmation = node.party.confirm(node.round, node.next_sequence(), notes, digest, refuted)
                self.publish(confirmation, only={node.code, notes.party})

    def _check(self, node: SimulatedParty, counterparts: Sequence[str]) -> None:
        """Let a party check that its reports leave nothing out, and say what it found (PROTOCOL.md 3.7.13)."""

        @cache
        def strangers() -> Mapping[int, int]:
            """Count how the own records meet one another, which is so in every column."""
            rows = RecordRows(chunk.rows for chunk in node.finalized(counterparts[0]))
            return count_strangers(rows.numbers, self.manifest.frequency_limit)

        for counterpart in counterparts:
            told = ToldPairs.of(node.told[counterpart].parts())
            rows = RecordRows(chunk.rows for chunk in node.finalized(counterpart))
            side = own_side(node.round, self.table, rows, node.code, counterpart)
            with node.pair_key(counterpart) as key:
                fault = check_pair(key, side, told, strangers)
            self.checked[node.code, counterpart] = fault
            self.publish(said_of(node, ReportKey(node.code, counterpart, None), told, fault))

    def close(self) -> None:
        """End the round and destroy every secret (PROTOCOL.md 3.9)."""
        self.publish(self.matcher.end(self.round, Outcome.CLOSED, "every party has its hits", self.now))
        for node in self.nodes.values():
            assert node.secrets is not None
            assert node.seed is not None
            node.secrets.close()
            node.seed.close()
            self.publish(node.party.close(node.round, node.next_sequence(), node.hits))

    def publish(self, envelope: bytes, only: Collection[str] | None = None) -> AcceptedStatement:
        """Give a statement to the matcher and, once it counts there, to every party or only to some.

        All of them pin the same keys, so that its signature is verified and its bytes are read once for all.
        """
        read = read_statement(self.registry, envelope)
        accepted = self.round.accept_read(read, now=self.now)
        for node in self.nodes.values():
            if only is None or node.code in only:
                node.round.accept_read(read)
        return accepted

    def _with_record_ids(self, graded: Sequence[roles.GradedPair], submissions: list[str]) -> list[RehearsedHit]:
        """Name the records of pairs, whose list numbers are those of `columns_of`."""
        of_columns = roles.columns_of(self.round, submissions)
        columns = [(self.nodes[self.round.submissions[one].party], party) for one, party in of_columns]
        hits: list[RehearsedHit] = []
        for first in range(0, len(graded), _NAMED_AT_ONCE):
            some = graded[first : first + _NAMED_AT_ONCE]
            handles: list[set[bytes]] = [set() for _ in columns]
            for pair, *_ in some:
                handles[pair.left].add(pair.left_handle)
                handles[pair.right].add(pair.right_handle)
            ids = [node.record_ids_of(met, party) for (node, party), met in zip(columns, handles, strict=True)]
            hits += (
                RehearsedHit(
                    columns[pair.left][0].code,
                    ids[pair.left][pair.left_handle],
                    columns[pair.right][0].code,
                    ids[pair.right][pair.right_handle],
                    level,
                    result.probability,
                    result.rules,
                )
                for pair, level, result, _second in some
            )
        return sorted(hits)


def said_of(node: SimulatedParty, report: ReportKey, told: ToldPairs, fault: CheckFault | None) -> bytes:
    """Let a party sign what it found when it checked a report."""
    met = told.met.digest if told.met else None
    return node.party.checked(node.round, node.next_sequence(), report, met=met, below=told.below, fault=fault)


def _told(nodes: Iterable[SimulatedParty]) -> Iterator[tuple[SimulatedParty, ToldReport]]:
    return ((node, report) for node in nodes for _, report in sorted(node.told.items()))


def _evaluates(node: SimulatedParty, submission: str) -> bool:
    """Return whether a party evaluates a submission."""
    return node.code in node.round.evaluators_of(submission)


def _to_verify(answer: Answer) -> VerifyTask:
    """Return the work of verifying an answer, without its elements."""
    origin = answer.origin
    evaluation = origin.round.evaluations[EvaluationKey(*answer.place, answer.node.code)]
    return replace(origin.party.to_verify(origin.round, evaluation, answer.elements), elements=b"")
