"""The interface of notifications: the work that waits for a person, and the person's choice."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from aquila.audit.roles import Action
from aquila.interface.attention import (  # noqa: TC001 - read by FastAPI
    NotificationChoice,
    NotificationSettingsView,
    Waiting,
)
from services.kit.http.routing import ServiceRoute
from services.kit.people import Actor, requires
from services.node.context import NodeContext
from services.node.notifications import choices

router = APIRouter(route_class=ServiceRoute, prefix="/v1", tags=["notifications"])

Own = Annotated[Actor, requires(Action.OWN_SESSION)]


def _node(request: Request) -> NodeContext:
    node = request.app.state.node
    assert isinstance(node, NodeContext)
    return node


@router.get("/waiting", summary="How much waits for the caller")
def get_waiting(request: Request, actor: Own) -> Waiting:
    """Return counts of what the caller's roles allow to see, and whether notifications can be handed over."""
    node = _node(request)
    return choices.waiting_of(node.journal, node.settings.deliveries, actor)


@router.get("/notifications", summary="How the caller wants to be told")
def get_notifications(request: Request, actor: Own) -> NotificationSettingsView:
    """Return the caller's own choice, and the channels of this node."""
    node = _node(request)
    return choices.own_settings(node.store, node.settings.notifications, actor)


@router.put("/notifications", summary="Choose how to be told")
def put_notifications(request: Request, actor: Own, wanted: NotificationChoice) -> NotificationSettingsView:
    """Keep the caller's choice."""
    node = _node(request)
    return choices.choose(node.store, node.settings.notifications, actor, wanted)


@router.delete("/notifications", status_code=204, summary="End notifications", response_class=Response)
def delete_notifications(request: Request, actor: Own) -> None:
    """Forget the caller's choice."""
    choices.end(_node(request).store, actor)
