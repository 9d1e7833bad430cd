"""The verified data of one round, and its consequences: participants, binding and phase.

A `RoundState` holds data and answers questions. What may enter it is decided in `aquila.protocol.rounds.rules`, and by
`aquila.protocol.rounds.verified_round.Round`, which verifies every statement on the way in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations, takewhile
from typing import NamedTuple

from aquila.crypto.group import Group
from aquila.errors import OrderError
from aquila.protocol.messages import (
    Acknowledgement,
    Alarm,
    Basis,
    Closing,
    Confirmation,
    Consent,
    Ending,
    Evaluation,
    HitReport,
    Kind,
    LevelCounts,
    Locks,
    Manifest,
    Outcome,
    Outcomes,
    Receipt,
    Refusal,
    ReportCheck,
    StatementKind,
    Submission,
    Tokens,
    Withdrawal,
    Withholding,
)
from aquila.protocol.registry import Registry
from aquila.records.rules import InputClass

EXCHANGE_SECONDS = 7 * 86_400
"""Notes and confirmations are taken so long after the round's window (PROTOCOL.md 3.7.9)."""


@dataclass(frozen=True, slots=True)
class SentNotes:
    """The stored data on a batch of notes: sender and receiver, its report, and its number."""

    party: str
    to: str
    submission_id: str | None
    index: int | None

    @property
    def report(self) -> ReportKey:
        """The sender's report whose hits the notes are about."""
        return ReportKey(self.party, self.to, self.submission_id)


class NotesSize(NamedTuple):
    """The number that a party gave its statement of a batch of notes, and how many notes it holds."""

    sequence: int
    hits: int


class EvaluationKey(NamedTuple):
    """Key of an evaluation: the chunk of a submission, and the evaluating party."""

    submission_id: str
    chunk: int
    evaluator: str


class ColumnKey(NamedTuple):
    """Key of a column: a list or a query, and the counterpart for whom it is."""

    submission_id: str
    counterpart: str


class ReportKey(NamedTuple):
    """Key of a report, and of what its party says of it: its receipt, its check, an alarm."""

    party: str
    counterpart: str
    submission_id: str | None
    """The query that is between the two, or None for their lists."""

    @classmethod
    def of(cls, message: HitReport | Receipt | ReportCheck) -> ReportKey:
        """Return the key of a report, or of the one that a receipt or a check is about."""
        return cls(message.party, message.counterpart, message.submission_id)

    @property
    def other_side(self) -> ReportKey:
        """The counterpart's report of the same pair."""
        return ReportKey(self.counterpart, self.party, self.submission_id)


class PagesTaken(NamedTuple):
    """The pages of a report that came while others are missing: how many of how many, and the basis of all pages."""

    taken: int
    pages: int
    basis: Basis
    hits: Counter[str]
    """By level, the hits so far."""
    last: str
    """The id of the last hit."""


class WithdrawnHit(NamedTuple):
    """Key of a withdrawal: the hit, and whether its record was erased; a party may do both, once each."""

    party: str
    hit_id: str
    erased: bool


class FollowUpKey(NamedTuple):
    """Key of a follow-up: who tells whom, and of which part of their lists' hits."""

    party: str
    to: str
    part: int


class AnnouncementKey(NamedTuple):
    """Key under which an announcement is unique: its kind, and of a report which one it is, and its page."""

    kind: StatementKind
    report: ReportKey | None = None
    page: int | None = None


class Phase(StrEnum):
    """The phase of a round (PROTOCOL.md 3.10)."""

    PROPOSED = "proposed"
    OPEN = "open"
    MATCHING = "matching"
    REPORTING = "reporting"
    CLOSED = "closed"
    ABORTED = "aborted"


PHASE_TRANSITIONS: Mapping[Phase, frozenset[Phase]] = {
    Phase.PROPOSED: frozenset({Phase.OPEN, Phase.ABORTED}),
    Phase.OPEN: frozenset({Phase.MATCHING, Phase.CLOSED, Phase.ABORTED}),
    Phase.MATCHING: frozenset({Phase.REPORTING, Phase.CLOSED, Phase.ABORTED}),
    Phase.REPORTING: frozenset({Phase.CLOSED, Phase.ABORTED}),
    Phase.CLOSED: frozenset(),
    Phase.ABORTED: frozenset(),
}
"""For each phase those that one more statement can bring in a round whose matcher keeps to the protocol."""

