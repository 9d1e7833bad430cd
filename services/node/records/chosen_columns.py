"""The columns that an officer chose for lists whose headings are not fields, remembered for lists with the same ones.

A heading may be anything, in a list without headings even a name: the table holds a digest of all of them, and fields.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.protocol.encoding import framed
from aquila.records.reading.layouts import FoundLayout, Layout
from aquila.records.reading.lists import RawList, open_list, recognize
from services.kit.storage.store import Store
from services.node.storage.tables import ChosenColumnsRow

Columns = tuple[str | None, ...]


def open_remembered(store: Store, stream: BinaryIO, layout: Layout) -> RawList:
    """Open a list, with the columns that were chosen for its headings before unless it comes with others.

    Raises:
        InputError: As `open_list`.
    """
    if layout.columns is None and _is_any(store):
        layout = replace(layout, columns=recall(store, recognize(stream, layout).headings))
    stream.seek(0)
    return open_list(stream, layout)


def recall(store: Store, headings: Sequence[str]) -> Columns | None:
    """Return the columns that were chosen for these headings, in their present order, or None."""
    with store.reading("columns.recall") as session:
        row = session.get(ChosenColumnsRow, _digest(headings))
        if row is None:
            return None
        fields = dict(zip(_order(headings), row.columns, strict=True))
    return tuple(fields[place] for place in range(len(headings)))


def remember(session: Session, layout: FoundLayout, now: int) -> None:
    """Remember the columns of a list that was stored."""
    columns = [layout.columns[place] for place in _order(layout.headings)]
    session.merge(ChosenColumnsRow(headings=_digest(layout.headings), columns=columns, chosen_at=now))


def _is_any(store: Store) -> bool:
    with store.reading("columns.any") as session:
        return session.scalars(select(ChosenColumnsRow.headings).limit(1)).first() is not None


def _order(headings: Sequence[str]) -> list[int]:
    """Return the places of headings in sorted order; those of equal ones as they come."""
    return sorted(range(len(headings)), key=lambda place: (headings[place].lower(), place))


def _digest(headings: Sequence[str]) -> str:
    """Return the digest of headings, the same in any order and case."""
    names = [headings[place].lower().encode() for place in _order(headings)]
    return hashlib.sha256(framed("aquila/1 headings", *names)).hexdigest()
