"""A node's views of hits and requests of analysts: lists, histories, decisions, follow-ups, withdrawals, erasure.

Nothing here is signed. A view holds the operator's own records beside hits, and nothing of the other side's.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from aquila.followup.lifecycle import (
    Channel,
    Decision,
    FollowUpState,
    Ground,
    HitOutcome,
    LifecycleStepKind,
    Stage,
    Urgency,
)
from aquila.interface.people import Person
from aquila.interface.rounds import ExchangeView
from aquila.interface.sentence import SentenceView
from aquila.matching.certainty import Level
from aquila.matching.weights import WeightKind
from aquila.protocol.messages.base import Count, Digest, GivenText, Identifier, Message, PartyCode, Seconds, Text
from aquila.protocol.messages.statements import Kind

MOST_PER_PAGE = 200
MOST_CHOSEN = 2_000
"""Hits that are chosen for a decision: those of the persons on a page."""

MOST_COUNTED = 40
"""Filters that are counted at once."""

MOST_OTHERS = 100
"""Other hits on the same own person that the view of a hit has."""

MOST_DECIDED = 2_000
"""Hits of a filter that one decision may have: some seconds of work."""

MOST_EXPORTED = 10_000
"""Hits that one export may have."""

UNDO_HOURS = 8
"""For how long a list of hits offers to undo a person's last decision: a working day."""

Remark = Annotated[str, Field(max_length=2_000)]
Reference = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


IndicatorOrGroup = Annotated[str, StringConstraints(pattern=r"^[A-Z]([1-9][0-9]?)?$")]
"""The code of an indicator, or the letter of a group."""


class KnownPair(StrEnum):
    """The difference between a hit and the one of an earlier round whose decision it carries."""

    UNCHANGED = "unchanged"
    CHANGED_LEVEL = "changed_level"
    CHANGED_EVIDENCE = "changed_evidence"


class AssigneeFilter(StrEnum):
    """The person who looks after hits: the one who asks, or nobody."""

    MINE = "mine"
    NOBODY = "nobody"


class HitSort(StrEnum):
    """The order of own persons in a list of hits; the hits on one person come together."""

    NEWEST = "newest"
    CERTAINTY = "certainty"
    DUE = "due"
    NAME = "name"
    PARTY = "party"


class SavedFilter(Message):
    """What a kept view restricts in a list of hits; an empty field restricts nothing."""

    round_id: Identifier | None = None
    counterpart: PartyCode | None = None
    certainty: Level | None = None
    stage: Stage | None = None
    known: KnownPair | None = None
    """Only known pairs with this difference."""
    whose: AssigneeFilter | None = None
    kind: Kind | None = None
    """Only hits between lists, or only those of queries."""
    indicator: IndicatorOrGroup | None = None
    """Only hits on own records that have this indicator, or one of this group."""
    overdue: bool = False
    """Only hits whose next step is overdue."""
    older_than_hours: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """Only hits that came longer ago than this."""


class HitFilter(SavedFilter):
    """The hits that a list shows: as a view restricts them, or those whose id begins so; their order, and a page."""

    hit: Annotated[str, Field(pattern=r"^[0-9a-f]{4,32}$")] | None = None
    sort: HitSort = HitSort.NEWEST
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Own persons that are left out before the page."""
    limit: Annotated[int, Field(ge=1, le=MOST_PER_PAGE)] = 50
    """Own persons of a page; each comes with all of its hits that the filter leaves."""


class HitSearch(HitFilter):
    """A filter of hits with a name, which therefore comes in a body and never in an address."""

    name: Annotated[str, Field(max_length=200, repr=False)] = ""
    """Parts of the own record's name, in any script; or its whole number, or a reference of the hit."""


class HitKey(Message):
    """The round and the number of a hit, which together name it at a node."""

    round_id: Identifier
    hit_id: Identifier


class QueryReason(Message):
    """The justification of a query without its officer; `urgency` is the time within which an answer is needed."""

    legal_basis: Text
    purpose: Text
    case_reference: Text
    category: Text
    urgency: Urgency | None = None


