"""Rounds at the matcher: propose, watch, close, abort."""

import time
from functools import partial

from fastapi import APIRouter, Response

from aquila.errors import InputError, OrderError, PolicyError
from aquila.interface.rounds import MatcherRoundView, ProposalDefaults
from aquila.protocol.rounds.round_state import ENDED_PHASES, Phase
from clients.web.app.navigation import identifier
from clients.web.app.paging import rounds_from, served_page
from clients.web.app.visit import PageRoute, Sent, Visit, Visited
from clients.web.rounds import progress, proposal_form
from clients.web.rounds.progress import live
from clients.web.rounds.proposal_form import ProposalForm
from services.kit.errors import NotAllowedError, UnknownCallerError

router = APIRouter(route_class=PageRoute)
_PAGE = 40


@router.get("/rounds")
def get_rounds(visit: Visited) -> Response:
    """Show all rounds."""
    client = visit.matcher()
    rounds = served_page(visit, partial(rounds_from, client, _PAGE), _PAGE)
    return visit.show("rounds.html", rounds=rounds)


@router.get("/rounds/new")
def get_new(visit: Visited) -> Response:
    """Show the form of a proposal, with the service's defaults."""
    visit.need("round.propose")
    defaults = visit.matcher().proposal_defaults()
    return _form(visit, proposal_form.fresh(defaults), defaults)


@router.post("/rounds/new")
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


@router.get("/rounds/{round_id}")
def get_round(visit: Visited, round_id: str) -> Response:
    """Show one round."""
    view, now = visit.matcher().round(round_id), time.time()
    return visit.show(
        "matcher_round.html",
        view=view,
        steps=progress.steps_of(view),
        live=view.entry.phase not in ENDED_PHASES,
        mark=progress.live_state(view, visit.language).mark,
        deadline=progress.deadline(view, now),
        late=_late(view, now),
        on_hold=any(problem.code == "report_held_back" for problem in view.problems),
    )


@router.get("/rounds/{round_id}/live")
def get_live(visit: Visited, round_id: str) -> Response:
    """Stream the changes of a round as they happen."""
    visit.need("rounds.see")
    return live(visit, lambda: progress.live_state(visit.matcher().round(round_id), visit.language))


@router.post("/rounds/{round_id}/close")
def post_close(visit: Visited, _sent: Sent, round_id: str) -> Response:
    """Close a round."""
    visit.matcher().close(identifier(round_id))
    return visit.go(f"/rounds/{round_id}", "closing")


@router.post("/rounds/{round_id}/abort")
def post_abort(visit: Visited, sent: Sent, round_id: str) -> Response:
    """Abort a round."""
    asked = visit.matcher().abort(identifier(round_id), sent.text("reason"))
    return visit.go(f"/approvals/{asked.approval_id}", "asked")


def _form(visit: Visit, form: ProposalForm, defaults: ProposalDefaults) -> Response:
    """Show the form, with each error next to its field."""
    wrong = form.field_errors(visit.say)
    status = 422 if wrong or form.refusal else 200
    rules = [(name, name) for name in defaults.rules]
    return visit.show(
        "propose.html", status, form=form, faults=wrong, codes=defaults.parties, rules=rules, zone=proposal_form.zone()
    )


def _late(view: MatcherRoundView, now: float) -> frozenset[str]:
    """Return the parties that owe something whose deadline has passed."""
    window, late = view.manifest.window, set[str]()
    for one in view.parties:
        owes_consent = not one.consented and now > window.consent_by
        owes_list = view.entry.phase == Phase.OPEN and not one.listed and now > window.submit_by
        owes_answers = one.evaluated.done < one.evaluated.of and now > window.evaluate_by
        if owes_consent or owes_list or owes_answers:
            late.add(one.party)
    return frozenset(late)


@router.get("/parties")
def get_parties(visit: Visited) -> Response:
    """Show the parties: keys with fingerprints to compare by telephone, last contact, release."""
    return visit.show("parties.html", known=visit.matcher().parties())
