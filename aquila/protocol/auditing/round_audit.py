"""The findings of an audit about one round; and check 11: no statement of a party is missing (PROTOCOL.md 3.2.2, 10.6).

Every entry of a statement holds the number that its party gave it. A number that no entry has is explained by a signed
statement that was refused, and that the auditor refuses too; by the party itself, whose last word names the numbers
that it gave up; or by its own log (`comparison`). Anything else is a statement that was left out. An entry of sealed
notes has no envelope: its number counts once the receiver's confirmation names it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from aquila.audit.entries import Entry
from aquila.audit.statistics import Statistics
from aquila.errors import AuditError
from aquila.protocol.auditing.log_record import UnprovenClaim
from aquila.protocol.messages import EndingStatement, Statement
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import Round
from aquila.sentences import Sentence

Ranges = list[tuple[int, int]]


@dataclass(slots=True)
class StatementNumbers:
    """The numbers of a party's statements in a round."""

    entered: set[int] = field(default_factory=set)
    """Numbers that signed statements hold."""
    unseen: dict[int, str] = field(default_factory=dict)
    """Numbers of entries without a signed statement, each with the digest that the entry names."""
    refused: set[int] = field(default_factory=set)
    """Numbers of signed statements that the matcher refused, and the auditor too."""
    given_up: Ranges = field(default_factory=list)
    """Ranges that the party's own last words name."""

    def add(self, message: Statement) -> None:
        """Add a statement that counts."""
        self.entered.add(message.sequence)
        if isinstance(message, EndingStatement):
            self.given_up += message.given_up or ()

    def add_unseen(self, index: int, entry: Entry, digest: str) -> None:
        """Add the number of an entry whose statement is not kept; raises AuditError if another statement has it."""
        number = entry.counts["sequence"]
        if number in self.entered or number in self.unseen:
            raise AuditError(
                "entry_statement_number_reused",
                what="number_twice",
                round=str(entry.round),
                party=entry.party,
                number=number,
                index=index,
            )
        self.unseen[number] = digest

    def missing(self) -> Iterator[tuple[int, int]]:
        """Yield the ranges of numbers that no entry has and nothing explains."""
        before = 0
        for number in sorted(self.entered | self.refused | set(self.unseen)):
            if number > before + 1:
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
        if count > left_out:
            raise AuditError(
                "round_statements_missing",
                what="statements_missing",
                round=round_.round_id,
                party=party,
                numbers=in_words(missing),
            )
        if missing:
            yield _claim(round_, "numbers_perhaps_left_out", numbers=in_words(missing), party=party)
        # Shown by their receiver's signature, which names their number and is held against it as the round is taken.
        for number, digest in sorted(found.unseen.items()):
            if digest not in round_.confirmations:
                yield _claim(round_, "number_of_unconfirmed_notes", party, digest, number=str(number), party=party)


def in_words(ranges: Iterable[tuple[int, int]]) -> str:
    """Return ranges of numbers as people write them."""
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in ranges)


def _claim(
    round_: Round, code: str, shown_by: str | None = None, digest: str | None = None, /, **fields: str
) -> UnprovenClaim:
    sentence = Sentence.of("point_of_round", round=round_.round_id, point=Sentence.of(code, **fields))
    return UnprovenClaim("numbers", sentence, shown_by, digest)


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


@dataclass(slots=True)
class RoundAudit:
    """A round that was taken through its statements."""

    round: Round
    """The record, as the matcher must have had it."""
    entries: dict[int, Entry] = field(default_factory=dict)
    """The round's entries by index."""
    opened_at: int | None = None
    """Index of the opening's entry, or None."""
    reported: dict[ReportKey, Counter[str]] = field(default_factory=dict)
    """Hits at each level of each report, from the reports' entries."""
    pages: dict[ReportKey, tuple[int, Counter[str]]] = field(default_factory=dict)
    """The next page of a report, and the hits at each level on those before it."""
    matched: dict[tuple[str, str, str | None], Counter[str]] = field(default_factory=dict)
    """Hits at each level by pair and submission, from the matches' entries."""
    met: dict[tuple[str, str, str | None], str | None] = field(default_factory=dict)
    """The digest of the tags that met between two parties, from the match entries; None if an entry names none."""
    last_words: dict[str, int] = field(default_factory=dict)
    """For each party the index of its last statement."""
    numbers: dict[str, StatementNumbers] = field(default_factory=dict)
    """For each party the numbers of its statements."""
    statistics: Statistics = field(default_factory=lambda: Statistics(""))
    """What its entries give."""
    left_out: int = 0
    """How many of its entries this copy of the log leaves out: then what follows from all is not checked."""
    unproven: list[UnprovenClaim] = field(default_factory=list)
    """What nothing proves or refutes."""

    def numbers_of(self, party: str) -> StatementNumbers:
        """Return the numbers of a party's statements."""
        return self.numbers.setdefault(party, StatementNumbers())