class HitQuery(Message):
    """The query that a hit comes from."""

    asker: PartyCode
    """Whose query it is."""
    own: bool
    reason: QueryReason | None
    """Why it was made, as its asker signed it; None once its three years are over."""


ChangeCursor = Annotated[str, Field(pattern=r"^([0-9]{1,16}-[0-9]{1,16}-[0-9a-f]{16})?$")]
"""How far a program has read; empty at its beginning. Nothing but the node reads anything from it."""


class HitEntry(Message):
    """A hit in a list, with the own record."""

    round_id: Identifier
    hit_id: Identifier
    counterpart: PartyCode
    certainty: Level
    stage: Stage
    decision: Decision | None
    outcome: HitOutcome | None
    arrived_at: Seconds
    due_at: Seconds | None
    overdue: bool
    record_id: str
    record: dict[str, str | list[str]]
    """The own record's fields; nothing where its list was deleted."""
    reasons: tuple[str, ...] = ()
    """Why it is a hit, a few words for each family of evidence, in lists of hits and of one hit."""
    parts: tuple[str, ...] = ()
    """Names of the parts of match rules that agree most strongly; nothing before a hit is confirmed."""
    known_to: tuple[PartyCode, ...] = ()
    """The parties with a hit on the same own person, in any round, in lists of hits only."""
    known: KnownPair | None = None
    """The difference to an earlier hit on the same pair, whose decision this one carries; None of a new pair."""
    assignee: str = ""
    """The pseudonymous id of who looks after it, or nothing."""
    assignee_name: str = ""
    """The name of that person's account, in lists of hits and of one hit."""
    query: HitQuery | None = None
    """The query that it comes from, or None of a hit between lists; in lists of hits and of one hit."""
    person: Count | None = None
    """On a page of hits, the number of the own person: the hits on one person have the same, whatever their round."""


class ChangeKind(StrEnum):
    """A thing of a node that changes. A round whose hits were erased at the end of their time is a changed round."""

    ROUND = "round"
    QUERY = "query"
    HIT = "hit"


class Change(Message):
    """A round, query or hit that changed, as it is now: new, decided, followed up, answered, or erased."""

    kind: ChangeKind
    round_id: Identifier
    subject: Annotated[str, Field(pattern=r"^([0-9a-f]{32})?$")]
    """The submission id of the query, or the hit's id; empty for a round."""
    erased: bool
    """Whether the hits of the round, or the hit, are erased here, and copies of them have to be."""
    stage: Stage | None = None
    decision: Decision | None = None
    outcome: HitOutcome | None = None


class Changes(Message):
    """Changes since a cursor, the oldest first, each subject once, and the cursor for the next call."""

    changes: tuple[Change, ...]
    cursor: ChangeCursor
    more: bool


class UndoView(Message):
    """A person's last decision, which can still be undone."""

    number: Count
    """The number by which it is undone."""
    decision: Decision
    hits: Count


class HitPage(Message):
    """A page of own persons in the order of the filter, each with all of its hits that the filter leaves."""

    hits: tuple[HitEntry, ...]
    """Those of one person, by certainty, come together."""
    offset: Count
    """Persons before this page."""
    persons: Count
    """Persons that the filter leaves."""
    total: Count
    """Hits that the filter leaves."""
    by_stage: dict[str, int]
    """How many of them stand where."""
    overdue: Count
    unanswered: Count
    """How many rounds that this party consented to have brought no report, of those the filter leaves."""
    undo: UndoView | None = None
    """The person's last decision of the last hours, on one hit or on several."""
    problems: tuple[SentenceView, ...] = ()
    """Which hits of the page are not shown, and which are gone from its rounds, in sentences."""


class HitCountsRequest(Message):
    """Filters; the own persons that each leaves are counted."""

    filters: Annotated[tuple[SavedFilter, ...], Field(max_length=MOST_COUNTED)]


class HitCounts(Message):
    """How many own persons each filter leaves."""

    persons: tuple[Count, ...]


