"""A party of the core that goes on in small steps, each of them one transaction, so that it can die between any two.

What it has committed is in `Stored`: a copy of it is a backup, and everything else is made anew from it. It says the
same as a node of the product would say, in the same order, and keeps what it said until its statement has come back
in the feed or was refused. Time, network and faults are in `tests.support.stepped_round`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from aquila.crypto.keys import SecretBytes
from aquila.errors import MalformedError, ProofError, SealError
from aquila.matching.join import TOKEN_ROW_BYTES
from aquila.protocol.matcher import TokenCount
from aquila.protocol.messages import ChunkReference, Fault, HitReport, Kind, Notes, TokenColumn
from aquila.protocol.party import Party, RoundSecrets
from aquila.protocol.rounds import exchange, hit_columns
from aquila.protocol.rounds.locks import pair_key
from aquila.protocol.rounds.round_state import EvaluationKey, Phase, ReportKey
from aquila.protocol.rounds.verified_round import ReadStatement, Round
from aquila.protocol.shadow.checks import ToldPairs, check_pair, own_side
from aquila.protocol.shadow.columns import Column, make_column
from aquila.protocol.shadow.meeting import have_one_key, sets_between
from aquila.protocol.shadow.strangers import count_strangers
from aquila.protocol.shadow.token_rows import RecordRows
from aquila.protocol.submissions import tasks
from aquila.protocol.submissions.submission import FinalizedChunk, chunk_reference
from aquila.records.conformance import normalizer_reference
from aquila.records.person import Record
from aquila.records.rules import InputClass, RuleTable
from aquila.simulation.manifest import REHEARSED
from aquila.simulation.notes import NoteSealing, seal_notes
from tests.support.evaluations import evaluate
from tests.support.staged_round import blinded, verified

MOST_NOTES = 2  # of a batch, so that a report has several
CLOCKS_APART = 600

ContentKey = tuple[str, str, int | str, int | str]
"""What bytes are: the kind (`chunk`, `answer` or `tokens`), the submission, and their places."""


class Parcel(NamedTuple):
    """What a party sends to the matcher: a statement with its number, or the bytes of something that is signed."""

    sender: str
    envelope: bytes
    number: int = 0
    key: ContentKey | None = None
    """Of bytes, which they are."""


class Step(NamedTuple):
    """Something that is due, and by what it is known that it was done."""

    key: tuple[str, ...]
    run: Callable[[], None]


@dataclass
class Stored:
    """What a party has committed."""

    number: int = 0
    """Of its last statement."""
    done: set[tuple[str, ...]] = field(default_factory=set)
    outbox: dict[int | ContentKey, Parcel] = field(default_factory=dict)
    """What has neither come back nor was refused."""
    refused: set[int] = field(default_factory=set)
    """The numbers of the statements that the matcher refused."""
    feed: list[bytes] = field(default_factory=list)
    read_until: int = 0
    """When it had read the whole feed last."""
    secrets: bytes = b""
    seed: bytes = b""
    submission_id: str = ""
    chunks: list[tuple[np.ndarray, bytes]] = field(default_factory=list)
    """The rows and elements of each."""
    answers: dict[tuple[int, str], bytes] = field(default_factory=dict)
    """By chunk and evaluator what was evaluated, once it is verified."""
    columns: dict[str, list[FinalizedChunk]] = field(default_factory=dict)
    reports: dict[str, HitReport] = field(default_factory=dict)
    faults: dict[str, str | None] = field(default_factory=dict)
    """By counterpart what its own check of the pair found."""
    notes: dict[str, Notes] = field(default_factory=dict)
    openings: dict[str, list[hit_columns.NoteOpenings]] = field(default_factory=dict)
    noted: dict[str, set[str]] = field(default_factory=dict)
    """By sender the hits whose note holds."""
    refuted: dict[str, Fault] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    """Whom it names, and why."""


Content = dict[ContentKey, bytes]


class SteppingParty:
    """A party that does one step at a time.

    Args:
        party: The role.
        table: The match rules.
        records: Its list.
        new_record: Makes an empty record of the round.
        content: The bytes that lie at the matcher.
        random: Gives random bytes.
    """

    def __init__(
        self,
        party: Party,
        table: RuleTable,
        records: Sequence[Record],
        new_record: Callable[[], Round],
        content: Content,
        random: Callable[[int], bytes],
    ) -> None:
        self.party, self.table, self.records, self.random = party, table, records, random
        self.new_record, self.content = new_record, content
        self.stored, self.mark = Stored(), 0
        self.round = new_record()
        self.is_behind = False
        self._secrets: RoundSecrets | None = None

    @property
    def code(self) -> str:
        return self.party.code

    def restart(self, read: Callable[[bytes], ReadStatement]) -> None:
        """Begin again with what is stored; a database behind its mark is an older copy (PROTOCOL.md 3.2.4)."""
        self._secrets, self.round = None, self.new_record()
        for envelope in self.stored.feed:
            self.round.accept_read(read(envelope))
        self.is_behind = self.is_behind or self.stored.number < self.mark

    def take(self, read: ReadStatement, envelope: bytes) -> None:
        """Take the next statement of the feed, of what was there long after its deadline none (3.2.7)."""
        accepted = self.round.accept_read(read, now=max(0, self.stored.read_until - CLOCKS_APART))
        message = accepted.message
        if getattr(message, "party", None) == self.code and not isinstance(message, HitReport):
            number = message.sequence  # type: ignore[attr-defined]  # all others are statements
            self.is_behind = self.is_behind or number > self.stored.number
            self.stored.outbox.pop(number, None)
        if not accepted.new:
            return
        self.stored.feed.append(envelope)
        if isinstance(message, HitReport):
            self.party.check_report(message, self.table)
            self.stored.reports[message.counterpart] = message
        if isinstance(message, Notes) and message.to == self.code:
            self.stored.notes[accepted.digest] = message

    def was_answered(self, parcel: Parcel, *, is_refused: bool) -> None:
        """Note that the matcher has bytes, or that it refused a statement."""
        if parcel.key is not None:
            self.stored.outbox.pop(parcel.key, None)
        elif is_refused:
            self.stored.outbox.pop(parcel.number, None)
            self.stored.refused.add(parcel.number)

    def die_in(self, step: Step, read: Callable[[bytes], ReadStatement]) -> None:
        """Do a step and lose it before its commit."""
        stored, mark = deepcopy(self.stored), self.mark
        step.run()
        self.stored, self.mark = stored, mark
        self.restart(read)

    def due(self, now: int) -> list[Step]:
        """Return the steps that can be done now."""
        if self.is_behind:
            return self._not_done([Step(("refuse",), self.refuse)])
        steps = self._not_done([*self._before_hits(now), *self._after_hits()])
        if self.round.ending and not steps and not any(isinstance(key, int) for key in self.stored.outbox):
            return (
                self._not_done([Step(("close",), self.close)]) if "consent" in {key for key, *_ in self._done} else []
            )
        return steps

    @property
    def _done(self) -> set[tuple[str, ...]]:
        return self.stored.done

    def _not_done(self, steps: list[Step]) -> list[Step]:
        return [step for step in steps if step.key not in self._done]

    def _before_hits(self, now: int) -> list[Step]:
        round_, window = self.round, self.round.manifest.window
        if round_.phase is Phase.PROPOSED:
            return [Step(("consent",), self.consent)] if now <= window.consent_by else []
        if round_.ending or self.code not in round_.participants:
            return []
        in_time = now <= window.submit_by
        steps = [Step(("lock",), self.lock)] if in_time else []
        if self.code in round_.locks:
            steps += [Step(("submit",), self.submit)] if in_time else []
            steps += [
                Step(("evaluate", name, str(index)), partial(self.evaluate, name, index))
                for name, submission in round_.submissions.items()
                if self.code in round_.evaluators_of(name)
                for index in range(len(submission.chunks))
                if ("chunk", name, index, "") in self.content
            ]
        return [*steps, *self._towards_tokens()]

    def _towards_tokens(self) -> list[Step]:
        """Return the verifications of what others evaluated, and the columns of which all is verified."""
        round_, own = self.round, self.round.list_of(self.code)
        steps = [
            Step(("verify", str(key.chunk), key.evaluator), partial(self.verify, key))
            for key in round_.evaluations
            if key.submission_id == own and ("answer", own, key.chunk, key.evaluator) in self.content
        ]
        chunks = range(len(self.stored.chunks))
        return steps + [
            Step(("column", other), partial(self.send_column, other))
            for other in round_.counterparts_of(self.code)
            if own and round_.list_of(other) and all((index, other) in self.stored.answers for index in chunks)
        ]

    def _after_hits(self) -> list[Step]:
        steps = []
        for report in self.round.reports:
            other = report.counterpart
            steps += [Step(("check", other), partial(self.check, other))]
            if ("check", other) in self._done:
                steps += [Step(("receipt", other), partial(self.sign_receipt, other))]
            if report in self.round.receipts:
                steps += [Step(("notes", other), partial(self.send_notes, other))]
        steps += [
            Step(("confirm", digest), partial(self.confirm, digest))
            for digest, notes in self.stored.notes.items()
            if ("notes", notes.party) in self._done
        ]
        return steps

    # The steps.

    def consent(self) -> None:
        self.party.check_manifest(self.round.manifest, self.table, normalizer_reference())
        secrets, envelope = self.party.consent(self.round, self._next, (), self.random)
        self.stored.secrets = secrets.to_bytes()
        self._say(("consent",), envelope)

    def lock(self) -> None:
        self._say(("lock",), self.party.locks(self.round, self._next, self.secrets))

    def submit(self) -> None:
        seed, name = self.random(32), self.random(16).hex()
        terms = self.party.group, self.round.manifest, self.table, SecretBytes(seed), self.records
        plan, runs = blinded(*terms, binding=self.round.binding_bytes, submission=name)
        references: list[ChunkReference] = []
        self.stored.seed, self.stored.submission_id, most = seed, name, self.round.manifest.chunk_elements
        for kind in InputClass:
            (rows,) = runs[kind]
            for first in range(0, len(rows), most):
                some = rows[first : first + most]
                reference, elements = chunk_reference(kind, some)
                self._keep(("chunk", name, len(references), ""), elements)
                references.append(reference)
                self.stored.chunks.append((some, elements))
        counts = plan.records, references
        self._say(("submit",), self.party.submit(self.round, self._next, name, Kind.LIST, REHEARSED, *counts))

    def evaluate(self, name: str, index: int) -> None:
        chunk = self.content["chunk", name, index, ""]
        terms = self.party, self.round, self.evaluation_secrets(name), self._next
        made = evaluate(*terms, name, index, chunk, self.random(32))
        self._keep(("answer", name, index, self.code), made.elements)
        self._say(("evaluate", name, str(index)), made.envelope)

    def evaluation_secrets(self, name: str) -> RoundSecrets:
        """Return with what a submission is evaluated; a liar has others."""
        del name
        return self.secrets

    def verify(self, key: EvaluationKey) -> None:
        elements = self.content["answer", key.submission_id, key.chunk, key.evaluator]
        chunk, evaluation = self.stored.chunks[key.chunk][1], self.round.evaluations[key]
        self._done.add(("verify", str(key.chunk), key.evaluator))
        try:
            verified(self.party, self.round, evaluation, chunk, elements)
        except (ProofError, MalformedError):
            self.stored.named[key.evaluator] = "evaluation"
        else:
            self.stored.answers[key.chunk, key.evaluator] = elements

    def send_column(self, other: str) -> None:
        name, key = self.stored.submission_id, ("column", other)
        try:
            made, column, said = self.make_column(other)
        except SealError:
            self.stored.named[other] = "lock"
            self._done.add(key)
            return
        self.stored.columns[other] = made
        for index, content in enumerate([*(chunk.rows for chunk in made), *column.pieces()]):
            self._keep(("tokens", name, other, index), content)
        self._say(key, self.party.tokens(self.round, self._next, name, said))

    def make_column(self, other: str) -> tuple[list[FinalizedChunk], Column, TokenColumn]:
        """Return the column for a counterpart: token rows, tags, and what its statement says."""
        counts = TokenCount(self.table)
        made: list[FinalizedChunk] = []
        references: list[tuple[int, str]] = []
        for index, (rows, _) in enumerate(self.stored.chunks):
            terms = self.secrets, SecretBytes(self.stored.seed), self.stored.submission_id, index, rows
            work = self.party.to_finalize(self.round, *terms, {other: self.stored.answers[index, other]})
            made.append(self.sent_instead(other, tasks.finalize(self.party.group, work)[other]))
            counts.add(made[-1].rows)
            references.append((len(made[-1].rows) // TOKEN_ROW_BYTES, hashlib.sha256(made[-1].rows).hexdigest()))
        with self._pair_key(other) as secret:
            sets = sets_between(self.round, self.table, self.code, other)
            column = self.tags_instead(other, make_column(secret, RecordRows(one.rows for one in made), sets))
            return made, column, column.statement(other, secret, counts.counts, references)

    def sent_instead(self, other: str, chunk: FinalizedChunk) -> FinalizedChunk:
        """Return the rows that are sent for a counterpart; a liar sends others."""
        del other
        return chunk

    def tags_instead(self, other: str, column: Column) -> Column:
        """Return the tags that are sent for a counterpart; a liar sends others."""
        del other
        return column

    def notes_instead(self, other: str, entries: list[bytes]) -> list[bytes]:
        """Return the sealed notes that are sent to a counterpart; a liar sends others."""
        del other
        return entries

    def check(self, other: str) -> None:
        told, report = ToldPairs.of([self.stored.reports[other]]), ReportKey(self.code, other, None)
        rows = RecordRows(chunk.rows for chunk in self.stored.columns[other])
        side = own_side(self.round, self.table, rows, self.code, other)
        limit = self.round.manifest.frequency_limit
        with self._pair_key(other) as secret:
            fault = check_pair(secret, side, told, lambda: count_strangers(rows.numbers, limit))
        if told.met is not None:
            assert have_one_key(self.round, self.code, other)
        self.stored.faults[other] = fault
        met = told.met.digest if told.met else None
        self._say(
            ("check", other), self.party.checked(self.round, self._next, report, met=met, below=told.below, fault=fault)
        )

    def sign_receipt(self, other: str) -> None:
        self._say(("receipt", other), self.party.receipt(self.round, self._next, other))

    def send_notes(self, other: str) -> None:
        report, chunks = self.stored.reports[other], self.stored.columns[other]
        batches = list(hit_columns.hit_batches([report], MOST_NOTES))
        held = hit_columns.held_tokens([batch.hits.handles for batch in batches], chunks)
        terms = exchange.signed_sizes(self.round, report), self.table, report.model_copy(update={"hits": ()})
        self._done.add(("notes", other))
        self.stored.openings[other] = []
        for batch in batches:
            some = held.of([batch.hits.handles])
            work = NoteSealing(*terms, batch.hits, some, exchange.marks_needed(held.most), self.random(32))
            sealed = seal_notes(self.party.group, work)
            self.stored.openings[other].append(sealed.openings)
            entries = self.notes_instead(other, sealed.entries)
            envelope = self.party.notes(self.round, self._next, other, None, batch.index, entries)
            self._say(("notes", other, str(batch.index)), envelope)

    def confirm(self, digest: str) -> None:
        notes = self.stored.notes[digest]
        opened = hit_columns.NoteOpenings.together(self.stored.openings[notes.party])
        before = self.stored.noted.setdefault(notes.party, set())
        found = exchange.verify_batch(opened, before, self.party.open_notes(notes, self.secrets.sealing))
        refuted = {hit: one for hit, one in found.items() if isinstance(one, Fault)}
        before |= found.keys() - refuted.keys()
        self.stored.refuted |= refuted
        self._say(("confirm", digest), self.party.confirm(self.round, self._next, notes, digest, refuted))

    def close(self) -> None:
        hits = sum(counts.total for counts in self.round.reported.values())
        given_up = [(number, number) for number in sorted(self.stored.refused)]
        self._say(("close",), self.party.close(self.round, self._next, hits, given_up))

    def refuse(self) -> None:
        """Say nothing but that it goes no further, under a number that it has never used (PROTOCOL.md 3.2.4)."""
        self.stored.number = self.mark
        self._say(("refuse",), self.party.refuse(self.round, self._next, "an older copy"))

    @property
    def secrets(self) -> RoundSecrets:
        if self._secrets is None:
            self._secrets = RoundSecrets.from_bytes(self.party.group, self.stored.secrets)
        return self._secrets

    @property
    def _next(self) -> int:
        return self.stored.number + 1

    def _pair_key(self, other: str) -> SecretBytes:
        return pair_key(self.round, self.code, self.secrets, other, "shadow")

    def _say(self, key: tuple[str, ...], envelope: bytes) -> None:
        self.stored.number += 1
        self.mark = max(self.mark, self.stored.number)
        self.stored.done.add(key)
        self.stored.outbox[self.stored.number] = Parcel(self.code, envelope, self.stored.number)

    def _keep(self, key: ContentKey, content: bytes) -> None:
        self.stored.outbox[key] = Parcel(self.code, content, key=key)
