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
from aquila.matching.list_rows import KeptRows
from aquila.protocol.matcher import TokenCount
from aquila.protocol.messages import (
    CheckFault,
    ChunkReference,
    Fault,
    HitReport,
    Kind,
    Mode,
    Notes,
    TokenColumn,
    Withholding,
)
from aquila.protocol.party import Party, RoundSecrets
from aquila.protocol.rounds import exchange, hit_columns
from aquila.protocol.rounds.locks import pair_key
from aquila.protocol.rounds.round_state import ColumnKey, EvaluationKey, Phase, ReportKey
from aquila.protocol.rounds.verified_round import ReadStatement, Round
from aquila.protocol.shadow.checks import ToldPairs, check_pair, own_side
from aquila.protocol.shadow.columns import Column, make_column
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
from aquila.protocol.shadow.strangers import count_strangers
from aquila.protocol.shadow.token_rows import RecordRows
from aquila.protocol.submissions import tasks
from aquila.protocol.submissions.submission import FinalizedChunk, chunk_reference, order_rows
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


class Drawn(NamedTuple):
    """What a party drew for a submission, and of which records it is, by their places."""

    kind: Kind
    seed: bytes
    persons: tuple[int, ...]


@dataclass
class Submitted:
    """What a party has committed of one of its submissions."""

    drawn: Drawn
    chunks: list[tuple[np.ndarray, bytes]]
    """The rows and elements of each."""
    answers: dict[tuple[int, str], bytes] = field(default_factory=dict)
    """By chunk and evaluator what was evaluated, once it is verified."""
    columns: dict[str, list[FinalizedChunk]] = field(default_factory=dict)
    tags: dict[str, list[bytes]] = field(default_factory=dict)
    """By counterpart the pieces of the shadow column."""


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
    submissions: dict[str, Submitted] = field(default_factory=dict)
    reports: dict[ReportKey, HitReport] = field(default_factory=dict)
    faults: dict[ReportKey, CheckFault | None] = field(default_factory=dict)
    """What its own check of a report found."""
    notes: dict[str, Notes] = field(default_factory=dict)
    openings: dict[ReportKey, list[hit_columns.NoteOpenings]] = field(default_factory=dict)
    noted: dict[ReportKey, set[str]] = field(default_factory=dict)
    """By report the hits whose note from the other side holds."""
    refuted: dict[str, Fault] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    """Whom it names, and why."""


Content = dict[ContentKey, bytes]