class NeighboursRequest(Message):
    """A hit, and the list in which the hits before and after it are wanted."""

    hit: HitKey
    within: HitSearch


class HitNeighbours(Message):
    """The place of a hit's own person in a list; each neighbour is another person, by the surest of its hits."""

    place: Count | None
    """From 1 on; None where the filter leaves no hit on the person."""
    persons: Count
    previous: HitKey | None
    next: HitKey | None
    undecided: HitKey | None
    """The next person with a hit that has no decision; after the last one from the beginning."""
    undo: UndoView | None
    """As of `HitPage`."""


class StepView(Message):
    """One thing that was done with a hit, in the words of `aquila.followup.lifecycle`."""

    kind: LifecycleStepKind
    at: Seconds
    person: str
    value: str
    reference: str
    urgency: Urgency | None
    remark: str
    name: str = ""
    """The name of the person's account, where it is shown to people of this node; logs have `person` alone."""
    to: str = ""
    """The name of the account to which the hit was assigned."""


class WithdrawalState(StrEnum):
    """The delivery state of a withdrawal."""

    WAITING = "waiting"
    TOLD = "told"
    ACKNOWLEDGED = "acknowledged"


class WithdrawalView(Message):
    """A withdrawal of a hit, by this party or by the counterpart."""

    by: PartyCode
    ground: Ground
    late: bool
    """Whether it came after the correction duty's 48 hours."""
    at: Seconds
    state: WithdrawalState
    acknowledged_at: Seconds | None
    """When the other side said that it marked the hit."""


class ChanceOfHit(Message):
    """The number of hits of one level with one counterpart, and the number expected by chance alone."""

    hits: Count
    """Of the same level, counterpart and report as the hit that is shown, itself included."""
    expected: Count
    """In thousandths of a hit, as the matcher's report says."""


class WeightView(Message):
    """One of the weights by which a hit was graded (PROTOCOL.md 7), in hundredths of a bit; they add up to its odds.

    `differs` says of an agreement what does not agree or is not known; it is empty where nothing.
    """

    kind: WeightKind
    sentence: str
    centibits: int
    differs: str = ""


class NameCount(Message):
    """A word of the own record's name, and how many records of its list have a word that is written or sounds so."""

    name: str
    records: Count


class ReceivedView(Message):
    """A request of the counterpart about a hit, with the clock of its answer."""

    date: str
    number: str
    urgency: Urgency
    reminders: Count
    """How many further letters about the same came before it was answered."""
    due_at: Seconds | None
    answered_on: str
    """The date of the answer (ISO 8601), or nothing."""
    answer: str
    """Its number, or nothing."""


class CaseLine(Message):
    """A hit on an own record as its counterpart told of it last (PROTOCOL.md 3.11.6)."""

    counterpart: PartyCode
    hit_id: Identifier
    own_reference: str
    reference: str
    """The counterpart's number of the hit."""
    state: FollowUpState | None
    """The counterpart's follow-up; None where it has told nothing yet."""
    told_at: Seconds | None
    also: tuple[tuple[PartyCode, str], ...]
    """Third parties that the counterpart has the person in common with, and its number of that hit; only those with
    which this node has a hit on the record, too."""


