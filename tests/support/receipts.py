"""A round as `check_hits` looks at it: what was matched, and what each party signed in its receipt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from itertools import combinations
from typing import Any, cast

from aquila.protocol.auditing import RoundAudit
from aquila.protocol.messages import LevelCounts, Receipt, ReportCheck, Tokens, Withholding
from aquila.protocol.rounds.round_state import ColumnKey, EvaluationKey, ReportKey, RoundState
from aquila.protocol.rounds.verified_round import Round
from tests.support.samples import SAMPLES


class ReportedRound:
    """A round of lists whose reports are out; a test changes what it needs."""

    round_id = "0" * 32
    binding = "0" * 64
    reports_of, list_reports, compares = RoundState.reports_of, RoundState.list_reports, RoundState.compares
    columns_of, can_be_joined, is_missed = RoundState.columns_of, RoundState.can_be_joined, RoundState.is_missed

    def __init__(self, parties: tuple[str, ...]) -> None:
        self.participants = parties
        self.receipts: dict[ReportKey, Receipt] = {}
        self.reports: dict[ReportKey, str] = {}
        self.reported: dict[ReportKey, LevelCounts] = {}
        self.submissions: dict[str, Any] = {}
        self.alarms: dict[ReportKey, Any] = {}
        self.closings: dict[str, Any] = {}
        self.withheld: dict[ReportKey, Withholding] = {}
        self.checked: dict[ReportKey, ReportCheck] = {}
        self.tokens: dict[ColumnKey, Tokens | None] = {
            ColumnKey(party, other): None for party in parties for other in self.counterparts_of(party)
        }
        self.evaluations: dict[EvaluationKey, None] = {}
        self.ending: Any = None

    def counterparts_of(self, party: str) -> tuple[str, ...]:
        return tuple(other for other in self.participants if other != party)

    def evaluators_of(self, submission_id: str) -> tuple[str, ...]:
        return self.counterparts_of(self.submissions[submission_id].party)

    def list_of(self, party: str) -> str:
        """Return the id of a party's list: its code; every column of it is there."""
        return party


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
        for key in (ReportKey(left, right, None), ReportKey(right, left, None)):
            audit.reported[key] = Counter(high=matched[left, right])
            round_.reports[key] = f"{key.party}{key.counterpart}".encode().hex().zfill(64)
            if key.party not in silent:
                receipt = Receipt.model_validate(SAMPLES[Receipt] | {"party": key.party})
                hits = LevelCounts.of({"high": told[left, right]})
                round_.receipts[key] = receipt.model_copy(update={"counterpart": key.counterpart, "hits": hits})
    return audit
