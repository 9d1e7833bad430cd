"""A node's views of the limits against fishing in a round: counts alone, no record and no person."""

from aquila.interface.sentence import SentenceView
from aquila.protocol.messages.base import Count, GivenText, Identifier, Message, PartyCode, Positive, Seconds, Text
from aquila.protocol.messages.statements import CheckFault, Justification
from aquila.records.rules import InputClass


class SpentView(Message):
    """The elements that this node evaluated for one party in one class, and the caps."""

    origin: PartyCode
    input_class: InputClass
    in_round: Count
    """In this round; `round_cap` is what the party declared for it."""
    round_cap: Count
    in_day: Count
    """Today, over all rounds; `day_cap` is this node's own, which is 0 before the party has declared anything."""
    day_cap: Count
    in_window: Count
    """In the last `window_days` days, in `window_rounds` rounds; `window_cap` is this node's own."""
    window_cap: Count
    window_days: Positive
    window_rounds: Count


class FishingAlarmView(Message):
    """A query that hit far too often: its answer is on hold until a person releases or refuses it."""

    submission_id: Identifier
    asker: PartyCode
    hits: Count
    expected: Count
    """How many hits the sizes explain, in thousandths."""
    raised_at: Seconds
    released_at: Seconds | None
    released_by: str | None
    refused_at: Seconds | None = None
    refused_by: str | None = None
    refused_because: Text | None = None
    """Why the answer was refused, for this party's own people."""
    asked_records: Count = 0
    """The records of the query, padded."""
    justification: Justification | None = None
    """Why the asker made the query, as it signed it, or None where that was erased."""


class RefusedAnswer(Message):
    """The reason for which a person refuses an answer to a query; it stays with this party's own people."""

    reason: GivenText


class PairCheckView(Message):
    """This node's check that the report of its list and another's, or of a query, leaves nothing out (3.7.13)."""

    submission_id: Identifier | None
    """The query; none for the lists."""
    counterpart: PartyCode
    below: Count
    """How many pairs were told to the node that nearly are hits; no person sees them."""
    fault: CheckFault | None
    """What is wrong; none where nothing was left out."""
    told: bool
    """Whether the other side said what it found."""
    agreed: bool
    """Whether it found the same, of the same tags."""
    their_fault: CheckFault | None
    """What is wrong by its word; none where it found nothing, or did not say."""

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
    coarse: Count


class EarlierRoundView(Message):
    """An earlier round between parties of this one, and what was spent in it."""

    round_id: Identifier
    came_at: Seconds | None
    """When this node was told of that round, or None where it never was."""
    spent: tuple[EarlierSpent, ...]


class Safeguards(Message):
    """The limits against fishing in a round, as one node sees them."""

    round_id: Identifier
    spent: tuple[SpentView, ...]
    earlier_rounds: tuple[EarlierRoundView, ...]
    """In which rounds the parties evaluated for one another before, the newest first: what this node evaluated itself,
    and what the others' consents say once they are there."""
    earlier_sentence: str
    """What two answers give when they are compared; nothing where there was no earlier round."""
    held_back: Count
    """Inputs of this node's own lists that were not sent, because more than `frequency_limit` records, or as many as
    their rule allows, share them."""
    frequency_limit: Positive
    alarms: tuple[FishingAlarmView, ...]
    checks: tuple[PairCheckView, ...]
    earlier_left_out: Count = 0
    """How many older ones there are."""
    warnings: tuple[SentenceView, ...] = ()
    """The parties that declare far more elements here than in the last round with this node."""