class HitView(Message):
    """A hit with all that was done with it."""

    entry: HitEntry
    families: tuple[str, ...]
    sentences: tuple[str, ...]
    """Why it is a hit, one for each evidence family: its name, and once the hit is confirmed, what agrees."""
    submission_id: Identifier | None
    channel: Channel | None
    reference: str
    urgency: Urgency | None
    replied_on: str = ""
    """The date of the counterpart's last reply (ISO 8601), or nothing."""
    reply: str = ""
    """The number of that reply, or nothing."""
    sent_at: Seconds | None = None
    """When the request of the follow-up was first exported."""
    reminders: Count = 0
    reminded_at: Seconds | None = None
    """When its last reminder was prepared."""
    received: ReceivedView | None = None
    """The counterpart's last request, as it was recorded here."""
    permission: str
    handling_code: str | None
    blocked_by: str | None
    """The own record's handling code, where it blocks a letter; else None."""
    conditions: tuple[tuple[str, str], ...] = ()
    """The conditions that a letter states: code and words, of the own record's and the counterpart's."""
    possible: tuple[LifecycleStepKind, ...]
    history: tuple[StepView, ...]
    withdrawals: tuple[WithdrawalView, ...]
    exchange: ExchangeView | None = None
    knows_indicators: bool = False
    """Whether the round names the table of indicators that this node has, and so words for the codes of its notes."""
    """Where the exchange of notes about it stands."""
    chance: ChanceOfHit | None = None
    """What chance alone would give; None where the report was erased."""
    earlier: HitKey | None = None
    """The hit of an earlier round whose decision this one carries, or that it replaces, as long as it is kept."""
    weights: tuple[WeightView, ...] = ()
    """How it was graded, from the prior on; of confirmed hits only."""
    strangers_centibits: int | None = None
    """How many pairs of two persons are expected in the two lists that agree in just this way, as hundredths of log2;
    of confirmed hits only."""
    own_names: tuple[NameCount, ...] = ()
    """How usual the own record's names are in its list; nothing where the list is too long to be counted."""
    own_records: Count = 0
    """How many records its list has."""
    others: tuple[HitEntry, ...] = ()
    """The newest other hits on the same own person, with any party and of any round."""
    case: tuple[CaseLine, ...] = ()
    """The confirmed hits of this round's lists on the same own record, this one among them."""


class DecisionRequest(Message):
    """An analyst's decision on a hit."""

    decision: Decision
    remark: Remark = ""


class ManyHits(Message):
    """Several hits that one person deals with in one step: those that are chosen, or all that a filter leaves."""

    hits: Annotated[tuple[HitKey, ...], Field(max_length=MOST_CHOSEN)] = ()
    """Those that are chosen, none for a filter."""
    every: HitSearch | None = None
    """The filter; hits that the step does not fit, such as those with a decision, are left out."""
    total: Count = 0
    """How many hits the filter left when the person saw it: one that leaves another number by now is refused."""
    remark: Remark = ""
    """The reason for all of them, without which the step takes only hits on one own person."""


class ManyDecisionsRequest(ManyHits):
    """One decision on several hits that have none."""

    decision: Decision


class ManyClosingsRequest(ManyHits):
    """One outcome of several hits that can be closed now."""

    outcome: HitOutcome


class ManyFollowUpsRequest(ManyHits):
    """One follow-up of several hits that are decided, and not on another person; it needs no reason."""

    channel: Channel
    urgency: Urgency = Urgency.NORMAL


class ManyFollowUps(Message):
    """The result: the hits of those that are in follow-up now, how many were opened, and how many are not in it."""

    hits: tuple[HitKey, ...]
    opened: Count
    left_out: Count


class ManyClosings(Message):
    """The result of closing several hits: how many were closed, and how many could not be now."""

    hits: Count
    left_out: Count


class ManyDecisions(Message):
    """The result of one decision on several hits."""

    number: Count | None
    """The number by which it is undone; None where no hit was decided."""
    hits: Count
    left_out: Count
    """How many were not, because they have a decision, or are closed or withdrawn."""


class Colleague(Message):
    """A person of this node who may look after hits, by the name of the account."""

    person: Person
    name: str


class Colleagues(Message):
    """The persons of this node who may look after hits, by name."""

    colleagues: tuple[Colleague, ...]


class AssignmentRequest(Message):
    """Hits that a person looks after from now on; without a person nobody does."""

    hits: Annotated[tuple[HitKey, ...], Field(min_length=1, max_length=MOST_CHOSEN)]
    person: Person | None = None
    remark: Remark = ""
    """Words for that person; they stay in the history of each hit."""


class RemarkRequest(Message):
    """A remark on a hit; it stays at this node."""

    remark: Annotated[Remark, Field(min_length=1)]


