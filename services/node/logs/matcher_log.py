"""The matcher's log as this party's auditors may have it: fetched from the matcher, not stored (PROTOCOL.md 10.9)."""

from __future__ import annotations

from typing import Annotated, BinaryIO

from fastapi import APIRouter, Request, Response

from aquila.audit.entries import Entry, EntryKind
from aquila.audit.roles import Action
from aquila.protocol.registry import MATCHER
from services.kit.actor import Actor
from services.kit.http.openapi import TAR, raw_answer
from services.kit.http.routing import ServiceRoute
from services.kit.log.entries import actor_fields, append
from services.kit.log_access.routes import copied
from services.kit.people.permissions import requires
from services.kit.work import threads
from services.node.context import Journal, NodeContext

router = APIRouter(route_class=ServiceRoute, prefix="/v1/log", tags=["log"])

LARGEST_COPY = 4 << 30
"""Bytes of the archive at most, as an auditor's program takes it."""


@router.get(
    "/matcher",
    summary="The matcher's log of the rounds that name this party",
    response_class=Response,
    responses=raw_answer("The archive (PROTOCOL.md 10.4).", TAR),
)
async def get_matchers_log(request: Request, actor: Annotated[Actor, requires(Action.EXPORT_LOG)]) -> Response:
    """Return a tar archive: entries of this party's rounds, and of all others the leaves alone."""
    node = request.app.state.node
    assert isinstance(node, NodeContext)
    await threads.run_call(_note, node.journal, actor)

    async def write(archive: BinaryIO) -> None:
        await node.peer.copy("/v1/log/bundle", archive, limit=LARGEST_COPY)

    return await copied(node.settings.home, write)


def _note(journal: Journal, actor: Actor) -> None:
    """Log that a person takes the matcher's log away."""
    fields = {"recipient": MATCHER} | actor_fields(actor, Action.EXPORT_LOG)
    with journal.store.transaction("log.matcher") as session:
        append(session, Entry.of(EntryKind.LOG_EXPORTED, journal.clock(), journal.code, **fields))
