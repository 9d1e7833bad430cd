"""Statistics of a round, recomputed from the log's entries alone (PROTOCOL.md 10.7).

Who took part, how much each party submitted and evaluated, and how many hits each pair had at each level: what
Articles 45 and 72 of Regulation (EU) 2024/982 ask for, and nothing that identifies a person. The matcher publishes the
same document from its own tables; an auditor recomputes it and compares.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import rfc8785

from aquila.audit.entries import Entry, EntryKind

LEVELS = ("high", "medium", "low")
SAID = {
    EntryKind.CONSENT: "consents",
    EntryKind.EVALUATION: "evaluations",
    EntryKind.TOKENS: "tokens",
    EntryKind.RECEIPT: "receipts",
    EntryKind.REFUSAL: "refusals",
    EntryKind.CLOSING: "closings",
}
"""What is counted of each party: its statements, by the kind of their entries."""

_SUBMITTED = ("records", "full", "partial", "coarse", "chunks")


@dataclass(slots=True)
class Statistics:
    """The statistics of one round."""

    round_id: str
    """Which round."""
    proposed_at: int = 0
    """Seconds since 1970."""
    ended_at: int | None = None
    """Seconds since 1970, or None while it goes on."""
    outcome: str | None = None
    """closed or aborted, or None while it goes on."""
    parties: dict[str, Counter[str]] = field(default_factory=dict)
    """By party and what is counted."""
    pairs: dict[tuple[str, str, str], Counter[str]] = field(default_factory=dict)
    """By the two parties, and `lists` or `query`: hits at each level."""

    def count(self, party: str, what: str, number: int = 1) -> None:
        """Count something of a party."""
        self.parties.setdefault(party, Counter())[what] += number

    def hit(self, left: str, right: str, of: str, level: str, hits: int) -> None:
        """Count hits of a pair, and of both of its parties."""
        if hits:
            self.pairs.setdefault((left, right, of), Counter())[level] += hits
            self.count(left, "hits", hits)
            self.count(right, "hits", hits)

    def to_bytes(self) -> bytes:
        """Return the document as canonical JSON (RFC 8785)."""
        parties = [
            {"party": party} | {what: number for what, number in sorted(counts.items()) if number or what != "hits"}
            for party, counts in sorted(self.parties.items())
        ]
        pairs = [
            {"left": left, "right": right, "of": of} | {level: counts[level] for level in LEVELS}
            for (left, right, of), counts in sorted(self.pairs.items())
            if counts.total()
        ]
        return rfc8785.dumps(
            {
                "round": self.round_id,
                "proposed_at": self.proposed_at,
                "ended_at": self.ended_at,
                "outcome": self.outcome,
                "parties": parties,
                "pairs": pairs,
            }
        )


def statistics_of(round_id: str, entries: Iterable[Entry]) -> Statistics:
    """Return the statistics of a round from its entries in the matcher's log."""
    found = Statistics(round_id)
    for entry in entries:
        if entry.kind is EntryKind.PROPOSAL:
            found.proposed_at = entry.time
        elif entry.kind is EntryKind.ENDING:
            found.ended_at, found.outcome = entry.time, str(entry.ids["outcome"])
        elif entry.kind is EntryKind.SUBMISSION:
            found.count(entry.party, "queries" if entry.ids["kind"] == "query" else "lists")
            for what in _SUBMITTED:
                found.count(entry.party, what, entry.counts[what])
        elif entry.kind is EntryKind.MATCH:
            _match(found, entry)
        elif entry.kind is EntryKind.REPORT:
            found.count(str(entry.recipient), "reports", int(not entry.counts.get("page", 0)))
        elif entry.kind in SAID:
            found.count(entry.party, SAID[entry.kind])
    return found


def _match(found: Statistics, entry: Entry) -> None:
    for level in LEVELS:
        left, right, of = (str(entry.ids[name]) for name in ("left", "right", "of"))
        found.hit(left, right, of, level, entry.counts[level])
