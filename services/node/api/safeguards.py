"""Interfaces to what guards the party: alarms of a round, the registry, and the matcher's log for auditors."""

from typing import Annotated

from fastapi import APIRouter, Response

from aquila.audit.entries import EntryKind
from aquila.audit.roles import Action
from aquila.interface.approval import PendingApproval
from aquila.interface.safeguard import RefusedAnswer, Safeguards
from aquila.interface.service.party import AcceptedRegistry, FileContent, RegistryView
from aquila.protocol.registry import MATCHER
from services.kit.actor import Actor
from services.kit.approvals.routes import FourEyes
from services.kit.http.openapi import TAR, raw_answer
from services.kit.http.routing import ServiceRoute, file_response
from services.kit.log.entries import Journal
from services.kit.log_access.routes import unnamed_file
from services.kit.people.permissions import requires
from services.kit.work import threads
from services.node.api.dependencies import Node
from services.node.safeguards import alarms, views
from services.node.safeguards import registry as statements

router = APIRouter(route_class=ServiceRoute, prefix="/v1", tags=["safeguards"])
Releaser = Annotated[Actor, requires(Action.RELEASE_ALARM)]


@router.get(
    "/rounds/{round_id}/safeguards",
    summary="What guards against fishing in a round",
    dependencies=[requires(Action.SEE_ROUNDS)],
)
def get_safeguards(node: Node, round_id: str) -> Safeguards:
    """Return evaluation counts, withheld reports, checks of reports and alarms."""
    return views.safeguards(node, round_id)


@router.post(
    "/rounds/{round_id}/alarms/{submission_id}/release",
    status_code=204,
    summary="Release a report that an alarm holds back",
)
def release(node: Node, actor: Releaser, round_id: str, submission_id: str) -> None:
    alarms.release(node, round_id, submission_id, actor)


@router.post(
    "/rounds/{round_id}/alarms/{submission_id}/refuse",
    status_code=204,
    summary="Refuse this party's answer to a query that an alarm holds back",
)
def refuse(node: Node, actor: Releaser, round_id: str, submission_id: str, body: RefusedAnswer) -> None:
    """Refuse the answer; the asker is informed of it, and the round goes on."""
    alarms.refuse(node, round_id, submission_id, actor, body.reason)


STATEMENTS = "/v1/registry/statements"
LARGEST_STATEMENTS = 5 << 20
"""Bytes of a call with statements: more than as many as there can be in a file have."""

registry_router = APIRouter(route_class=ServiceRoute, prefix="/v1/registry", tags=["registry"])


@registry_router.get(
    "", summary="The registry, and a newer one that waits", dependencies=[requires(Action.MANAGE_REGISTRY)]
)
def get_registry(node: Node) -> RegistryView:
    return statements.show(node)


@registry_router.post(
    "/fetch", summary="Fetch the registry from the matcher now", dependencies=[requires(Action.MANAGE_REGISTRY)]
)
async def post_fetch(node: Node) -> RegistryView:
    """Fetch newer statements and acceptances, and return all that is known then."""
    return await statements.fetch_and_show(node)


@registry_router.get(
    "/statements", summary="Statements on the registry as a file", dependencies=[requires(Action.MANAGE_REGISTRY)]
)
def get_statements(node: Node) -> FileContent:
    """Return the matcher's statements and the acceptances that are known here."""
    return statements.as_file(node)


@registry_router.post(
    "/statements", summary="Take statements that came as a file", dependencies=[requires(Action.MANAGE_REGISTRY)]
)
def post_statements(node: Node, file: FileContent) -> RegistryView:
    """Store the statements, and return all that is known then."""
    return statements.take_file(node, file.content)


@registry_router.post(
    "/accept", status_code=202, summary="Ask to accept the newer registry, after its words were compared"
)
def post_accept(
    node: Node, four_eyes: FourEyes, actor: Annotated[Actor, requires(Action.MANAGE_REGISTRY)], wanted: AcceptedRegistry
) -> PendingApproval:
    """Ask to take the registry into force; once it is approved, the driver sends the acceptance."""
    return statements.ask_acceptance(node, four_eyes, actor, wanted.digest, wanted.spoken)


log_router = APIRouter(route_class=ServiceRoute, prefix="/v1/log", tags=["log"])

LARGEST_COPY = 4 << 30
"""Bytes of the archive at most, as an auditor's program takes it."""


@log_router.get(
    "/matcher",
    summary="The matcher's log of the rounds that name this party",
    response_class=Response,
    responses=raw_answer("The archive (PROTOCOL.md 10.4).", TAR),
)
async def get_matchers_log(node: Node, actor: Annotated[Actor, requires(Action.EXPORT_LOG)]) -> Response:
    """Return a tar archive: entries of this party's rounds, and of all others the leaves alone."""
    await threads.run_call(_log_export, node.journal, actor)
    with unnamed_file(node.settings.home) as archive:
        await node.peer.copy("/v1/log/bundle", archive, limit=LARGEST_COPY)
    return file_response(archive, TAR)


def _log_export(journal: Journal, actor: Actor) -> None:
    """Log that a person takes the matcher's log away."""
    with journal.store.transaction("log.matcher") as session:
        journal.log(session, EntryKind.LOG_EXPORTED, (actor, Action.EXPORT_LOG), recipient=MATCHER)