class UndoRequest(Message):
    """The own decision that is undone."""

    number: Count


class UndoResult(Message):
    """The result of undoing a decision: how many hits are as they were before, and the first of them."""

    hits: Count
    first: HitKey


class ExportedHit(Message):
    """A hit as it is exported: the own record and what was decided; nothing of the other side but its code."""

    entry: HitEntry
    channel: Channel | None
    reference: str
    decided_at: Seconds | None
    decided_by: str
    remark: str


class HitExport(Message):
    """The hits that a filter leaves, in its order; at most `MOST_EXPORTED`."""

    exported_at: Seconds
    hits: tuple[ExportedHit, ...]
    problems: tuple[SentenceView, ...] = ()
    """Which hits are left out, and which are gone, in sentences."""


class FollowUpRequest(Message):
    """A follow-up by an existing channel; the channel's own number may come later."""

    channel: Channel
    reference: Reference = ""
    urgency: Urgency = Urgency.NORMAL
    remark: Remark = ""


class ReferenceRequest(Message):
    """The channel's own number of a follow-up."""

    reference: Annotated[Reference, Field(min_length=1)]


class ReplyRequest(Message):
    """The counterpart's reply to a follow-up: its date, and its number in the channel if it has one."""

    date: date
    number: Reference = ""
    remark: Remark = ""


class PermissionRequest(Message):
    """The originator's permission to export what a handling code blocks: where it is on file."""

    reference: Annotated[Reference, Field(min_length=1)]
    remark: Remark = ""


class CloseRequest(Message):
    """The outcome of a hit."""

    outcome: HitOutcome
    remark: Remark = ""


class ReopenRequest(Message):
    """The reason for which a closed hit is reopened; it stays in this node's history."""

    reason: Annotated[Remark, Field(min_length=1)]


class WithdrawRequest(Message):
    """The ground on which the owner of the record withdraws a hit; the reason is for this node's history alone."""

    ground: Ground
    reason: Remark = ""


class LetterMessage(Message):
    """The request of a follow-up in the fields of a channel such as SIENA, to be copied there: references only."""

    subject: str
    sender: PartyCode
    receiver: PartyCode
    channel: Channel
    urgency: Urgency
    answer_by: Seconds
    """Until when the request asks for an answer; a reminder does not put it off."""
    reminder: Count
    """Which reminder of the request it is; 0 for the request itself."""
    references: tuple[tuple[str, str], ...]
    """Name and text of each."""
    handling_code: str
    """The strictest of the own records', or nothing; where they differ, `references` has that of each hit."""
    receiver_handling_code: str
    """The same of the receiver's notes."""
    legal_basis: str
    purpose: str
    body: tuple[str, ...]
    """The paragraphs, in English."""


class LetterView(Message):
    """The request of a follow-up: references only."""

    text: str
    title: SentenceView
    head: tuple[Annotated[tuple[SentenceView, ...], Field(min_length=2, max_length=2)], ...]
    """Its head as labels and texts, sentences that a client composes in the receiver's language."""
    body: tuple[SentenceView, ...]
    """Its paragraphs as sentences, without their last full stops."""
    message: LetterMessage
    practice: bool
    """Whether it is about invented persons, which its title, head, body and subject say too."""


class Correspondence(StrEnum):
    """What is recorded of letters about hits, between parties and by an existing channel."""

    REMINDED = "reminded"
    """A reminder of an own request is prepared: the letters of these hits are reminders from now on."""
    REFERENCED = "referenced"
    """The channel gave an own request its number."""
    REPLIED = "replied"
    """The counterpart replied to an own request."""
    RECEIVED = "received"
    """A request of the counterpart came."""
    ANSWERED = "answered"
    """It was answered."""