class SteppingParty:
    """A party that does one step at a time.

    Args:
        party: The role.
        table: The match rules.
        persons: All persons of a round.
        own: Which of them are on its list.
        new_record: Makes an empty record of the round.
        content: The bytes that lie at the matcher.
        random: Gives random bytes.
    """

    def __init__(
        self,
        party: Party,
        table: RuleTable,
        persons: Sequence[Record],
        own: Sequence[int],
        new_record: Callable[[], Round],
        content: Content,
        random: Callable[[int], bytes],
    ) -> None:
        self.party, self.table, self.persons, self.own, self.random = party, table, persons, own, random
        self.new_record, self.content = new_record, content
        self.stored, self.mark = Stored(), 0
        self.round = new_record()
        self.is_behind = False
        self._secrets: RoundSecrets | None = None
        self.questions: list[tuple[int, ...]] = []
        """Whom it will ask for."""
        self.drawn: dict[str, Drawn] = {}
        """What it drew for each submission, which a test knows also where the party has lost it."""

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
            self.stored.reports[ReportKey.of(message)] = message
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
            steps += [Step(("submit",), partial(self.submit, Kind.LIST, self.own, ("submit",)))] if in_time else []
            if now <= window.closes_at:
                steps += [
                    Step(("ask", str(n)), partial(self.submit, Kind.QUERY, persons, ("ask", str(n))))
                    for n, persons in enumerate(self.questions)
                ]
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
        round_, own = self.round, self.stored.submissions
        steps = [
            Step(("verify", key.submission_id, str(key.chunk), key.evaluator), partial(self.verify, key))
            for key in round_.evaluations
            if key.submission_id in own and ("answer", *key) in self.content
        ]
        for other in round_.counterparts_of(self.code):
            waits = False  # a query's column is made when that of the one before it is known to all
            for name, submitted in own.items():
                key, is_query = ("column", name, other), submitted.drawn.kind is Kind.QUERY
                is_known = ColumnKey(name, other) in round_.tokens
                if key in self._done:
                    waits |= is_query and not is_known
                    if is_query and is_known:
                        steps.append(Step(("bytes", name, other), partial(self.send_rows, name, other)))
                elif self._may_finalize(name, other) and not (is_query and waits):
                    waits |= is_query
                    steps.append(Step(key, partial(self.send_column, name, other)))
        return steps

    def _may_finalize(self, name: str, other: str) -> bool:
        """Return whether the tokens of a submission for a counterpart are due (PROTOCOL.md 3.6.3)."""
        submitted = self.stored.submissions[name]
        if name not in self.round.submissions or self.round.list_of(other) is None:
            return False
        if submitted.drawn.kind is Kind.QUERY and ReportKey(self.code, other, None) not in self.round.checked:
            return False
        return all((index, other) in submitted.answers for index in range(len(submitted.chunks)))

    def _after_hits(self) -> list[Step]:
        steps = []
        for report in self.round.reports:
            other, query = report.counterpart, report.submission_id
            place, is_owner = (other, query or ""), query is not None and query not in self.stored.submissions
            rests_on = self.round.rests_on(report) if query else []
            can_be_checked = all(one in self.stored.faults for one in rests_on)
            if can_be_checked or self.round.ending:
                steps.append(Step(("check", *place), partial(self.check, report)))
            if report in self.stored.faults or not can_be_checked:
                steps += self._answers(report) if is_owner else [self._receipt(report)]
            if is_owner and report.other_side in self.round.checked and report in self.round.receipts:
                steps.append(Step(("tell check", *place), partial(self.tell_check, report)))
            came = any((one.party, one.submission_id) == (other, query) for one in self.stored.notes.values())
            if report in self.round.receipts and (came or not is_owner):
                steps.append(Step(("notes", *place), partial(self.send_notes, report)))
        steps += [
            Step(("confirm", digest), partial(self.confirm, digest))
            for digest, notes in self.stored.notes.items()
            if ("notes", notes.party, notes.submission_id or "") in self._done
        ]
        return steps

    def _receipt(self, report: ReportKey) -> Step:
        return Step(("receipt", report.counterpart, report.submission_id or ""), partial(self.sign_receipt, report))

    def _answers(self, report: ReportKey) -> list[Step]:
        """Return how the owner of a list goes on with its report of a query: some are held, and some of these refused.

        After the end of the round nobody holds an answer, and none that is held is given.
        """
        query, round_ = report.submission_id or "", self.round
        answer = answer_of(query, self.code)
        alarm, hold = (Step((word, query), partial(getattr(self, word), report)) for word in ("alarm", "hold"))
        if answer is None or (round_.ending and alarm.key not in self._done):
            return [self._receipt(report)]
        if report not in round_.alarms:
            return [alarm]
        if round_.ending or report not in round_.withheld:
            return [] if round_.ending else [hold]
        return [
            self._receipt(report)
            if answer is Withholding.ON_HOLD
            else Step(("deny", query), partial(self.deny, report))
        ]

    # The steps.

    def consent(self) -> None:
        self.party.check_manifest(self.round.manifest, self.table, normalizer_reference())
        secrets, envelope = self.party.consent(self.round, self._next, (), self.random)
        self.stored.secrets = secrets.to_bytes()
        self._say(("consent",), envelope)

    def lock(self) -> None:
        self._say(("lock",), self.party.locks(self.round, self._next, self.secrets))

    def submit(self, kind: Kind, persons: Sequence[int], step: tuple[str, ...]) -> None:
        drawn, name = Drawn(kind, self.random(32), tuple(persons)), self.random(16).hex()
        records = [self.persons[place] for place in persons]
        terms = self.party.group, self.round.manifest, self.table, SecretBytes(drawn.seed), records
        plan, runs = blinded(*terms, binding=self.round.binding_bytes, submission=name)
        references: list[ChunkReference] = []
        most, made = self.round.manifest.chunk_elements, Submitted(drawn, [])
        for input_class in InputClass:
            (rows,) = runs[input_class]
            for first in range(0, len(rows), most):
                some = rows[first : first + most]
                reference, elements = chunk_reference(input_class, some)
                self._keep(("chunk", name, len(references), ""), elements)
                references.append(reference)
                made.chunks.append((some, elements))
        self.drawn[name], self.stored.submissions[name] = drawn, made
        counts = plan.records, references
        self._say(step, self.party.submit(self.round, self._next, name, kind, REHEARSED, *counts))

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
        submitted, elements = self.stored.submissions[key.submission_id], self.content["answer", *key]
        chunk, evaluation = submitted.chunks[key.chunk][1], self.round.evaluations[key]
        self._done.add(("verify", key.submission_id, str(key.chunk), key.evaluator))
        try:
            verified(self.party, self.round, evaluation, chunk, elements)
        except (ProofError, MalformedError):
            self.stored.named[key.evaluator] = "evaluation"
        else:
            submitted.answers[key.chunk, key.evaluator] = elements

    def send_column(self, name: str, other: str) -> None:
        key, submitted = ("column", name, other), self.stored.submissions[name]
        try:
            made, column, said = self.make_column(name, other)
        except SealError:
            self.stored.named[other] = "lock"
            self._done.add(key)
            return
        submitted.columns[other], submitted.tags[other] = made, list(column.pieces())
        if submitted.drawn.kind is Kind.LIST:
            self.send_rows(name, other)
        self._say(key, self.party.tokens(self.round, self._next, name, said))

    def send_rows(self, name: str, other: str) -> None:
        """Send the bytes of a column; those of a query when its statement is known to all (PROTOCOL.md 3.6.3)."""
        submitted = self.stored.submissions[name]
        self._done.add(("bytes", name, other))
        for index, content in enumerate([*self.rows_of(name, other), *submitted.tags[other]]):
            self._keep(("tokens", name, other, index), content)

    def make_column(self, name: str, other: str) -> tuple[list[FinalizedChunk], Column, TokenColumn]:
        """Return a submission's column for a counterpart: token rows, tags, and what its statement says."""
        submission, submitted = self.round.submissions[name], self.stored.submissions[name]
        finalized: list[FinalizedChunk] = []
        for index, (rows, _) in enumerate(submitted.chunks):
            terms = self.secrets, SecretBytes(submitted.drawn.seed), name, index, rows
            work = self.party.to_finalize(self.round, *terms, {other: submitted.answers[index, other]})
            finalized.append(self.sent_instead(other, tasks.finalize(self.party.group, work)[other]))
        made = [chunk for _, chunk in order_rows(submission.chunks, finalized.__getitem__)]
        counts = TokenCount(self.table, submission)
        for chunk in made:
            counts.add(chunk.rows)
        references = [(len(one.rows) // TOKEN_ROW_BYTES, hashlib.sha256(one.rows).hexdigest()) for one in made]
        with self._pair_key(other) as secret:
            sets, rows_made = sets_between(self.round, self.table, self.code, other), [one.rows for one in made]
            if submitted.drawn.kind is Kind.LIST:
                asker = other if self.round.manifest.mode is Mode.LISTS_AND_QUERIES else None
                column = make_column(secret, RecordRows(rows_made), sets, asker)
            else:
                asked = self._asked_rows(name, other, rows_made)
                left_out = ColumnTerms(sets, frozenset(), left_out_before(self.round, name, other))
                column = make_query_column(secret, asked, left_out, self.code, query_number(self.round, name, other))
            column = self.tags_instead(other, column)
            return made, column, column.statement(other, secret, counts.counts, references)

    def rows_of(self, name: str, other: str) -> list[bytes]:
        """Return the token rows of a submission for a counterpart, chunk by chunk."""
        return [one.rows for one in self.stored.submissions[name].columns[other]]

    def _asked_rows(self, name: str, other: str, rows: list[bytes]) -> AskedRows:
        """Return the rows of a query for a counterpart, and what was sent to that one before."""
        earlier = [KeptRows(self.rows_of(one, other)) for one in self.round.sent_before(name, other)]
        return asked_rows(KeptRows(rows), earlier)

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

    def check(self, report: ReportKey) -> None:
        """Check a report, and sign what was found: the owner of a list that a query hit does so later."""
        place, query = ("check", report.counterpart, report.submission_id or ""), report.submission_id
        self.stored.faults[report] = self._fault(report)
        if query is None or query in self.stored.submissions:
            self._sign_check(place, report)
        else:
            self._done.add(place)

    def tell_check(self, report: ReportKey) -> None:
        self._sign_check(("tell check", report.counterpart, report.submission_id or ""), report)

    def _sign_check(self, key: tuple[str, ...], report: ReportKey) -> None:
        told = ToldPairs.of([self.stored.reports[report]])
        found = {"met": told.met.digest if told.met else None, "below": told.below}
        fault = self.stored.faults[report]
        self._say(key, self.party.checked(self.round, self._next, report, **found, fault=fault))

    def _fault(self, report: ReportKey) -> CheckFault | None:
        told, (_, other, query) = ToldPairs.of([self.stored.reports[report]]), report
        if not have_one_key(self.round, *report):
            return CheckFault.COLUMNS
        own = self.round.list_of(self.code) or ""
        if query is None:
            rows = RecordRows(self.rows_of(own, other))
            side = own_side(self.round, self.table, rows, self.code, other)
            limit = self.round.manifest.frequency_limit
            with self._pair_key(other) as secret:
                return check_pair(secret, side, told, lambda: count_strangers(rows.numbers, limit))
        earlier = self.round.rests_on(report)
        if any(self.stored.faults.get(one, CheckFault.EARLIER) not in {None, CheckFault.LEVELS} for one in earlier):
            return CheckFault.EARLIER
        before = [ToldPairs.of([self.stored.reports[one]]) for one in earlier]
        is_own = query in self.stored.submissions
        asked = asked_pair(self.round, self.table, query, other if is_own else self.code)
        with self._pair_key(other) as secret:
            if is_own:
                sent = self._asked_rows(query, other, self.rows_of(query, other))
                return check_query(secret, sent.rows, asked, told, before, sent.before)
            return check_query(secret, told_rows(KeptRows(self.rows_of(own, other)), told.pairs), asked, told, before)

    def sign_receipt(self, report: ReportKey) -> None:
        _, other, query = report
        self._say(("receipt", other, query or ""), self.party.receipt(self.round, self._next, other, query))

    def alarm(self, report: ReportKey) -> None:
        query, hits = report.submission_id or "", max(1, len(self.stored.reports[report].hits))
        self._say(("alarm", query), self.party.alarm(self.round, self._next, query, hits, 1.0))

    def hold(self, report: ReportKey) -> None:
        self._withhold("hold", report, Withholding.ON_HOLD)

    def deny(self, report: ReportKey) -> None:
        self._withhold("deny", report, Withholding.REFUSED)

    def _withhold(self, word: str, report: ReportKey, state: Withholding) -> None:
        query = report.submission_id or ""
        self._say((word, query), self.party.withhold_answer(self.round, self._next, query, state))

    def send_notes(self, key: ReportKey) -> None:
        report, (_, other, query) = self.stored.reports[key], key
        own = query if query in self.stored.submissions else self.round.list_of(self.code)
        chunks = self.stored.submissions[own or ""].columns[other]
        batches = list(hit_columns.hit_batches([report], MOST_NOTES))
        held = hit_columns.held_tokens([batch.hits.handles for batch in batches], chunks)
        terms = exchange.signed_sizes(self.round, report), self.table, report.model_copy(update={"hits": ()})
        self._done.add(("notes", other, query or ""))
        self.stored.openings[key] = []
        for batch in batches:
            some = held.of([batch.hits.handles])
            work = NoteSealing(*terms, batch.hits, some, exchange.marks_needed(held.most), self.random(32))
            sealed = seal_notes(self.party.group, work)
            self.stored.openings[key].append(sealed.openings)
            entries = self.notes_instead(other, sealed.entries)
            envelope = self.party.notes(self.round, self._next, other, query, batch.index, entries)
            self._say(("notes", other, query or "", str(batch.index)), envelope)

    def confirm(self, digest: str) -> None:
        notes = self.stored.notes[digest]
        key = ReportKey(self.code, notes.party, notes.submission_id)
        opened = hit_columns.NoteOpenings.together(self.stored.openings[key])
        before = self.stored.noted.setdefault(key, set())
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


def answer_of(query: str, owner: str) -> Withholding | None:
    """Return how the owner of a list goes on with a query: two of six answers are held, one of these for good."""
    held = {0: Withholding.ON_HOLD, 1: Withholding.REFUSED}
    return held.get(hashlib.sha256(f"{query}{owner}".encode()).digest()[0] % 6)
