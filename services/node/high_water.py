"""The high-water mark: how far this node has gone, in a file beside the round keys (PROTOCOL.md 3.2.4, 3.5.4 and 4.5).

It holds, for each round, the number of the last own statement and the elements evaluated by origin and class, and for
each day the elements evaluated over all rounds. It follows the database: it is written after a commit, and before
anything of what was committed leaves the node. So a database ahead of the mark was interrupted between the two, and
the mark catches up; a database behind the mark is an older copy, whatever the matcher shows.

It does not notice an older copy of the whole machine, in which the mark is as old as the database (LIMITATIONS.md).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import and_, func, select

from aquila.errors import RestoredBackupError
from services.kit.files import write_secret
from services.node.tables import DAY, RoundRow, SpentDayRow, SpentRow, StatementRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from services.kit.store import Store

FILE = "high-water.json"
RESTORED = "this node's database is older than what it has said or evaluated: it was restored from a backup"
_UNREADABLE = "the high-water mark beside the round keys cannot be read: nothing tells how old this database is"
_NO_ROUND = "restored"  # in place of a round's number, for elements that an older copy does not know of
_NOT_OVER = RoundRow.state != "destroyed"


class RoundMark(BaseModel):
    """How far this node has gone in a round.

    Attributes:
        sequence: The number of its last statement.
        refused: Whether it takes no further part.
        elements: Elements evaluated, by origin and class.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    sequence: int = 0
    refused: bool = False
    elements: Counter[str] = Counter()

    def is_ahead_of(self, stored: RoundMark) -> bool:
        """Tell whether the database lacks something that this mark has; a round that it refused can lack anything."""
        if stored.refused:
            return False
        return self.refused or self.sequence > stored.sequence or bool(self.elements - stored.elements)

    def raised_to(self, stored: RoundMark) -> RoundMark:
        """Return the larger of the two in each part."""
        return RoundMark(
            sequence=max(self.sequence, stored.sequence),
            refused=self.refused or stored.refused,
            elements=self.elements | stored.elements,
        )


