"""The interface of queries: ask for a few persons, and see what is known of each at each party."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request

from aquila.audit.roles import Action
from aquila.interface.approval import PendingApproval
from aquila.interface.queries import Queries, QueryAnswer, QueryProgress, QueryRequest
from aquila.interface.rounds import SubmissionRequest
from aquila.protocol.messages import Kind
from services.kit.actor import Actor
from services.kit.approvals.requests import Approvals
from services.kit.http.routing import Limit, Offset, ServiceRoute
from services.kit.people.permissions import requires
from services.kit.work import threads
from services.node import approvals
from services.node.api.dependencies import NamesChecked, node_of, texts_of
from services.node.records import named_persons
from services.node.records.queries.answers import list_queries, query_answer
from services.node.records.queries.progress import query_progress
from services.node.records.queries.requests import ask_query

router = APIRouter(route_class=ServiceRoute, prefix="/v1/queries", tags=["operator"])


@router.get("", summary="This party's queries, and what one needs to ask", dependencies=[requires(Action.SEE_QUERIES)])
def get_queries(request: Request, offset: Offset = 0, limit: Limit = None) -> Queries:
    """List queries, newest first, the rounds that take one now, and templates of a justification."""
    return list_queries(node_of(request), offset, limit)


@router.post("", status_code=202, summary="Ask for a few persons")
async def post_query(
    request: Request,
    actor: Annotated[Actor, requires(Action.ASK_SUBMISSION)],
    wanted: QueryRequest,
    names_checked: NamesChecked = False,  # noqa: FBT002 - how FastAPI names a query parameter
) -> PendingApproval:
    """Store the persons and a request for the query, for a second person to approve."""
    four_eyes = request.app.state.approvals
    assert isinstance(four_eyes, Approvals)
    node = node_of(request)

    def ask(import_id: str) -> PendingApproval:
        texts = texts_of(wanted.justification)
        named_persons.check_texts(node.store, texts, asked=import_id, confirmed=names_checked)
        made = SubmissionRequest(import_id=import_id, kind=Kind.QUERY, justification=wanted.justification)
        return approvals.ask_submission(node, four_eyes, actor, wanted.round_id, made)

    return await threads.run_call(ask_query, node, actor, wanted, ask)


@router.get("/{submission_id}", summary="The answer to a query")
def get_query(
    request: Request, actor: Annotated[Actor, requires(Action.SEE_QUERIES)], submission_id: str
) -> QueryAnswer:
    """Return the answer to a query, person by party."""
    return query_answer(node_of(request), actor, submission_id)


@router.get("/{submission_id}/progress", summary="The progress of a query", dependencies=[requires(Action.SEE_QUERIES)])
def get_progress(request: Request, submission_id: str) -> QueryProgress:
    """Return the state of each party's answer and numbers of hits; no person is looked at."""
    return query_progress(node_of(request), submission_id)
