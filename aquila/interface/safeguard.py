"""A node's views of the limits against fishing in a round: counts alone, no record and no person."""

from aquila.interface.sentence import SentenceView
from aquila.protocol.messages.base import Count, GivenText, Identifier, Message, PartyCode, Positive, Seconds, Text
from aquila.protocol.messages.statements import CheckFault, Justification
from aquila.records.rules import InputClass


class SpentView(Message):
    """The elements that this node evaluated for one party in one class, and the caps.

    Attributes:
        in_round: In this round; `round_cap` is what the party declared for it.
        in_day: Today, over all rounds; `day_cap` is this node's own, which is 0 before the party has declared anything.
        in_window: In the last `window_days` days, in `window_rounds` rounds; `window_cap` is this node's own.
    """

    origin: PartyCode
    input_class: InputClass
    in_round: Count
    round_cap: Count
    in_day: Count
    day_cap: Count
    in_window: Count
    window_cap: Count
    window_days: Positive
    window_rounds: Count


class FishingAlarmView(Message):
    """A query that hit far too often: its answer is on hold until a person releases or refuses it.

    Attributes:
        expected: How many hits the sizes explain, in thousandths.
        justification: Why the asker made the query, as it signed it, or None where that was erased.
        asked_records: The records of the query, padded.
        refused_because: Why the answer was refused, for this party's own people.
    """

    submission_id: Identifier
    asker: PartyCode
    hits: Count
    expected: Count
    raised_at: Seconds
    released_at: Seconds | None
    released_by: str | None
    refused_at: Seconds | None = None
    refused_by: str | None = None
    refused_because: Text | None = None
    asked_records: Count = 0
    justification: Justification | None = None


class RefusedAnswer(Message):
    """The reason for which a person refuses an answer to a query; it stays with this party's own people."""

    reason: GivenText


class PairCheckView(Message):
    """This node's check that the report of its list and another's, or of a query, leaves nothing out (3.7.13).

    Attributes:
        submission_id: The query; none for the lists.
        below: How many pairs were told to the node that nearly are hits; no person sees them.
        fault: What is wrong; none where nothing was left out.
        told: Whether the other side said what it found.
        agreed: Whether it found the same, of the same tags.
        their_fault: What is wrong by its word; none where it found nothing, or did not say.
    """

    submission_id: Identifier | None
    counterpart: PartyCode
    below: Count
    fault: CheckFault | None
    told: bool
    agreed: bool
    their_fault: CheckFault | None

    @property
    def is_distrusted(self) -> bool:
        """Whether something is wrong by the word of one side: a person without a hit is no no-hit."""
        if CheckFault.EARLIER in {self.fault, self.their_fault}:
            return False  # that side could not check it
        return self.fault is not None or (self.told and not self.agreed)


class EarlierSpent(Message):
    """One party's evaluations for another in an earlier round, from its consent or, for this node, its own count."""

    evaluator: PartyCode
    origin: PartyCode
    full: Count
    partial: Count


class EarlierRoundView(Message):
    """An earlier round between parties of this one, and what was spent in it.

    Attributes:
        came_at: When this node was told of that round, or None where it never was.
    """

    round_id: Identifier
    came_at: Seconds | None
    spent: tuple[EarlierSpent, ...]


class Safeguards(Message):
    """The limits against fishing in a round, as one node sees them.

    Attributes:
        warnings: The parties that declare far more elements here than in the last round with this node.
        earlier_rounds: In which rounds the parties evaluated for one another before, the newest first: what this node
            evaluated itself, and what the others' consents say once they are there.
        earlier_left_out: How many older ones there are.
        earlier_sentence: What two answers give when they are compared; nothing where there was no earlier round.
        held_back: Inputs of this node's own lists that were not sent, because more than `frequency_limit` records, or
            as many as their rule allows, share them.
    """

    round_id: Identifier
    spent: tuple[SpentView, ...]
    earlier_rounds: tuple[EarlierRoundView, ...]
    earlier_sentence: str
    held_back: Count
    frequency_limit: Positive
    alarms: tuple[FishingAlarmView, ...]
    checks: tuple[PairCheckView, ...]
    earlier_left_out: Count = 0
    warnings: tuple[SentenceView, ...] = ()