ENDED_PHASES = tuple(phase.value for phase, later in PHASE_TRANSITIONS.items() if not later)
"""The phases that a round does not leave: closed and aborted."""


@dataclass(slots=True)
class RoundState:
    """The statements of one round that count, by what they are about.

    A party's record holds what the party is shown; the matcher's holds everything. A key by digest is the digest of a
    statement's payload, hexadecimal; parties are two letters; ids are 32 hexadecimal characters.
    """

    registry: Registry
    """The pinned identity keys."""
    group: Group
    """The group backend that checks proofs of knowledge."""
    manifest: Manifest
    """What the secretariat proposed, as the matcher signed it (3.1)."""
    manifest_digest: str
    """The digest of the manifest's payload, hexadecimal; consents name it."""
    sees_everything: bool
    """Whether every statement of the round comes here, as at the matcher."""
    consents: dict[str, Consent] = field(default_factory=dict)
    """By party, its consent (3.3.1)."""
    consent_digests: dict[str, str] = field(default_factory=dict)
    """By party, the digest of its consent; the opening names it (3.3.4)."""
    locks: dict[str, Locks] = field(default_factory=dict)
    """By party, its halves of the locks of its pairs (3.3.8)."""
    locks_digests: dict[str, str] = field(default_factory=dict)
    """By party, the digest of its Locks; each key of its pairs rests on it."""
    binding: str = ""
    """The binding of manifest and consents, hexadecimal; empty before the opening."""
    participants: tuple[str, ...] = ()
    """Who takes part, in the order of the opening; nobody before it."""
    submissions: dict[str, Submission] = field(default_factory=dict)
    """By submission id, the list or query (3.4)."""
    evaluations: dict[EvaluationKey, Evaluation] = field(default_factory=dict)
    """By chunk and evaluator, the evaluation (3.5)."""
    tokens: dict[ColumnKey, Tokens] = field(default_factory=dict)
    """The statement of the tokens of each column (3.6), in the order in which they came."""
    reports: dict[ReportKey, str] = field(default_factory=dict)
    """The digest of each report that its party was sent (3.7.1), or of its last page."""
    report_pages: dict[ReportKey, PagesTaken] = field(default_factory=dict)
    """What came of a report whose last page is missing yet (3.7.17)."""
    reported: dict[ReportKey, LevelCounts] = field(default_factory=dict)
    """How many hits of each level a report has. It lacks reports whose envelope was deleted; an audit, which sees no
    report, has none."""
    met: dict[ReportKey, str | None] = field(default_factory=dict)
    """As `reported`, the digest of the tags that met, as the report tells (3.7.13)."""
    receipts: dict[ReportKey, Receipt] = field(default_factory=dict)
    """The receipt of each report (3.7.4)."""
    notes: dict[str, SentNotes] = field(default_factory=dict)
    """By digest, who sent the batch of notes to whom (3.7.6); `keep_notes` adds to them."""
    notes_sizes: dict[str, NotesSize] = field(default_factory=dict)
    """By digest, the number of the statement of notes and how many it holds; not of notes whose envelope was
    deleted."""
    batches: dict[ReportKey, set[SentNotes]] = field(default_factory=dict)
    """The batches of `notes` that the party of a report sent on its hits."""
    confirmations: dict[str, Confirmation] = field(default_factory=dict)
    """By the digest of the notes that it confirms, the confirmation (3.7.8)."""
    checked: dict[ReportKey, ReportCheck] = field(default_factory=dict)
    """What its party found when it checked a report (3.7.13)."""
    alarms: dict[ReportKey, Alarm] = field(default_factory=dict)
    """By the report of the list's owner, its alarm over a query (3.7.14); it stays when a receipt follows."""
    withheld: dict[ReportKey, Withholding] = field(default_factory=dict)
    """By the report of the list's owner, what it last told the asker of its answer (3.7.16); "on hold" stays when a
    receipt follows."""
    closings: dict[str, Closing] = field(default_factory=dict)
    """By party, its closing (3.9.2)."""
    refusals: dict[str, Refusal] = field(default_factory=dict)
    """By party, its refusal, in the order of their coming (3.9.1)."""
    withdrawals: dict[str, Withdrawal] = field(default_factory=dict)
    """By digest, the withdrawal (3.11.1)."""
    withdrawn: dict[WithdrawnHit, str] = field(default_factory=dict)
    """By party, hit and whether its record was erased, the digest of the withdrawal."""
    acknowledgements: dict[str, Acknowledgement] = field(default_factory=dict)
    """By the digest of the withdrawal, its acknowledgement (3.11.3)."""
    outcomes: dict[str, Outcomes] = field(default_factory=dict)
    """By party, its statement of outcomes with the highest number (3.11.4)."""
    outcomes_told: Counter[str] = field(default_factory=Counter)
    """By party, how many statements of outcomes it has made; 3.2.6 bounds them."""
    follow_ups: dict[FollowUpKey, list[int]] = field(default_factory=dict)
    """The numbers under which a party told a counterpart of hits of their lists (3.11.6); 3.2.6 bounds how many."""
    ending: Ending | None = None
    """The matcher's ending, once it came (3.9.1)."""
    sequences: dict[str, dict[int, str]] = field(default_factory=dict)
    """By party, the digest of its statement under each sequence number (3.2.2)."""
    announced: dict[AnnouncementKey, str] = field(default_factory=dict)
    """By what may be announced once, the digest of the matcher's announcement."""

    @property
    def round_id(self) -> str:
        """The round's identifier."""
        return self.manifest.round_id

    @property
    def binding_bytes(self) -> bytes:
        """The binding, 32 bytes; it goes into every input digest and proof, and each statement names it.

        Raises:
            OrderError: The round is not open yet.
        """
        if not self.binding:
            raise OrderError("round_not_open", round=self.round_id)
        return bytes.fromhex(self.binding)

    @property
    def notes_expire(self) -> int:
        """Until when notes and confirmations are taken, seconds since 1970 (PROTOCOL.md 3.7.9)."""
        return self.manifest.window.closes_at + EXCHANGE_SECONDS

    @property
    def phase(self) -> Phase:
        """Return the phase of the round, as far as this state knows."""
        if self.ending:
            return Phase.CLOSED if self.ending.outcome is Outcome.CLOSED else Phase.ABORTED
        if not self.binding:
            return Phase.PROPOSED
        if not self.all_lists_are_in():
            return Phase.OPEN
        return Phase.REPORTING if self._lists_are_reported() else Phase.MATCHING

    def keep_notes(self, payload_digest: str, sent: SentNotes, size: NotesSize | None = None) -> None:
        """Keep sender and receiver of a batch of notes, and its size where that is known."""
        self.notes[payload_digest] = sent
        if size is not None:
            self.notes_sizes[payload_digest] = size
        self.batches.setdefault(sent.report, set()).add(sent)

    def has_notes(self, sent: SentNotes) -> bool:
        """Return whether a party has sent a batch of this number already."""
        return sent in self.batches.get(sent.report, ())

    @property
    def breaking_refusal(self) -> Refusal | None:
        """The refusal that ends the round: of a party whose share it needs, in order of their coming (3.9.1).

        Before the opening these are the parties that have consented, then the participants; of others it goes on
        without.
        """
        needed = self.participants if self.binding else tuple(self.consents)
        return next((refusal for party, refusal in self.refusals.items() if party in needed), None)

    def is_refused(self, report: ReportKey) -> bool:
        """Return whether the owner of a list has refused the answer to a query that a report of either side is of."""
        return Withholding.REFUSED in (self.withheld.get(report), self.withheld.get(report.other_side))

    @property
    def everybody_answered(self) -> bool:
        """Return whether each invited party has consented or refused."""
        return len({*self.consents, *self.refusals}) == len(self.manifest.participants)

    def list_of(self, party: str) -> str | None:
        """Return the submission id of a party's list, or None while it has submitted none."""
        return next((i for i, s in self.submissions.items() if s.party == party and s.kind is Kind.LIST), None)

    def cap_of(self, party: str, input_class: InputClass) -> int:
        """Return how many elements of a class a party may have evaluated: those that its consent declares, if any."""
        consent = self.consents.get(party)
        return 0 if consent is None else consent.elements.of(input_class)

    def evaluators_of(self, submission_id: str) -> tuple[str, ...]:
        """Return the participants that evaluate a submission: those with whom its origin may be compared."""
        return self.counterparts_of(self.submissions[submission_id].party)

    def counterparts_of(self, party: str) -> tuple[str, ...]:
        """Return the participants whose records may be joined with a party's."""
        return tuple(p for p in self.participants if p != party and self.manifest.may_match(p, party))

    def reports_of(self, query: str | None) -> tuple[ReportKey, ...]:
        """Return which reports there are of the lists, or of a query: one for each side of each pair.

        Args:
            query: The query's submission id, or None for the lists.
        """
        if query is None:
            return tuple(report for party in self.participants for report in self.list_reports(party))
        asker = self.submissions[query].party
        sides = [ReportKey(asker, other, query) for other in self.counterparts_of(asker)]
        return (*sides, *(side.other_side for side in sides))

    def list_reports(self, party: str) -> tuple[ReportKey, ...]:
        """Return which reports of its list a party gets: one for each counterpart."""
        return tuple(ReportKey(party, other, None) for other in self.counterparts_of(party))

    def compares(self, report: ReportKey) -> bool:
        """Return whether a report is of lists that may be compared, or of a query of one side and the other's list."""
        asked = self.submissions.get(report.submission_id or "")
        if report.submission_id is not None and (
            asked is None or asked.kind is not Kind.QUERY or asked.party not in report[:2]
        ):
            return False
        return report.counterpart in self.counterparts_of(report.party) and report.party in self.participants

    def columns_of(self, report: ReportKey) -> tuple[ColumnKey, ColumnKey] | None:
        """Return the two columns that a report rests on, its party's first; None where a list is not there yet."""
        query = report.submission_id
        asker = self.submissions[query].party if query in self.submissions else None
        own, other = (query if asker == party else self.list_of(party) for party in report[:2])
        if own is None or other is None:
            return None
        return ColumnKey(own, report.counterpart), ColumnKey(other, report.party)

    def sent_before(self, query: str, owner: str) -> list[str]:
        """Return the submissions of a query's asker whose tags for a list's owner went out before the query's.

        They are its list, then queries, in the order in which their tokens were taken, which is that of the feed.
        """
        asker = self.submissions[query].party
        earlier = takewhile(ColumnKey(query, owner).__ne__, self.tokens)
        return [one for one, to in earlier if to == owner and self.submissions[one].party == asker]

    def rests_on(self, report: ReportKey) -> list[ReportKey]:
        """Return the reports on which the check of a query's rests: of the lists, and of earlier queries (3.7.13.2)."""
        query = report.submission_id or ""
        owner = report.counterpart if self.submissions[query].party == report.party else report.party
        _, *queries = self.sent_before(query, owner)
        return [report._replace(submission_id=one) for one in (None, *queries)]

    def can_be_joined(self, report: ReportKey) -> bool:
        """Return whether the tokens of both columns that a report rests on are there."""
        columns = self.columns_of(report)
        return columns is not None and all(column in self.tokens for column in columns)

    def has_its_hits(self, party: str, missed: Collection[ReportKey] = ()) -> bool:
        """Return whether a party has signed its receipt of the report of each pair of its list but of those missed."""
        due = (report for report in self.list_reports(party) if report not in missed)
        return bool(self.binding) and all(report in self.receipts for report in due)

    def missed(self, now: int) -> set[ReportKey]:
        """Return the reports of pairs of lists, to either side, that never come: their time is over (`is_missed`)."""
        return {report for report in self.reports_of(None) if self.is_missed(report, now)}

    def is_missed(self, report: ReportKey, now: int) -> bool:
        """Return whether the time for a pair of lists was over before both of its columns were there (3.9.1).

        Args:
            report: The report of the pair to either side.
            now: Seconds since 1970.
        """
        window = self.manifest.window
        due = window.submit_by if self.columns_of(report) is None else window.evaluate_by
        return now > due and not self.can_be_joined(report)

    def handles_for(self, counterpart: str) -> str | None:
        """Return whose handles a column for a counterpart has; None for those that all columns of a list share.

        Where a pair of participants may not be compared, each counterpart has handles of its own: a record that met
        two counterparts would join them otherwise (PROTOCOL.md 3.4.5).
        """
        every = all(self.manifest.may_match(left, right) for left, right in combinations(self.participants, 2))
        return None if every else counterpart

    def all_lists_are_in(self) -> bool:
        """Return whether every column of every list has its statement of tokens."""
        return bool(self.participants) and all(map(self.can_be_joined, self.reports_of(None)))

    def _lists_are_reported(self) -> bool:
        due = self.reports_of(None)
        if not self.sees_everything:  # a party's record has its own reports alone
            told = {report.party for report in self.reports}
            return bool(told) and all(report in self.reports for report in due if report.party in told)
        return all(report in self.reports for report in due)
