"""Rounds as people ask for them and see them: proposals, progress, submissions, hits and the sealed exchange.

Nothing here is signed. A view holds no name, date or number of a person but the operator's own records beside hits, and
those of a list that is being looked at; of the other side nothing but its note, and that of confirmed hits alone.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field

from aquila.followup.lifecycle import Urgency
from aquila.interface.sentence import SentenceView
from aquila.matching.certainty import Level
from aquila.protocol.messages.announcements import ChanceHits
from aquila.protocol.messages.base import (
    MAX_CHUNK_ELEMENTS,
    MOST_TITLE,
    ClassCounts,
    Count,
    Digest,
    GivenText,
    Identifier,
    Message,
    PartyCode,
    Positive,
    Seconds,
    Text,
    optional,
)
from aquila.protocol.messages.manifest import Manifest, Mode, Padding, PartyCap, TemplateId, TemplateVersion, Window
from aquila.protocol.messages.notes import HandlingCode, IndicatorCode, Reference
from aquila.protocol.messages.statements import Kind
from aquila.protocol.messages.templates import RoundTemplate
from aquila.protocol.rounds.round_state import Phase


class Progress(Message):
    """A number done out of a total."""

    done: Count
    of: Count


class PartyStatus(Message):
    """The part of a party's status that every state of a round holds."""

    party: PartyCode
    takes_part: bool
    """Whether it is in the round; it is not where the round was opened without its consent."""
    consented: bool
    listed: bool
    queries: Count


class PartyProgress(PartyStatus):
    """The progress of one party in a round, as the matcher sees it."""

    blinded: Progress
    """Chunks of its submissions that came."""
    evaluated: Progress
    """Chunks of others that it evaluated."""
    tokens: Progress
    """Token chunks that came."""
    waits_for: tuple[PartyCode, ...]
    """Parties whose evaluations of its chunks are missing; none of a pair that is over."""
    hits: Count | None
    acknowledged: bool
    """Whether it has acknowledged the report of each of its pairs, but for those that are over."""
    closed: bool


class Awaited(StrEnum):
    """The steps that a round awaits from a party, as far as one node knows; a report comes from the matcher."""

    CONSENT = "consent"
    LIST = "list"
    EVALUATIONS = "evaluations"
    TOKENS = "tokens"
    REPORT = "report"
    RECEIPT = "receipt"
    NOTHING = "nothing"


class PairState(StrEnum):
    """The state of the lists of two parties that may be compared, as the matcher sees it."""

    LIST = "list"
    EVALUATIONS = "evaluations"
    TOKENS = "tokens"
    JOINING = "joining"
    REPORTED = "reported"
    ACKNOWLEDGED = "acknowledged"
    OVER = "over"
    FAULTY = "faulty"


class PairProgress(Message):
    """The progress of two parties' lists."""

    left: PartyCode
    right: PartyCode
    state: PairState
    """The first of `list`, `evaluations` and `tokens` that is missing; `joining` where nothing is. `over` where a list
    or tokens are missing and their time is over; they may still come until the round ends, but a list. `faulty` where
    tokens cannot be joined."""
    since: Seconds | None
    """When the newest statement about the two lists came, or None where none did."""


class PartyAtNode(PartyStatus):
    """The progress of one party in a round, from a node's state; evaluations between other parties are not in it."""

    evaluated: Progress
    """Chunks of this node that came back from it evaluated and were verified; of this node itself, chunks of the others
    that it evaluated."""
    tokens: Progress
    """Columns of its list and queries for this node that it has signed; of this node itself, all of its own columns."""
    has_hits: bool | None
    """Whether it has its report; None where this node cannot tell. A receipt is told to its party alone, but what a
    party signs of it, a check or notes, shows it."""
    awaited: Awaited
    """What this node's pairs with it wait for from it."""
    since: Seconds | None
    """When the newest statement that this step follows came here; None if none came, or if nothing is awaited."""


class NoteView(Message):
    """The counterpart's note."""

    evaluation: str
    """Source and information code, such as `X4`; empty where its record has none."""
    handling_code: HandlingCode | None
    category: str | None
    indicators: tuple[IndicatorCode, ...] = ()
    """Codes of the table that the round names."""
    reference: Reference
    """The counterpart's own number of the hit; a follow-up names it."""
    contact: str
    """Where it can be asked."""


