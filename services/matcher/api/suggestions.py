"""The calls about suggestions: parties send them, signed; the secretariat reads them and sets them aside."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from aquila.audit.roles import Action
from aquila.interface.proposal import Suggestions, SuggestionView  # noqa: TC001 - read by FastAPI
from aquila.interface.rounds import AbortReason  # noqa: TC001 - read by FastAPI
from aquila.protocol.messages.suggestions import Suggestion
from services.kit.http.openapi import JSON, raw_body, stored
from services.kit.http.routing import ServiceRoute
from services.kit.http.signed_calls import SignedCaller  # noqa: TC001 - read by FastAPI
from services.kit.people import Actor, requires
from services.matcher.api.dependencies import At  # noqa: TC001 - read by FastAPI
from services.matcher.rounds import suggestions

SuggestionId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]

SUGGESTION = "/v1/suggestions/{suggestion_id}"

parties = APIRouter(route_class=ServiceRoute, prefix="/v1/suggestions", tags=["parties"])
operator = APIRouter(route_class=ServiceRoute, prefix="/v1/operator/suggestions", tags=["operator"])


@parties.put(
    "/{suggestion_id}",
    status_code=201,
    summary="A party suggests a round",
    response_class=Response,
    responses=stored("The suggestion"),
    openapi_extra=raw_body(
        "The suggestion in RFC 8785 encoding (PROTOCOL.md 9.4).", JSON, schema=Suggestion.model_json_schema()
    ),
)
def put_suggestion(context: At, call: SignedCaller, suggestion_id: SuggestionId) -> Response:
    """Take a suggestion."""
    new = suggestions.accept_suggestion(context, call.party, suggestion_id, call.body)
    return Response(status_code=201 if new else 200)


@operator.get("", summary="Suggestions of rounds", dependencies=[requires(Action.SEE_ROUNDS)])
def get_suggestions(context: At) -> Suggestions:
    """List the suggestions."""
    return suggestions.list_suggestions(context)


@operator.get("/{suggestion_id}", summary="A suggestion", dependencies=[requires(Action.SEE_ROUNDS)])
def get_suggestion(context: At, suggestion_id: SuggestionId) -> SuggestionView:
    """Return a suggestion."""
    return suggestions.show_suggestion(context, suggestion_id)


@operator.post("/{suggestion_id}/set-aside", summary="Set a suggestion aside")
def post_set_aside(
    context: At,
    actor: Annotated[Actor, requires(Action.PROPOSE_ROUND)],
    suggestion_id: SuggestionId,
    reason: AbortReason,
) -> SuggestionView:
    """Set a suggestion aside with a reason."""
    return suggestions.set_aside(context, actor, suggestion_id, reason.reason)
