"""The dependency by which a handler says which action it is: who calls is found out, and the role table is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBase as HTTPBaseModel
from fastapi.security.base import SecurityBase
from starlette.concurrency import run_in_threadpool

from aquila.audit.roles import role_table
from services.kit.errors import NotAllowedError
from services.kit.people.actors import LOCAL_KEY, Actor

if TYPE_CHECKING:
    from aquila.audit.roles import Action, Service
    from services.kit.operators import OperatorToken


class Door:
    """Where a caller becomes an actor."""

    def __init__(self, service: Service, token: OperatorToken) -> None:
        """Prepare.

        Args:
            service: Whose door it is.
            token: The key in the home folder.
        """
        self.service = service
        self._token = token

    def admit(self, authorization: str) -> Actor:
        """Return who calls.

        Args:
            authorization: The value of the call's Authorization header.

        Raises:
            UnknownCallerError: Nobody who is known here.
        """
        self._token.verify(authorization)
        return Actor(LOCAL_KEY, frozenset(role_table().roles_of(self.service)))


class Permission(SecurityBase):
    """Lets in whom the role table allows an action; it also tells OpenAPI what a call needs.

    Attributes:
        action: The one action that the handler is.
    """

    def __init__(self, action: Action) -> None:
        self.action = action
        self.scheme_name = "Person"
        self.model = HTTPBaseModel(scheme="bearer", description="A session, or the key of the service's home folder.")

    async def __call__(self, request: Request) -> Actor:
        """Return who calls.

        Raises:
            UnknownCallerError: Nobody who is known here.
            NotAllowedError: The roles do not allow it.
        """
        door: Door = request.app.state.door
        # Sessions are read from the database, which must not hold up the event loop.
        actor = await run_in_threadpool(door.admit, request.headers.get("authorization", ""))
        request.state.person = actor.person
        check(door.service, actor, self.action)
        return actor


def check(service: Service, actor: Actor, action: Action) -> None:
    """Ask the role table.

    Raises:
        NotAllowedError: It does not allow the action.
    """
    if not role_table().allows(service, actor.roles, action):
        wanted = " or ".join(role_table().holders(service, action))
        raise NotAllowedError(
            f"this needs the role {wanted}" if wanted else "no role of this service may do this",
            hint="`aquila roles` shows who may do what",
            action=action.value,
        )


def may(action: Action) -> Any:  # noqa: ANN401 - FastAPI's own
    """Return the dependency of a handler that is this action."""
    return Depends(Permission(action))