class IntelligenceView(Message):
    """The result of both evaluations: the certainty of the intelligence, not of the match."""

    before: str
    """The own evaluation; empty where the record has none."""
    after: str
    """What the counterpart's note makes of it, if both records are one person."""
    sentence: str
    assumption: str
    """What must hold for it, and what no machine can check."""


class ExchangeView(Message):
    """The state of the exchange of notes about a hit."""

    state: Literal["unconfirmed", "confirmed", "refuted"]
    """Unconfirmed until both sides verified the other's note; refuted where one of them found a fault."""
    sentence: SentenceView
    """What the state means, or what is wrong."""
    blamed_by: PartyCode | None
    """Who found the fault."""
    reference: Reference | None
    """This party's own number of the hit."""
    rules: tuple[str, ...]
    """What the rules that met say, in words; of confirmed hits only."""
    parts: tuple[tuple[str, ...], ...] = ()
    """Of each of these rules, the names of the parts that agree, as the table has them."""
    note: NoteView | None
    """The counterpart's; of confirmed hits only."""
    intelligence: IntelligenceView | None
    """Of confirmed hits only."""


class RoundSummary(Message):
    """A round in people's lists of rounds. The list that nodes read is a message of its own, `feed.RoundEntry`."""

    round_id: Identifier
    title: Text
    phase: Phase
    area: Text
    category: Text
    participants: tuple[PartyCode, ...]

    @classmethod
    def of(cls, manifest: Manifest, phase: str) -> Self:
        """Return the summary of a round that is in a phase."""
        return cls(
            round_id=manifest.round_id,
            title=manifest.title,
            phase=Phase(phase),
            area=manifest.area,
            category=manifest.category,
            participants=tuple(participant.party for participant in manifest.participants),
        )


class DeadlineKind(StrEnum):
    """What a deadline of a round is for, in the order of its window."""

    CONSENT = "consent"
    LISTS = "lists"
    EVALUATION = "evaluation"
    END = "end"


class AwaitedStep(Message):
    """A step that a round awaits, and its party, or None for the matcher."""

    party: PartyCode | None
    step: Awaited


class RoundOverview(RoundSummary):
    """A round in the secretariat's table."""

    proposed_at: Seconds
    window: Window
    due: DeadlineKind | None
    """The deadline that counts now, or None where the round is over."""
    due_at: Seconds | None
    awaited: tuple[AwaitedStep, ...]
    """The parties for which the round waits, each with the first step that it has to take."""
    pairs: dict[PairState, Count]
    """How many pairs of lists are in each state; none before the round is open and when it is over."""


class RemindedParties(Message):
    """The parties that are reminded of a step, and those that are not because the registry names no contact of them."""

    parties: tuple[PartyCode, ...]
    without_contact: tuple[PartyCode, ...]


class RoundsOverview(Message):
    """A part of the rounds, newest first."""

    rounds: tuple[RoundOverview, ...]
    offset: Count
    """How many newer ones are left out."""
    total: Count
    """How many there are in all, of those that were asked for."""


class RoundPage(Message):
    """A part of the rounds that a service knows, newest first."""

    rounds: tuple[RoundSummary, ...]
    offset: Count = 0
    """How many newer ones are left out."""
    total: Count = 0
    """How many there are in all, of those that were asked for."""


class TemplateChoice(Message):
    """A template of the registry in force, by id and version."""

    template_id: TemplateId
    version: TemplateVersion


class RoundProposal(Message):
    """The secretariat's proposal of a round; empty fields take the service's defaults."""

    participants: Annotated[tuple[PartyCode, ...], Field(min_length=2)]
    pairs: tuple[tuple[PartyCode, PartyCode], ...] = ()
    mode: Mode = Mode.LISTS
    title: Annotated[GivenText, Field(max_length=MOST_TITLE)] | None = None
    """What people call the round; by default month and category."""
    area: GivenText
    legal_basis: GivenText
    purpose: GivenText
    category: GivenText
    rules: GivenText = "default"
    caps: tuple[PartyCap, ...] = ()
    window: Window | None = None
    padding: Padding | None = None
    minimum_certainty: Level = Level.LOW
    frequency_limit: Positive = 8
    chunk_elements: Annotated[int, Field(ge=1, le=MAX_CHUNK_ELEMENTS)] = MAX_CHUNK_ELEMENTS
    retention_days: Positive = 1_095
    template: TemplateChoice | None = None
    """The template whose terms these are, or None."""


