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
    LATE = "late"
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
"""The action for which an item of a node is; the others are for whoever may see rounds."""


class RoundAttention(Message):
    """Something in a round that needs somebody.

    Attributes:
        parties: Whom it concerns: whose hits were left out, who asked, who is late; nobody where all or none are.
        count: How many such things there are in the round.
        until: Until when it can be done, or None where there is no such time.
    """

    round_id: Identifier
    area: Text
    category: Text
    kind: AttentionKind
    parties: tuple[PartyCode, ...]
    count: Count
    until: Seconds | None


class AttentionList(Message):
    """Rounds that need attention, the most pressing first, as many as a page takes.

    Attributes:
        left_out: How many more there are.
    """

    needs: tuple[RoundAttention, ...]
    left_out: Count


DUE_HOURS = 6
"""A hit whose next step is due within so many hours is urgent."""

Address = Annotated[str, StringConstraints(min_length=1, max_length=254, pattern=r"^[^\s\x00-\x20\x7f]+$")]


class Channel(StrEnum):
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
    """Counts of the work that waits for a person, as far as the person's roles allow to see it.

    Attributes:
        alarms: Rewritten logs, hits left out and withheld reports.
        requests: Requests of other persons that wait for a decision.
        rounds: Other needs of rounds: a consent, a list, an obstacle.
        hits: Hits that are new, overdue or due within `DUE_HOURS`.
        new_hits: Those that nobody has taken up.
        high_hits: Of these, those of high certainty.
        due_hits: Hits whose next step is due within `DUE_HOURS`.
        overdue_hits: Hits whose next step is overdue.
        urgent_hits: New hits of queries whose asker signed them as urgent: for an analyst all such, for an officer
            those of this party.
        standing_hits: New hits of standing queries, on pairs that no earlier round had; analysts have them among the
            new hits too.
        standing_queries: Standing queries that end soon, or that a round does not take without another approval.
        deliveries: Delivered list files that wait in the watched folder.
        faults: Faults of the service itself, for its administrator: subjects of its report on health, apart from those
            that are among the alarms and the needs of rounds.
    """

    alarms: Count = 0
    requests: Count = 0
    rounds: Count = 0
    hits: Count = 0
    new_hits: Count = 0
    high_hits: Count = 0
    due_hits: Count = 0
    overdue_hits: Count = 0
    urgent_hits: Count = 0
    standing_hits: Count = 0
    standing_queries: Count = 0
    deliveries: Count = 0
    faults: Count = 0

    @property
    def total(self) -> int:
        """The number of things that wait."""
        # For an analyst, those of queries are among the hits.
        hits = max(self.hits, self.standing_hits + self.urgent_hits)
        others = self.standing_queries + self.deliveries + self.faults
        return self.alarms + self.requests + self.rounds + hits + others


class Waiting(Message):
    """The work that waits for the caller.

    Attributes:
        new_by_certainty: Of the new hits, how many have each certainty.
        undelivered_since: Since when notifications cannot be handed over: the caller's own, or anybody's where the
            caller is an administrator. None while they can.
    """

    counts: WaitingCounts
    new_by_certainty: dict[Level, Count]
    undelivered_since: Seconds | None
    failure: DeliveryFailure | None


class NotificationChoice(Message):
    """A person's choice of a channel and an address for notifications.

    Attributes:
        address: The mail address, or what the command takes for one.
    """

    channel: Channel
    address: Address
    language: LanguageTag


class NotificationSettingsView(Message):
    """A person's choice.

    Attributes:
        channels: The channels that this service has; none where notifications are not set up.
        choice: What the person chose; None before, and after it was ended.
        confirmed: Whether a first notification was handed over.
        failing_since: Since when notifications to this person cannot be handed over, or None.
    """

    channels: tuple[Channel, ...]
    choice: NotificationChoice | None
    confirmed: bool
    failing_since: Seconds | None
    failure: DeliveryFailure | None


class Notification(Message):
    """A notification before it is put into words.

    Attributes:
        address: The service's own, which it names.
        counts: How much waits; None for the first one, which confirms the choice.
        urgent: Whether there is a new alarm, a critical fault of the service, or a hit that became urgent.
    """

    language: LanguageTag
    address: str
    counts: WaitingCounts | None
    urgent: bool


class NotificationText(Message):
    """A notification in words."""

    subject: str
    text: str
