"""The world of the protocol's tests: a rehearsal whose actors can be made to lie or late.

Everything is as in `aquila.simulation` but the manifest's terms, which a test sets, and what a test signs in an
actor's name. Lists are a few invented persons, chunks a few elements, so that a whole round takes milliseconds.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import numpy as np
import pytest

from aquila.crypto import oprf
from aquila.crypto.dleq import prove_chunk
from aquila.crypto.envelope import sign_envelope
from aquila.crypto.group import Group
from aquila.crypto.keys import SealingKey, SecretBytes
from aquila.crypto.shares import Share, prove_knowledge
from aquila.errors import AquilaError
from aquila.matching.certainty import Grade, Level, grade_on
from aquila.matching.join import TokenTable
from aquila.matching.list_rows import ReadRows
from aquila.protocol import matcher as roles
from aquila.protocol.messages import (
    BoundStatement,
    CheckFault,
    Consent,
    Evaluation,
    Hit,
    HitReport,
    Kind,
    Manifest,
    Message,
    Outcome,
    SharePublic,
    Statement,
    TokenColumn,
    Window,
)
from aquila.protocol.party import EvaluatedChunk, Party, RoundSecrets, proof_context
from aquila.protocol.registry import MATCHER
from aquila.protocol.rounds import exchange
from aquila.protocol.rounds import rules as round_rules
from aquila.protocol.rounds.round_state import ReportKey, RoundState
from aquila.protocol.rounds.verified_round import AcceptedStatement, Round
from aquila.protocol.shadow.checks import ToldPairs
from aquila.protocol.shadow.columns import Column
from aquila.protocol.shadow.meeting import ColumnTerms, have_one_key, left_out_before, sets_between
from aquila.protocol.shadow.queries import (
    AskedRows,
    asked_pair,
    asked_rows,
    check_query,
    make_query_column,
    query_number,
    told_rows,
)
from aquila.protocol.shadow.token_rows import TokenRows
from aquila.protocol.submission_plan import SubmissionPlan, plan_submission
from aquila.protocol.submissions import tasks
from aquila.records.person import PartialDate, Record
from aquila.records.rules import InputClass, RuleTable, load_rules, mask_of, parse_rules
from aquila.simulation import Rehearsal, RehearsedHit, SimulatedParty
from aquila.simulation.party_state import ToldReport
from aquila.simulation.round import NO_LOG, Answer, said_of
from aquila.simulation.scratch_files import Spool
from tests.support.evaluations import evaluate
from tests.support.record_lists import RecordList, in_memory

MessageT = TypeVar("MessageT", bound=Message)

NOW = 1_800_000_000
WINDOW = Window(consent_by=NOW, submit_by=NOW + 100, evaluate_by=NOW + 200, closes_at=NOW + 300)
FULL, PARTIAL = 0, 2
"""Chunks of the list of SI: its first of the class full, and its first of the class partial."""

BOTH_CLASSES = parse_rules(
    """
