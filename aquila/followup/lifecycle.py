"""The life of a hit at one party, as a small state machine (PROTOCOL.md 8.1); and handling codes, which limit its use.

A `HitLifecycle` is folded from its steps, which are the history that is stored and shown. The consequences of a step
are decided here and nowhere else; the node stores steps and reads lifecycles. Whether the sealed exchange confirms a
hit is another matter: this is what people did with it.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType

from aquila.errors import OrderError, PolicyError
from aquila.sentences import Sentence


@dataclass(frozen=True, slots=True)
class HandlingCode:
    """A handling code."""

    code: str
    """Such as `H2`."""
    condition: str
    """The condition in words."""
    blocks_letter: bool
    """Whether it blocks a letter of references on an own record, until a permission is recorded."""


@cache
def handling_codes() -> Mapping[str, HandlingCode]:
    """Return the codes that records and notes can have, by code."""
    content = tomllib.loads(resources.files("aquila.followup").joinpath("handling_codes.toml").read_text("utf-8"))
    return MappingProxyType({code: HandlingCode(code, **row) for code, row in content["codes"].items()})


HOUR = 3_600
REVIEW_HOURS = 48
"""Hours in which a new hit is decided on, and a decided one followed up or closed."""

CORRECTION_HOURS = 48
"""Hours from a hit's arrival in which its withdrawal is in time; later it needs a reason and is marked late."""


class Stage(StrEnum):
    """The stage of a hit."""

    NEW = "new"
    REPLACED = "replaced"
    KNOWN = "known"
    ACKNOWLEDGED = "acknowledged"
    DECIDED = "decided"
    FOLLOW_UP = "follow_up"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class Decision(StrEnum):
    """An analyst's decision on a hit."""

    SAME = "same"
    OTHER = "not_the_same"
    UNSURE = "cannot_tell"


class Channel(StrEnum):
    """The existing legal channel that a follow-up takes."""

    SIENA = "siena"
    INTERPOL = "interpol"
    BILATERAL = "bilateral"


class Urgency(StrEnum):
    """The time within which an answer is due."""

    URGENT = "urgent"
    NORMAL = "normal"

    @property
    def hours(self) -> int:
        """The hours in which an answer is due."""
        return 8 if self is Urgency.URGENT else 48


