"""The interface to the party's own records: a search, and one record. What is looked for is in a body, never a path."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from aquila.audit.roles import Action
from aquila.interface.records import ListDifference, RecordPage, RecordSearch, RecordView  # noqa: TC001 - read by FastAPI
from services.kit.http.routing import ServiceRoute
from services.kit.people import Actor, requires
from services.node.context import NodeContext
from services.node.records import differences, search

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


@router.get("/imports/{import_id}/records", summary="The records of a stored list, a page at a time")
def get_records(
    request: Request, actor: Searcher, import_id: str, offset: Annotated[int, Query(ge=0, le=2**40)] = 0
) -> RecordPage:
    """Return a page of a list in its own order."""
    return search.browse(_node(request).journal, actor, import_id, offset)


@router.get(
    "/imports/{import_id}/difference",
    summary="The difference of a stored list to the one before",
    dependencies=[requires(Action.LIST_RECORDS)],
)
def get_difference(request: Request, import_id: str) -> ListDifference:
    """Return the records that came, went or changed, by the party's own identifiers."""
    return differences.difference(_node(request).store, import_id)


@router.get("/imports/{import_id}/records/{position}", summary="One of the party's own records with its history")
def get_record(
    request: Request, actor: Searcher, import_id: str, position: Annotated[int, Path(ge=0, le=2**40)]
) -> RecordView:
    """Return the record at a place of a list."""
    return search.show(_node(request).journal, actor, import_id, position)
