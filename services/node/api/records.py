"""The interface to the party's own records, and to what persons ask. What is looked for is in a body, never a path."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from aquila.audit.roles import Action
from aquila.interface import records as forms
from aquila.interface import subjects
from services.kit.actor import Actor
from services.kit.http.routing import ServiceRoute
from services.kit.people.permissions import requires
from services.node.api.dependencies import Node
from services.node.records import comparisons, corrections, search, subject_requests

router = APIRouter(route_class=ServiceRoute, prefix="/v1", tags=["records"])

Place = Annotated[int, Path(ge=0, le=2**40)]
Corrector = Annotated[Actor, requires(Action.IMPORT_RECORDS)]
Searcher = Annotated[Actor, requires(Action.SEARCH_RECORDS)]


@router.get(
    "/indicators", summary="The table of indicators that records can have", dependencies=[requires(Action.SEE_ROUNDS)]
)
def get_indicators(node: Node) -> forms.IndicatorTableView:
    return forms.IndicatorTableView.of_fields(node.indicators)


@router.post("/records/search", summary="Search the party's own records")
def search_records(node: Node, actor: Searcher, wanted: forms.RecordSearch) -> forms.RecordPage:
    return search.search(node.journal, actor, wanted)


@router.get("/imports/{import_id}/records", summary="The records of a stored list, a page at a time")
def get_records(
    node: Node, actor: Searcher, import_id: str, offset: Annotated[int, Query(ge=0, le=2**40)] = 0
) -> forms.RecordPage:
    return search.browse(node.journal, actor, import_id, offset)


@router.get(
    "/imports/{import_id}/difference",
    summary="The difference of a stored list to the one before",
    dependencies=[requires(Action.LIST_RECORDS)],
)
def get_difference(node: Node, import_id: str) -> forms.ListDifference:
    """Return the records that came, went or changed, by the party's own identifiers."""
    return comparisons.difference(node.store, import_id)


@router.get("/imports/{import_id}/records/{position}", summary="One of the party's own records with its history")
def get_record(node: Node, actor: Searcher, import_id: str, position: Place) -> forms.RecordView:
    return search.show(node.journal, actor, import_id, position)


@router.post(
    "/imports/{import_id}/records/{position}/check",
    summary="Check a correction of one record",
    dependencies=[requires(Action.IMPORT_RECORDS)],
)
def check_correction(
    node: Node, import_id: str, position: Place, wanted: forms.RecordCorrection
) -> forms.CorrectionReport:
    """Return how the corrected record would be read; nothing is stored."""
    return corrections.check_correction(node.journal, node.indicators, import_id, position, wanted)


@router.put("/imports/{import_id}/records/{position}", summary="Correct one record of a list")
def put_record(
    node: Node, actor: Corrector, import_id: str, position: Place, wanted: forms.RecordCorrection
) -> forms.CorrectionReport:
    """Store other fields of a record that has no hit, in a list that no open round uses."""
    return corrections.correct_record(node.journal, node.indicators, actor, import_id, position, wanted)


@router.delete("/imports/{import_id}/records/{position}", status_code=204, summary="Take one record out of its list")
def delete_record(
    node: Node, actor: Annotated[Actor, requires(Action.DELETE_RECORDS)], import_id: str, position: Place
) -> None:
    """Take out a record that has no hit, of a list that no open round uses."""
    corrections.take_out_record(node.journal, actor, import_id, position)


subjects_router = APIRouter(route_class=ServiceRoute, prefix="/v1/subject-requests", tags=["records"])

Officer = Annotated[Actor, requires(Action.ANSWER_SUBJECTS)]


@subjects_router.post("/search", summary="Search the node for the person of a request")
def search_subject(node: Node, actor: Officer, wanted: subjects.SubjectSearch) -> subjects.SubjectFindings:
    """Return numbers of what is found, and not what it says; the search is logged, and not who was looked for."""
    return subject_requests.search_subject(node.journal, node.subject_searches, actor, node.random(16).hex(), wanted)


@subjects_router.get(
    "", summary="Requests of persons that were answered", dependencies=[requires(Action.ANSWER_SUBJECTS)]
)
def get_answered(node: Node) -> subjects.AnsweredRequests:
    return subject_requests.answered_requests(node.store)


@subjects_router.post("", status_code=201, summary="Keep the answer to a person's request")
def answer_subject(node: Node, actor: Officer, wanted: subjects.SubjectDecision) -> subjects.AnsweredRequest:
    """Keep and log the answer with the numbers of a search that the same person made within a day."""
    return subject_requests.answer_subject(node.journal, actor, wanted)
