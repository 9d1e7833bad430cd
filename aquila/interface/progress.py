"""Progress of a round by party: the matcher's view of all, and one node's view of the others.

Nothing here is signed, and nothing tells of a person: it is counts of chunks, and who has done what.
"""

from enum import StrEnum

from aquila.protocol.messages.base import Count, Message, PartyCode


class Progress(Message):
    """A number done out of a total."""

    done: Count
    of: Count


class PartyStatus(Message):
    """The part of a party's status that every state of a round holds.

    Attributes:
        takes_part: Whether it is in the round; it is not where the others went on without it.
        consented: Whether its consent is there.
        listed: Whether it has signed its list.
        queries: How many queries it has signed.
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
