"""The sections of the site that a visitor's roles allow, and the paths that a form or an address may name."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from aquila.audit.roles import Action, Service
from aquila.errors import InputError
from clients.web.i18n.languages import n_


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the site."""

    path: str
    """Where it begins."""
    name: str
    """What it is called, in English."""
    action: Action
    """The action without which it has nothing to show."""
    also: Action | None = None
    """Another one, for whom it has something to show as well."""
    here: bool = False
    """Whether the visitor is in it."""


_PLACES = {
    Service.NODE: (
        Section("/", n_("Home"), Action.SEE_STATUS),
        Section("/records", n_("Records"), Action.LIST_RECORDS),
        Section("/search", n_("Search"), Action.SEARCH_RECORDS),
        Section("/rounds", n_("Rounds"), Action.SEE_ROUNDS),
        Section("/queries", n_("Queries"), Action.SEE_QUERIES),
        Section("/hits", n_("Hits"), Action.SEE_HITS),
        Section("/approvals", n_("Approvals"), Action.SEE_APPROVALS),
        Section("/log", n_("Log"), Action.SEE_LOG, also=Action.ACKNOWLEDGE_LOG),
        Section("/looks", n_("Looks"), Action.REVIEW_LOOKS),
        Section("/subjects", n_("Persons' requests"), Action.ANSWER_SUBJECTS),
        Section("/registry", n_("Registry"), Action.MANAGE_REGISTRY),
        Section("/people", n_("Accounts"), Action.MANAGE_PEOPLE),
        Section("/service", n_("Service"), Action.MANAGE_PEOPLE),
    ),
    Service.MATCHER: (
        Section("/", n_("Home"), Action.SEE_STATUS),
        Section("/rounds", n_("Rounds"), Action.SEE_ROUNDS),
        Section("/parties", n_("Parties"), Action.SEE_ROUNDS),
        Section("/statistics", n_("Statistics"), Action.SEE_STATISTICS),
        Section("/approvals", n_("Approvals"), Action.SEE_APPROVALS),
        Section("/log", n_("Log"), Action.SEE_LOG, also=Action.ACKNOWLEDGE_LOG),
        Section("/looks", n_("Looks"), Action.REVIEW_LOOKS),
        Section("/registry", n_("Registry"), Action.MANAGE_REGISTRY),
        Section("/people", n_("Accounts"), Action.MANAGE_PEOPLE),
        Section("/service", n_("Service"), Action.MANAGE_PEOPLE),
    ),
}


def sections_of(service: Service, path: str, may: Callable[[str], bool]) -> Sequence[Section]:
    """Return the places of a visitor.

    Args:
        path: The path of the page that is shown.
        may: Tells whether the visitor's roles allow an action.
    """
    return [
        replace(place, here=path == place.path or (place.path != "/" and path.startswith(f"{place.path}/")))
        for place in _PLACES[service]
        if may(place.action) or (place.also is not None and may(place.also))
    ]


# Letters, digits and a few marks: no second slash at the start, no backslash, no query, nothing to be decoded.
_LOCAL = re.compile(r"/(?:[A-Za-z0-9._-]+/)*[A-Za-z0-9._-]*")
_IDENTIFIER = re.compile(r"[0-9a-f]{32}")


def local_path(wanted: str) -> str:
    """Return a path of this site, or the first page for anything else: nobody is sent on to another site."""
    return wanted if _LOCAL.fullmatch(wanted) else "/"


def identifier(text: str) -> str:
    """Return an identifier of the protocol; raises InputError if it is none."""
    if not _IDENTIFIER.fullmatch(text):
        raise InputError("form_thing_unknown")
    return text