class ConsentRequest(Message):
    """An officer's wish to consent: for how long a list and how many queries; the node estimates what is empty."""

    records: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None
    queries: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None


class AbortReason(Message):
    """The reason for which an operator aborts a round or leaves it."""

    reason: GivenText


class JustificationInput(Message):
    """An officer's grounds on which a submission is lawful; the node adds the officer.

    `urgency` is the time within which an answer to a query is needed, where the officer says one.
    """

    legal_basis: GivenText
    purpose: GivenText
    case_reference: GivenText
    category: GivenText
    urgency: Urgency | None = optional()


class SubmissionRequest(Message):
    """An officer's wish to submit an import in a round."""

    import_id: Identifier
    kind: Kind
    justification: JustificationInput


class MatcherRoundView(Message):
    """A round at the matcher."""

    entry: RoundSummary
    manifest: Manifest
    manifest_digest: Digest
    binding: Digest | None
    participants: tuple[PartyCode, ...]
    parties: tuple[PartyProgress, ...]
    pairs: tuple[PairProgress, ...] = ()
    """The pairs of participants whose lists are compared."""
    hits_by_certainty: dict[str, int]
    ending: SentenceView | None
    """How the round ended and why, or how it is to end."""
    evidence: Count
    """Pairs of contradicting statements that are kept."""
    flags: tuple[SentenceView, ...] = ()
    """What in the parties' tokens looks like guesses, for people to look into."""
    problems: tuple[SentenceView, ...] = ()
    template: RoundTemplate | None = None
    """The template from which it comes, in the registry in force, or None."""


class AnswerState(StrEnum):
    """The state of the answer to a submission of this node, of all parties together or of one."""

    ANSWERED = "answered"
    AWAITED = "awaited"
    ON_HOLD = "on_hold"
    REFUSED = "refused"
    NEVER = "never"
    ERASED = "erased"


class PartyAnswer(Message):
    """The state of one party's answer to a submission of this node; it has no number and no person."""

    party: PartyCode
    state: AnswerState
    """`answered`: of this party's records, one without a hit is a no-hit. `on_hold`: it withholds its answer until one
    of its people decides. `refused`: it gives none. `awaited`: nothing is known of its records yet. `never`: the round
    ended before its answer came, or a list did not come in time. `erased` as of all together."""
    since: Seconds | None
    """When this node learned so, or None where nothing happened yet."""


class SubmissionState(StrEnum):
    """The progress of an own submission."""

    WISHED = "wished"
    PREPARING = "preparing"
    SUBMITTED = "submitted"
    FINALIZED = "finalized"
    TOKENS_SENT = "tokens_sent"
    FAILED = "failed"


class SubmissionView(Message):
    """A submission of this node on its way: steps that are counted in batches or chunks."""

    submission_id: Identifier
    kind: Kind
    import_id: Identifier
    name: str = ""
    """The name of its list, which is the case reference of a typed query; empty once the list is deleted."""
    state: SubmissionState
    records: Count
    elements: Count
    prepared: Progress
    sent: Progress
    evaluated: Progress
    tokens_sent: Progress
    held_back: dict[str, int]
    answers: tuple[PartyAnswer, ...] = ()
    """Once its tokens are sent, the state of each counterpart's answer."""


Wish = Literal["consent", "close", "abort", "submit list", "submit query"]


class NodeRoundView(Message):
    """A round at a node."""

    entry: RoundSummary
    manifest: Manifest
    manifest_digest: Digest
    binding: Digest | None
    participants: tuple[PartyCode, ...]
    consented: bool
    parties: tuple[PartyAtNode, ...]
    submissions: tuple[SubmissionView, ...]
    evaluated_for_others: Progress
    hits: Count | None
    keys_present: bool
    wishes: tuple[Wish, ...]
    """What the operator asked for and the node has still to do."""
    problems: tuple[SentenceView, ...]
    template: RoundTemplate | None = None
    """The template from which it comes, in the registry in force, or None."""


