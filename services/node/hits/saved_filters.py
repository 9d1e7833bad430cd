"""Views of hits that a person keeps: stored with the account, seen by nobody else, gone when the account ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from aquila.errors import InputError
from aquila.interface.saved_filters import MOST_SAVED, SavedFilter, SavedView, SavedViews
from services.kit.errors import NotFoundError
from services.kit.people.tables import AccountRow
from services.node.storage.tables import SavedViewRow

if TYPE_CHECKING:
    from aquila.interface.saved_filters import NewView
    from services.kit.people import Actor
    from services.node.context import Node


def list_views(node: Node, actor: Actor) -> SavedViews:
    """Return a person's own views, by name."""
    query = select(SavedViewRow).where(SavedViewRow.person == actor.person)
    with node.store.reading("view.list") as session:
        rows = session.scalars(query.order_by(SavedViewRow.name, SavedViewRow.view_id)).all()
    return SavedViews(views=tuple(map(_view, rows)))


def save_view(node: Node, actor: Actor, wanted: NewView) -> SavedView:
    """Keep a view, in place of an own one of the same name.

    Raises:
        InputError: The person keeps as many as one can.
    """
    mine = SavedViewRow.person == actor.person
    shows = wanted.shows.model_dump(mode="json", exclude_none=True)
    with node.store.transaction("view.save") as session:
        row = session.scalar(select(SavedViewRow).where(mine, SavedViewRow.name == wanted.name))
        if row is None:
            if (session.scalar(select(func.count()).where(mine)) or 0) >= MOST_SAVED:
                raise InputError("no more views can be kept", hint="remove one first", expected=MOST_SAVED)
            row = SavedViewRow(view_id=node.random(16).hex(), person=actor.person, name=wanted.name, shows=shows)
            session.add(row)
        row.shows = shows
        return _view(row)


def remove_view(node: Node, actor: Actor, view_id: str) -> None:
    """Remove an own view.

    Raises:
        NotFoundError: The person keeps no such view.
    """
    with node.store.transaction("view.remove") as session:
        row = session.get(SavedViewRow, view_id)
        if row is None or row.person != actor.person:
            raise NotFoundError("there is no such view")
        session.delete(row)


def forget_views(node: Node) -> bool:
    """Remove the views of accounts that were ended, and tell whether there were any."""
    ended = SavedViewRow.person.in_(select(AccountRow.person).where(~AccountRow.active))
    with node.store.reading("view.ended") as session:
        found = session.scalars(select(SavedViewRow.view_id).where(ended).limit(1)).first()
    if found is not None:
        with node.store.transaction("view.forget") as session:
            session.execute(delete(SavedViewRow).where(ended))
    return found is not None


def _view(row: SavedViewRow) -> SavedView:
    return SavedView(view_id=row.view_id, name=row.name, shows=SavedFilter.model_validate(row.shows))
