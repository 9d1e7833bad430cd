"""The interface of the views of hits that a person keeps."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from aquila.audit.roles import Action
from aquila.interface.hits import NewFilter, SavedFilters, SavedFilterView
from services.kit.actor import Actor
from services.kit.http.routing import ServiceRoute
from services.kit.people.permissions import requires
from services.node.api.dependencies import node_of
from services.node.hits import saved_filters

router = APIRouter(route_class=ServiceRoute, prefix="/v1/hit-views", tags=["hits"])

Analyst = Annotated[Actor, requires(Action.SEE_HITS)]
ViewId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


@router.get("", summary="The person's own views of hits")
def get_views(request: Request, actor: Analyst) -> SavedFilters:
    """List the views that the person keeps."""
    return saved_filters.list_views(node_of(request).store, actor)


@router.post("", status_code=201, summary="Keep a view of hits under a name")
def post_view(request: Request, actor: Analyst, wanted: NewFilter) -> SavedFilterView:
    """Keep a view."""
    return saved_filters.save_view(node_of(request).store, node_of(request).random, actor, wanted)


@router.delete("/{view_id}", status_code=204, summary="Remove an own view", response_class=Response)
def delete_view(request: Request, actor: Analyst, view_id: ViewId) -> None:
    """Remove a view."""
    saved_filters.remove_view(node_of(request).store, actor, view_id)
