"""Who looked at how much: by person and day, beside what was submitted in the rounds, marked by two simple rules."""

from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import update
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind, Reason
from aquila.errors import InputError
from aquila.interface.looks import LookReviewRequest, UnusualUse
from services.kit.log.entries import ENTRIES, TABLES, append
from services.kit.log_access.looks import review_looks
from services.kit.storage.store import Store, declare, new_metadata

ANA, EVA, ROUND = "p-0123456789ab", "p-ba9876543210", "0" * 32


def at(day: int, hour: int = 10) -> int:
    """Return a time of March 2026, of which the second is a Monday."""
    return int(datetime.fromisoformat(f"2026-03-{day:02}T{hour:02}:00").astimezone().timestamp())


def look(session: Session, person: str, time: int, kind: EntryKind = EntryKind.CONSULTATION, **fields: Any) -> None:
    append(session, Entry.of(kind, time, "SI", person=person, role="analyst", **fields))


@pytest.fixture
def session(store: Store) -> Any:
    metadata = new_metadata()
    declare(metadata, TABLES)
    metadata.create_all(store.engine)
    with store.transaction("test.looks") as opened:
        yield opened


def test_looks_are_added_up_with_their_reasons(session: Session) -> None:
    """Hits, records, exports and looks at the log apart; a sign-in is no look."""
    reason = Reason(legal_basis="Article 5", purpose="Border control", case_reference="K-17")
    append(session, Entry.of(EntryKind.SUBMISSION, at(2), "SI", round=ROUND, reason=reason))
    look(session, ANA, at(2, 9), round=ROUND, counts={"hits": 4})
    look(session, ANA, at(2, 11), counts={"records": 3})
    look(session, ANA, at(2, 12), EntryKind.EXPORT, round=ROUND, counts={"hits": 4})
    look(session, ANA, at(2, 13), EntryKind.LOG_CONSULTED)
    look(session, ANA, at(2, 3), EntryKind.SIGN_IN)
    (day,) = review_looks(session, LookReviewRequest(since="2026-03-02", until="2026-03-02")).days
    assert (day.person, day.roles, day.looks) == (ANA, ("analyst",), 4)
    assert (day.hits, day.records, day.exports, day.log) == (4, 3, 1, 1)
    assert (day.first, day.last, day.reasons) == (at(2, 9), at(2, 13), ("Border control, K-17",))
    assert (day.usual, day.marks) == (None, ())


def test_far_more_than_the_own_usual_day_is_marked(session: Session) -> None:
    """Only with enough earlier days, above the least number, and against the same person's days alone."""
    for day in (2, 3, 4, 5, 6):
        look(session, ANA, at(day), counts={"hits": 10 * day})
        look(session, EVA, at(day), counts={"hits": 300})
    look(session, ANA, at(9), counts={"hits": 121})
    look(session, EVA, at(9), counts={"hits": 121})

    def marks(**rule: int) -> dict[str, tuple[UnusualUse, ...]]:
        found = review_looks(session, LookReviewRequest(since="2026-03-09", until="2026-03-09", **rule)).days
        return {one.person: one.marks for one in found}

    assert marks() == {ANA: (UnusualUse.MANY,), EVA: ()}
    assert marks(times=4)[ANA] == ()
    assert marks(least=122)[ANA] == ()
    before = review_looks(session, LookReviewRequest(since="2026-03-02", until="2026-03-06")).days
    assert not any(one.marks or one.usual for one in before)


@pytest.mark.parametrize(("day", "hour", "marked"), [(6, 7, 0), (6, 18, 0), (6, 6, 1), (6, 19, 1), (7, 10, 1)])
def test_a_look_outside_the_hours_of_work_is_marked(session: Session, day: int, hour: int, marked: int) -> None:
    """Before they begin, from their end on, and at the weekend; the marked days come first."""
    look(session, EVA, at(9), counts={"hits": 1})
    look(session, ANA, at(day, hour), counts={"hits": 1})
    days = review_looks(session, LookReviewRequest(since="2026-03-01", until="2026-03-31")).days
    assert [one.marks for one in days if one.person == ANA] == [(UnusualUse.HOURS,) * marked]
    assert days[0].person == (ANA if marked else EVA)


@pytest.mark.parametrize(("since", "until"), [("2026-03-02", "2026-03-01"), ("2026-01-01", "2026-12-31")])
def test_a_period_is_short_and_goes_forward(session: Session, since: str, until: str) -> None:
    with pytest.raises(InputError, match="one to 93 days"):
        review_looks(session, LookReviewRequest(since=since, until=until))
    with pytest.raises(ValidationError):
        LookReviewRequest(since="2026-02-30", until=until)


@pytest.mark.parametrize(
    "content", [b"{}", b"<b>", Entry.of(EntryKind.CONSULTATION, at(2), "SI", person=EVA).content()]
)
def test_a_look_that_was_changed_is_named_and_not_counted(session: Session, content: bytes) -> None:
    """Whoever can write into the database cannot lay a look at another's door."""
    look(session, ANA, at(2), counts={"hits": 1})
    look(session, ANA, at(2), counts={"hits": 2})
    session.execute(update(ENTRIES).where(ENTRIES.c.index == 1).values(content=content))
    found = review_looks(session, LookReviewRequest(since="2026-03-02", until="2026-03-02"))
    assert [(one.person, one.hits) for one in found.days] == [(ANA, 1)]
    assert found.broken == (1,)
