"""States that rows keep: columns of an enum, and changes that follow a table of transitions.

A table of transitions has, for each state, the states that can follow it. What is stored is the value of the state, as
text, so that a column looks the same on both databases and in every release.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import ColumnElement, Enum, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from services.kit.storage.row_seals import SealedRow

StateT = TypeVar("StateT", bound=StrEnum)


def state_text(states: type[StrEnum], length: int) -> Enum:
    """Return the type of a text column that holds one of these states; reading any other text raises LookupError."""
    return Enum(
        states,
        native_enum=False,
        create_constraint=False,
        length=length,
        values_callable=lambda kind: [state.value for state in kind],
    )


def following(transitions: Mapping[StateT, frozenset[StateT]], before: StateT, after: StateT) -> StateT:
    """Return the state that follows another, or the same again.

    Raises:
        ValueError: The table has no such transition, which is a fault of the caller.
    """
    if after is not before and after not in transitions[before]:
        raise ValueError(f"{type(before).__name__} {before.value} is not followed by {after.value}")
    return after


def enter_all(
    session: Session,
    column: InstrumentedAttribute[StateT] | InstrumentedAttribute[StateT | None],
    transitions: Mapping[StateT, frozenset[StateT]],
    before: Collection[StateT],
    after: StateT,
    *where: ColumnElement[bool],
) -> None:
    """Let all rows that are in some states enter another one, in one statement.

    Args:
        session: The transaction.
        column: The column of the state, made by `state_text`.
        transitions: The table of transitions.
        before: The states of the rows that enter it; rows in any other state stay as they are.
        after: The state that they enter.
        where: Further conditions.

    Raises:
        ValueError: One of the states is not followed by it, or the column is sealed and so changes row by row. Both are
            faults of the caller.
    """
    of = column.class_
    if isinstance(of, type) and issubclass(of, SealedRow) and column.key in of.sealed:
        raise ValueError(f"{column} is sealed: change each row by itself")
    for state in before:
        following(transitions, state, after)
    session.execute(update(column.class_).where(column.in_(before), *where).values({column: after}))
