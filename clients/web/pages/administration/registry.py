"""The registry: who takes part under which key, what waits for a second person, and who has accepted it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from aquila.errors import AquilaError, InputError, OrderError, PolicyError, ProtocolError
from aquila.interface.service.party import RegistryView
from clients.web.app.visit import Sent, Visit, Visited, threaded
from services.kit.errors import NotAllowedError, NotFoundError, UnknownCallerError

node = APIRouter()
matcher = APIRouter()


@node.get("/registry")
@threaded
def get_registry(visit: Visited) -> Response:
    """Show the registry in force at a node, and a newer one that waits."""
    return _page(visit, visit.node().registry())


@node.post("/registry/fetch")
@threaded
def post_fetch(visit: Visited, _sent: Sent) -> Response:
    """Let the node ask the matcher now."""
    return _page(visit, visit.node().fetch_registry())


@node.post("/registry/accept")
@threaded
def post_accept(visit: Visited, sent: Sent) -> Response:
    """Ask to accept the registry that the page showed, by the words that were typed."""
    client = visit.node()
    try:
        client.accept_registry(sent.text("digest"), sent.text("spoken"))
    except (NotAllowedError, UnknownCallerError):
        raise
    except (InputError, NotFoundError, OrderError, PolicyError, ProtocolError) as error:
        return _page(visit, client.registry(), error, sent.text("spoken"))
    return visit.go("/registry", "asked")


@matcher.get("/registry")
@threaded
def get_stated(visit: Visited) -> Response:
    """Show the registry that the matcher states, and who has accepted it."""
    return _page(visit, visit.matcher().registry())


def _page(visit: Visit, view: RegistryView, error: AquilaError | None = None, spoken: str = "") -> Response:
    """Return the page, with the words that were typed and their fault."""
    fault = "" if error is None else visit.language.compose(error.sentence)
    return visit.show("registry.html", 200 if error is None else 422, registry=view, fault=fault, spoken=spoken)
