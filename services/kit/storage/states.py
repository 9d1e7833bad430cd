"""States that rows keep: columns of an enum, and changes that follow a table of transitions.

A table of transitions has, for each state, the states that can follow it. What is stored is the value of the state, as
text, so that a column looks the same on both databases and in every release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Enum

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import StrEnum

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
