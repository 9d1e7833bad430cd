"""Persons ask what the party holds on them: one search over the node, and the answer.

Who is looked for comes in a form, so that no address, and so no history of a browser, holds a name or a number.
"""

from collections.abc import Mapping

from fastapi import APIRouter, Response

from aquila.interface import subjects as forms
from clients.web.app.visit import PageRoute, Sent, Visit, Visited

router = APIRouter(route_class=PageRoute)


@router.get("/subjects")
def get_subjects(visit: Visited) -> Response:
    visit.need("subjects.answer")
    return _desk(visit)


@router.post("/subjects")
def post_search(visit: Visited, sent: Sent) -> Response:
    """Show what is found of a person, and the form for the answer; that it was looked for is logged."""
    visit.need("subjects.answer")
    typed = {name: sent.text(name.value) for name in forms.SubjectField}
    wanted = forms.SubjectSearch(file_number=sent.text("file_number"), fields=typed)
    found = visit.subjects().search(wanted)
    return _desk(visit, typed, wanted.file_number, found)


@router.post("/subjects/answer")
def post_answer(visit: Visited, sent: Sent) -> Response:
    visit.need("subjects.answer")
    decision = forms.SubjectDecision(
        search_id=sent.text("search_id"),
        file_number=sent.text("file_number"),
        received=sent.text("received"),
        answer=sent.choice("answer", forms.SubjectAnswer),
    )
    visit.subjects().answer(decision)
    return visit.go("/subjects", "subject-answered")


def _desk(
    visit: Visit,
    typed: Mapping[forms.SubjectField, str] | None = None,
    file_number: str = "",
    found: forms.SubjectFindings | None = None,
) -> Response:
    return visit.show(
        "subjects.html",
        typed=typed or {},
        fields=tuple(forms.SubjectField),
        file_number=file_number,
        found=found,
        answers=tuple(forms.SubjectAnswer),
        days=forms.DAYS_TO_ANSWER,
        answered=visit.subjects().answered(),
    )
