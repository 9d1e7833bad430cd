"""Canaries subtracted from the counts, as soon as the first of their two parties discloses them (PROTOCOL.md 3.7.13).

The second one tells of the same hits; where it does not, the round's view says so. What is counted of a round is so the
same whoever counts: the matcher from its rows, an auditor from the log's entries in their order.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from aquila.matching.certainty import Level
from services.matcher.storage.tables import HitCountRow, KnownCountRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from aquila.protocol.messages import Canaries
    from aquila.protocol.rounds.verified_round import Round

_TWO = 2


def subtract_canaries(session: Session, round_: Round, told: Canaries) -> None:
    """Subtract a party's canaries from the counts, in the transaction that stores its statement."""
    planted = Counter[Level]()
    for pair in told.pairs:
        if pair.counterpart in round_.canaries:
            continue  # it told of them first
        left, right = sorted((told.party, pair.counterpart))
        for level, hits in pair.hits.model_dump().items():
            row = session.get(HitCountRow, (round_.round_id, "", left, right, level))
            if row is not None:
                taken = min(hits, row.hits)
                row.hits -= taken
                planted[Level(level)] += taken
    # A canary is a person known to two, as far as the match could tell, by hits of its level and of those below.
    for least in Level:
        known = session.get(KnownCountRow, (round_.round_id, least.value, _TWO))
        if known is not None:
            known.persons = max(0, known.persons - sum(hits for level, hits in planted.items() if level >= least))
