"""Queries of a few persons, once or in each coming round: ask for them, see who waits, read the answers."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Response

from aquila.errors import InputError, OrderError, PolicyError
from aquila.interface import queries as query_views
from aquila.interface.approval import ApprovalKind, ApprovalState
from aquila.interface.rounds import JustificationInput
from clients.sdk import ApprovalClient, QueryClient
from clients.sdk.services import end_of_day
from clients.web.app.forms import NAMES_CHECKED
from clients.web.app.navigation import identifier
from clients.web.app.paging import Page, page_of, served_page
from clients.web.app.visit import PageRoute, Sent, Visit, Visited
from clients.web.rounds.progress import LiveState, live
from clients.web.rounds.query_form import OF_ROUND, TYPED, QueryForm
from clients.web.text import labels
from services.kit.errors import NotAllowedError, UnknownCallerError

router = APIRouter(route_class=PageRoute)
_PAGE = 20
_REFUSED = 422
_FILLING = frozenset({"template", "rows", "change"})
"""Steps after which the form is shown again, with what was typed."""
_LOOK_SECONDS = 0.5  # an answer comes within seconds


@router.get("/queries/standing")
def get_standing_queries(visit: Visited) -> Response:
    found = QueryClient(visit.connection()).standing()
    return visit.show("standing_queries.html", found=found, queries=page_of(visit, found.queries, _PAGE))


@router.get("/queries/standing/{standing_id}")
def get_standing_query(visit: Visited, standing_id: str) -> Response:
    view = QueryClient(visit.connection()).standing_query(identifier(standing_id))
    latest = (datetime.now(UTC) + timedelta(days=query_views.MOST_DAYS - 1)).date().isoformat()
    return visit.show(
        "standing_query.html", entry=view.entry, persons=view.persons, latest=latest, most_days=query_views.MOST_DAYS
    )


@router.post("/queries/standing/{standing_id}/prolong")
def post_prolong(visit: Visited, sent: Sent, standing_id: str) -> Response:
    """Ask for the same persons for longer; a second person approves, and this one is replaced."""
    client, entry = _found(visit, standing_id)
    wanted = query_views.StandingQueryRequest(
        round_id=entry.round_id,
        import_id=entry.import_id,
        justification=_why(entry),
        until=end_of_day(sent.text("until")),
    )
    client.watch(wanted, names_checked=True)  # when it was asked for first
    return visit.go(f"/queries/standing/{entry.standing_id}", "asked")


@router.post("/queries/standing/{standing_id}/ask")
def post_ask(visit: Visited, sent: Sent, standing_id: str) -> Response:
    """Ask once in a round that the approval does not hold for; a second person approves."""
    client, entry = _found(visit, standing_id)
    round_id = identifier(sent.text("round_id"))
    wanted = query_views.QueryRequest(round_id=round_id, import_id=entry.import_id, justification=_why(entry))
    client.ask(wanted, names_checked=True)  # when it was asked for first
    return visit.go(f"/queries/standing/{entry.standing_id}", "asked")


@router.post("/queries/standing/{standing_id}/withdraw")
def post_withdraw(visit: Visited, sent: Sent, standing_id: str) -> Response:
    QueryClient(visit.connection()).withdraw(identifier(standing_id), sent.text("reason"))
    return visit.go("/queries/standing", "standing-withdrawn")


def _found(visit: Visit, standing_id: str) -> tuple[QueryClient, query_views.StandingQueryEntry]:
    """Return the client and a standing query of this party."""
    visit.need("submission.ask")
    client = QueryClient(visit.connection())
    return client, client.standing_query(identifier(standing_id)).entry


def _why(entry: query_views.StandingQueryEntry) -> JustificationInput:
    return JustificationInput(**entry.reason.model_dump(exclude={"urgency"}))


@router.get("/queries")
def get_queries(visit: Visited) -> Response:
    client = QueryClient(visit.connection())
    found, page = served_page(
        visit, lambda offset: client.queries(offset, _PAGE), lambda part: (part.queries, part.total), _PAGE
    )
    return _show(visit, found, page, QueryForm.empty(found))


@router.post("/queries")
def post_query(visit: Visited, sent: Sent) -> Response:
    """Show how the persons are read, then ask for them; or fill the form. What was typed is kept on the way."""
    visit.need("submission.ask")
    client = QueryClient(visit.connection())
    found = client.queries(limit=_PAGE)
    page = page_of(visit, found.queries, _PAGE)
    form = QueryForm.sent(sent, found)
    step = sent.text("step")
    if step == "template":
        form.fill(sent.text("template"), found)
    if step == "rows":
        form.add_rows()
    try:
        wanted = None if step in _FILLING else form.request(found)
        if wanted is not None and step != "ask":
            chosen = query_views.ChosenPersons(persons=wanted.persons, import_id=wanted.import_id)
            round_ = next(one for one in (*found.rounds, *found.earlier) if one.round_id == wanted.round_id)
            return visit.show(
                "query_check.html",
                sent=sent.fields(),
                persons=client.check(chosen),
                wanted=wanted,
                round=_named(round_),
            )
        if isinstance(wanted, query_views.StandingQueryRequest):
            client.watch(wanted, names_checked=sent.ticked(NAMES_CHECKED))
            return visit.go("/queries", "asked")
        if wanted is not None:
            client.ask(wanted, names_checked=sent.ticked(NAMES_CHECKED))
            return visit.go("/queries", "asked")
    except (InputError, OrderError, PolicyError) as error:
        if isinstance(error, (NotAllowedError, UnknownCallerError)):
            raise
        form.refuse(error)
    return _show(visit, found, page, form)


@router.get("/queries/{submission_id}")
def get_query(visit: Visited, submission_id: str) -> Response:
    return _answer(visit, "query.html", submission_id)


@router.get("/queries/{submission_id}/live")
def get_live(visit: Visited, submission_id: str) -> Response:
    visit.need("queries.see")
    client, query = QueryClient(visit.connection()), identifier(submission_id)
    return live(visit, lambda: _live_state(visit, client.progress(query)), _LOOK_SECONDS)


@router.get("/queries/{submission_id}/sheet")
def get_sheet(visit: Visited, submission_id: str) -> Response:
    return _answer(visit, "query_sheet.html", submission_id)


def _named(round_: query_views.QueryRound) -> str:
    return f"{round_.title}: {', '.join(round_.participants)}"


def _answer(visit: Visit, template: str, submission_id: str) -> Response:
    client, query = QueryClient(visit.connection()), identifier(submission_id)
    progress = client.progress(query)  # before the answer: what comes between them is a change
    answer = client.answer(query)
    hits = [
        {party.party: [hit for hit in person.hits if hit.party == party.party] for party in answer.parties}
        for person in answer.persons
    ]
    return visit.show(
        template,
        answer=answer,
        rows=list(zip(answer.persons, hits, strict=True)),
        live=progress.pending,
        mark=_live_state(visit, progress).mark,
    )


def _live_state(visit: Visit, progress: query_views.QueryProgress) -> LiveState:
    """Return the state of a query for those who watch it: its page is loaded again when an answer or a hit changes."""
    answers = ",".join(f"{one.party} {one.state}" for one in progress.parties)
    values: dict[str, object] = {"own-state": visit.say(labels.SUBMISSIONS[progress.state][0])}
    for one in progress.parties:
        values[f"{one.party}-awaited"] = visit.say(labels.QUERY_STEPS.get(one.awaited, ""))
    shape = f"{answers} {progress.hits} {progress.unconfirmed} {progress.pending} {progress.state == 'failed'}"
    return LiveState(shape, values, ended=not progress.pending)


def _show(visit: Visit, found: query_views.Queries, page: Page[query_views.QueryEntry], form: QueryForm) -> Response:
    """Show the page, with each error next to its field."""
    faults = form.field_errors(visit.say, visit.language.compose)
    may_ask = visit.may("submission.ask")
    stored = visit.node().imports().imports if may_ask else ()
    waiting: list[Any] = []
    if visit.may("approvals.see"):
        approvals = ApprovalClient(visit.connection())
        asked = [
            one
            for one in approvals.approvals(waiting=True).approvals
            if one.kind in {ApprovalKind.SUBMISSION, ApprovalKind.STANDING_QUERY} and one.state is ApprovalState.WAITING
        ]
        contents = [(one, approvals.show(one.approval_id).content) for one in asked]
        waiting = [(one, content) for one, content in contents if content.get("submission_kind") != "list"]
    return visit.show(
        "queries.html",
        _REFUSED if faults or form.refusal else 200,
        found=found,
        form=form,
        faults=faults,
        fields=TYPED,
        round_choices=[
            *((one.round_id, _named(one)) for one in found.rounds),
            *((one.round_id, visit.say("later rounds like %(round)s", round=_named(one))) for one in found.earlier),
        ],
        latest=(datetime.now(UTC) + timedelta(days=query_views.MOST_DAYS - 1)).date().isoformat(),
        most_days=query_views.MOST_DAYS,
        template_choices=[
            (OF_ROUND, visit.say("as the round has it")),
            *((one.name, visit.say(labels.QUERY_TEMPLATES.get(one.name, one.name))) for one in found.templates),
        ],
        list_choices=[
            ("", visit.say("none")),
            *(
                (one.import_id, one.name)
                for one in stored
                if not one.for_query and one.records <= query_views.MOST_PERSONS
            ),
        ],
        queries=page,
        waiting=waiting,
    )
