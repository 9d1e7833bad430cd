"""The interface of suggestions: an officer writes one, and everyone who sees rounds sees what became of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request

from aquila.audit.roles import Action
from aquila.interface.proposal import Suggestions, SuggestionView  # noqa: TC001 - read by FastAPI
from aquila.protocol.messages.suggestions import Suggestion  # noqa: TC001 - read by FastAPI
from services.kit.http.routing import ServiceRoute
from services.kit.people import Actor, requires
from services.node.api.dependencies import NamesChecked, node_of, texts_of
from services.node.records import named_persons
from services.node.rounds import suggestions

router = APIRouter(route_class=ServiceRoute, prefix="/v1/suggestions", tags=["operator"])


@router.get("", summary="This party's suggestions of rounds", dependencies=[requires(Action.SEE_ROUNDS)])
def get_suggestions(request: Request) -> Suggestions:
    """List the suggestions with what became of them."""
    return suggestions.list_suggestions(node_of(request))


@router.post("", status_code=202, summary="Suggest a round to the secretariat")
def post_suggestion(
    request: Request,
    actor: Annotated[Actor, requires(Action.SUGGEST_ROUND)],
    wanted: Suggestion,
    names_checked: NamesChecked = False,  # noqa: FBT002 - how FastAPI names a query parameter
) -> SuggestionView:
    """Keep a suggestion, which the node sends."""
    named_persons.check_texts(node_of(request).store, texts_of(wanted), confirmed=names_checked)
    return suggestions.suggest(node_of(request), actor, wanted)
