"""The interface to what persons ask of the party. Who is looked for is in a body, never in a path."""

from typing import Annotated

from fastapi import APIRouter

from aquila.audit.roles import Action
from aquila.interface import subjects as forms
from services.kit.actor import Actor
from services.kit.http.routing import ServiceRoute
from services.kit.people.permissions import requires
from services.node.api.dependencies import Node
from services.node.records import subject_requests

router = APIRouter(route_class=ServiceRoute, prefix="/v1/subject-requests", tags=["records"])

Officer = Annotated[Actor, requires(Action.ANSWER_SUBJECTS)]


@router.post("/search", summary="Search the node for the person of a request")
def search_subject(node: Node, actor: Officer, wanted: forms.SubjectSearch) -> forms.SubjectFindings:
    """Return numbers of what is found, and not what it says; the search is logged, and not who was looked for."""
    return subject_requests.search_subject(node.journal, node.subject_searches, actor, node.random(16).hex(), wanted)


@router.get("", summary="Requests of persons that were answered", dependencies=[requires(Action.ANSWER_SUBJECTS)])
def get_answered(node: Node) -> forms.AnsweredRequests:
    return subject_requests.answered_requests(node.store)


@router.post("", status_code=201, summary="Keep the answer to a person's request")
def answer_subject(node: Node, actor: Officer, wanted: forms.SubjectDecision) -> forms.AnsweredRequest:
    """Keep and log the answer with the numbers of a search that the same person made within a day."""
    return subject_requests.answer_subject(node.journal, actor, wanted)
