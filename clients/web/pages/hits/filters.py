"""The filter of a list of hits, with its order and page, in addresses and in the forms that carry it along.

An address holds no word of a record: a name that is searched for is kept by the site, and the address has its key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl, urlencode

from aquila.errors import OrderError
from aquila.interface.hits import HitFilter, HitSearch, SavedFilter
from clients.web.app.forms import SubmittedForm
from clients.web.app.visit import Visit

PAGE = 50
"""Hits on a page."""

_NAMES = frozenset(HitFilter.model_fields) - {"limit"} | {"search"}
_MOST_FIELDS = 20


@dataclass(frozen=True, slots=True)
class RequestedList:
    """The list that is asked for."""

    fields: Mapping[str, str]
    """What the address says: fields of a filter, and the key of a name as `search`."""
    name: str = field(default="", repr=False)
    """The name that is searched for, or nothing."""
    forgotten: bool = False
    """Whether the address has the key of a name that is not kept any more."""

    @property
    def query(self) -> str:
        return urlencode(self.fields)

    @property
    def path(self) -> str:
        return f"/hits?{self.query}" if self.fields else "/hits"

    @property
    def tail(self) -> str:
        """The end of the address of one hit and of its forms, by which the way back leads to this list."""
        return f"?{urlencode({'list': self.query})}" if self.fields else ""

    @property
    def restricting(self) -> dict[str, str]:
        """The fields that a saved filter keeps: neither order nor page, nor one hit's number, nor a name."""
        return {name: text for name, text in self.fields.items() if name in SavedFilter.model_fields}

    @property
    def wanted(self) -> HitSearch:
        """The hits of this page; raises ValidationError if a field cannot be used."""
        asked = {name: text for name, text in self.fields.items() if name != "search"}
        return HitSearch.model_validate(asked | {"limit": PAGE, "name": self.name})

    def replaced(self, **changes: str) -> Self:
        """Return the list with other fields; one without text is left out."""
        fields = {name: text for name, text in (dict(self.fields) | changes).items() if text}
        return type(self)(fields, self.name if "search" in fields else "")

    def at(self, offset: int) -> Self:
        return self.replaced(offset=str(offset) if offset else "")


def requested_list(visit: Visit) -> RequestedList:
    return _list(visit, dict(visit.request.query_params))


def list_of_address(visit: Visit) -> RequestedList:
    """Return the list from which the address of a hit came."""
    return _list(visit, _parsed(visit.request.query_params.get("list", "")))


def list_of_form(visit: Visit, sent: SubmittedForm) -> RequestedList:
    """Return the list in which a form was sent.

    Raises:
        OrderError: The name that was searched for is not kept any more: without it the list would be a longer one.
    """
    found = _list(visit, _parsed(sent.text("list")))
    if found.forgotten:
        raise OrderError("search_not_kept")
    return found


def _parsed(query: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(query, max_num_fields=_MOST_FIELDS))
    except ValueError:  # more fields than any list of ours has
        return {}


def _list(visit: Visit, given: Mapping[str, str]) -> RequestedList:
    fields = {name: text for name, text in given.items() if text and name in _NAMES}
    name = visit.site.searches.find(visit.session, fields["search"]) if "search" in fields else ""
    if name is None:
        del fields["search"]
        return RequestedList(fields, forgotten=True)
    return RequestedList(fields, name)


NOBODY = "nobody"
"""The choice that nobody looks after a hit."""


def colleague_choices(visit: Visit) -> list[tuple[str, str]]:
    """Return the visitor first, then colleagues by name, then nobody."""
    found = [(one.person, one.name) for one in visit.hits().colleagues().colleagues]
    mine = [(person, visit.say("myself")) for person, _ in found if person == visit.person]
    others = [(person, name) for person, name in found if person != visit.person]
    return [*mine, *others, (NOBODY, visit.say("nobody"))]
