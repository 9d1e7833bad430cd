"""The high-water mark: this node's progress, in a file next to the round keys (PROTOCOL.md 3.2.4, 3.5.4 and 4.5).

It holds, for each round, the number of the last own statement and the elements evaluated by origin and class, and for
each day the elements evaluated over all rounds. It follows the database: it is written after a commit, and before
anything of what was committed leaves the node. So a database ahead of the mark was interrupted between the two, and
the mark catches up; a database behind the mark is an older copy, whatever the matcher shows.

It does not notice an older copy of the whole machine, in which the mark is as old as the database (LIMITATIONS.md).
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.orm import Session

from aquila.errors import RestoredBackupError
from services.kit.storage.files import write_secret
from services.kit.storage.store import Store
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import DAY, DailyEvaluationRow, EvaluationCountRow, RoundRow, StatementRow

FILE = "high-water.json"
RESTORED = "restored_backup"
_NO_ROUND = "restored"  # in place of a round's number, for elements that an older copy does not know of
_OF_ROUND = -1  # in place of a day, for elements of a round
_ROUND, _SAID, _SPENT, _COUNTED = (
    row.__table__ for row in (RoundRow, StatementRow, EvaluationCountRow, DailyEvaluationRow)
)


class RoundMark(BaseModel):
    """This node's progress in a round."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    sequence: int = 0
    """The number of its last statement."""
    refused: bool = False
    """Whether it takes no further part."""
    elements: Counter[str] = Counter()
    """Elements evaluated, by origin and class."""

    def is_ahead_of(self, stored: "RoundMark") -> bool:
        """Return whether the database lacks something that this mark has; a round that it refused can lack anything."""
        if stored.refused:
            return False
        return self.refused or self.sequence > stored.sequence or bool(self.elements - stored.elements)

    def raised_to(self, stored: "RoundMark") -> "RoundMark":
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


@dataclass(frozen=True, slots=True)
class _Stored:
    """The database's progress: rounds by number, and elements evaluated by day."""

    rounds: dict[str, RoundMark]
    days: dict[int, Counter[str]]


@dataclass(slots=True)
class HighWater:
    """The mark of a node. Only its driver writes it, for several rounds at once."""

    path: Path
    store: Store
    clock: Callable[[], int]
    window_days: int
    """How many days count for the caps by day."""
    marks: Marks | None = field(init=False)
    """The content of the file; None where it cannot be read."""
    # From the look at the database to the written file: a look that is older than the mark would seem to be a
    # restored database, and one mark would undo the other.
    _lock: threading.RLock = field(init=False, repr=False, default_factory=threading.RLock)

    def __post_init__(self) -> None:
        """Read the file. There is none before the first step."""
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
        session.flush()
        self._check(_stored(session, round_id, self._first_day()))

    def keep(self, round_id: str | None = None) -> None:
        """Raise the mark to what is committed, in this round or in all that are not over.

        If we crash before the file is written, nothing of what is new in it has left the node.
        """
        with self._lock:
            with self.store.reading("high_water.keep") as session:
                stored = _stored(session, round_id, self._first_day())
                self._check(stored)
                if round_id is None and any(not mark.refused for mark in self._unknown(session, stored).values()):
                    raise RestoredBackupError(RESTORED)
            raised = self._raised(stored)
            self._write(raised)

    def count_lost(self, session: Session) -> None:
        """Count in the database what was evaluated by day and an older copy does not know of, so that caps hold."""
        for day, lost in self._lost(_stored(session, None, self._first_day())):
            for place, elements in lost.items():
                origin, input_class = place.split()
                row = session.get(DailyEvaluationRow, (origin, input_class, day, _NO_ROUND))
                if row is None:
                    row = DailyEvaluationRow(
                        origin=origin, input_class=input_class, day=day, round_id=_NO_ROUND, elements=0
                    )
                    session.add(row)
                row.elements += elements

    def reconcile(self) -> None:
        """After an alarm, write what is committed; rounds that the database does not know any more are refused."""
        with self._lock:
            with self.store.reading("high_water.reconcile") as session:
                stored = _stored(session, None, self._first_day())
                unknown = self._unknown(session, stored)
            raised = self._raised(stored)
            refused = {round_id: mark.raised_to(RoundMark(refused=True)) for round_id, mark in unknown.items()}
            self._write(raised.model_copy(update={"rounds": raised.rounds | refused}))

    def forget(self, round_id: str) -> None:
        """Forget a round whose statements were erased; raises as `reconcile` does."""
        with self._lock:
            if self.marks is not None:
                left = {known: mark for known, mark in self.marks.rounds.items() if known != round_id}
                self._write(self.marks.model_copy(update={"rounds": left}))

    def _check(self, stored: _Stored) -> None:
        if self.marks is None:
            raise RestoredBackupError("high_water_mark_unreadable")
        for round_id, now in stored.rounds.items():
            if self.marks.rounds.get(round_id, now).is_ahead_of(now):
                raise RestoredBackupError(RESTORED, round=round_id)
        if any(self._lost(stored)):
            raise RestoredBackupError(RESTORED)

    def _unknown(self, session: Session, stored: _Stored) -> dict[str, RoundMark]:
        """Return the marks of rounds that the database does not know, given those that are not over."""
        others = {one: mark for one, mark in (self.marks or Marks()).rounds.items() if one not in stored.rounds}
        known = set(session.scalars(sa.select(_ROUND.c.round_id))) if others else set()
        return {one: mark for one, mark in others.items() if one not in known}

    def _lost(self, stored: _Stored) -> Iterator[tuple[int, Counter[str]]]:
        """Yield the days of which the database has counted less than the mark, with what it lacks."""
        for day, marked in (self.marks or Marks()).days.items():
            lost = marked - stored.days.get(day, Counter())
            if day >= self._first_day() and lost:
                yield day, lost

    def _raised(self, stored: _Stored) -> Marks:
        """Return the marks with what is stored; days that no cap counts any more are left out."""
        marks, days = self.marks or Marks(), dict(stored.days)
        said = {
            round_id: now for round_id, now in stored.rounds.items() if round_id in marks.rounds or now != RoundMark()
        }
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


