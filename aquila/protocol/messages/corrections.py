"""The statements that parties sign after their hits: withdrawals, acknowledgements, outcomes (PROTOCOL.md 3.11)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from aquila.followup.lifecycle import Ground
from aquila.matching.certainty import Level
from aquila.protocol.messages.base import Count, Digest, Identifier, Message, PartyCode, ascending, optional
from aquila.protocol.messages.statements import BoundStatement

MOST_WITHDRAWN = 1_000
"""Hits of one withdrawal at most."""


class Withdrawal(BoundStatement):
    """The owner of records withdraws hits on them, towards one counterpart; only ids and a word give the ground.

    `submission_id` is the query whose hits they are; hits of the lists name none.
    """

    payload_type: ClassVar[str] = "application/vnd.aquila.withdrawal+json"

    counterpart: PartyCode
    hits: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=MOST_WITHDRAWN)]
    ground: Ground
    submission_id: Identifier | None = optional()

    @model_validator(mode="after")
    def _sorted(self) -> Self:
        ascending(list(self.hits), "withdrawn hits")
        return self


class Acknowledgement(BoundStatement):
    """A party has marked the hits of a withdrawal.

    `hits` says how many of them it held, `erased` whether it erased what the owner's notes said.
    """

    payload_type: ClassVar[str] = "application/vnd.aquila.acknowledgement+json"

    withdrawal: Digest
    hits: Count
    erased: bool


class LevelOutcomes(Message):
    """The outcomes of the hits of one level; those that nobody has closed yet are open."""

    certainty: Level
    confirmed: Count
    refuted: Count
    unresolved: Count
    withdrawn: Count
    open: Count

    @property
    def total(self) -> int:
        """All hits of the level."""
        return self.confirmed + self.refuted + self.unresolved + self.withdrawn + self.open


class PairOutcomes(Message):
    """The outcomes of the hits with one counterpart, by level from low to high; levels without a hit are left out."""

    counterpart: PartyCode
    levels: Annotated[tuple[LevelOutcomes, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        ranks = [one.certainty.least for one in self.levels]
        if ranks != sorted(set(ranks)):
            raise ValueError("the levels must be distinct and in ascending order")
        return self


class Outcomes(BoundStatement):
    """The outcomes of a party's hits so far, in numbers; a later statement takes the place of an earlier one."""

    payload_type: ClassVar[str] = "application/vnd.aquila.outcomes+json"

    pairs: tuple[PairOutcomes, ...]

    @model_validator(mode="after")
    def _sorted(self) -> Self:
        ascending([pair.counterpart for pair in self.pairs], "counterparts")
        return self

    @property
    def total(self) -> int:
        """All hits of the statement."""
        return sum(level.total for pair in self.pairs for level in pair.levels)
