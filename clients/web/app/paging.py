"""Lists that grow, a page at a time: the visible part, and the addresses of the next and the previous page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from clients.web.app.forms import whole_number
from clients.web.app.visit import Visit

ItemT = TypeVar("ItemT")
FoundT = TypeVar("FoundT")


@dataclass(frozen=True, slots=True)
class Page(Generic[ItemT]):
    """A part of a list that is newest first."""

    items: Sequence[ItemT]
    offset: int
    """How many newer ones there are."""
    total: int
    """How many there are in all."""
    earlier: str
    """The address of the page with newer ones, or nothing."""
    later: str
    """The address of the page with older ones, or nothing."""


def page_of(visit: Visit, items: Sequence[ItemT], size: int) -> Page[ItemT]:
    """Return the page that an address asks for, of a list of which all is here."""
    return served_page(visit, lambda at: items[at : at + size], lambda part: (part, len(items)), size)[1]


def served_page(
    visit: Visit,
    fetch: Callable[[int], FoundT],
    part_of: Callable[[FoundT], tuple[Sequence[ItemT], int]],
    size: int,
    chosen: Mapping[str, str] | None = None,
) -> tuple[FoundT, Page[ItemT]]:
    """Return what the service gave, and the page that an address asks for; the first one where there is no such page.

    Args:
        fetch: Asks the service for a part, by the number of newer ones that are left out.
        part_of: Gives the items of that part, and how many there are in all.
        size: How many go on a page.
        chosen: What else the address says, by which the list is filtered.
    """
    offset = whole_number(visit.request.query_params.get("offset", "")) or 0
    found = fetch(offset)
    if offset and not part_of(found)[0]:
        offset = 0
        found = fetch(offset)
    items, total = part_of(found)
    kept = {key: value for key, value in (chosen or {}).items() if value}
    path = visit.request.url.path
    page = Page(
        items=items,
        offset=offset,
        total=total,
        earlier=f"{path}?{urlencode(kept | {'offset': max(0, offset - size)})}" if offset else "",
        later=f"{path}?{urlencode(kept | {'offset': offset + size})}" if offset + size < total else "",
    )
    return found, page
