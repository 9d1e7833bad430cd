"""A node's views of hits and requests of analysts: lists, histories, decisions, follow-ups, withdrawals, erasure.

Nothing here is signed. A view holds the operator's own records beside hits, and nothing of the other side's.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from aquila.followup.lifecycle import Channel, Decision, Ground, HitOutcome, LifecycleStepKind, Stage, Urgency
from aquila.interface.exchange import ExchangeView
from aquila.matching.certainty import Level
from aquila.protocol.messages.base import Count, Digest, Identifier, Message, PartyCode, Seconds, Text

MOST_PER_PAGE = 200

Remark = Annotated[str, Field(max_length=2_000)]
Reference = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


class HitFilter(Message):
    """The hits that a list shows; an empty field restricts nothing.

    Attributes:
        hit: The beginning of a hit's id.
        overdue: Only hits whose next step is overdue.
        older_than_hours: Only hits that came longer ago than this.
    """

    round_id: Identifier | None = None
    hit: Annotated[str, Field(pattern=r"^[0-9a-f]{4,32}$")] | None = None
    counterpart: PartyCode | None = None
    certainty: Level | None = None
    stage: Stage | None = None
    overdue: bool = False
    older_than_hours: Annotated[int, Field(ge=0, le=100_000)] | None = None
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=MOST_PER_PAGE)] = 50


class HitEntry(Message):
    """A hit in a list, with the own record.

    Attributes:
        record: The own record's fields; nothing where its list was deleted.
    """

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


class HitPage(Message):
    """A page of hits, the newest round first and the surest hits of a round first.

    Attributes:
        total: How many hits the filter leaves.
        by_stage: How many of them stand where.
        overdue: How many of them are overdue.
        unanswered: How many rounds that this party consented to have brought no report, of those the filter leaves.
    """

    hits: tuple[HitEntry, ...]
    offset: Count
    total: Count
    by_stage: dict[str, int]
    overdue: Count
    unanswered: Count


class StepView(Message):
    """One thing that was done with a hit, in the words of `aquila.followup.lifecycle`."""

    kind: LifecycleStepKind
    at: Seconds
    person: str
    value: str
    reference: str
    urgency: Urgency | None
    remark: str


class WithdrawalState(StrEnum):
    """The delivery state of a withdrawal."""

    WAITING = "waiting"
    TOLD = "told"
    ACKNOWLEDGED = "acknowledged"


class WithdrawalView(Message):
    """A withdrawal of a hit, by this party or by the counterpart.

    Attributes:
        by: Who withdrew it.
        late: Whether it came after the correction duty's 48 hours.
        acknowledged_at: When the other side said that it marked the hit.
    """

    by: PartyCode
    ground: Ground
    late: bool
    at: Seconds
    state: WithdrawalState
    acknowledged_at: Seconds | None


class ChanceOfHit(Message):
    """The number of hits of one level with one counterpart, and the number expected by chance alone.

    Attributes:
        hits: Of the same level, counterpart and report as the hit that is shown, itself included.
        expected: In thousandths of a hit, as the matcher's report says.
        drift_centibits: By how many hundredths of a bit canaries can move its odds between rounds of the same lists.
    """

    hits: Count
    expected: Count
    drift_centibits: Count = 0


class HitView(Message):
    """A hit with all that was done with it.

    Attributes:
        sentences: Why it is a hit, one for each evidence family: its name, and once the hit is confirmed, what agrees.
        possible: What can be done with it next.
        blocked_by: The handling code that blocks an export, of the own record or of the counterpart's note, or None.
        exchange: Where the exchange of notes about it stands.
        chance: What chance alone would give; None where the report was erased.
    """

    entry: HitEntry
    families: tuple[str, ...]
    sentences: tuple[str, ...]
    submission_id: Identifier | None
    channel: Channel | None
    reference: str
    urgency: Urgency | None
    permission: str
    handling_code: str | None
    blocked_by: str | None
    possible: tuple[LifecycleStepKind, ...]
    history: tuple[StepView, ...]
    withdrawals: tuple[WithdrawalView, ...]
    exchange: ExchangeView | None = None
    chance: ChanceOfHit | None = None


class DecisionRequest(Message):
    """An analyst's decision on a hit."""

    decision: Decision
    remark: Remark = ""


class FollowUpRequest(Message):
    """A follow-up by an existing channel; the channel's own number may come later."""

    channel: Channel
    reference: Reference = ""
    urgency: Urgency = Urgency.NORMAL
    remark: Remark = ""


class ReferenceRequest(Message):
    """The channel's own number of a follow-up."""

    reference: Annotated[Reference, Field(min_length=1)]


class PermissionRequest(Message):
    """The originator's permission to export what a handling code blocks: where it is on file."""

    reference: Annotated[Reference, Field(min_length=1)]
    remark: Remark = ""


class CloseRequest(Message):
    """The outcome of a hit."""

    outcome: HitOutcome
    remark: Remark = ""


class WithdrawRequest(Message):
    """The ground on which the owner of the record withdraws a hit; the reason is for this node's history alone."""

    ground: Ground
    reason: Remark = ""


class LetterView(Message):
    """The request of a follow-up: references only.

    Attributes:
        lines: Its head, as label and text, for a printed form.
    """

    text: str
    lines: tuple[tuple[str, str], ...]


class ErasureRequest(Message):
    """The record to be erased everywhere at this node, by its own identifier."""

    record_id: Text


class ErasureReport(Message):
    """The result of an erasure, in numbers.

    Attributes:
        imports: Lists that held the record.
        told: Counterparts that are being told.
        record_digest: By which the record's number is noticed should it come again.
    """

    imports: Count
    records: Count
    hits: Count
    told: tuple[PartyCode, ...]
    record_digest: Digest
