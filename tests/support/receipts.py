"""A round as `check_hits` looks at it: what was matched, and what each party signed in its receipt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from itertools import combinations
from typing import Any, cast

from aquila.protocol.auditing import RoundAudit
from aquila.protocol.messages import CheckedPair, Receipt, ReportCheck, Tokens
from aquila.protocol.party import pair_hits
from aquila.protocol.rounds.round_state import CheckKey, EvaluationKey, ReportKey, RoundState
from aquila.protocol.rounds.verified_round import Round
from tests.support.samples import SAMPLES


class ReportedRound:
    """A round of lists whose reports are out; a test changes what it needs."""

    round_id = "0" * 32

    def __init__(self, parties: tuple[str, ...]) -> None:
        self.participants = parties
        self.receipts: dict[ReportKey, Receipt] = {}
        self.reports: dict[ReportKey, str] = {}
        self.submissions: dict[str, Any] = {}
        self.alarms: dict[Any, Any] = {}
        self.checked: dict[str, ReportCheck] = {}
        self.query_checks: dict[CheckKey, CheckedPair] = {}
        self.tokens: dict[str, Tokens | None] = {}
        self.evaluations: dict[EvaluationKey, None] = {}
        self.refused: set[tuple[str, str | None]] = set()
        self.ending: Any = None

    def counterparts_of(self, party: str) -> tuple[str, ...]:
        return tuple(other for other in self.participants if other != party)

    def evaluators_of(self, submission_id: str) -> tuple[str, ...]:
        return self.counterparts_of(self.submissions[submission_id].party)

    def list_of(self, party: str) -> str:
        """Return the id of a party's list: its code."""
        return party

    def check_of(self, party: str, counterpart: str, query: str | None = None) -> CheckedPair | None:
        """Return what a party signed of a pair."""
        return RoundState.check_of(cast("RoundState", self), party, counterpart, query)

    def has_refused(self, owner: str, query: str | None) -> bool:
        """Return whether the owner of a list refused its answer."""
        return (owner, query) in self.refused


def audit_of(
    matched: Mapping[tuple[str, str], int], told: Mapping[tuple[str, str], int], silent: Collection[str] = ()
) -> RoundAudit:
    """Return a round whose matches are these, of the level high, and whose receipts are of those.

    Args:
        matched: The hits of each pair as the matcher says.
        told: The hits of each pair as its parties signed.
        silent: The parties without a receipt.
    """
    parties = tuple(sorted({party for pair in told for party in pair}))
    round_ = ReportedRound(parties)
    audit = RoundAudit(cast("Round", round_))
    for left, right in combinations(parties, 2):
        audit.matched[left, right, None] = Counter(high=matched[left, right])
    for party in parties:
        key, mine = ReportKey(party, None), Counter[tuple[str, str]]()
        for (left, right), hits in told.items():
            if party in {left, right}:
                mine[right if party == left else left, "high"] = hits
        audit.reported[key] = Counter(high=sum(hits for pair, hits in matched.items() if party in pair))
        round_.reports[key] = f"{party:0>64}"
        if party not in silent:
            content = SAMPLES[Receipt] | {"hits": mine.total()}
            receipt = Receipt.model_validate(content | {"pairs": ()})
            round_.receipts[key] = receipt.model_copy(update={"pairs": pair_hits(+mine)})
    return audit
