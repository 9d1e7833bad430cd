"""The interface of queries and standing queries: ask for a few persons, and see what is known of each at each party."""

from typing import Annotated

from fastapi import APIRouter, Path

from aquila.audit.roles import Action
from aquila.interface.approval import PendingApproval
from aquila.interface.queries import (
    AskedPersons,
    ChosenPersons,
    Queries,
    QueryAnswer,
    QueryProgress,
    QueryRequest,
    StandingQueries,
    StandingQueryRequest,
    StandingQueryView,
    WithdrawnStandingQuery,
)
from aquila.interface.rounds import SubmissionRequest
from aquila.protocol.messages import Kind
from services.kit.actor import Actor
from services.kit.approvals.routes import ApprovalId, FourEyes
from services.kit.http.routing import Limit, Offset, ServiceRoute
from services.kit.people.idempotency import ONCE
from services.kit.people.permissions import requires
from services.kit.work import threads
from services.node import approvals
from services.node.api.dependencies import NamesChecked, Node, texts_of
from services.node.records import search
from services.node.records.queries import standing_queries
from services.node.records.queries.answers import list_queries, query_answer, query_progress
from services.node.records.queries.asked_persons import ask_query, check_asked
from services.node.records.queries.standing_views import list_standing, show_standing

router = APIRouter(route_class=ServiceRoute, prefix="/v1/queries", tags=["operator"])
QueryViewer = Annotated[Actor, requires(Action.SEE_QUERIES)]
Asker = Annotated[Actor, requires(Action.ASK_SUBMISSION)]


@router.get("", summary="This party's queries, and what one needs to ask", dependencies=[requires(Action.SEE_QUERIES)])
def get_queries(node: Node, offset: Offset = 0, limit: Limit = None) -> Queries:
    """List queries, newest first, the rounds that take one now, and templates of a justification."""
    return list_queries(node, offset, limit)


@router.post("", status_code=202, summary="Ask for a few persons", dependencies=[ONCE])
async def post_query(
    node: Node, four_eyes: FourEyes, actor: Asker, wanted: QueryRequest, *, names_checked: NamesChecked = False
) -> PendingApproval:
    """Store the persons and a request for the query, for a second person to approve."""

    def ask(import_id: str) -> PendingApproval:
        texts = texts_of(wanted.justification)
        search.check_texts(node.store, texts, asked=import_id, confirmed=names_checked)
        made = SubmissionRequest(import_id=import_id, kind=Kind.QUERY, justification=wanted.justification)
        return approvals.ask_submission(node, four_eyes, actor, wanted.round_id, made)

    asked = await threads.run_call(ask_query, node, actor, wanted, ask)
    four_eyes.wake()  # approvers are told of an urgent request at once
    return asked


@router.post("/check", summary="How the persons of a query are read")
def post_check(node: Node, actor: Asker, wanted: ChosenPersons) -> AskedPersons:
    """Read the persons as a query would, with what was not read and what is odd; nothing is stored or sent."""
    return check_asked(node, actor, wanted)


@router.get("/{submission_id}", summary="The answer to a query")
def get_query(node: Node, actor: QueryViewer, submission_id: str) -> QueryAnswer:
    """Return the answer to a query, person by party."""
    return query_answer(node, actor, submission_id)


@router.get("/{submission_id}/progress", summary="The progress of a query", dependencies=[requires(Action.SEE_QUERIES)])
def get_progress(node: Node, submission_id: str) -> QueryProgress:
    """Return the state of each party's answer and numbers of hits; no person is looked at."""
    return query_progress(node, submission_id)


persons_router = APIRouter(route_class=ServiceRoute, prefix="/v1/approvals", tags=["approvals"])


@persons_router.get("/{approval_id}/persons", summary="The persons for whom a request asks")
def get_asked_persons(
    node: Node, actor: Annotated[Actor, requires(Action.SEE_APPROVALS)], approval_id: ApprovalId
) -> AskedPersons:
    """Return the persons of a query or a standing query as the node read them, and what is odd; the look is logged."""
    return approvals.asked_persons(node, actor, approval_id)


standing_router = APIRouter(route_class=ServiceRoute, prefix="/v1/standing-queries", tags=["operator"])

StandingId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


@standing_router.get("", summary="This party's standing queries", dependencies=[requires(Action.SEE_QUERIES)])
def get_standing_queries(node: Node) -> StandingQueries:
    """List the standing queries with what each found in which round, in numbers."""
    return list_standing(node)


@standing_router.post("", status_code=202, summary="Ask for a standing query", dependencies=[ONCE])
async def post_standing_query(
    node: Node, four_eyes: FourEyes, actor: Asker, wanted: StandingQueryRequest, *, names_checked: NamesChecked = False
) -> PendingApproval:
    """Store the persons and a request for the standing query, for a second person to approve."""

    def ask(import_id: str) -> PendingApproval:
        texts = texts_of(wanted.justification)
        search.check_texts(node.store, texts, asked=import_id, confirmed=names_checked)
        return approvals.ask_standing_query(node, four_eyes, actor, import_id, wanted)

    return await threads.run_call(ask_query, node, actor, wanted, ask)


@standing_router.get("/{standing_id}", summary="A standing query with its persons")
def get_standing_query(node: Node, actor: QueryViewer, standing_id: StandingId) -> StandingQueryView:
    return show_standing(node, actor, standing_id)


@standing_router.post(
    "/{standing_id}/withdraw", status_code=204, summary="Withdraw a standing query", dependencies=[ONCE]
)
def post_standing_withdrawal(node: Node, actor: Asker, standing_id: StandingId, shown: WithdrawnStandingQuery) -> None:
    """Ask in no further round; what was asked already stays as it is."""
    standing_queries.withdraw(node.journal, actor, standing_id, shown.reason)
