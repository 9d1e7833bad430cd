"""Marks of rounds: what a step or a call found about a round holds until its mark changes or a deadline passes.

One query brings the marks of all rounds, so that a round in which nothing happens costs nothing, however many are open.
Nothing here is more than a memory of what is stored: another process on the same database has its own.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from aquila.interface.rounds import RoundSummary
from aquila.protocol.rounds.round_state import Phase
from services.kit.rounds import manifest_in
from services.matcher.storage.tables import EventRow, RoundRow

_DAY = 86_400

Fact = TypeVar("Fact")


class RoundMark(NamedTuple):
    """Changes with whatever is committed that a look may depend on: an event, or a wish how the round shall end."""

    newest: int
    wish: str | None
    ended_at: int | None
    faults: int = 0
    """Columns that cannot be joined, where a look depends on them: no event tells of one."""


NEWEST_EVENT = select(func.max(EventRow.event_id)).where(EventRow.round_id == RoundRow.round_id).scalar_subquery()
"""The number of the newest event of each round of a query; nothing before the first."""


def _query(which: ColumnElement[bool]) -> Select[Any]:
    """Return the query of the marks of rounds, the oldest round first."""
    query = select(RoundRow.round_id, NEWEST_EVENT, RoundRow.wish, RoundRow.ended_at).where(which)
    return query.order_by(RoundRow.created_at)


# Made once: every step begins with one of them.
OPEN = _query(RoundRow.ended_at.is_(None))
"""The query of the marks of rounds that go on."""

ENDED = _query(RoundRow.ended_at.is_not(None) & RoundRow.finished_at.is_(None))
"""The query of the marks of rounds that ended and whose traces are not all gone."""


def marks_of(session: Session, query: Select[Any]) -> dict[str, RoundMark]:
    """Return the marks of the rounds of a query, the oldest round first."""
    return {round_id: RoundMark(event or 0, *rest) for round_id, event, *rest in session.execute(query)}


@dataclass(frozen=True, slots=True)
class RoundTerms:
    """Terms of a manifest that are needed for many rounds at once."""

    summary: RoundSummary
    """The round as people see it, in the phase in which it began."""
    deadlines: tuple[int, ...]
    """After each of them a round takes fewer steps; seconds since 1970."""
    retention_seconds: int
    """How long what is left of the round is kept after its end."""

    def until(self, mark: RoundMark, now: int) -> float:
        """Return until when nothing changes by time alone; seconds since 1970."""
        ends = () if mark.ended_at is None else (mark.ended_at + self.retention_seconds,)
        return min((at for at in (*self.deadlines, *ends) if at >= now), default=float("inf"))


class KnownTerms:
    """The terms of all rounds, each read once; a manifest never changes. Safe in threads."""

    def __init__(self) -> None:
        self._known: dict[str, RoundTerms] = {}

    def of(self, session: Session, rounds: Collection[str]) -> dict[str, RoundTerms]:
        """Return the terms of rounds that are stored."""
        missing = [round_id for round_id in rounds if round_id not in self._known]
        for start in range(0, len(missing), 500):
            some = RoundRow.round_id.in_(missing[start : start + 500])
            for round_id, envelope in session.execute(select(RoundRow.round_id, RoundRow.manifest).where(some)):
                self._known[round_id] = terms_in(envelope)
        return {round_id: self._known[round_id] for round_id in rounds}

    def rounds_naming(self, session: Session, party: str) -> set[str]:
        """Return the rounds whose manifest names a party."""
        terms = self.of(session, session.scalars(select(RoundRow.round_id)).all())
        return {round_id for round_id, of_round in terms.items() if party in of_round.summary.participants}


def terms_in(envelope: bytes) -> RoundTerms:
    """Return the terms of a stored manifest."""
    manifest = manifest_in(envelope)
    window = manifest.window
    return RoundTerms(
        summary=RoundSummary.of(manifest, Phase.PROPOSED),
        deadlines=(window.consent_by, window.submit_by, window.evaluate_by, window.closes_at),
        retention_seconds=manifest.retention_days * _DAY,
    )


class RoundFacts(Generic[Fact]):
    """Something that was found about rounds; each fact holds until something happens in its round."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[RoundMark, float, Fact]] = {}

    def get(self, round_id: str, mark: RoundMark, now: int) -> Fact | None:
        """Return the fact of a round, or None where it may have changed."""
        known = self._known.get(round_id)
        return None if known is None or known[0] != mark or now > known[1] else known[2]

    def keep(self, round_id: str, mark: RoundMark, until: float, fact: Fact) -> None:
        """Keep a fact that was found after the mark was read, until a time in seconds since 1970."""
        self._known[round_id] = mark, until, fact

    def forget_others(self, rounds: Collection[str]) -> None:
        """Forget the facts of all other rounds: those are over."""
        for round_id in self._known.keys() - set(rounds):
            self._known.pop(round_id, None)