def read_marks(content: bytes) -> Marks | None:
    """Return the content of a file, or None if it cannot be read."""
    try:
        return Marks.model_validate_json(content)
    except ValidationError:
        return None


def _read(path: Path) -> Marks | None:
    try:
        return read_marks(path.read_bytes())
    except OSError:
        return None


def _query(place: sa.ColumnElement[bool]) -> sa.CompoundSelect[Any]:
    """Return one query for how far the database has gone in rounds, and for what it has counted from a day on.

    A node asks it in each of its steps: it is one statement over plain columns, and finds own numbers by their index.
    """
    said = sa.select(sa.func.max(_SAID.c.sequence)).where(_SAID.c.round_id == _ROUND.c.round_id, _SAID.c.own)
    refused, last = sa.case((_ROUND.c.refused.is_(None), 0), else_=1), said.scalar_subquery()
    rounds = sa.select(_ROUND.c.round_id, sa.literal(""), sa.literal(""), refused, last)
    spent = sa.select(
        _SPENT.c.round_id, _SPENT.c.origin, _SPENT.c.input_class, sa.literal(_OF_ROUND), _SPENT.c.elements
    )
    counted = sa.cast(sa.func.sum(_COUNTED.c.elements), sa.BigInteger)
    days = sa.select(sa.literal(""), _COUNTED.c.origin, _COUNTED.c.input_class, _COUNTED.c.day, counted)
    return sa.union_all(
        rounds.where(place),
        spent.join(_ROUND, _ROUND.c.round_id == _SPENT.c.round_id).where(place),
        days.where(_COUNTED.c.day >= sa.bindparam("first")).group_by(
            _COUNTED.c.origin, _COUNTED.c.input_class, _COUNTED.c.day
        ),
    )


_ALL = _query(_ROUND.c.state.in_([LocalRoundState.ACTIVE, LocalRoundState.DESTROYING]))
_ONE = _query(_ROUND.c.round_id == sa.bindparam("round_id"))


def _stored(session: Session, round_id: str | None, first_day: int) -> _Stored:
    """Return how far the database has gone in a round, or in all that are not over, and its days from one on."""
    found = session.execute(_ALL if round_id is None else _ONE, {"first": first_day, "round_id": round_id}).all()
    elements: dict[str, Counter[str]] = {}
    days: dict[int, Counter[str]] = {}
    for one, origin, input_class, day, count in found:
        if origin:
            place = elements.setdefault(one, Counter()) if one else days.setdefault(day, Counter())
            place[f"{origin} {input_class}"] = int(count)
    rounds = {
        one: RoundMark(sequence=last or 0, refused=bool(refused), elements=elements.get(one, Counter()))
        for one, origin, _, refused, last in found
        if not origin
    }
    return _Stored(rounds, days)
