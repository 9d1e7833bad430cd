"""Rounds: proposed at the matcher, read and consented to at a node; submit, watch, close, abort or leave."""

import time

from fastapi import APIRouter, Response

from aquila.errors import InputError, OrderError, PolicyError
from aquila.interface.approval import ApprovalEntry, ApprovalKind, ApprovalState
from aquila.interface.rounds import ConsentRequest, JustificationInput, ProposalDefaults, SubmissionRequest
from aquila.protocol.messages import Kind, Mode
from aquila.protocol.rounds.round_state import ENDED_PHASES, Phase
from clients.sdk import ApprovalClient, MatcherClient, NodeClient
from clients.web.app.forms import NAMES_CHECKED
from clients.web.app.navigation import identifier
from clients.web.app.paging import served_page
from clients.web.app.visit import PageRoute, Sent, Visit, Visited
from clients.web.i18n.languages import zone
from clients.web.rounds import progress, proposal_form
from clients.web.rounds.progress import live
from clients.web.rounds.proposal_form import ProposalForm
from services.kit.errors import NotAllowedError, UnknownCallerError

node = APIRouter(route_class=PageRoute)
matcher = APIRouter(route_class=PageRoute)
_PAGE = 40
_COPIED = 10
"""Earlier rounds that the form of a proposal offers for a copy."""
SHORT = 8
"""Digits of a query's id in the names of its fields, as the filter `short` shows it."""


@matcher.get("/rounds")
def get_matcher_rounds(visit: Visited) -> Response:
    """Show the secretariat's table of all rounds, or of those in one phase."""
    asked = visit.request.query_params.get("state", "")
    phase = Phase(asked) if asked in set(Phase) else None
    client = visit.matcher()
    _, rounds = served_page(
        visit,
        lambda offset: client.overview(offset=offset, limit=_PAGE, phase=phase),
        lambda part: (part.rounds, part.total),
        _PAGE,
        {"state": phase.value if phase else ""},
    )
    return visit.show("matcher_rounds.html", rounds=rounds, phase=phase, phases=list(Phase), now=time.time())


@node.get("/rounds")
def get_rounds(visit: Visited) -> Response:
    client = visit.node()
    _, rounds = served_page(
        visit, lambda offset: client.rounds(offset, _PAGE), lambda part: (part.rounds, part.total), _PAGE
    )
    return visit.show("rounds.html", rounds=rounds)


@node.get("/rounds/{round_id}")
def get_round(visit: Visited, round_id: str) -> Response:
    client = visit.node()
    view = client.round(round_id)
    waiting, guards = _waiting(visit, view.entry.round_id), client.safeguards(round_id)
    return visit.show(
        "node_round.html",
        view=view,
        steps=progress.steps_of(view),
        live=view.entry.phase not in ENDED_PHASES,
        mark=progress.live_state(view, visit.language).mark,
        deadline=progress.deadline(view, time.time()),
        words={one.party: progress.words_of(one) for one in view.parties},
        imports=[one for one in client.imports().imports if not one.for_query] if visit.may("records.list") else (),
        has_list=any(one.kind is Kind.LIST and one.state != "failed" for one in view.submissions),
        queries=view.manifest.mode is Mode.LISTS_AND_QUERIES,
        guards=guards,
        on_hold=any(one.released_at is None and one.refused_at is None for one in guards.alarms),
        waiting=waiting,
        consent_waits=any(one.kind is ApprovalKind.CONSENT for one in waiting),
        submission_waits=any(one.kind is ApprovalKind.SUBMISSION for one in waiting),
    )


@node.get("/rounds/{round_id}/live")
@matcher.get("/rounds/{round_id}/live")
def get_live(visit: Visited, round_id: str) -> Response:
    visit.need("rounds.see")
    return live(visit, lambda: progress.live_state(_client(visit).round(round_id), visit.language))


@node.post("/rounds/{round_id}/consent")
def post_consent(visit: Visited, sent: Sent, round_id: str) -> Response:
    visit.need("consent.ask")
    sent.need_tick("read")
    given = {name: sent.number(name) for name in ("records", "queries") if sent.text(name)}
    visit.node().consent(identifier(round_id), ConsentRequest(**given))
    return visit.go(f"/rounds/{round_id}", "asked")


@node.post("/rounds/{round_id}/submit")
def post_submit(visit: Visited, sent: Sent, round_id: str) -> Response:
    visit.need("submission.ask")
    if not sent.text("import_id"):
        raise InputError("field_choice_unknown", name="import_id")
    words = {name: sent.text(name) for name in ("legal_basis", "purpose", "case_reference", "category")}
    justification = JustificationInput.model_validate(words)
    request = SubmissionRequest(
        import_id=identifier(sent.text("import_id")), kind=sent.choice("kind", Kind), justification=justification
    )
    visit.node().submit(identifier(round_id), request, names_checked=sent.ticked(NAMES_CHECKED))
    return visit.go(f"/rounds/{round_id}", "asked")