class OwnHit(Message):
    """A hit with the node's own record, and nothing of the other side but its note."""

    hit_id: Identifier
    counterpart: PartyCode
    certainty: Level
    families: tuple[str, ...]
    sentences: tuple[str, ...]
    """Why, in plain words: one for each evidence family."""
    record_id: str
    record: dict[str, str | list[str]]
    submission_id: Identifier | None
    exchange: ExchangeView | None = None
    """Where the exchange of notes about it stands."""


class ChanceView(Message):
    """The number of hits with one counterpart expected by chance, from the matcher's report."""

    counterpart: PartyCode
    submission_id: Identifier | None
    """The query that was answered, or None for the lists."""
    chance_hits: ChanceHits


class AnswerView(Message):
    """The state of a submission's answer: whether its persons are known to be hits or no-hits."""

    kind: Kind
    submission_id: Identifier | None
    """None for a list that is not signed."""
    state: AnswerState
    """`answered`: every party has answered, or refused to. `awaited`: not all have. `never`: it ended, went on
    without this party, or a list did not come in time, before all had. `erased`: the retention of the round is over,
    and its hits are gone."""
    parties: tuple[PartyAnswer, ...] = ()
    """The state of each counterpart's answer, in the order of the codes."""

    @property
    def complete(self) -> bool:
        """Return whether every party has answered: only then is a record without a hit a no-hit."""
        return self.state is AnswerState.ANSWERED and not any(one.state is AnswerState.REFUSED for one in self.parties)


class Hits(Message):
    """The hits of a round at a node."""

    round_id: Identifier
    phase: Phase
    answers: tuple[AnswerView, ...]
    """For the own list and each own query, whether it is answered."""
    awaited: tuple[AwaitedStep, ...]
    """What the round waits for, while an answer is awaited."""
    hits: tuple[OwnHit, ...]
    chance: tuple[ChanceView, ...]
    """For each counterpart and report, how many hits chance alone would give."""
    problems: tuple[SentenceView, ...]
    """What stops the round, or makes its hits untrustworthy, in sentences."""

    @property
    def complete(self) -> bool:
        """Return whether all parties answered all submissions: only then is a record without a hit a no-hit."""
        return all(answer.complete for answer in self.answers)


class NodeStatus(Message):
    """A node at a glance."""

    party: PartyCode
    version: str
    identity_fingerprint: Digest
    matcher_url: str
    matcher_reachable: bool
    """Whether the matcher answered the last call."""
    clock_difference: int | None
    """By how many seconds the matcher's clock is ahead of the node's; None before it was compared."""
    log_alarm: str
    """Why the matcher's log is not the one that was seen before, in a sentence; empty while it is."""
    obstacle: str
    """Why the node signs and sends nothing now, in a sentence; empty while it does."""
    notifications_failing_since: Seconds | None = None
    """Since when a notification cannot be handed over, or None."""
    group: str


class CategoryView(Message):
    """A category of persons: its code is the id of the template that has it, in the registry in force."""

    code: TemplateId
    words: Text
    """As manifests have it."""
    wordings: dict[str, Text]
    """In other languages, by language tag."""


class Categories(Message):
    """The categories of persons that have a code."""

    categories: tuple[CategoryView, ...]

    @classmethod
    def of(cls, templates: Iterable[RoundTemplate]) -> Self:
        """Return the categories of templates, each version of its own."""
        return cls(
            categories=tuple(
                CategoryView(
                    code=one.template_id,
                    words=one.category,
                    wordings={word.language: word.category for word in one.wordings},
                )
                for one in templates
            )
        )


class ProposalDefaults(Message):
    """The values of a proposal that leaves everything open but its parties and its words."""

    parties: tuple[PartyCode, ...]
    rules: tuple[Text, ...]
    """The names of the match rules that there are; the first is taken."""
    caps: ClassCounts
    """Elements of each party by class."""
    window: Window
    padding: Padding
    minimum_certainty: Level
    frequency_limit: Positive
    retention_days: Positive
    templates: tuple[RoundTemplate, ...] = ()
    """Of each template of the registry in force, its newest version."""
    draft: RoundProposal | None = None
    """The proposal that is filled in, where one like an earlier round or from a template was asked for."""
