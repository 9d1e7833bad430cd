"""Findings about records of one party that meet the same record of this node: somebody may try names and dates.

A list has a person once, or a few times. Whoever looks for what a record holds sends many rows that differ in one
thing, and learns it from those that are hits. Nothing is withheld for it: both sides are told of hits between lists.
"""

from __future__ import annotations

from sqlalchemy import desc, func, select
from sqlalchemy.orm import Session

from aquila.sentences import Sentence
from services.kit.logging import Log
from services.node.context import Clock
from services.node.rounds import statements
from services.node.storage.tables import HitRow

LEAST_MEETINGS = 8
"""In lists that were measured a record met at most six of another list, which had a row for each alias of a person."""

_LOG = Log("node.meetings")


def report_meetings(session: Session, clock: Clock, round_id: str) -> None:
    """Report for each party the own records that many different records of it meet, its list and queries together.

    Called in the transaction that stores a report, once all its hits are stored.
    """
    met = func.count().label("met")
    each = (
        select(HitRow.counterpart, met, func.min(HitRow.hit_id).label("hit"))
        .where(HitRow.round_id == round_id)
        .group_by(HitRow.counterpart, HitRow.import_id, HitRow.position)
        .having(met >= LEAST_MEETINGS)
        .subquery()
    )
    most: dict[str, tuple[int, str]] = {}
    own: dict[str, int] = {}
    for party, meetings, hit in session.execute(
        select(each).order_by(each.c.counterpart, desc(each.c.met), each.c.hit)
    ):
        most.setdefault(party, (meetings, hit))
        own[party] = own.get(party, 0) + 1
    for party, (meetings, hit) in most.items():
        problem = Sentence.of(
            "record_met_by_many", party=party, own=own[party], least=LEAST_MEETINGS, most=meetings, hit=hit
        )
        statements.report_problem(session, clock, round_id, f"meetings {party}", problem)
        _LOG.warning("record_met_by_many", round=round_id, count=meetings)
