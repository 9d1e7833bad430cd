"""Planted hits taken off the counts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from services.matcher.rounds.canary_counts import subtract_canaries
from services.matcher.storage.tables import HitCountRow, KnownCountRow

if TYPE_CHECKING:
    from tests.support.matcher_world import World


class Hits:
    """Planted hits by level, as a statement tells of them."""

    def model_dump(self) -> dict[str, int]:
        """Return the hits of each level."""
        return {"high": 3, "medium": 2, "low": 1}


async def test_they_are_taken_off_each_level(three: World) -> None:
    """Off hits of their level and persons of it and of those below; the second teller changes nothing."""
    await three.propose()
    told: Any = SimpleNamespace(party="RS", pairs=[SimpleNamespace(counterpart="AL", hits=Hits())])
    levels = ("high", "medium", "low")
    with three.context.store.transaction("test.counts") as session:
        key = {"round_id": three.round_id, "submission_id": "", "left": "AL", "right": "RS"}
        session.add_all(HitCountRow(**key, certainty=level, hits=10) for level in levels)
        session.add_all(
            KnownCountRow(round_id=three.round_id, certainty=level, parties=2, persons=20) for level in levels
        )
        session.flush()
        for canaries in ({}, {"AL": told}):
            round_: Any = SimpleNamespace(round_id=three.round_id, canaries=canaries)
            subtract_canaries(session, round_, told)
    with three.context.store.reading("test.read") as session:
        hits = {row.certainty: row.hits for row in session.scalars(select(HitCountRow))}
        known = {row.certainty: row.persons for row in session.scalars(select(KnownCountRow))}
    assert hits == {"high": 7, "medium": 8, "low": 9}
    assert known == {"high": 17, "medium": 15, "low": 14}