class Marks(BaseModel):
    """The content of the file: rounds by number, and elements evaluated by day, origin and class."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rounds: dict[str, RoundMark] = {}
    days: dict[int, Counter[str]] = {}


@dataclass(slots=True)
class HighWater:
    """The mark of a node. Only its driver writes it.

    Attributes:
        path: The file.
        store: The node's database.
        clock: Seconds since 1970.
        window_days: How many days count for the caps by day.
        marks: The content of the file; None where it cannot be read.
    """

    path: Path
    store: Store
    clock: Callable[[], int]
    window_days: int
    marks: Marks | None = field(init=False)

    def __post_init__(self) -> None:
        """Read the file. There is none before the first step, and in a home of an earlier version."""
        self.marks = _read(self.path) if self.path.exists() else Marks()

    def last_number(self, round_id: str) -> int | None:
        """Return the number of the last own statement in a round, or None where the mark does not know the round."""
        mark = (self.marks or Marks()).rounds.get(round_id)
        return None if mark is None else mark.sequence

    def check(self, session: Session, round_id: str) -> None:
        """Within a transaction that signs, refuse a database that is behind the mark, in this round or in the caps.

        Raises:
            RestoredBackupError: It is, or the mark cannot be read.
        """
        self._check(session, _rounds_of(session, RoundRow.round_id == round_id))

    def keep(self, round_id: str | None = None) -> None:
        """Raise the mark to what is committed, in this round or in all that are not over.

        If we crash before the file is written, nothing of what is new in it has left the node.

        Raises:
            RestoredBackupError: The database is behind the mark, or the mark cannot be read.
            StoreError: The disk is full or failed.
        """
        with self.store.reading("high_water.keep") as session:
            stored = _rounds_of(session, _NOT_OVER if round_id is None else RoundRow.round_id == round_id)
            self._check(session, stored)
            if round_id is None and any(not mark.refused for mark in self._unknown(session).values()):
                raise _older(RESTORED)
            raised = self._raised(session, stored)
        self._write(raised)

    def count_lost(self, session: Session) -> None:
        """Count in the database what was evaluated by day and an older copy does not know of, so that caps hold."""
        for day, lost in self._lost(session):
            for place, elements in lost.items():
                origin, input_class = place.split()
                row = session.get(SpentDayRow, (origin, input_class, day, _NO_ROUND))
                if row is None:
                    row = SpentDayRow(
                        origin=origin, input_class=input_class, day=day, round_id=_NO_ROUND, elements=0
                    )  # fmt: skip
                    session.add(row)
                row.elements += elements

    def settle(self) -> None:
        """After an alarm, write what is committed; rounds that the database does not know any more are refused.

        Raises:
            StoreError: The disk is full or failed.
        """
        with self.store.reading("high_water.settle") as session:
            raised = self._raised(session, _rounds_of(session, _NOT_OVER))
            refused = {
                round_id: mark.raised_to(RoundMark(refused=True)) for round_id, mark in self._unknown(session).items()
            }
        self._write(raised.model_copy(update={"rounds": raised.rounds | refused}))

    def forget(self, round_id: str) -> None:
        """Forget a round whose statements were erased; raises as `settle` does."""
        if self.marks is not None:
            left = {known: mark for known, mark in self.marks.rounds.items() if known != round_id}
            self._write(self.marks.model_copy(update={"rounds": left}))

    def _check(self, session: Session, stored: Mapping[str, RoundMark]) -> None:
        if self.marks is None:
            raise _older(_UNREADABLE)
        for round_id, now in stored.items():
            if self.marks.rounds.get(round_id, now).is_ahead_of(now):
                raise _older(RESTORED, round=round_id)
        if any(self._lost(session)):
            raise _older(RESTORED)

    def _unknown(self, session: Session) -> dict[str, RoundMark]:
        """Return the marks of rounds that the database does not know."""
        known = set(session.scalars(select(RoundRow.round_id)))
        return {one: mark for one, mark in (self.marks or Marks()).rounds.items() if one not in known}

    def _lost(self, session: Session) -> Iterator[tuple[int, Counter[str]]]:
        """Yield the days of which the database has counted less than the mark, with what it lacks."""
        stored = _days_of(session, self._first_day())
        for day, marked in (self.marks or Marks()).days.items():
            lost = marked - stored.get(day, Counter())
            if day >= self._first_day() and lost:
                yield day, lost

    def _raised(self, session: Session, stored: Mapping[str, RoundMark]) -> Marks:
        """Return the marks with what is stored; days that no cap counts any more are left out."""
        marks, days = self.marks or Marks(), _days_of(session, self._first_day())
        said = {round_id: now for round_id, now in stored.items() if round_id in marks.rounds or now != RoundMark()}
        for day, counted in marks.days.items():
            if day >= self._first_day():
                days[day] = counted | days.get(day, Counter())
        rounds = {round_id: marks.rounds.get(round_id, now).raised_to(now) for round_id, now in said.items()}
        return Marks(rounds=marks.rounds | rounds, days=days)

    def _first_day(self) -> int:
        return self.clock() // DAY - self.window_days + 1

    def _write(self, marks: Marks) -> None:
        if marks != self.marks:
            write_secret(self.path, marks.model_dump_json().encode())
            self.marks = marks


def _older(sentence: str, **fields: str) -> RestoredBackupError:
    return RestoredBackupError(
        sentence,
        hint="open rounds are refused for good; when it is explained, an administrator goes on with `aquila audit "
        "acknowledge`",
        **fields,
    )


def _read(path: Path) -> Marks | None:
    try:
        return Marks.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _rounds_of(session: Session, place: ColumnElement[bool]) -> dict[str, RoundMark]:
    """Return how far the database has gone in rounds."""
    spent = select(SpentRow).join(RoundRow, RoundRow.round_id == SpentRow.round_id).where(place)
    elements: dict[str, Counter[str]] = {}
    for row in session.scalars(spent):
        elements.setdefault(row.round_id, Counter())[f"{row.origin} {row.input_class}"] = row.elements
    own = and_(StatementRow.round_id == RoundRow.round_id, StatementRow.own)
    query = select(RoundRow.round_id, RoundRow.refused, func.max(StatementRow.sequence)).outerjoin(StatementRow, own)
    found = session.execute(query.where(place).group_by(RoundRow.round_id, RoundRow.refused))
    return {
        one: RoundMark(sequence=last or 0, refused=refused is not None, elements=elements.get(one, Counter()))
        for one, refused, last in found
    }


def _days_of(session: Session, first: int) -> dict[int, Counter[str]]:
    """Return the elements that the database has counted from a day on."""
    place = SpentDayRow.origin, SpentDayRow.input_class, SpentDayRow.day
    query = select(*place, func.sum(SpentDayRow.elements)).where(SpentDayRow.day >= first).group_by(*place)
    days: dict[int, Counter[str]] = {}
    for origin, input_class, day, elements in session.execute(query):
        days.setdefault(day, Counter())[f"{origin} {input_class}"] = int(elements)
    return days
