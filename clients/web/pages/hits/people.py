"""Colleagues as the choices of a form, by the names that only people of the own node see."""

from __future__ import annotations

from clients.web.app.visit import Visit

NOBODY = "nobody"
"""The choice that nobody looks after a hit."""


def colleague_choices(visit: Visit) -> list[tuple[str, str]]:
    """Return the visitor first, then colleagues by name, then nobody."""
    found = [(one.person, one.name) for one in visit.hits().colleagues().colleagues]
    mine = [(person, visit.say("myself")) for person, _ in found if person == visit.person]
    others = [(person, name) for person, name in found if person != visit.person]
    return [*mine, *others, (NOBODY, visit.say("nobody"))]