class HitOutcome(StrEnum):
    """The final outcome of a hit."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNRESOLVED = "unresolved"


class FollowUpState(StrEnum):
    """The state of a hit as its party tells the counterpart (PROTOCOL.md 3.11.6)."""

    OPEN = "open"
    ASKED = "asked"
    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNRESOLVED = "unresolved"
    WITHDRAWN = "withdrawn"


class Ground(StrEnum):
    """The ground on which the owner of a record withdraws a hit: a word and not free text, since it leaves the node."""

    INCORRECT = "incorrect"
    UNLAWFUL = "unlawful"
    NOT_NEEDED = "not_needed"
    ERASED = "erased"


class LifecycleStepKind(StrEnum):
    """The kind of a step taken on a hit."""

    CARRIED = "carried"
    REPLACED = "replaced"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    REMARKED = "remarked"
    DECIDED = "decided"
    UNDONE = "undone"
    OPENED = "opened"
    REFERENCED = "referenced"
    REPLIED = "replied"
    PERMITTED = "permitted"
    EXPORTED = "exported"
    REMINDED = "reminded"
    RECEIVED = "received"
    ANSWERED = "answered"
    CLOSED = "closed"
    REOPENED = "reopened"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class LifecycleStep:
    """One thing that was done."""

    kind: LifecycleStepKind
    """What."""
    at: int
    """Seconds since 1970."""
    person: str
    """Who: a pseudonymous id, or the code of a party whose statement it was."""
    value: str = ""
    """The decision, channel, outcome or ground, as its enumeration's value; of a carried step one of the first three;
    of a reply, a received request and an answer to it its date (ISO 8601)."""
    reference: str = ""
    """The channel's own number, that of a permission, a reply or a received request, or the pseudonymous id of who
    looks after the hit."""
    urgency: Urgency | None = None
    """Of a follow-up, or of a received request."""
    remark: str = field(default="", repr=False)
    """The analyst's own words. They stay at the node, and no letter or statement has them."""


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request of the counterpart about a hit, which came by an existing channel and was recorded here."""

    date: str
    """That of the letter (ISO 8601)."""
    number: str
    """Its number, or nothing."""
    urgency: Urgency
    began_at: int
    """When its clock began: when it was recorded, and no later than the end of its day; seconds since 1970."""
    reminders: int = 0
    """How many further letters about the same came before it was answered."""
    answered_on: str = ""
    """The date of the answer (ISO 8601), once it is recorded."""
    answer: str = ""
    """The number of the answer, or nothing."""

    @property
    def due_at(self) -> int | None:
        """Return when the answer is due in seconds since 1970, or None if it was given."""
        return None if self.answered_on else self.began_at + self.urgency.hours * HOUR


@dataclass(frozen=True, slots=True)
class HitLifecycle:
    """The stage of a hit, and the steps that led to it."""

    arrived_at: int
    """When the hit was stored; its first clock runs from here."""
    since: int
    """When the stage began."""
    stage: Stage = Stage.NEW
    decision: Decision | None = None
    """What the analyst says, once decided."""
    channel: Channel | None = None
    """Of the follow-up, once opened."""
    reference: str = ""
    """The follow-up's number in its channel, once known."""
    urgency: Urgency | None = None
    """Of the follow-up."""
    opened_at: int | None = None
    """When the follow-up was opened; seconds since 1970."""
    sent_at: int | None = None
    """When its request was first exported, once it was; the same."""
    reminders: int = 0
    """How many reminders of it were prepared."""
    reminded_at: int | None = None
    """When the last one was; the same."""
    replied_on: str = ""
    """The date of the counterpart's last reply (ISO 8601), once it is recorded."""
    reply: str = ""
    """The number of that reply, or nothing."""
    replied_at: int | None = None
    """When it was recorded; seconds since 1970."""
    received: ReceivedRequest | None = None
    """The last request of the counterpart."""
    permission: str = ""
    """The reference of the permission to export, once recorded."""
    outcome: HitOutcome | None = None
    """What came of it, once closed."""
    ground: Ground | None = None
    """Why it was withdrawn."""
    late: bool = False
    """Whether it was withdrawn after the correction duty's hours."""
    assignee: str = ""
    """The pseudonymous id of who looks after the hit; empty for nobody."""
    before: "HitLifecycle | None" = field(default=None, repr=False)
    """The life before a decision, as long as the decision is the last step: undoing leads back to it."""

    @classmethod
    def of(cls, arrived_at: int, steps: Iterable[LifecycleStep] = ()) -> "HitLifecycle":
        """Return the life that the steps make.

        Raises:
            OrderError: A step was not possible when it was taken.
            ValueError: A value is none of its enumeration.
        """
        life = cls(arrived_at, arrived_at)
        for step in steps:
            life = life.after(step)
        return life

    @property
    def due_at(self) -> int | None:
        """Return the time of the next step in seconds since 1970, or None if none is due.

        It is the earlier one of the own next step and the answer to the counterpart's request.
        """
        received = self.received.due_at if self.received is not None and self.stage in _ANSWERING else None
        return min((due for due in (self.own_due_at, received) if due is not None), default=None)

    @property
    def own_due_at(self) -> int | None:
        """Return when the own next step or the reply to an own request is due; the same."""
        if self.stage in {Stage.NEW, Stage.ACKNOWLEDGED}:
            return self.arrived_at + REVIEW_HOURS * HOUR
        if self.stage is Stage.DECIDED:
            return self.since + REVIEW_HOURS * HOUR
        if self.stage is Stage.FOLLOW_UP and self.replied_at is not None:
            return max(self.since, self.replied_at) + REVIEW_HOURS * HOUR
        if self.stage is Stage.FOLLOW_UP and self.urgency is not None:
            return self.since + self.urgency.hours * HOUR
        return None

    def after(self, step: LifecycleStep) -> "HitLifecycle":
        """Return the life after another step.

        Raises:
            OrderError: The step is not possible now.
            ValueError: Its value is none of its enumeration.
        """
        allowed = _FROM[step.kind]
        if self.stage not in allowed:
            raise OrderError(
                "hit_step_not_allowed",
                state=self.stage.value,
                stage=Sentence.of(f"hit_{self.stage.value}"),
                step=Sentence.of(f"step_{step.kind.value}"),
            )
        obstacle = self._obstacle(step.kind)
        if obstacle is not None:
            raise OrderError(obstacle)
        if step.kind is LifecycleStepKind.UNDONE and self.before is not None:
            return replace(self.before, before=None)
        now = replace(self, before=None)
        return replace(_TAKE[step.kind](now, step), before=now if step.kind is LifecycleStepKind.DECIDED else None)

    def _obstacle(self, kind: LifecycleStepKind) -> str | None:
        """Return the code of the sentence why a step that the stage allows is not possible now, or None if it is."""
        open_request = self.received is not None and not self.received.answered_on
        obstacles = {
            LifecycleStepKind.OPENED: ("hit_on_another_person", self.decision is Decision.OTHER),
            LifecycleStepKind.UNDONE: ("last_step_not_decision", self.before is None),
            # Of one that was closed without a follow-up nobody was asked.
            LifecycleStepKind.REPLIED: ("reply_without_follow_up", self.urgency is None),
            LifecycleStepKind.REMINDED: ("reminder_not_due", self.sent_at is None or self.replied_at is not None),
            LifecycleStepKind.ANSWERED: ("answer_without_request", not open_request),
        }
        code, applies = obstacles.get(kind, ("", False))
        return code if applies else None

    def can_still_be_erased(self, ground: Ground) -> bool:
        """Return whether a withdrawn hit can be withdrawn once more, because its record was erased since."""
        return ground is Ground.ERASED and self.ground is not Ground.ERASED

    def possible(self) -> tuple[LifecycleStepKind, ...]:
        """Return the steps that the hit allows now."""
        found = [kind for kind in LifecycleStepKind if self.stage in _FROM[kind] and self._obstacle(kind) is None]
        # What another round brings is no step of an analyst.
        found = [kind for kind in found if kind not in {LifecycleStepKind.CARRIED, LifecycleStepKind.REPLACED}]
        if self.stage is Stage.WITHDRAWN:
            found.remove(LifecycleStepKind.WITHDRAWN)  # an erasure may follow, and is no step of an analyst
        return tuple(found)

    def blocked_by(self, code: str | None) -> str | None:
        """Return the handling code that blocks a letter of references, or None.

        The counterpart's code does not: a letter goes to that same counterpart, and holds none of its information.

        Args:
            code: The handling code of the own record.
        """
        found = handling_codes().get(code or "")
        return code if found is not None and found.blocks_letter and not self.permission else None

    def check_export(self, code: str | None) -> None:
        """Refuse a letter that the own record's handling code forbids.

        Raises:
            PolicyError: It blocks a letter, and no permission is recorded.
        """
        blocking = self.blocked_by(code)
        if blocking is not None:
            raise PolicyError("handling_code_blocks_export", handling=blocking)


