"""The calls about the registry: parties read and accept it, signed; the administrator invites, and asks for changes."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from aquila.audit.roles import Action
from aquila.interface.approval import PendingApproval
from aquila.interface.rounds import Categories
from aquila.interface.service import party as forms
from aquila.protocol.registration.statements import RegistryFeed
from services.kit.actor import Actor
from services.kit.approvals.routes import FourEyes
from services.kit.http.openapi import ENVELOPE, JSON, raw_body, stored
from services.kit.http.routing import SMALL_BODY, ServiceRoute
from services.kit.http.signed_calls import SIGNED, SignedCaller
from services.kit.people.permissions import requires
from services.matcher.administration import registry as statements
from services.matcher.api.dependencies import At
from services.matcher.rounds.proposals import stated_templates

Administrator = Annotated[Actor, requires(Action.MANAGE_REGISTRY)]
Party = Annotated[str, Path(pattern=r"^[A-Z]{2}$")]

BODY_LIMITS = {
    "/v1/operator/registry/parties": 128 << 10,
    "/v1/operator/registry/move": 64 << 10,
    "/v1/operator/registry/templates": 256 << 10,
    "/v1/registry/acceptance": SMALL_BODY,
}
"""Bytes of calls: requests to join and addresses have certificates of CAs, an acceptance has little."""

parties = APIRouter(route_class=ServiceRoute, prefix="/v1/registry", tags=["parties"])
operator = APIRouter(route_class=ServiceRoute, prefix="/v1/operator/registry", tags=["operator"])


@parties.get(
    "", summary="Statements on the registry from a number on, and the newest acceptances", dependencies=[SIGNED]
)
def get_statements(context: At, first: Annotated[int, Query(ge=1, le=2**31)] = 1) -> RegistryFeed:
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
    return Response(status_code=201 if statements.take_acceptance(context, call.party, call.body) else 200)


@operator.get("", summary="The registry and who has accepted it", dependencies=[requires(Action.MANAGE_REGISTRY)])
def get_registry(context: At) -> forms.RegistryView:
    return statements.show(context)


@operator.get("/categories", summary="Categories of persons", dependencies=[requires(Action.SEE_ROUNDS)])
def get_categories(context: At) -> Categories:
    """Return those of the templates in the registry in force, in their languages."""
    return Categories.of(stated_templates(context))


@operator.get("/statements", summary="Statements as a file", dependencies=[requires(Action.MANAGE_REGISTRY)])
def get_file(context: At) -> forms.FileContent:
    """Return the newest statements, for parties that do not reach the matcher."""
    return statements.as_file(context)


@operator.post("", status_code=202, summary="Ask to state the registry again, after its file was changed")
def post_registry(context: At, approvals: FourEyes, actor: Administrator) -> PendingApproval:
    return statements.ask_restatement(context, approvals, actor)


@operator.post("/move", status_code=202, summary="Ask to state another address of the matcher")
def post_move(
    context: At, approvals: FourEyes, actor: Administrator, wanted: forms.NewMatcherAddress
) -> PendingApproval:
    return statements.ask_move(context, approvals, actor, wanted)


@operator.post("/templates", status_code=202, summary="Ask to state templates of rounds")
def post_templates(
    context: At, approvals: FourEyes, actor: Administrator, wanted: forms.FileContent
) -> PendingApproval:
    """Ask for the statement with the templates of a file, in the place of those that it has."""
    return statements.ask_templates(context, approvals, actor, wanted.content)


@operator.post("/invitations", summary="Invite a party")
def post_invitation(context: At, actor: Administrator, wanted: forms.NewInvitation) -> forms.FileContent:
    return statements.invite(context, actor, wanted)


@operator.post("/parties", status_code=202, summary="Ask to admit a party, after its words were compared")
def post_party(context: At, approvals: FourEyes, actor: Administrator, request: forms.Admittance) -> PendingApproval:
    """Ask for the statement with the party of the request."""
    return statements.ask_admission(context, approvals, actor, request.content, request.spoken)


@operator.post("/renewals", status_code=202, summary="Ask to put a party's new identity key in its old one's place")
def post_renewal(context: At, approvals: FourEyes, actor: Administrator, wanted: forms.RenewedKey) -> PendingApproval:
    """Ask for the statement with the new key, after its words were compared."""
    return statements.ask_renewal(context, approvals, actor, wanted)


@operator.post("/own-renewal", status_code=202, summary="Ask to renew the matcher's own identity key")
def post_own_renewal(
    context: At, approvals: FourEyes, actor: Administrator, wanted: forms.OwnRenewal
) -> PendingApproval:
    """Ask for the statement with the new key, which takes effect at the start after it was stated."""
    return statements.ask_own_renewal(context, approvals, actor, revoked=wanted.revoked)


@operator.post("/parties/{party}/contact", status_code=202, summary="Ask to state where a party is reminded")
def post_contact(
    context: At, approvals: FourEyes, actor: Administrator, party: Party, wanted: forms.NewContact
) -> PendingApproval:
    return statements.ask_contact(context, approvals, actor, party, wanted)


@operator.post("/parties/{party}/remove", status_code=202, summary="Ask to let a party leave")
def post_removal(context: At, approvals: FourEyes, actor: Administrator, party: Party) -> PendingApproval:
    return statements.ask_removal(context, approvals, actor, party)
