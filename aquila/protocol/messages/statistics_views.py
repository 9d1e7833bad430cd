"""What the matcher publishes in numbers: statistics of rounds, and the regional picture over them.

Nothing here is signed, and no number is small: None stands for what is held back (`aquila.matching.suppression`). Sums
over parties, rounds or levels add up what is published and say how many numbers they lack.
"""

from __future__ import annotations

from aquila.matching.certainty import Level
from aquila.protocol.messages.base import Count, Identifier, Message, PartyCode, Positive, Seconds
from aquila.protocol.messages.statements import Kind


class ListCount(Message):
    """A list or query that was matched, with its padded size."""

    party: PartyCode
    kind: Kind
    records: Count
    matched_at: Seconds


class PairCount(Message):
    """Hits between two parties whose records may be matched."""

    left: PartyCode
    right: PartyCode
    hits: Count | None


class PairLevelCount(Message):
    """Hits of a level and of those above it between two parties; where the pair is not split, None."""

    left: PartyCode
    right: PartyCode
    certainty: Level
    hits: Count | None


class LevelCount(Message):
    """Hits of a level."""

    certainty: Level
    hits: Count | None


class OutcomeCount(Message):
    """What came of the hits of a level, as both parties of each said so far.

    Attributes:
        precision_at_least: How many percent of those decided were right, at least: what is held back of the refuted
            is counted at its most. None where the confirmed ones are held back.
    """

    certainty: Level
    confirmed: Count | None
    refuted: Count | None
    unresolved: Count | None
    withdrawn: Count | None
    open: Count | None
    precision_at_least: int | None


class PairOutcomeCount(Message):
    """What came of the hits between two parties, as both said so far; all levels together."""

    left: PartyCode
    right: PartyCode
    confirmed: Count | None
    refuted: Count | None
    precision_at_least: int | None


class KnownCount(Message):
    """How many persons so many parties know, by hits of a level and of those above it."""

    certainty: Level
    parties: Positive
    persons: Count | None


class PartyCount(Message):
    """A party's hits with all others: the sum of what is published, and how many numbers it lacks."""

    party: PartyCode
    hits: Count
    withheld: Count


class RoundStatistics(Message):
    """One round in numbers.

    Attributes:
        hits: All hits of the round, or None where they are few.
        pair_levels: Hits of high, and of high and medium certainty, of each pair; those of all levels are in `pairs`.
    """

    round_id: Identifier
    phase: str
    area: str
    category: str
    created_at: Seconds
    lists: tuple[ListCount, ...]
    hits: Count | None
    pairs: tuple[PairCount, ...]
    pair_levels: tuple[PairLevelCount, ...]
    parties: tuple[PartyCount, ...]
    levels: tuple[LevelCount, ...]
    known: tuple[KnownCount, ...]
    outcomes: tuple[OutcomeCount, ...]
    pair_outcomes: tuple[PairOutcomeCount, ...]


class Summed(Message):
    """A sum over rounds of what was published of each, and how many numbers it lacks."""

    count: Count
    withheld: Count


class PictureCell(Message):
    """Hits of a level and of those above it between two parties in a category, over all rounds."""

    left: PartyCode
    right: PartyCode
    category: str
    certainty: Level
    hits: Summed


class PictureKnown(Message):
    """Persons known to so many parties in a category, over all rounds; a person of two rounds counts twice.

    Attributes:
        certainty: Persons are joined by hits of this level and of those above it.
    """

    parties: Positive
    category: str
    certainty: Level
    persons: Summed


class Statistics(Message):
    """All rounds in numbers, newest first, and the regional picture over them.

    Attributes:
        least: The smallest number that is published.
    """

    least: Positive
    rounds: tuple[RoundStatistics, ...]
    picture: tuple[PictureCell, ...]
    known: tuple[PictureKnown, ...]
