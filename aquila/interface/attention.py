"""Items that need attention on a service's first page: alarms and duties of rounds. No record, hit or person."""

from __future__ import annotations

from enum import StrEnum

from aquila.protocol.messages.base import Count, Identifier, Message, PartyCode, Seconds, Text


class AttentionKind(StrEnum):
    """The kind of an item, the most pressing first."""

    CANARIES = "canaries"
    HELD_BACK = "held_back"
    EVIDENCE = "evidence"
    REFUSED = "refused"
    FAILED = "failed"
    PROBLEM = "problem"
    LATE = "late"
    FLAGS = "flags"
    CONSENT = "consent"
    LIST = "list"


class RoundAttention(Message):
    """Something in a round that needs somebody.

    Attributes:
        parties: Whom it concerns: whose planted hits are missing, who asked, who is late; nobody where all or none are.
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
