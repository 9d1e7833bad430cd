"""Views of hits that a person keeps: stored with the account, seen by nobody else, gone when the account ends."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import delete, func, select

from aquila.errors import InputError
from aquila.interface.hits import MOST_SAVED, NewFilter, SavedFilter, SavedFilters, SavedFilterView
from services.kit.actor import Actor
from services.kit.errors import NotFoundError
from services.kit.people.tables import AccountRow
from services.kit.storage.store import Store
from services.node.storage.tables import SavedFilterRow


def list_views(store: Store, actor: Actor) -> SavedFilters:
    """Return a person's own views, by name."""
    query = select(SavedFilterRow).where(SavedFilterRow.person == actor.person)
    with store.reading("view.list") as session:
        rows = session.scalars(query.order_by(SavedFilterRow.name, SavedFilterRow.view_id)).all()
    return SavedFilters(views=tuple(map(_view, rows)))


def save_view(store: Store, random: Callable[[int], bytes], actor: Actor, wanted: NewFilter) -> SavedFilterView:
    """Keep a view, in place of an own one of the same name.

    Raises:
        InputError: The person keeps as many as one can.
    """
    mine = SavedFilterRow.person == actor.person
    shows = wanted.shows.model_dump(mode="json", exclude_none=True)
    with store.transaction("view.save") as session:
        row = session.scalar(select(SavedFilterRow).where(mine, SavedFilterRow.name == wanted.name))
        if row is None:
            if (session.scalar(select(func.count()).where(mine)) or 0) >= MOST_SAVED:
                raise InputError("views_too_many", expected=MOST_SAVED)
            row = SavedFilterRow(view_id=random(16).hex(), person=actor.person, name=wanted.name, shows=shows)
            session.add(row)
        row.shows = shows
        return _view(row)


def remove_view(store: Store, actor: Actor, view_id: str) -> None:
    """Remove an own view.

    Raises:
        NotFoundError: The person keeps no such view.
    """
    with store.transaction("view.remove") as session:
        row = session.get(SavedFilterRow, view_id)
        if row is None or row.person != actor.person:
            raise NotFoundError("view_unknown")
        session.delete(row)


def forget_views(store: Store) -> bool:
    """Remove the views of accounts that were ended, and return whether there were any."""
    ended = SavedFilterRow.person.in_(select(AccountRow.person).where(~AccountRow.active))
    with store.reading("view.ended") as session:
        found = session.scalars(select(SavedFilterRow.view_id).where(ended).limit(1)).first()
    if found is not None:
        with store.transaction("view.forget") as session:
            session.execute(delete(SavedFilterRow).where(ended))
    return found is not None


def _view(row: SavedFilterRow) -> SavedFilterView:
    return SavedFilterView(view_id=row.view_id, name=row.name, shows=SavedFilter.model_validate(row.shows))
