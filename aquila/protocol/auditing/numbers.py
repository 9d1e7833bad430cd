"""Check 8b: no statement of a party is missing from a round (PROTOCOL.md 3.2.2 and 10.6).

Every entry of a statement holds the number that its party gave it. A number that no entry has is explained by a signed
statement that was refused, and that the auditor refuses too; by the party itself, whose last word names the numbers
that it gave up; or by its own log (`comparison`). Anything else is a statement that was left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aquila.errors import AuditError
from aquila.protocol.auditing.unproven import UnprovenClaim
from aquila.protocol.messages import EndingStatement, Outcome
from aquila.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aquila.audit.entries import Entry
    from aquila.protocol.messages import Statement
    from aquila.protocol.rounds.verified_round import Round

_JUMP = 1_000_000
"""A refusal of an earlier version took the time for its number, and did not say which numbers it passes over."""

Ranges = list[tuple[int, int]]


@dataclass(slots=True)
class StatementNumbers:
    """The numbers of a party's statements in a round.

    Attributes:
        entered: Numbers that entries hold, or that the statements of entries without one do.
        refused: Numbers of signed statements that the matcher refused, and the auditor too.
        given_up: Ranges that the party's own last words name.
        jumps: Numbers of refusals of an earlier version that may pass over numbers without naming them.
        without: How many entries hold no number, and have no statement that would: sealed notes of an earlier version.
        earlier: Whether an entry was written by a version that wrote no numbers.
    """

    entered: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    given_up: Ranges = field(default_factory=list)
    jumps: set[int] = field(default_factory=set)
    without: int = 0
    earlier: bool = False

    def add(self, message: Statement, *, earlier: bool) -> None:
        """Add a statement that counts."""
        self.entered.add(message.sequence)
        self.earlier |= earlier
        if isinstance(message, EndingStatement):
            self.given_up += message.given_up or ()
            if message.given_up is None and message.sequence > _JUMP:
                self.jumps.add(message.sequence)

    def add_unseen(self, index: int, entry: Entry, number: int | None) -> None:
        """Add the number of an entry whose statement is not kept.

        Raises:
            AuditError: Another statement has it.
        """
        if number is None:
            self.without, self.earlier = self.without + 1, True
        elif number in self.entered:
            raise AuditError(
                "entry_statement_number_reused",
                what="number_twice",
                round=str(entry.round),
                party=entry.party,
                number=number,
                index=index,
            )
        else:
            self.entered.add(number)

    def missing(self) -> Iterator[tuple[int, int]]:
        """Yield the ranges of numbers that nothing explains."""
        before = 0
        for number in sorted(self.entered | self.refused):
            if number > before + 1 and number not in self.jumps:
                yield from _without((before + 1, number - 1), sorted(self.given_up))
            before = number


def check_numbers(round_: Round, numbers: dict[str, StatementNumbers], left_out: int = 0) -> Iterator[UnprovenClaim]:
    """Check that every number of every party is there or explained; yield the open points.

    Args:
        round_: The round, after all of its entries.
        numbers: The numbers of each party.
        left_out: How many entries of the round this copy of the log leaves out.

    Raises:
        AuditError: Statements of a party are missing.
    """
    for party, found in sorted(numbers.items()):
        missing = list(found.missing())
        count = sum(last - first + 1 for first, last in missing)
        if count > left_out + _may_wait(round_, party, found):
            raise AuditError(
                "round_statements_missing",
                what="statements_missing",
                round=round_.round_id,
                party=party,
                numbers=in_words(missing),
            )
        for point in _open_points(party, found, missing, left_out):
            yield UnprovenClaim("numbers", Sentence.of("point_of_round", round=round_.round_id, point=point))


def in_words(ranges: Iterable[tuple[int, int]]) -> str:
    """Return ranges of numbers as people write them."""
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in ranges)


def _open_points(party: str, found: StatementNumbers, missing: Ranges, left_out: int) -> Iterator[Sentence]:
    """Yield the open points about the numbers of a party."""
    numbers = in_words(missing)
    if found.earlier:
        yield Sentence.of("earlier_version_without_numbers", numbers=numbers or "none", party=party)
    elif missing and left_out:
        yield Sentence.of("numbers_perhaps_left_out", numbers=numbers, party=party)
    elif missing:
        yield Sentence.of("numbers_perhaps_tokens", numbers=numbers, party=party)
    if found.jumps:
        yield Sentence.of("earlier_refusal_without_numbers", party=party)


def _may_wait(round_: Round, party: str, found: StatementNumbers) -> int:
    """Return how many numbers of a party may be missing without a fault."""
    if round_.ending is None:
        # Tokens that came before the last evaluation are refused for now, and sent again.
        waiting = [i for i, s in round_.submissions.items() if s.party == party and i not in round_.tokens]
        return found.without + len(waiting)
    if found.earlier and round_.ending.outcome is Outcome.ABORTED:
        return 2**53  # what was not sent when the round ended stayed empty, and nothing said so
    return found.without


def _without(gap: tuple[int, int], given_up: Ranges) -> Iterator[tuple[int, int]]:
    """Yield the rest of a gap when ascending ranges are taken out of it."""
    start, end = gap
    for first, last in given_up:
        if first > start:
            yield start, min(end, first - 1)
        start = max(start, last + 1)
        if start > end:
            return
    yield start, end
