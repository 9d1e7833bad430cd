"""The rounds that a step looks at; a failure in one round does not keep the others waiting."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select

from aquila.errors import AquilaError
from services.kit.errors import RoundDamagedError
from services.kit.logging import Log
from services.matcher.context import MatcherContext
from services.matcher.storage.round_marks import OPEN, RoundFacts, marks_of

_LOG = Log("matcher.steps")

QuietRounds = RoundFacts[bool]
"""Rounds in which a step found nothing to do."""


def each_round(
    context: MatcherContext, query: Select[Any], work: Callable[[str], bool | None], quiet: QuietRounds | None = None
) -> bool:
    """Do the work for every round, and return whether there was any.

    Args:
        work: Does one piece of work in a round, and returns whether there was any; None where it has to be tried again.
        quiet: A step's memory of the rounds in which it found nothing to do: it looks at them again only when
            something has happened in them, or one of their deadlines has passed. Without it all are looked at.

    Raises:
        AquilaError: The last failure, after all rounds had their turn; each one is logged.
    """
    quiet = RoundFacts() if quiet is None else quiet
    now = context.clock()
    with context.store.reading("rounds.due") as session:
        marks = marks_of(session, query)
        rounds = [round_id for round_id, mark in marks.items() if not quiet.get(round_id, mark, now)]
        terms = context.terms.of(session, rounds)
    quiet.forget_others(marks)
    if query is OPEN:
        context.rows.forget(lambda round_id: round_id not in marks)
    busy, failed = False, None
    for round_id in rounds:
        try:
            found = work(round_id)
        except RoundDamagedError as error:
            # Another try finds the same until something happens in the round.
            _LOG.error("round_damaged", round=round_id, error=error)
            found = False
        except AquilaError as error:
            _LOG.warning("round_failed", round=round_id, error=error)
            failed = error
            continue
        busy |= bool(found)
        if found is False:
            quiet.keep(round_id, marks[round_id], terms[round_id].until(marks[round_id], now), fact=True)
    if failed is not None:
        raise failed
    return busy
