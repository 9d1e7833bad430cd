"""States that rows keep, one by one and many at once."""

from enum import StrEnum
from pathlib import Path

import pytest
from sqlalchemy import URL, select
from sqlalchemy.orm import Mapped, mapped_column

from aquila.interface.rounds import SubmissionState
from services.kit.storage.store import Rows, Store, enter_all, following, new_metadata, state_text
from services.node.storage.tables import SubmissionRow


class State(StrEnum):
    WRITTEN = "written"
    SENT = "sent"
    READ = "read"


TRANSITIONS = {
    State.WRITTEN: frozenset({State.SENT, State.READ}),
    State.SENT: frozenset({State.READ}),
    State.READ: frozenset[State](),
}


class OwnRows(Rows):
    __abstract__ = True
    metadata = new_metadata()


class LetterRow(OwnRows):
    __tablename__ = "letter"
    number: Mapped[int] = mapped_column(primary_key=True)
    party: Mapped[str]
    state: Mapped[State] = mapped_column(state_text(State, 16))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(URL.create("sqlite", database=str(tmp_path / "letters.db")))
    OwnRows.metadata.create_all(made.engine)
    with made.transaction("test.rows") as session:
        for number, state in enumerate(State):
            session.add(LetterRow(number=number, party="AL" if number else "RS", state=state))
    return made


def states(store: Store) -> list[State]:
    with store.reading("test.states") as session:
        return list(session.scalars(select(LetterRow.state).order_by(LetterRow.number)))


def test_rows_in_some_states_enter_another(store: Store) -> None:
    with store.transaction("test.all") as session:
        enter_all(session, LetterRow.state, TRANSITIONS, {State.WRITTEN}, State.SENT)
    assert states(store) == [State.SENT, State.SENT, State.READ]


def test_further_conditions_narrow_it(store: Store) -> None:
    with store.transaction("test.some") as session:
        before, mine = {State.WRITTEN, State.SENT}, LetterRow.party == "AL"
        enter_all(session, LetterRow.state, TRANSITIONS, before, State.READ, mine)
    assert states(store) == [State.WRITTEN, State.READ, State.READ]


def test_a_state_that_does_not_follow_is_refused(store: Store) -> None:
    with store.transaction("test.none") as session, pytest.raises(ValueError, match="read is not followed by sent"):
        enter_all(session, LetterRow.state, TRANSITIONS, State, State.SENT)
    assert states(store) == list(State)


def test_the_same_state_may_be_entered_again() -> None:
    assert following(TRANSITIONS, State.READ, State.READ) is State.READ
    with pytest.raises(ValueError, match="is not followed by"):
        following(TRANSITIONS, State.READ, State.SENT)


def test_a_sealed_state_changes_row_by_row(store: Store) -> None:
    with store.transaction("test.sealed") as session, pytest.raises(ValueError, match="is sealed"):
        enter_all(session, SubmissionRow.state, {}, (), SubmissionState.FAILED)