def _carried(life: HitLifecycle, step: LifecycleStep) -> HitLifecycle:
    """Return the life of a known pair, which carries decision, channel and outcome of an earlier round, one by one."""
    known = replace(life, stage=Stage.KNOWN, since=step.at)
    if step.value in set(Channel):
        return replace(known, channel=Channel(step.value), reference=step.reference)
    if step.value in set(HitOutcome):
        return replace(known, outcome=HitOutcome(step.value))
    return replace(known, decision=Decision(step.value))


def _decided(life: HitLifecycle, step: LifecycleStep) -> HitLifecycle:
    decision, life = Decision(step.value), replace(life, assignee=life.assignee or step.person)
    if life.stage is Stage.FOLLOW_UP:
        return replace(life, decision=decision)  # the clock of the follow-up runs on
    fresh = replace(life, stage=Stage.DECIDED, since=step.at, decision=decision)
    # What a known pair carried of its follow-up is not that of this decision.
    return replace(fresh, channel=None, reference="", outcome=None) if life.stage is Stage.KNOWN else fresh


def _opened(life: HitLifecycle, step: LifecycleStep) -> HitLifecycle:
    urgency = step.urgency or Urgency.NORMAL
    return replace(
        life,
        stage=Stage.FOLLOW_UP,
        since=step.at,
        channel=Channel(step.value),
        urgency=urgency,
        reference=step.reference,
        outcome=None,
        opened_at=step.at,
        sent_at=None,
        reminders=0,
        reminded_at=None,
        replied_on="",
        reply="",
        replied_at=None,
    )


def _received(life: HitLifecycle, step: LifecycleStep) -> HitLifecycle:
    """Return a life with a request of the counterpart; a further letter before the answer is a reminder of the first.

    Its clock does not begin later because somebody recorded the letter later.
    """
    earlier = life.received
    if earlier is not None and not earlier.answered_on:
        return replace(life, received=replace(earlier, reminders=earlier.reminders + 1))
    day = datetime.combine(date.fromisoformat(step.value) + timedelta(days=1), time.min, UTC)
    began_at = min(step.at, int(day.timestamp()))
    urgency = step.urgency or Urgency.NORMAL
    return replace(life, received=ReceivedRequest(step.value, step.reference, urgency, began_at))


def _answered(life: HitLifecycle, step: LifecycleStep) -> HitLifecycle:
    received = life.received and replace(life.received, answered_on=step.value, answer=step.reference)
    return replace(life, received=received)


def _reopened(life: HitLifecycle, step: LifecycleStep) -> HitLifecycle:
    """Return a closed life where it was before: in its follow-up, decided, or known."""
    if not step.remark.strip():
        raise PolicyError("reopening_reason_missing")
    stage = Stage.FOLLOW_UP if life.urgency is not None else Stage.DECIDED
    return replace(life, stage=stage, since=step.at, outcome=None)