class CorrespondenceRequest(Message):
    """A letter about several hits; what it says stays in the channel."""

    step: Correspondence
    hits: Annotated[tuple[HitKey, ...], Field(max_length=MOST_CHOSEN)] = ()
    letter: Annotated[str, Field(max_length=200_000, repr=False)] = ""
    """In place of hits, a text with their ids or references, such as a letter of the counterpart. It is not kept."""
    on: date | None = None
    """The date of a reply, a received request or an answer; a date is needed for these."""
    number: Reference = ""
    """That of the letter in its channel; it is needed for the number of an own request."""
    urgency: Urgency | None = None
    """Of a received request; normal if it says nothing."""
    remark: Remark = ""


class CorrespondenceResult(Message):
    """The hits at which a letter was recorded, and how many others it names or has for which this is not possible."""

    hits: tuple[HitKey, ...]
    left_out: Count


MOST_BUNDLES = 50
"""Bundles that an outbox or an inbox lists; those whose answer is due first come first."""

ANSWERED_DAYS = 30
"""For how long an inbox lists a request that was answered."""


class BundledHit(Message):
    """A hit of a bundle by its references; no record is read for it."""

    round_id: Identifier
    hit_id: Identifier
    own_number: str
    """This party's own number of it, or nothing before it is confirmed."""
    other_number: str
    """The counterpart's; the same."""
    answered: bool
    """Whether a reply or an answer about it is recorded."""


class Bundle(Message):
    """Hits about which one party was asked together, or about which it asked together."""

    counterpart: PartyCode
    hits: tuple[BundledHit, ...]
    numbers: tuple[str, ...]
    """Numbers of the request in its channel, each once."""
    urgency: Urgency
    asked_at: Seconds
    """When the follow-up was opened; of a received request, when its clock began. The clock runs from here."""
    due_at: Seconds | None
    """When the first answer that lacks is due; None where all were given."""
    overdue: bool
    reminders: Count
    answered: Count
    """About how many of the hits a reply or an answer is recorded."""
    answered_on: str
    """The date of the last one (ISO 8601), or nothing."""
    answers: tuple[str, ...]
    """The numbers of these letters, each once."""


class SentBundle(Bundle):
    """An own request."""

    channel: Channel
    sent_at: Seconds | None
    """When its first letter was made; None if none was made yet."""
    reminded_at: Seconds | None
    """When the last reminder was prepared."""
    closed: Count
    """How many more hits of it are closed already."""


class ReceivedBundle(Bundle):
    """A request of another party, as it was recorded here; `reminders` counts its further letters about the same."""

    date: str
    """That of its letter (ISO 8601)."""


class FollowUps(Message):
    """Outbox and inbox: own requests in follow-up, and recorded ones of others that have no answer or a recent one."""

    at: Seconds
    """When this was so."""
    sent: tuple[SentBundle, ...]
    sent_total: Count
    received: tuple[ReceivedBundle, ...]
    received_total: Count
    problems: tuple[SentenceView, ...] = ()
    """Which hits are left out, in sentences."""


class Work(StrEnum):
    """What is to be done about a hit."""

    UNDECIDED = "undecided"
    DECIDED = "decided"
    """It is to be followed up or closed."""
    ASKED = "asked"
    """The other party is to reply."""
    REPLIED = "replied"
    """It is to be closed."""
    RECEIVED = "received"
    """A request of the other party is to be answered, whatever else is to be done."""


class Backlog(Message):
    """The hits that wait for one kind of work."""

    work: Work
    hits: Count
    overdue: Count
    overdue_week: Count
    """How many of these are overdue for more than a week."""
    first_due_at: Seconds | None
    """When the earliest of them is or was due; None if none waits."""


FIGURE_DAYS = (30, 365)
"""The days within which done work is counted."""


class WorkDone(Message):
    """The hits with which something was done within some days, each once in a number; erased ones are not counted."""

    days: Count
    decided: dict[Decision, Count]
    """By the decision that they have now."""
    asked: Count
    """Followed up by a request."""
    replied: Count
    received: Count
    """Asked about by another party."""
    answered: Count
    closed: dict[HitOutcome, Count]


class UnitFigures(Message):
    """The unit's own figures, exact."""

    at: Seconds
    backlog: tuple[Backlog, ...]
    done: tuple[WorkDone, ...]


