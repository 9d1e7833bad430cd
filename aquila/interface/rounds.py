"""Rounds as people ask for them and see them: proposals, progress, submissions, hits and the sealed exchange.

Nothing here is signed. A view holds no name, date or number of a person but the operator's own records beside hits, and
those of a list that is being looked at; of the other side nothing but its note, and that of confirmed hits alone.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from aquila.followup.lifecycle import Urgency
from aquila.interface.sentence import SentenceView
from aquila.matching.certainty import Level
from aquila.protocol.messages.announcements import ChanceHits
from aquila.protocol.messages.base import (
    MAX_CHUNK_ELEMENTS,
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
from aquila.protocol.messages.feed import RoundEntry
from aquila.protocol.messages.manifest import Manifest, Mode, Padding, PartyCap, Window
from aquila.protocol.messages.notes import HandlingCode, Reference
from aquila.protocol.messages.statements import Kind


class Progress(Message):
    """A number done out of a total."""

    done: Count
    of: Count


class PartyStatus(Message):
    """The part of a party's status that every state of a round holds.

    Attributes:
        takes_part: Whether it is in the round; it is not where the others went on without it.
    """

    party: PartyCode
    takes_part: bool
    consented: bool
    listed: bool
    queries: Count


class PartyProgress(PartyStatus):
    """The progress of one party in a round, as the matcher sees it.

    Attributes:
        blinded: Chunks of its submissions that came.
        evaluated: Chunks of others that it evaluated.
        tokens: Token chunks that came.
        waits_for: Parties whose evaluations of its chunks are missing.
    """

    blinded: Progress
    evaluated: Progress
    tokens: Progress
    waits_for: tuple[PartyCode, ...]
    hits: Count | None
    acknowledged: bool
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


class PartyAtNode(PartyStatus):
    """The progress of one party in a round, from a node's state; evaluations between other parties are not in it.

    Attributes:
        evaluated: Chunks of this node that came back from it evaluated and were verified; of this node itself, chunks
            of the others that it evaluated.
        tokens: Its submissions whose tokens it has signed.
        has_hits: Whether it has its report; None where this node cannot tell. A receipt is told to its party alone, but
            what a party signs of it, a check or notes, shows it.
        awaited: What the round waits for from it.
    """

    evaluated: Progress
    tokens: Progress
    has_hits: bool | None
    awaited: Awaited


class NoteView(Message):
    """The counterpart's note.

    Attributes:
        evaluation: Source and information code, such as `X4`; empty where its record has none.
        reference: The counterpart's own number of the hit; a follow-up names it.
        contact: Where it can be asked.
    """

    evaluation: str
    handling_code: HandlingCode | None
    category: str | None
    reference: Reference
    contact: str


class IntelligenceView(Message):
    """The result of both evaluations: the certainty of the intelligence, not of the match.

    Attributes:
        before: The own evaluation; empty where the record has none.
        after: What the counterpart's note makes of it, if both records are one person.
        assumption: What must hold for it, and what no machine can check.
    """

    before: str
    after: str
    sentence: str
    assumption: str


class ExchangeView(Message):
    """The state of the exchange of notes about a hit.

    Attributes:
        state: Unconfirmed until both sides verified the other's note; refuted where one of them found a fault.
        sentence: What the state means, or what is wrong.
        blamed_by: Who found the fault.
        reference: This party's own number of the hit.
        rules: What the rules that met say, in words; of confirmed hits only.
        parts: Of each of these rules, the names of the parts that agree, as the table has them.
        note: The counterpart's; of confirmed hits only.
        intelligence: Of confirmed hits only.
    """

    state: Literal["unconfirmed", "confirmed", "refuted"]
    sentence: SentenceView
    blamed_by: PartyCode | None
    reference: Reference | None
    rules: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...] = ()
    note: NoteView | None
    intelligence: IntelligenceView | None


class RoundPage(Message):
    """A part of the rounds that a service knows, newest first.

    Attributes:
        offset: How many newer ones are left out.
        total: How many there are in all, of those that were asked for.
    """

    rounds: tuple[RoundEntry, ...]
    offset: Count = 0
    total: Count = 0


class RoundProposal(Message):
    """The secretariat's proposal of a round; empty fields take the service's defaults."""

    participants: Annotated[tuple[PartyCode, ...], Field(min_length=2)]
    pairs: tuple[tuple[PartyCode, PartyCode], ...] = ()
    mode: Mode = Mode.LISTS
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
    """A round at the matcher.

    Attributes:
        ending: How the round ended and why, or how it is to end.
        evidence: Pairs of contradicting statements that are kept.
        flags: What in the parties' tokens looks like guesses, for people to look into.
    """

    entry: RoundEntry
    manifest: Manifest
    manifest_digest: Digest
    binding: Digest | None
    participants: tuple[PartyCode, ...]
    parties: tuple[PartyProgress, ...]
    hits_by_certainty: dict[str, int]
    ending: SentenceView | None
    evidence: Count
    flags: tuple[SentenceView, ...] = ()
    problems: tuple[SentenceView, ...] = ()


class AnswerState(StrEnum):
    """The state of the answer to a submission of this node, of all parties together or of one."""

    ANSWERED = "answered"
    AWAITED = "awaited"
    ON_HOLD = "on_hold"
    REFUSED = "refused"
    NEVER = "never"
    ERASED = "erased"


class PartyAnswer(Message):
    """The state of one party's answer to a submission of this node; it has no number and no person.

    Attributes:
        state: `answered`: of this party's records, one without a hit is a no-hit. `on_hold`: it withholds its answer
            until one of its people decides, and with it the whole report. `refused`: it gives none; the report is
            without it. `awaited`, `never` and `erased` as of the whole answer.
        since: When this node learned so, or None where nothing happened yet.
    """

    party: PartyCode
    state: AnswerState
    since: Seconds | None


class SubmissionView(Message):
    """A submission of this node on its way: steps that are counted in batches or chunks.

    Attributes:
        name: The name of its list, which is the case reference of a typed query; empty once the list is deleted.
        answers: Once its tokens are sent, the state of each counterpart's answer.
    """

    submission_id: Identifier
    kind: Kind
    import_id: Identifier
    name: str = ""
    state: Text
    records: Count
    elements: Count
    prepared: Progress
    sent: Progress
    evaluated: Progress
    tokens_sent: Progress
    held_back: dict[str, int]
    answers: tuple[PartyAnswer, ...] = ()


class NodeRoundView(Message):
    """A round at a node.

    Attributes:
        wishes: What the operator asked for and the node has still to do.
    """

    entry: RoundEntry
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
    wishes: tuple[str, ...]
    problems: tuple[SentenceView, ...]


class OwnHit(Message):
    """A hit with the node's own record, and nothing of the other side but its note.

    Attributes:
        sentences: Why, in plain words: one for each evidence family.
        exchange: Where the exchange of notes about it stands.
    """

    hit_id: Identifier
    counterpart: PartyCode
    certainty: Level
    families: tuple[str, ...]
    sentences: tuple[str, ...]
    record_id: str
    record: dict[str, str | list[str]]
    submission_id: Identifier | None
    exchange: ExchangeView | None = None


class ChanceView(Message):
    """The number of hits with one counterpart expected by chance, from the matcher's report.

    Attributes:
        submission_id: The query that was answered, or None for the lists.
    """

    counterpart: PartyCode
    submission_id: Identifier | None
    chance_hits: ChanceHits


class AnswerView(Message):
    """The state of a submission's answer: whether its persons are known to be hits or no-hits.

    Attributes:
        submission_id: None for a list that is not signed.
        parties: The state of each counterpart's answer, in the order of the codes.
        state: `answered`: its report is here, and a record without a hit is a no-hit. `awaited`: nothing is known yet.
            `never`: the round ended, or went on without this party, before the report came. `erased`: the retention of
            the round is over, and its hits are gone.
    """

    kind: Kind
    submission_id: Identifier | None
    state: AnswerState
    parties: tuple[PartyAnswer, ...] = ()

    @property
    def complete(self) -> bool:
        """Return whether every party has answered: only then is a record without a hit a no-hit."""
        return self.state is AnswerState.ANSWERED and not any(one.state is AnswerState.REFUSED for one in self.parties)


class AwaitedStep(Message):
    """A step that a round awaits before it can answer, and its party, or None for the matcher."""

    party: PartyCode | None
    step: Awaited


class Hits(Message):
    """The hits of a round at a node.

    Attributes:
        answers: For the own list and each own query, whether it is answered.
        awaited: What the round waits for, while an answer is awaited.
        chance: For each counterpart and report, how many hits chance alone would give.
        problems: What stops the round, or makes its hits untrustworthy, in sentences.
    """

    round_id: Identifier
    phase: Text
    answers: tuple[AnswerView, ...]
    awaited: tuple[AwaitedStep, ...]
    hits: tuple[OwnHit, ...]
    chance: tuple[ChanceView, ...]
    problems: tuple[SentenceView, ...]

    @property
    def complete(self) -> bool:
        """Return whether all parties answered all submissions: only then is a record without a hit a no-hit."""
        return all(answer.complete for answer in self.answers)


class NodeStatus(Message):
    """A node at a glance.

    Attributes:
        matcher_reachable: Whether the matcher answered the last call.
        clock_difference: By how many seconds the matcher's clock is ahead of the node's; None before it was compared.
        log_alarm: Why the matcher's log is not the one that was seen before, in a sentence; empty while it is.
        obstacle: Why the node signs and sends nothing now, in a sentence; empty while it does.
        notifications_failing_since: Since when a notification cannot be handed over, or None.
    """

    party: PartyCode
    version: str
    identity_fingerprint: Digest
    matcher_url: str
    matcher_reachable: bool
    clock_difference: int | None
    log_alarm: str
    obstacle: str
    notifications_failing_since: Seconds | None = None
    group: str


class ProposalDefaults(Message):
    """The values of a proposal that leaves everything open but its parties and its words.

    Attributes:
        rules: The names of the match rules that there are; the first is taken.
        caps: Elements of each party by class.
    """

    parties: tuple[PartyCode, ...]
    rules: tuple[Text, ...]
    caps: ClassCounts
    window: Window
    padding: Padding
    minimum_certainty: Level
    frequency_limit: Positive
    retention_days: Positive