def _withdrawn(life: HitLifecycle, step: LifecycleStep) -> HitLifecycle:
    ground = Ground(step.value)
    if life.stage is Stage.WITHDRAWN and not life.can_still_be_erased(ground):
        raise OrderError("hit_already_withdrawn")
    return replace(life, stage=Stage.WITHDRAWN, since=step.at, ground=ground, late=is_late(life.arrived_at, step.at))


def is_late(arrived_at: int, withdrawn_at: int) -> bool:
    """Return whether a withdrawal comes after the correction duty's hours."""
    return withdrawn_at > arrived_at + CORRECTION_HOURS * HOUR


_ANSWERING = frozenset(Stage) - {Stage.REPLACED, Stage.WITHDRAWN}
"""Stages in which a request of the counterpart is to be answered."""

_ALIVE = frozenset(Stage) - {Stage.CLOSED, Stage.REPLACED, Stage.WITHDRAWN}

_FROM: Mapping[LifecycleStepKind, frozenset[Stage]] = {
    LifecycleStepKind.CARRIED: frozenset({Stage.NEW, Stage.KNOWN}),
    # The pair returned in a later round while this hit had no decision: that one is decided on.
    LifecycleStepKind.REPLACED: frozenset({Stage.NEW, Stage.ACKNOWLEDGED}),
    LifecycleStepKind.ACKNOWLEDGED: frozenset({Stage.NEW}),
    LifecycleStepKind.ASSIGNED: _ALIVE,
    LifecycleStepKind.REMARKED: frozenset(Stage),
    LifecycleStepKind.DECIDED: frozenset({Stage.NEW, Stage.KNOWN, Stage.ACKNOWLEDGED, Stage.DECIDED, Stage.FOLLOW_UP}),
    LifecycleStepKind.UNDONE: frozenset({Stage.DECIDED, Stage.FOLLOW_UP}),
    LifecycleStepKind.OPENED: frozenset({Stage.KNOWN, Stage.DECIDED}),
    LifecycleStepKind.REFERENCED: frozenset({Stage.FOLLOW_UP}),
    # A reply may come when the hit was closed without one.
    LifecycleStepKind.REPLIED: frozenset({Stage.FOLLOW_UP, Stage.CLOSED}),
    LifecycleStepKind.PERMITTED: _ALIVE,
    LifecycleStepKind.EXPORTED: frozenset({Stage.FOLLOW_UP}),
    LifecycleStepKind.REMINDED: frozenset({Stage.FOLLOW_UP}),
    LifecycleStepKind.RECEIVED: _ANSWERING,
    LifecycleStepKind.ANSWERED: _ANSWERING,
    LifecycleStepKind.CLOSED: frozenset({Stage.KNOWN, Stage.DECIDED, Stage.FOLLOW_UP}),
    LifecycleStepKind.REOPENED: frozenset({Stage.CLOSED}),
    # A hit that was closed can turn out to rest on a wrong record.
    LifecycleStepKind.WITHDRAWN: frozenset(Stage),
}
"""From which stages each step can be taken."""

_TAKE: Mapping[LifecycleStepKind, Callable[[HitLifecycle, LifecycleStep], HitLifecycle]] = {
    LifecycleStepKind.CARRIED: _carried,
    LifecycleStepKind.REPLACED: lambda life, step: replace(life, stage=Stage.REPLACED, since=step.at),
    LifecycleStepKind.ACKNOWLEDGED: lambda life, step: replace(
        life, stage=Stage.ACKNOWLEDGED, since=step.at, assignee=step.person
    ),
    LifecycleStepKind.ASSIGNED: lambda life, step: replace(life, assignee=step.reference),
    LifecycleStepKind.REMARKED: lambda life, _step: life,
    LifecycleStepKind.DECIDED: _decided,
    LifecycleStepKind.OPENED: _opened,
    LifecycleStepKind.REFERENCED: lambda life, step: replace(life, reference=step.reference),
    LifecycleStepKind.REPLIED: lambda life, step: replace(
        life, replied_on=step.value, reply=step.reference, replied_at=step.at
    ),
    LifecycleStepKind.PERMITTED: lambda life, step: replace(life, permission=step.reference),
    LifecycleStepKind.EXPORTED: lambda life, step: life if life.sent_at is not None else replace(life, sent_at=step.at),
    LifecycleStepKind.REMINDED: lambda life, step: replace(life, reminders=life.reminders + 1, reminded_at=step.at),
    LifecycleStepKind.RECEIVED: _received,
    LifecycleStepKind.ANSWERED: _answered,
    LifecycleStepKind.CLOSED: lambda life, step: replace(
        life, stage=Stage.CLOSED, since=step.at, outcome=HitOutcome(step.value)
    ),
    LifecycleStepKind.REOPENED: _reopened,
    LifecycleStepKind.WITHDRAWN: _withdrawn,
}