class FunnelStage(StrEnum):
    """How far a hit came at its unit."""

    ARRIVED = "arrived"
    LOOKED_AT = "looked_at"
    """An analyst took it up or decided."""
    DECIDED = "decided"
    ASKED = "asked"
    REPLIED = "replied"
    CLOSED = "closed"


class FunnelStep(Message):
    """The hits that came to a stage, and how long half of them took at most."""

    stage: FunnelStage
    hits: Count
    median_seconds: Count | None
    """From the arrival; to a request from the decision, to a reply from the request. None for arrivals and no hit."""


AGES = (2 * 86_400, 7 * 86_400, 30 * 86_400)
"""Seconds since their arrival by which waiting hits are grouped: younger than each, and older than the last."""


class AgedWork(Message):
    """Own hits that wait for one kind of work, by their age."""

    work: Work
    hits: tuple[Count, ...]
    """One number for each of `AGES`, and one for older hits."""


class FilledField(Message):
    """How many records of a list have a field."""

    field: str
    records: Count


class IndicatorCount(Message):
    """How many hits of rounds of one category of persons are on own records with an indicator."""

    indicator: str
    category: str
    hits: Count


class ListCompleteness(Message):
    """What the records of the newest list have."""

    name: str
    imported_at: Seconds
    records: Count
    whole_birth_dates: Count
    """Records whose date of birth has its day."""
    fields: tuple[FilledField, ...]


class UnitPicture(Message):
    """The unit's own picture, exact: how far its hits came, how old its open work is, and how complete its list is."""

    at: Seconds
    days: Count
    funnel: tuple[FunnelStep, ...]
    """Counts hits that arrived within these days; known pairs are left out, because they carry an earlier decision."""
    received: Count
    """Of these hits, those that another party asked about, as recorded."""
    answered: Count
    """Those of them that were answered."""
    median_answer_seconds: Count | None
    """From the record of the request to that of its answer."""
    ages: tuple[AgedWork, ...]
    indicators: tuple[IndicatorCount, ...]
    """Of these hits, by code and category; a hit counts once for each indicator."""
    newest_list: ListCompleteness | None
    """None if there is no list."""


class LettersRequest(Message):
    """Hits in follow-up about which their parties are asked."""

    hits: Annotated[tuple[HitKey, ...], Field(min_length=1, max_length=MOST_CHOSEN)]
    export: bool = False
    """Whether the letters are exported now, which is noted at each hit; else they are drafts."""


class BundledLetter(Message):
    """A letter to one party, and the hits that it asks about."""

    hits: tuple[HitKey, ...]
    letter: LetterView


class Letters(Message):
    """A letter for the hits of each round and party that are asked for alike."""

    letters: tuple[BundledLetter, ...]
    left_out: Count
    """Hits without an open follow-up, or whose handling code blocks a letter."""


class ErasureRequest(Message):
    """The record to be erased everywhere at this node, by its own identifier."""

    record_id: Text


class ErasureProposal(Message):
    """The erasure of a record with hits, which a second person approves, and why."""

    record_id: Text
    reason: GivenText


class ErasureReport(Message):
    """The result of an erasure, in numbers."""

    imports: Count
    """Lists that held the record."""
    records: Count
    hits: Count
    told: tuple[PartyCode, ...]
    """Counterparts that are being told."""
    record_digest: Digest
    """By which the record's number is noticed should it come again."""


# Views of hits that an analyst keeps under a name: a filter each, which holds no word of a record. A name is the
# analyst's own word. It is shown to nobody else and is not logged.

MOST_SAVED = 20
"""How many views one person can keep."""

ViewName = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]


class NewFilter(Message):
    """A view to be kept, in place of one of the same name."""

    name: ViewName
    shows: SavedFilter


class SavedFilterView(Message):
    """A view that is kept."""

    view_id: Identifier
    name: ViewName
    shows: SavedFilter


class SavedFilters(Message):
    """A person's own views, by name."""

    views: tuple[SavedFilterView, ...]
