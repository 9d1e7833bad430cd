"""The findings of an audit about one round; and check 11: no statement of a party is missing (PROTOCOL.md 3.2.2, 10.6).

Every entry of a statement holds the number that its party gave it. A number that no entry has is explained by a signed
statement that was refused, and that the auditor refuses too; by the party itself, whose last word names the numbers
that it gave up; or by its own log (`comparison`). Anything else is a statement that was left out. An entry of sealed
notes has no envelope: its number counts once the receiver's confirmation names it. Nor does a matcher keep the envelope
of sealed notes that it refused, or more than so many of a party's statements that it refused: what it says of these is
not proven, and no fault.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from aquila.audit.entries import Entry, EntryKind
from aquila.audit.statistics import Statistics
from aquila.errors import AuditError
from aquila.protocol.auditing.log_record import UnprovenClaim
from aquila.protocol.log_entries import MOST_REFUSED, SEQUENCE
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
    unshown: set[tuple[int, str]] = field(default_factory=set)
    """Numbers of statements that the matcher says it refused and does not show, each with its digest."""
    entries_refused: Counter[EntryKind] = field(default_factory=Counter)
    """How many entries of what was refused there are of each kind."""
    given_up: Ranges = field(default_factory=list)
    """Ranges that the party's own last words name."""

    def add(self, message: Statement) -> None:
        """Add a statement that counts."""
        self.entered.add(message.sequence)
        if isinstance(message, EndingStatement):
            self.given_up += message.given_up or ()

    def add_unseen(self, index: int, entry: Entry, digest: str) -> None:
        """Add the number of an entry whose statement is not kept; raises AuditError if another statement has it."""
        number = entry.counts[SEQUENCE]
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

    def add_refused(self, entry: Entry, *, is_shown: bool) -> None:
        """Add the number of a statement that was refused, by an entry in its form."""
        number = entry.counts[SEQUENCE]
        self.entries_refused[entry.kind] += 1
        if is_shown:
            self.refused.add(number)
        else:
            self.unshown.add((number, entry.digests["statement"]))

    @property
    def may_lack_refused(self) -> bool:
        """Return whether the matcher refused so many statements that it kept no more of them (3.2.2)."""
        return max(self.entries_refused.values(), default=0) >= MOST_REFUSED

    def missing(self) -> Iterator[tuple[int, int]]:
        """Yield the ranges of numbers that no entry has and nothing explains."""
        before, explained = 0, sorted([*self.given_up, *((number, number) for number, _ in self.unshown)])
        for number in sorted(self._shown):
            if number > before + 1:
                yield from _without((before + 1, number - 1), explained)
            before = number

    def not_shown(self) -> Iterator[tuple[int, str]]:
        """Yield the numbers, with digests, that nothing explains but the matcher's word that it refused them."""
        shown = self._shown
        for number, digest in sorted(self.unshown):
            is_given_up = any(first <= number <= last for first, last in self.given_up)
            if number < max(shown, default=0) and number not in shown and not is_given_up:
                yield number, digest

    @property
    def _shown(self) -> set[int]:
        return self.entered | self.refused | set(self.unseen)


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
        if count > left_out and not found.may_lack_refused:
            raise AuditError(
                "round_statements_missing",
                what="statements_missing",
                round=round_.round_id,
                party=party,
                numbers=in_words(missing),
            )
        if missing:
            code = "numbers_perhaps_refused" if count > left_out else "numbers_perhaps_left_out"
            yield _claim(round_, code, numbers=in_words(missing), party=party)
        for number, digest in found.not_shown():
            yield _claim(round_, "number_of_refused_unshown", party, digest, number=str(number), party=party)
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
    told_with_ending: tuple[int, str] | None = None
    """The entry of a query's report before its owner's receipt, and the asker: the ending has to follow at once."""
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
