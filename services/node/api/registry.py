"""The registry at a node, for its administrator: what is in force, what waits, and accepting it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request

from aquila.audit.roles import Action
from aquila.interface.approval import PendingApproval
from aquila.interface.service.party import AcceptedRegistry, FileContent, RegistryView
from services.kit.actor import Actor
from services.kit.approvals.requests import Approvals
from services.kit.http.routing import ServiceRoute
from services.kit.people.permissions import requires
from services.node.api.dependencies import node_of
from services.node.safeguards import registry as statements

STATEMENTS = "/v1/registry/statements"
LARGEST_STATEMENTS = 5 << 20
"""Bytes of a call with statements: more than as many as there can be in a file have."""

router = APIRouter(route_class=ServiceRoute, prefix="/v1/registry", tags=["registry"])


@router.get("", summary="The registry, and a newer one that waits", dependencies=[requires(Action.MANAGE_REGISTRY)])
def get_registry(request: Request) -> RegistryView:
    """Return the registry as it is stored here."""
    return statements.show(node_of(request))


@router.post(
    "/fetch", summary="Fetch the registry from the matcher now", dependencies=[requires(Action.MANAGE_REGISTRY)]
)
async def post_fetch(request: Request) -> RegistryView:
    """Fetch newer statements and acceptances, and return all that is known then."""
    return await statements.fetch_and_show(node_of(request))


@router.get(
    "/statements", summary="Statements on the registry as a file", dependencies=[requires(Action.MANAGE_REGISTRY)]
)
def get_statements(request: Request) -> FileContent:
    """Return the matcher's statements and the acceptances that are known here."""
    return statements.as_file(node_of(request))


@router.post(
    "/statements", summary="Take statements that came as a file", dependencies=[requires(Action.MANAGE_REGISTRY)]
)
def post_statements(request: Request, file: FileContent) -> RegistryView:
    """Store the statements, and return all that is known then."""
    return statements.take_file(node_of(request), file.content)


@router.post("/accept", status_code=202, summary="Ask to accept the newer registry, after its words were compared")
def post_accept(
    request: Request, actor: Annotated[Actor, requires(Action.MANAGE_REGISTRY)], wanted: AcceptedRegistry
) -> PendingApproval:
    """Ask to take the registry into force; once it is approved, the driver sends the acceptance."""
    approvals: Approvals = request.app.state.approvals
    return statements.ask_acceptance(node_of(request), approvals, actor, wanted.digest, wanted.spoken)
