"""Suggestions of rounds: a party's officer writes one; the secretariat proposes a round from it or sets it aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from aquila.errors import InputError, PolicyError
from aquila.protocol.messages.suggestions import Suggestion
from clients.web.app.forms import NAMES_CHECKED
from clients.web.app.paths import identifier
from clients.web.app.visit import Sent, Visited, threaded
from clients.web.rounds import proposal_form
from services.kit.errors import NotAllowedError, UnknownCallerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clients.web.app.visit import Visit
    from clients.web.rounds.proposal_form import Form

node = APIRouter()
matcher = APIRouter()


@node.get("/rounds/suggest")
@threaded
def get_suggest(visit: Visited) -> Response:
    """Show the form of a suggestion."""
    visit.need("round.suggest")
    client = visit.node()
    return _form(visit, proposal_form.empty(client.status().party), client.suggestions().parties)


@node.post("/rounds/suggest")
@threaded
def post_suggest(visit: Visited, sent: Sent) -> Response:
    """Suggest a round; what cannot be used comes back with what was typed."""
    visit.need("round.suggest")
    client, form = visit.node(), proposal_form.suggested(sent)
    known = client.suggestions().parties
    terms = form.terms(known)
    if form.faults:
        return _form(visit, form, known)
    try:
        client.suggest(Suggestion.model_validate(terms), names_checked=sent.ticked(NAMES_CHECKED))
    except (InputError, PolicyError) as error:
        if isinstance(error, (NotAllowedError, UnknownCallerError)):
            raise
        form.refuse(error)
        return _form(visit, form, known)
    return visit.go("/rounds", "suggested")


@matcher.get("/rounds/suggestions/{suggestion_id}")
@threaded
def get_suggestion(visit: Visited, suggestion_id: str) -> Response:
    """Show a party's suggestion."""
    return visit.show("suggestion.html", one=visit.matcher().suggestion(identifier(suggestion_id)))


@matcher.post("/rounds/suggestions/{suggestion_id}/set-aside")
@threaded
def post_set_aside(visit: Visited, sent: Sent, suggestion_id: str) -> Response:
    """Set a suggestion aside, with a reason that its party reads."""
    visit.matcher().set_aside(identifier(suggestion_id), sent.text("reason"))
    return visit.go(f"/rounds/suggestions/{suggestion_id}", "set-aside")


def _form(visit: Visit, form: Form, known: Sequence[str]) -> Response:
    """Show the form, with each error next to its field."""
    wrong = form.field_errors(visit.say)
    status = 422 if wrong or form.refusal else 200
    return visit.show("suggest.html", status, form=form, faults=wrong, codes=known)
