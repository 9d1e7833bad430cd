"""States that rows keep, one by one and many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import URL, select

from aquila.protocol.messages.suggestions import SuggestionState
from services.kit.storage.states import SUGGESTION_TRANSITIONS, enter_all, following
from services.kit.storage.store import Store
from services.matcher.storage.tables import MatcherRows, SuggestionRow
from services.node.storage.states import SubmissionState
from services.node.storage.tables import SubmissionRow

if TYPE_CHECKING:
    from pathlib import Path

STATES = (SuggestionState.WRITTEN, SuggestionState.WAITING, SuggestionState.REFUSED)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with a suggestion in each of some states."""
    made = Store(URL.create("sqlite", database=str(tmp_path / "matcher.db")))
    MatcherRows.metadata.create_all(made.engine)
    with made.transaction("test.rows") as session:
        for number, state in enumerate(STATES):
            row = SuggestionRow(
                suggestion_id=f"{number:032x}",
                party="AL" if number else "RS",
                terms={},
                state=state,
                made_at=1,
                reason="",
            )
            session.add(row)
    return made


def states(store: Store) -> list[SuggestionState]:
    """Return the states of all suggestions, in the order of their ids."""
    with store.reading("test.states") as session:
        return list(session.scalars(select(SuggestionRow.state).order_by(SuggestionRow.suggestion_id)))


def test_rows_in_some_states_enter_another(store: Store) -> None:
    """Rows in other states stay as they are."""
    with store.transaction("test.all") as session:
        before = {SuggestionState.WRITTEN, SuggestionState.WAITING}
        enter_all(session, SuggestionRow.state, SUGGESTION_TRANSITIONS, before, SuggestionState.SET_ASIDE)
    assert states(store) == [SuggestionState.SET_ASIDE, SuggestionState.SET_ASIDE, SuggestionState.REFUSED]


def test_further_conditions_narrow_it(store: Store) -> None:
    """Only rows that meet all conditions enter the state."""
    with store.transaction("test.some") as session:
        before, mine = {SuggestionState.WRITTEN, SuggestionState.WAITING}, SuggestionRow.party == "AL"
        enter_all(session, SuggestionRow.state, SUGGESTION_TRANSITIONS, before, SuggestionState.PROPOSED, mine)
    assert states(store) == [SuggestionState.WRITTEN, SuggestionState.PROPOSED, SuggestionState.REFUSED]


def test_a_state_that_does_not_follow_is_refused(store: Store) -> None:
    """One state that the other does not follow, and no row changes."""
    with (
        store.transaction("test.none") as session,
        pytest.raises(ValueError, match="refused is not followed by waiting"),
    ):
        enter_all(session, SuggestionRow.state, SUGGESTION_TRANSITIONS, STATES, SuggestionState.WAITING)
    assert states(store) == list(STATES)


def test_an_answer_is_final() -> None:
    """Nothing follows an answer; the same state may be entered again."""
    for state in (SuggestionState.PROPOSED, SuggestionState.SET_ASIDE, SuggestionState.REFUSED):
        assert following(SUGGESTION_TRANSITIONS, state, state) is state
        with pytest.raises(ValueError, match="is not followed by"):
            following(SUGGESTION_TRANSITIONS, state, SuggestionState.WAITING)


def test_a_sealed_state_changes_row_by_row(store: Store) -> None:
    """One statement for all rows would leave their seals as they were, and the rows could not be read any more."""
    with store.transaction("test.sealed") as session, pytest.raises(ValueError, match="is sealed"):
        enter_all(session, SubmissionRow.state, {}, (), SubmissionState.FAILED)
