"""The interface to the party's own records: a search, and one record. What is looked for is in a body, never a path."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request

from aquila.audit.roles import Action
from aquila.interface.records import RecordPage, RecordSearch, RecordView  # noqa: TC001 - read by FastAPI
from services.kit.http.routing import ServiceRoute
from services.kit.people import Actor, requires
from services.node.context import NodeContext
from services.node.records import search

router = APIRouter(route_class=ServiceRoute, prefix="/v1", tags=["records"])

Searcher = Annotated[Actor, requires(Action.SEARCH_RECORDS)]


def _node(request: Request) -> NodeContext:
    node = request.app.state.node
    assert isinstance(node, NodeContext)
    return node


@router.post("/records/search", summary="Search the party's own records")
def search_records(request: Request, actor: Searcher, wanted: RecordSearch) -> RecordPage:
    """Return a page of the records that a number or a name finds."""
    return search.search(_node(request).journal, actor, wanted)


@router.get("/imports/{import_id}/records/{position}", summary="One of the party's own records with its history")
def get_record(
    request: Request, actor: Searcher, import_id: str, position: Annotated[int, Path(ge=0, le=2**40)]
) -> RecordView:
    """Return the record at a place of a list."""
    return search.show(_node(request).journal, actor, import_id, position)
