"""The interface of notifications, the same at node and matcher: work that waits for a person, and the person's choice.

A service puts its `Notifications` into `app.state.notifications`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from aquila.audit.roles import Action
from aquila.interface.attention import NotificationChoice, NotificationSettingsView, Waiting
from services.kit.http.routing import ServiceRoute
from services.kit.people import Actor, requires
from services.kit.serving.notifications import choices
from services.kit.serving.notifications.waiting import Notifications

router = APIRouter(route_class=ServiceRoute, prefix="/v1", tags=["notifications"])

Own = Annotated[Actor, requires(Action.OWN_SESSION)]


def _notifications(request: Request) -> Notifications:
    found: Notifications = request.app.state.notifications
    return found


@router.get("/waiting", summary="How much waits for the caller")
def get_waiting(request: Request, actor: Own) -> Waiting:
    """Return counts of what the caller's roles allow to see, and whether notifications can be handed over."""
    return choices.waiting_of(_notifications(request), actor)


@router.get("/notifications", summary="How the caller wants to be told")
def get_notifications(request: Request, actor: Own) -> NotificationSettingsView:
    """Return the caller's own choice, and the channels of this service."""
    return choices.own_settings(_notifications(request), actor)


@router.put("/notifications", summary="Choose how to be told")
def put_notifications(request: Request, actor: Own, wanted: NotificationChoice) -> NotificationSettingsView:
    """Keep the caller's choice."""
    return choices.choose(_notifications(request), actor, wanted)


@router.delete("/notifications", status_code=204, summary="End notifications", response_class=Response)
def delete_notifications(request: Request, actor: Own) -> None:
    """Forget the caller's choice."""
    choices.end(_notifications(request).store, actor)
