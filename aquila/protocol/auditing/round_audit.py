"""The findings of an audit about one round, through its statements (PROTOCOL.md 10.6)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from aquila.audit.entries import Entry
from aquila.audit.statistics import Statistics
from aquila.protocol.auditing.numbers import StatementNumbers
from aquila.protocol.auditing.unproven import UnprovenClaim
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import Round


@dataclass(slots=True)
class RoundAudit:
    """A round that was taken through its statements.

    Attributes:
        round: The record, as the matcher must have had it.
        opened_at: Index of the opening's entry, or None.
        entries: The round's entries by index.
        reported: Hits at each level by party and submission, from the reports' entries.
        pages: By party and submission, the next page of a report and the hits at each level on those before it.
        matched: Hits at each level by pair and submission, from the matches' entries.
        met: The digest of the tags that met between two lists, from the match entries; None if an entry names none.
        last_words: For each party the index of its last statement.
        numbers: For each party the numbers of its statements.
        statistics: What its entries give.
        left_out: How many of its entries this copy of the log leaves out: then what follows from all is not checked.
        unproven: What nothing proves or refutes.
    """

    round: Round
    entries: dict[int, Entry] = field(default_factory=dict)
    opened_at: int | None = None
    reported: dict[ReportKey, Counter[str]] = field(default_factory=dict)
    pages: dict[ReportKey, tuple[int, Counter[str]]] = field(default_factory=dict)
    matched: dict[tuple[str, str, str | None], Counter[str]] = field(default_factory=dict)
    met: dict[tuple[str, str], str | None] = field(default_factory=dict)
    last_words: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, StatementNumbers] = field(default_factory=dict)
    statistics: Statistics = field(default_factory=lambda: Statistics(""))
    left_out: int = 0
    unproven: list[UnprovenClaim] = field(default_factory=list)

    def numbers_of(self, party: str) -> StatementNumbers:
        """Return the numbers of a party's statements."""
        return self.numbers.setdefault(party, StatementNumbers())
