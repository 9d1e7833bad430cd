"""Views of hits that an analyst keeps under a name: a filter each, which holds no word of a record.

A name is the analyst's own word. It is shown to nobody else and is not logged.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from aquila.followup.lifecycle import Stage
from aquila.interface.hits import KnownPair, Whose
from aquila.matching.certainty import Level
from aquila.protocol.messages.base import Identifier, Message, PartyCode

MOST_SAVED = 20
"""How many views one person can keep."""

ViewName = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]


class SavedFilter(Message):
    """The hits that a view shows, as in `HitFilter`; an empty field restricts nothing."""

    round_id: Identifier | None = None
    counterpart: PartyCode | None = None
    certainty: Level | None = None
    stage: Stage | None = None
    known: KnownPair | None = None
    whose: Whose | None = None
    overdue: bool = False
    older_than_hours: Annotated[int, Field(ge=0, le=100_000)] | None = None


class NewFilter(Message):
    """A view to be kept, in place of one of the same name."""

    name: ViewName
    shows: SavedFilter


class SavedFilterView(Message):
    """A view that is kept."""

    view_id: Identifier
    name: ViewName
    shows: SavedFilter


class SavedFilters(Message):
    """A person's own views, by name."""

    views: tuple[SavedFilterView, ...]