name = "both classes"
version = 1
expected_share = 0.5
[families]
names = "names"
date = "date of birth"
[parts."all names"]
reads = "all:folded"
family = "names"
bits = 12.0
sentence = "all names agree"
[parts."date"]
reads = "birth:full"
family = "date"
bits = 14.0
sentence = "the date of birth agrees"
[parts."month"]
reads = "birth:year-month"
family = "date"
bits = 5.0
sentence = "year and month of birth agree"
[[rules]]
number = 1
name = "names and date"
input_class = "full"
parts = ["all names", "date"]
sentence = "Names and date agree."
[[rules]]
number = 2
name = "names and month"
input_class = "partial"
parts = ["all names", "month"]
sentence = "Names, year and month agree."
"""
)


def person(record_id: str, given: str, family: str, born: str, **more: Any) -> Record:
    """Return a record with names and a date of birth."""
    return Record(record_id, (given,), (family,), date_of_birth=PartialDate.parse(born), **more)


LISTS: Mapping[str, Sequence[Record]] = {
    "AL": (
        person("al-1", "Besnik", "Hoxha", "1979-05-06"),
        person("al-2", "Арбен", "Красничи", "1988-11-30"),
        person("al-3", "Drita", "Shehu", "1991-01-17"),
    ),
    "RS": (
        person("rs-1", "Ана", "Новак", "1980-03-04"),
        person("rs-2", "Милош", "Јовановић", "1975-12-24"),
        person("rs-3", "Besnik", "Hoxha", "1979-05-06"),
        person("rs-4", "Goran", "Petrović", "1969-08-08"),
    ),
    "SI": (
        person("si-1", "Ana", "Novak", "1980-03-04"),
        person("si-2", "Miloš", "Jovanović", "1975-12-24"),
        person("si-3", "Peter", "Zupan", "1966-02-03"),
        person("si-4", "Besnik", "Hoxha", "1979-05-06"),
        person("si-5", "Irena", "Kos", "1993-07-21"),
    ),
}
"""Three lists: two persons are known to SI and RS, one to all three."""

EXPECTED = {
    ("AL", "al-1", "RS", "rs-3"),
    ("AL", "al-1", "SI", "si-4"),
    ("RS", "rs-1", "SI", "si-1"),
    ("RS", "rs-2", "SI", "si-2"),
    ("RS", "rs-3", "SI", "si-4"),
}
"""The pairs that are hits among `LISTS`."""


def blinded(
    group: Group,
    manifest: Manifest,
    table: RuleTable,
    seed: SecretBytes,
    *batches: Sequence[Record],
    binding: bytes = bytes(32),
    submission: str = "00" * 16,
) -> tuple[SubmissionPlan, dict[InputClass, list[np.ndarray]]]:
    """Take a list in some batches through both passes; return the plan and the runs of each class."""
    digested = [tasks.digest_records(binding, table, batch) for batch in batches]
    plan = plan_submission(manifest, table, [batch.outline() for batch in digested])
    made: list[tasks.DigestedBatch | None] = [*digested, *[None] * (plan.batches - len(digested))]
    runs = [tasks.blind_batch(group, plan.batch(number, seed, submission, batch)) for number, batch in enumerate(made)]
    return plan, {kind: [run[kind] for run in runs] for kind in InputClass}


def verified(party: Party, round_: Round, evaluation: Evaluation, chunk: bytes, elements: bytes) -> None:
    """Let a party verify an evaluation of one of its chunks; raises as `Party.to_verify` and `tasks.verify_answers`."""
    tasks.verify_answers(party.group, chunk, [party.to_verify(round_, evaluation, elements)])


def regrade(round_: RoundState, table: RuleTable, report: HitReport, hit: Hit, rules: Iterable[int]) -> Grade:
    """Grade a hit by rules that are confirmed, on what its report says of the lists (PROTOCOL.md 3.7.8).

    Raises:
        InputError: No rule, or an unknown one.
    """
    basis = exchange.grading_basis_on(report, exchange.signed_sizes(round_, report))
    return grade_on(table, mask_of(rules), basis, second=hit.second)


class StagedRound(Rehearsal):
    """A rehearsal that a test directs.

    Args:
        group: The group backend.
        directory: Where the round makes a directory of its own.
        lists: Each party's records.
        rules: A table, a built-in one's name, or `both` for a table with one rule in each of two classes.
        seed: Of the generator that stands for everyone's randomness.
        changes: What the manifest says otherwise.
        more: Passed on to the rehearsal.
    """

    def __init__(
        self,
        group: Group,
        directory: Path,
        lists: Mapping[str, Sequence[Record]] = LISTS,
        *,
        rules: RuleTable | str = "both",
        seed: int = 2026,
        changes: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        directory /= f"round-{len(list(directory.iterdir()))}"
        directory.mkdir()
        named = {"both": BOTH_CLASSES}
        table = named.get(rules) or load_rules(rules) if isinstance(rules, str) else rules
        terms = {"minimum": Level.LOW, "now": NOW, "chunk_elements": 4} | more
        super().__init__(group, table, in_memory(lists), Random(seed).randbytes, directory, **terms)
        self.lists = lists
        self.envelopes: list[bytes] = []
        self.seen: dict[str, list[bytes]] = {code: [] for code in lists}
        self.answers: dict[tuple[str, int, str], Answer] = {}
        self.tokens: dict[tuple[str, str], list[bytes]] = {}
        self.tabled: dict[str, SimulatedParty] = {}
        self.alter: Callable[[Column], Column] = lambda column: column
        self.told_of: dict[ReportKey, ToldPairs] = {}
        self.query_faults: dict[ReportKey, CheckFault | None] = {}
        self.lie: Callable[[HitReport], HitReport] = lambda report: report
        self.restage({"window": WINDOW} | dict(changes or {}))

    def restage(self, changes: Mapping[str, Any]) -> None:
        """Begin again with another manifest; changes are Python values of its fields."""
        content = {name: getattr(self.manifest, name) for name in Manifest.model_fields}
        self.manifest = Manifest(**(content | dict(changes)))
        self.manifest_envelope = self.matcher.propose(self.manifest)
        self.forget()

    def forget(self) -> None:
        """Give everyone an empty record of the round."""
        self.round = self.new_record(sees_everything=True)
        for node in self.nodes.values():
            node.round = self.new_record()

    def new_record(self, *, sees_everything: bool = False) -> Round:
        """Return an empty record of the round."""
        return Round.from_manifest(self.registry, self.group, self.manifest_envelope, sees_everything=sees_everything)

    def publish(self, envelope: bytes, only: Collection[str] | None = None) -> AcceptedStatement:
        """As a rehearsal does, keeping what was published."""
        accepted = super().publish(envelope, only)
        self.envelopes.append(envelope)
        for code in self.nodes if only is None else only:
            self.seen[code].append(envelope)
        return accepted

    def send_notes(self, *nodes: SimulatedParty) -> list[AcceptedStatement]:
        """Let parties seal a note for each of their hits, and send them; return the statements."""
        told = ((node, report) for node in nodes for _, report in sorted(node.told.items()))
        return [accepted for _, accepted in self._sent(told)]

    def locked(self) -> StagedRound:
        """Play until the round is open and everyone has signed its Locks."""
        self.consent()
        self.lock()
        return self

    def submitted(self) -> StagedRound:
        """Play until every list is submitted."""
        self.locked()
        self.submit_lists(list(self.nodes.values()))
        return self

    def evaluated(self) -> StagedRound:
        """Play until every chunk of every list is evaluated."""
        self.submitted()
        self.evaluate_all()
        return self

    def finalized(self) -> StagedRound:
        """Play until every list's tokens are in."""
        self.evaluated()
        self.finalize_all()
        return self

    def reported(self) -> StagedRound:
        """Play until every party has its report."""
        self.finalized()
        self.match()
        return self

    def report(self, party: str, counterpart: str) -> HitReport:
        """Return a party's report of the lists with a counterpart."""
        return self.nodes[party].told[counterpart].whole

    def reports_to(self, party: str) -> list[HitReport]:
        """Return a party's reports of the lists."""
        return [report.whole for _, report in sorted(self.nodes[party].told.items())]

    def tell_lists(self, reports: Iterable[HitReport]) -> Iterator[tuple[SimulatedParty, ToldReport]]:
        """As a rehearsal does, with the matcher's lie about what it found."""
        for node, report in super().tell_lists(map(self.lie, reports)):
            self.told_of[ReportKey(node.code, report.terms.counterpart, None)] = ToldPairs.of(report.parts())
            yield node, report

    def answer_of(self, node: SimulatedParty, index: int, code: str) -> bytes:
        """Return what a party answered to a chunk of a node's submission."""
        return self.answers[node.submission_id, index, code].elements

    def submit(self, node: SimulatedParty) -> None:
        """Let one node submit its list."""
        self.submit_lists([node])

    def evaluate_all(self) -> None:
        """Let every node evaluate the lists of all with whom it may be compared."""
        for node in self.nodes.values():
            self.evaluate(node)

    def evaluate(self, origin: SimulatedParty) -> None:
        """Let every other node evaluate a list."""
        for index in range(len(origin.chunks)):
            self.evaluate_chunk(origin, index, *self.nodes.values())

    def evaluate_chunk(self, origin: SimulatedParty, index: int, *nodes: SimulatedParty) -> None:
        """Let some nodes evaluate a chunk, and its origin keep the answers, which are verified with the tokens."""
        for answer in self.evaluate_chunks([(origin, index)], nodes):
            self.answers[origin.submission_id, index, answer.node.code] = answer

    def finalize_all(self) -> None:
        """Let every node send its tokens."""
        for node in self.nodes.values():
            self.finalize(node)

    def finalize(self, origin: SimulatedParty, *counterparts: str) -> None:
        """Let a node make tokens of the answers of all counterparts to its submission, or of some, and send them."""
        evaluators = counterparts or origin.round.evaluators_of(origin.submission_id)
        places = [(i, code) for i in range(len(origin.chunks)) for code in evaluators]
        answers = [self.answers[origin.submission_id, *place] for place in places]
        deque(self.finalize_chunks(answers), maxlen=0)
        for code in evaluators:
            self.tokens[origin.submission_id, code] = []
        for code, rows in self.send_columns(origin, evaluators):
            self.tokens[origin.submission_id, code].append(rows)

    def table_of(self, submissions: Sequence[str]) -> TokenTable:
        """Return a table of the tokens of pairs of submissions."""
        directory = self.directory / f"tokens-{len(list(self.directory.iterdir()))}"
        directory.mkdir()
        table = TokenTable(directory)
        for number, column in enumerate(roles.columns_of(self.round, submissions)):
            for rows in self.tokens.get(column, ()):
                table.add(number, rows)
        return table

    def match(self) -> list[RehearsedHit]:
        """Match the tokens of all lists and report."""
        lists = roles.lists_to_join(self.round)
        pairs, reports = self.grade(lists)
        deque(self.deliver(reports), maxlen=0)
        return self._with_record_ids(pairs, lists)

    def match_pair(self, left: str, right: str) -> list[RehearsedHit]:
        """Match the tokens of two parties' lists, and report to both; who is there acknowledges."""
        lists = [self.round.list_of(party) or "" for party in (left, right)]
        pairs, reports = self.grade(lists)
        deque(self.tell_lists(reports), maxlen=0)
        return self._with_record_ids(pairs, lists)

    def grade(self, lists: list[str]) -> tuple[list[roles.GradedPair], Iterator[HitReport]]:
        """Join and grade the tokens of lists, the two of each pair one after the other."""
        with self.table_of(lists) as tokens:
            return self.grade_tokens(tokens, lists)

    def matched(self) -> set[tuple[str, str, str, str]]:
        """Match and return the pairs of records that are hits, without their grades."""
        return {hit[:4] for hit in self.match()}

    def abort(self) -> None:
        """Let the matcher abort the round."""
        self.publish(self.matcher.end(self.round, Outcome.ABORTED, "a party vanished", self.now))

    def signed(self, code: str, message: Message) -> bytes:
        """Return a message in an envelope of a party or of the matcher; a statement names a checkpoint of the log."""
        key = self.matcher.identity if code == MATCHER else self.nodes[code].party.identity
        if isinstance(message, Statement) and message.log_head is None:
            message = message.model_copy(update={"log_head": NO_LOG})
        return sign_envelope(message.payload_type, message.payload(), key)

    def statement(self, code: str, kind: type[Statement], **fields: Any) -> Statement:
        """Return a statement of a party, with its next number and the round's binding where nothing else is said."""
        common: dict[str, Any] = {"round_id": self.manifest.round_id, "party": code}
        if "sequence" not in fields:
            common["sequence"] = self.nodes[code].sequence + 1
        if issubclass(kind, BoundStatement) and "binding" not in fields:
            common["binding"] = self.round.binding
        return kind(**(common | fields))

    def changed(self, code: str, original: Message, **changes: Any) -> bytes:
        """Return a message with other contents under the party's next number, signed by the party."""
        content = {name: getattr(original, name) for name in type(original).model_fields}
        if "sequence" in content and "sequence" not in changes:
            changes["sequence"] = self.nodes[code].sequence + 1
        return self.signed(code, type(original)(**(content | changes)))

    def consent_with(self, code: str, *shares: Share, manifest_digest: str = "") -> bytes:
        """Return a party's consent that brings these shares, one for each class, rightly proved for a manifest."""
        named = manifest_digest or self.round.manifest_digest
        lock, sealing = SecretBytes(self.random(32)), SealingKey.generate(self.random)
        keys = [*(share.public_key.hex() for share in shares), sealing.public.hex()]
        public = []
        for kind, share in zip(InputClass, shares, strict=True):
            context = round_rules.knowledge_context(named, code, kind, keys)
            proof = prove_knowledge(self.group, share, context, self.random)
            public.append(SharePublic(input_class=kind, public_key=share.public_key.hex(), proof=proof.hex()))
        fields = {
            "elements": self.manifest.caps_of(code),
            "shares": tuple(public),
            "sealing_key": keys[-1],
            "earlier_rounds": (),
        }
        self.nodes[code].secrets = RoundSecrets(dict(zip(InputClass, shares, strict=True)), lock, sealing)
        return self.signed(code, self.statement(code, Consent, manifest_digest=named, **fields))

    def ask(self, code: str, records: Sequence[Record]) -> SimulatedParty:
        """Submit a query in a party's name; return a node that holds its chunks and evaluates nothing."""
        node = self.nodes[code]
        directory = self.directory / f"query-{len(list(self.directory.iterdir()))}"
        asker = SimulatedParty(
            node.party, RecordList(records), node.round, directory, node.secrets, sequence=node.sequence
        )
        self.submit_lists([asker], Kind.QUERY)
        node.sequence = asker.sequence
        return asker

    def _make_column(
        self, node: SimulatedParty, counterpart: str, rules: Mapping[int, int], chunks: Sequence[tuple[int, str]]
    ) -> TokenColumn:
        """As a rehearsal does, of queries too."""
        query = node.submission_id
        self.tabled[query] = node
        if node.round.submissions[query].kind is Kind.LIST:
            return super()._make_column(node, counterpart, rules, chunks)
        terms = ColumnTerms(
            sets_between(node.round, self.table, node.code, counterpart),
            frozenset(),
            left_out_before(node.round, query, counterpart),
        )
        with node.pair_key(counterpart) as key:
            number = query_number(node.round, query, counterpart)
            asked = self.asked_rows(query, counterpart)
            column = self.alter(make_query_column(key, asked, terms, node.code, number))
            told = column.statement(counterpart, key, rules, chunks)
        node.columns[counterpart] = Spool(node.directory / f"column-{counterpart}")
        for piece in column.pieces():
            node.columns[counterpart].append(piece)
        return told

    def rows_of(self, submission_id: str, counterpart: str) -> Callable[[], list[bytes]]:
        """Return a reader of the token rows of a submission for a counterpart."""
        return lambda: (
            self.tokens.get((submission_id, counterpart))
            or [one.rows for one in self.tabled[submission_id].finalized(counterpart)]
        )

    def asked_rows(self, query: str, counterpart: str) -> AskedRows:
        """Return the rows of a query for a counterpart, and what its asker sent that one before."""
        own, *before = map(
            ReadRows, (self.rows_of(one, counterpart) for one in (query, *self.round.sent_before(query, counterpart)))
        )
        return asked_rows(own, before)

    def reports_of(self, asker: SimulatedParty) -> list[HitReport]:
        """Match a query against the lists of its counterparts whose columns are there, but where its asker was told."""
        query = asker.submission_id
        known = {to for code, to, one in self.round.reports if (code, one) == (asker.code, query)}
        owners = [to for one, to in self.round.tokens if one == query and to not in known]
        submissions = [one for owner in owners for one in (query, self.round.list_of(owner) or "")]
        earlier = [
            [b"".join(self.rows_of(one, owner)()) for one in self.round.sent_before(query, owner)] for owner in owners
        ]
        with self.table_of(submissions) as tokens:
            graded, met = roles.find_pairs(
                self.round,
                self.table,
                submissions,
                tokens,
                lambda submission, party: self.tabled[submission].column_for(party),
                earlier,
            )
        return list(roles.make_reports(self.round, submissions, graded, met, query, self.random))

    def tell(self, asker: SimulatedParty) -> dict[tuple[str, str], CheckFault | None]:
        """Report a query with the matcher's lie to the owners of lists, then to its asker; return what they find."""
        query, found = asker.submission_id, {}
        reports = sorted(map(self.lie, self.reports_of(asker)), key=lambda one: one.party == asker.code)
        for report in reports:
            self.publish(self.matcher.report(report), only={report.party})
            key = ReportKey(report.party, report.counterpart, query)
            self.told_of[key] = ToldPairs.of([report])
            found[key] = self.check_told(key)
        for key in sorted(found, key=lambda key: key.party != asker.code):  # the owners' follow the asker's
            said = said_of(self.nodes[key.party], key, self.told_of[key], found[key])
            self.publish(said, only={key.party, key.counterpart})
        self.query_faults |= found
        return {(key.party, key.counterpart): fault for key, fault in found.items()}

    def check_told(self, key: ReportKey) -> CheckFault | None:
        """Let a party check a report of a query."""
        node, query = self.nodes[key.party], key.submission_id or ""
        round_, before = node.round, []
        asker = round_.submissions[query].party
        owner = key.counterpart if node.code == asker else node.code
        for earlier in round_.rests_on(key):
            fault = self.query_faults.get(earlier) if earlier.submission_id else self.checked[key[:2]]
            if fault not in {None, CheckFault.LEVELS} or earlier not in self.told_of:
                return CheckFault.EARLIER
            before.append(self.told_of[earlier])
        told = self.told_of[key]
        sent: Sequence[TokenRows] = ()
        if node.code == asker:
            rows, _, _, sent = self.asked_rows(query, key.counterpart)
        else:
            rows = told_rows(ReadRows(self.rows_of(node.submission_id, key.counterpart)), told.pairs)
        if not have_one_key(round_, *key):
            return CheckFault.COLUMNS
        with node.pair_key(key.counterpart) as secret:
            return check_query(secret, rows, asked_pair(round_, self.table, query, owner), told, before, sent)

    def answer(self, asker: SimulatedParty, *owners: str) -> None:
        """Let everyone else, or some, evaluate a query, and its asker send them the tokens."""
        for index in range(len(asker.chunks)):
            self.evaluate_chunk(asker, index, *(self.nodes[code] for code in owners or self.nodes))
        asker.sequence = self.nodes[asker.code].sequence
        self.finalize(asker, *owners)
        self.nodes[asker.code].sequence = asker.sequence

    def evaluation_with(self, share: Share, index: int = FULL) -> tuple[Evaluation, bytes]:
        """Return what RS would sign of a chunk of SI with some share, rightly proved for that share, and its answer."""
        submission = self.round.submissions[self.nodes["SI"].submission_id]
        chunk, reference = self.nodes["SI"].chunks.elements(index), submission.chunks[index]
        elements = oprf.evaluate(self.group, chunk, share)
        context = proof_context(self.round, submission, index, "RS")
        proof = prove_chunk(self.group, share, context, chunk, elements, bytes(32))
        fields = {
            "origin": "SI",
            "submission_id": submission.submission_id,
            "index": index,
            "proof": proof.hex(),
            "input_class": reference.input_class,
            "elements": reference.elements,
            "input_digest": reference.digest,
            "output_digest": hashlib.sha256(elements).hexdigest(),
        }
        statement = self.statement("RS", Evaluation, **fields)
        assert isinstance(statement, Evaluation)
        return statement, elements

    def right_evaluation(self, index: int = FULL) -> tuple[Evaluation, bytes]:
        """Return what RS rightly signs of a chunk of SI, and its answer."""
        kind = self.nodes["SI"].chunks.references[index].input_class
        return self.evaluation_with(self.nodes["RS"].secrets.shares[kind], index)

    def check(self, evaluation: Evaluation, elements: bytes) -> None:
        """Let everyone take an evaluation of a chunk of SI by RS, and SI verify it."""
        node = self.nodes["SI"]
        self.publish(self.signed("RS", evaluation))
        verified(node.party, node.round, evaluation, node.chunks.elements(evaluation.index), elements)

    def restored(self, envelopes: Iterable[bytes] | None = None, *, sees_everything: bool = False) -> Round:
        """Return the round as it is rebuilt from envelopes, by default from all so far, without deadlines."""
        rebuilt = Round.from_manifest(
            self.registry, self.group, self.manifest_envelope, sees_everything=sees_everything
        )
        for envelope in self.envelopes if envelopes is None else envelopes:
            rebuilt.accept(envelope)
        return rebuilt

    def signed_payloads(self) -> list[bytes]:
        """Return the payload of every envelope so far."""
        return [base64.b64decode(json.loads(envelope)["payload"]) for envelope in self.envelopes]

    def statement_in(self, envelope: bytes, kind: type[MessageT]) -> MessageT:
        """Return the message in an envelope, unverified."""
        return kind.from_payload(base64.b64decode(json.loads(envelope)["payload"]))

    def refused(
        self, error: type[AquilaError], envelope: bytes, match: str = ".", only: Collection[str] | None = None
    ) -> None:
        """Check that the matcher and every party, or only some, refuse an envelope and that no record changes by it."""
        nodes = [node for code, node in self.nodes.items() if only is None or code in only]
        for record in (self.round, *(node.round for node in nodes)):
            before = repr(record)
            with pytest.raises(error, match=match):
                record.accept(envelope, now=self.now)
            assert repr(record) == before

    def send_chunk(self, origin: str, evaluator: str, index: int, chunk: bytes) -> EvaluatedChunk:
        """Hand a party some bytes as a chunk of another's list, and return what it makes of them."""
        node = self.nodes[evaluator]
        submission_id = self.nodes[origin].submission_id
        sequence = node.sequence + 1
        return evaluate(node.party, node.round, node.secrets, sequence, submission_id, index, chunk, bytes(32))
