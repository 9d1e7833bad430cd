"""The calls about the registry: parties read and accept it, signed; the administrator invites, admits, removes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from aquila.audit.roles import Action
from aquila.interface.service.party import (  # noqa: TC001 - read by FastAPI
    Admittance,
    FileContent,
    NewInvitation,
    NewMatcherAddress,
    OwnRenewal,
    RegistryView,
    RenewedKey,
)
from aquila.protocol.registration.statements import RegistryFeed  # noqa: TC001 - read by FastAPI
from services.kit.http.openapi import ENVELOPE, JSON, raw_body, stored
from services.kit.http.routing import SMALL_BODY, ServiceRoute
from services.kit.http.signed_calls import SignedCaller  # noqa: TC001 - read by FastAPI
from services.kit.people import Actor, requires
from services.matcher.administration import registry as statements
from services.matcher.api.dependencies import At  # noqa: TC001 - read by FastAPI

Administrator = Annotated[Actor, requires(Action.MANAGE_REGISTRY)]
Party = Annotated[str, Path(pattern=r"^[A-Z]{2}$")]

BODY_LIMITS = {
    "/v1/operator/registry/parties": 128 << 10,
    "/v1/operator/registry/move": 64 << 10,
    "/v1/registry/acceptance": SMALL_BODY,
}
"""Bytes of calls: requests to join and addresses have certificates of CAs, an acceptance has little."""

parties = APIRouter(route_class=ServiceRoute, prefix="/v1/registry", tags=["parties"])
operator = APIRouter(route_class=ServiceRoute, prefix="/v1/operator/registry", tags=["operator"])


@parties.get("", summary="Statements on the registry from a number on, and the newest acceptances")
def get_statements(
    context: At,
    call: SignedCaller,  # noqa: ARG001 - the caller is verified
    first: Annotated[int, Query(ge=1, le=2**31)] = 1,
) -> RegistryFeed:
    """Return the statements in their envelopes."""
    return statements.feed(context, first)


@parties.put(
    "/acceptance",
    status_code=201,
    summary="A party has accepted a statement on the registry",
    response_class=Response,
    responses=stored("The acceptance"),
    openapi_extra=raw_body("The acceptance in its DSSE envelope (PROTOCOL.md 11.7).", JSON, schema=ENVELOPE),
)
def put_acceptance(context: At, call: SignedCaller) -> Response:
    """Take an acceptance."""
    return Response(status_code=201 if statements.take_acceptance(context, call.party, call.body) else 200)


@operator.get("", summary="The registry and who has accepted it", dependencies=[requires(Action.MANAGE_REGISTRY)])
def get_registry(context: At) -> RegistryView:
    """Return the registry."""
    return statements.show(context)


@operator.post("", summary="State the registry again, after its file was changed")
def post_registry(context: At, actor: Administrator) -> RegistryView:
    """State the registry."""
    return statements.restate(context, actor)


@operator.post("/move", summary="State another address of the matcher")
def post_move(context: At, actor: Administrator, wanted: NewMatcherAddress) -> FileContent:
    """Return the file for the parties."""
    return statements.move(context, actor, wanted.url, wanted.ca)


@operator.post("/invitations", summary="Invite a party")
def post_invitation(context: At, actor: Administrator, wanted: NewInvitation) -> FileContent:
    """Return the file for the party."""
    return statements.invite(context, actor, wanted)


@operator.post("/parties", summary="Admit a party that asks to join, after its words were compared")
def post_party(context: At, actor: Administrator, request: Admittance) -> RegistryView:
    """Register the party."""
    return statements.admit(context, actor, request.content, request.spoken)


@operator.post("/renewals", summary="Put a party's new identity key in the place of its old one")
def post_renewal(context: At, actor: Administrator, wanted: RenewedKey) -> RegistryView:
    """Replace the key, after its words were compared."""
    return statements.renew(context, actor, wanted.content, wanted.spoken, revoked=wanted.revoked)


@operator.post("/own-renewal", summary="Renew the matcher's own identity key")
def post_own_renewal(context: At, actor: Administrator, wanted: OwnRenewal) -> RegistryView:
    """State the registry with the new key, which takes effect at the next start."""
    return statements.renew_own(context, actor, revoked=wanted.revoked)


@operator.post("/parties/{party}/remove", summary="Let a party leave")
def post_removal(context: At, actor: Administrator, party: Party) -> RegistryView:
    """Mark the party as having left."""
    return statements.remove(context, actor, party)