@node.post("/rounds/{round_id}/alarms/{submission_id}/release")
def post_release(visit: Visited, _sent: Sent, round_id: str, submission_id: str) -> Response:
    """Release the answer to a question that hits far too often."""
    visit.node().release(identifier(round_id), identifier(submission_id))
    return visit.go(f"/rounds/{round_id}", "released")


@node.post("/rounds/{round_id}/alarms/{submission_id}/refuse")
def post_refuse(visit: Visited, sent: Sent, round_id: str, submission_id: str) -> Response:
    """Refuse the answer to a query that hits far too often; the round goes on."""
    visit.need("alarms.release")
    query = identifier(submission_id)
    visit.node().refuse_answer(identifier(round_id), query, sent.text(f"reason-{query[:SHORT]}"))
    return visit.go(f"/rounds/{round_id}", "answer-refused")


@node.post("/rounds/{round_id}/close")
@matcher.post("/rounds/{round_id}/close")
def post_close(visit: Visited, _sent: Sent, round_id: str) -> Response:
    """Close a round: at a node for this party, whose keys are destroyed, at the matcher for everyone."""
    _client(visit).close(identifier(round_id))
    return visit.go(f"/rounds/{round_id}", "closing")


@node.post("/rounds/{round_id}/abort")
def post_leave(visit: Visited, sent: Sent, round_id: str) -> Response:
    visit.node().abort(identifier(round_id), sent.text("reason"), names_checked=sent.ticked(NAMES_CHECKED))
    return visit.go(f"/rounds/{round_id}", "leaving")


def _waiting(visit: Visit, round_id: str) -> list[ApprovalEntry]:
    """Return the requests about a round that wait for a second person."""
    if not visit.may("approvals.see"):
        return []
    found = ApprovalClient(visit.connection()).approvals(round_id=round_id, waiting=True).approvals
    return [one for one in found if one.state is ApprovalState.WAITING]


def _client(visit: Visit) -> NodeClient | MatcherClient:
    return visit.node() if visit.site.is_node else visit.matcher()


@matcher.get("/rounds/new")
def get_new(visit: Visited) -> Response:
    """Show the form of a proposal: empty, or filled in after an earlier round or from a template."""
    visit.need("round.propose")
    asked = {name: visit.request.query_params.get(name, "") for name in ("like", "template")}
    defaults = visit.matcher().proposal_defaults(**asked)
    return _form(visit, proposal_form.fresh(defaults), defaults)


@matcher.post("/rounds/new")
def post_new(visit: Visited, sent: Sent) -> Response:
    """Propose a round, or go to the form's second step; what cannot be used comes back with what was typed."""
    client = visit.matcher()
    defaults = client.proposal_defaults()
    form = proposal_form.typed(sent, defaults)
    if sent.text("step") == "each":
        form.spread(defaults.parties)
        return _form(visit, form, defaults)
    proposal = form.proposal(defaults)
    if proposal is None:
        return _form(visit, form, defaults)
    try:
        asked = client.propose(proposal)
    except (InputError, OrderError, PolicyError) as error:
        if isinstance(error, (NotAllowedError, UnknownCallerError)):
            raise
        form.refuse(error)
        return _form(visit, form, defaults)
    return visit.go(f"/approvals/{asked.approval_id}", "asked")


@matcher.get("/rounds/{round_id}")
def get_matcher_round(visit: Visited, round_id: str) -> Response:
    view, now = visit.matcher().round(round_id), time.time()
    return visit.show(
        "matcher_round.html",
        view=view,
        steps=progress.steps_of(view),
        live=view.entry.phase not in ENDED_PHASES,
        mark=progress.live_state(view, visit.language).mark,
        deadline=progress.deadline(view, now),
        pairs=progress.pair_table(view),
        over=progress.parties_over(view),
        on_hold=any(problem.code == "report_held_back" for problem in view.problems),
    )


@matcher.post("/rounds/{round_id}/remind")
def post_remind(visit: Visited, _sent: Sent, round_id: str) -> Response:
    """Remind the parties for which a round waits."""
    visit.matcher().remind(identifier(round_id))
    return visit.go(f"/rounds/{round_id}", "reminded")


@matcher.post("/rounds/{round_id}/abort")
def post_abort(visit: Visited, sent: Sent, round_id: str) -> Response:
    asked = visit.matcher().abort(identifier(round_id), sent.text("reason"))
    return visit.go(f"/approvals/{asked.approval_id}", "asked")


def _form(visit: Visit, form: ProposalForm, defaults: ProposalDefaults) -> Response:
    wrong = form.field_errors(visit.say)
    status = 422 if wrong or form.refusal else 200
    rules = [(name, name) for name in defaults.rules]
    return visit.show(
        "propose.html",
        status,
        form=form,
        faults=wrong,
        codes=defaults.parties,
        rules=rules,
        zone=zone(),
        earlier=visit.matcher().rounds(limit=_COPIED).rounds,
        drafted=defaults.draft is not None,
        templates=[(one.template_id, one.worded(visit.language.tag).title) for one in defaults.templates],
    )


@matcher.get("/parties")
def get_parties(visit: Visited) -> Response:
    return visit.show("parties.html", known=visit.matcher().parties())
