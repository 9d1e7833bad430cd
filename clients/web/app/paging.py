"""Lists that grow, a page at a time: the visible part, and the addresses of the next and the previous page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from aquila.interface.rounds import RoundSummary
from clients.sdk import MatcherClient, NodeClient
from clients.web.app.visit import Visit

ItemT = TypeVar("ItemT")
_DIGITS = 9


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


def page_of(
    visit: Visit, items: Sequence[ItemT], size: int, name: str = "offset", chosen: Mapping[str, str] | None = None
) -> Page[ItemT]:
    """Return the page that an address asks for; the first one where it asks for none that there is.

    Args:
        items: All of the list, newest first.
        name: By which the address says how many newer ones are left out.
        chosen: What else the address says, by which the list is filtered.
    """
    return served_page(visit, lambda offset: (items[offset : offset + size], len(items)), size, name, chosen)


def served_page(
    visit: Visit,
    fetch: Callable[[int], tuple[Sequence[ItemT], int]],
    size: int,
    name: str = "offset",
    chosen: Mapping[str, str] | None = None,
) -> Page[ItemT]:
    """Return the page that an address asks for, of a list of which the service gives a part.

    Args:
        fetch: Gives for a number of newer ones that are left out the part that follows, and how many there are in all.
        size: How many go on a page.
        name: As of `page_of`.
        chosen: As of `page_of`.
    """
    asked = visit.request.query_params.get(name, "")
    offset = int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= _DIGITS else 0
    items, total = fetch(offset)
    if offset and not items:
        offset = 0
        items, total = fetch(offset)
    kept = {key: value for key, value in (chosen or {}).items() if value}
    path = visit.request.url.path
    return Page(
        items=items,
        offset=offset,
        total=total,
        earlier=f"{path}?{urlencode(kept | {name: max(0, offset - size)})}" if offset else "",
        later=f"{path}?{urlencode(kept | {name: offset + size})}" if offset + size < total else "",
    )


def rounds_from(client: NodeClient | MatcherClient, size: int, offset: int) -> tuple[Sequence[RoundSummary], int]:
    found = client.rounds(offset, size)
    return found.rounds, found.total
