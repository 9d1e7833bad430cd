"""Items that need attention on a service's first page, and notifications about them. No record, hit or person.

A notification that leaves a service has counts and the service's own address. So a reader on its way, or of a telephone
that lies on a table, learns of nobody.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from pydantic import StringConstraints

from aquila.audit.roles import Action
from aquila.interface.people import LanguageTag
from aquila.interface.rounds import Awaited
from aquila.matching.certainty import Level
from aquila.protocol.messages.base import Count, Identifier, Message, PartyCode, Seconds, Text


class AttentionKind(StrEnum):
    """The kind of an item, the most pressing first."""

    LEFT_OUT = "left_out"
    HELD_BACK = "held_back"
    EVIDENCE = "evidence"
    REFUSED = "refused"
    FAILED = "failed"
    PROBLEM = "problem"
    WITHHELD = "withheld"
    FLAGS = "flags"
    CONSENT = "consent"
    LIST = "list"


ALARMS = frozenset({AttentionKind.LEFT_OUT, AttentionKind.HELD_BACK})
"""The kinds that are alarms."""

ACTIONS: Mapping[AttentionKind, Action] = MappingProxyType(
    {
        AttentionKind.FAILED: Action.ASK_SUBMISSION,
        AttentionKind.CONSENT: Action.ASK_CONSENT,
        AttentionKind.LIST: Action.ASK_SUBMISSION,
    }
)
"""The action that makes an item of a node a person's; the others are for everyone who may see rounds."""


class RoundAttention(Message):
    """Something in a round that needs somebody."""

    round_id: Identifier
    round_title: Text
    kind: AttentionKind
    parties: tuple[PartyCode, ...]
    """Whom it concerns: whose hits were left out, who asked; nobody where all or none are."""
    count: Count
    """How many such things there are in the round."""
    until: Seconds | None
    """Until when it can be done, or None where there is no such time."""


class AttentionList(Message):
    """Rounds that need attention, the most pressing first, as many as a page takes."""

    needs: tuple[RoundAttention, ...]
    left_out: Count
    """How many more there are."""


DUE_HOURS = 6
"""A hit whose next step is due within so many hours is urgent."""

Address = Annotated[str, StringConstraints(min_length=1, max_length=254, pattern=r"^[^\s\x00-\x20\x7f]+$")]


class NotificationChannel(StrEnum):
    """The way of a notification to its person."""

    MAIL = "mail"
    COMMAND = "command"


class DeliveryFailure(StrEnum):
    """The reason for which a notification could not be handed over."""

    UNREACHABLE = "unreachable"
    TLS = "tls"
    SIGN_IN = "sign_in"
    REFUSED = "refused"
    COMMAND = "command"
    SETTINGS = "settings"


class WaitingCounts(Message):
    """Counts of the work that waits for a person, as far as the person's roles allow to see it."""

    alarms: Count = 0
    """Rewritten logs, hits left out and withheld reports."""
    requests: Count = 0
    """Requests of other persons that wait for a decision."""
    urgent_requests: Count = 0
    """Of these, those whose author needs an answer today."""
    rounds: Count = 0
    """Other needs of rounds: a consent, a list, an obstacle."""
    hits: Count = 0
    """Hits that are new, overdue or due within `DUE_HOURS`."""
    new_hits: Count = 0
    """Those that nobody has taken up."""
    high_hits: Count = 0
    """Of these, those of high certainty."""
    due_hits: Count = 0
    """Hits whose next step is due within `DUE_HOURS`."""
    overdue_hits: Count = 0
    """Hits whose next step is overdue."""
    urgent_hits: Count = 0
    """New hits of queries whose asker signed them as urgent: for an analyst all such, for an officer those of this
    party."""
    standing_hits: Count = 0
    """New hits of standing queries, on pairs that no earlier round had; analysts have them among the new hits too."""
    standing_queries: Count = 0
    """Standing queries that end soon, or that a round does not take without another approval."""
    deliveries: Count = 0
    """Delivered list files that wait in the watched folder."""
    faults: Count = 0
    """Faults of the service itself, for its administrator: subjects of its report on health, apart from those that are
    among the alarms and the needs of rounds."""
    outages: Count = 0
    """Of these or beside them, services that were not heard of for five minutes: the matcher, or parties of rounds."""

    @property
    def total(self) -> int:
        """The number of things that wait."""
        # For an analyst, those of queries are among the hits.
        hits = max(self.hits, self.standing_hits + self.urgent_hits)
        others = self.standing_queries + self.deliveries + max(self.faults, self.outages)
        return self.alarms + self.requests + self.rounds + hits + others


class Waiting(Message):
    """The work that waits for the caller."""

    counts: WaitingCounts
    new_by_certainty: dict[Level, Count]
    """Of the new hits, how many have each certainty."""
    undelivered_since: Seconds | None
    """Since when notifications cannot be handed over: the caller's own, or anybody's where the caller is an
    administrator. None while they can."""
    failure: DeliveryFailure | None


class NotificationChoice(Message):
    """A person's choice of a channel and an address for notifications."""

    channel: NotificationChannel
    address: Address
    """The mail address, or what the command takes for one."""
    language: LanguageTag


class NotificationSettingsView(Message):
    """A person's choice."""

    channels: tuple[NotificationChannel, ...]
    """The channels that this service has; none where notifications are not set up."""
    choice: NotificationChoice | None
    """What the person chose; None before, and after it was ended."""
    confirmed: bool
    """Whether a first notification was handed over."""
    failing_since: Seconds | None
    """Since when notifications to this person cannot be handed over, or None."""
    failure: DeliveryFailure | None


class Notification(Message):
    """A notification before it is put into words."""

    language: LanguageTag
    address: str
    """The service's own, which it names."""
    counts: WaitingCounts | None
    """How much waits; None for the first one, which confirms the choice."""
    urgent: bool
    """Whether there is a new alarm, a critical fault of the service, an urgent request, or a hit that became urgent."""


class PartyReminder(Message):
    """A reminder of a party before it is put into words."""

    party: PartyCode
    to: Address
    step: Awaited
    until: Seconds


class NotificationText(Message):
    """A notification in words."""

    subject: str
    text: str
