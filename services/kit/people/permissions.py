"""The dependency with which a handler names its action: it identifies the caller and asks the role table."""

from dataclasses import replace

from fastapi import Request, params
from fastapi.openapi.models import HTTPBase as HTTPBaseModel

from aquila.audit.roles import FOR_PEOPLE, Action, Role, Service, role_table
from services.kit.actor import LOCAL_KEY, Actor
from services.kit.errors import NotAllowedError, UnknownCallerError
from services.kit.http.routing import CallerCheck
from services.kit.people.accounts import find_program
from services.kit.people.context import People
from services.kit.people.keys import OperatorToken
from services.kit.people.sessions import find_actor
from services.kit.work import threads
from services.kit.work.threads import Pool


class AccessControl:
    """Turns a caller into an actor."""

    def __init__(self, service: Service, token: OperatorToken, people: People | None = None) -> None:
        self.service = service
        self.people = people
        self._token = token

    def admit(self, authorization: str, address: str) -> Actor:
        """Return the caller that the call's Authorization header names.

        Raises:
            NotAllowedError: A program's token that is over, or does not count from this address.
        """
        shown = bearer_of(authorization)
        if self._token.is_shown(shown):
            return Actor(LOCAL_KEY, frozenset({Role.ADMINISTRATOR}))
        actor = None
        if shown and self.people:
            actor = find_program(self.people, shown, address) or find_actor(self.people, shown)
        if actor is None:
            raise UnknownCallerError("session_missing_or_over")
        return actor


class Permission(CallerCheck):
    """Admits callers whom the role table allows an action; it also declares to OpenAPI what a call needs."""

    pool = Pool.PEOPLE
    small = True

    def __init__(self, action: Action) -> None:
        self.action = action
        self.scheme_name = "Person"
        self.model = HTTPBaseModel(
            scheme="bearer", description="A session, a program's token, or the key of the service's home folder."
        )

    async def check(self, request: Request) -> None:
        """Find out who calls.

        Raises:
            UnknownCallerError: Nobody who is known here.
            NotAllowedError: The roles do not allow it.
        """
        door: AccessControl = request.app.state.door
        # Sessions are read from the database, which must not hold up the event loop.
        shown, address = request.headers.get("authorization", ""), request.client.host if request.client else ""
        actor = await threads.run(Pool.SESSIONS, door.admit, shown, address)
        request.state.person = actor.person
        request.state.actor = in_role(door.service, actor, self.action)

    async def __call__(self, request: Request) -> Actor:
        actor: Actor = request.state.actor
        return actor


def in_role(service: Service, actor: Actor, action: Action) -> Actor:
    """Return the actor in the role that allows an action; raises NotAllowedError if none does, or it is for people."""
    if actor.is_program and action in FOR_PEOPLE:
        raise NotAllowedError("person_needed", action=action.value)
    holders = role_table().holders(service, action)
    role = next((role for role in holders if role in actor.roles), None)
    if role is None:
        if not holders:
            raise NotAllowedError("no_role_may", action=action.value)
        raise NotAllowedError("role_needed", roles=" or ".join(holders), action=action.value)
    return replace(actor, role=role)


def bearer_of(authorization: str) -> str:
    """Return the token of an Authorization header (RFC 6750 section 2.1), or nothing."""
    scheme, _, shown = authorization.partition(" ")
    return shown.strip() if scheme.lower() == "bearer" else ""


def requires(action: Action) -> params.Depends:
    """Return the dependency of a handler that is this action."""
    return params.Depends(Permission(action))
