"""The list of hits, in which an analyst decides them one after the other, or several at once."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Response

from aquila.errors import InputError
from aquila.followup.lifecycle import Decision, HitOutcome, Stage
from aquila.interface import hits as hit_views
from aquila.interface.rounds import RoundSummary
from aquila.matching.certainty import Level
from aquila.protocol.messages import Kind
from clients.sdk import HitsClient
from clients.sdk.services import hit_keys
from clients.web.app.forms import SubmittedForm, whole_number
from clients.web.app.navigation import identifier
from clients.web.app.visit import PageRoute, Sent, Visit, Visited
from clients.web.i18n.languages import n_
from clients.web.pages.hits.filters import NOBODY, PAGE, RequestedList, colleague_choices, list_of_form, requested_list
from clients.web.pages.hits.rows import rows_of
from clients.web.text import labels
from services.kit.errors import NotFoundError

router = APIRouter(route_class=PageRoute)
_ROUNDS = 50
_NEAR = 2
_MOST_SHOWN_LEFT = 10_000


@dataclass(frozen=True, slots=True)
class View:
    """A view of the list: one of the ready ones, or one that the visitor keeps."""

    path: str
    name: str
    here: bool
    """Whether it is the one that is shown."""
    view_id: str = ""
    """By which the visitor's own one is removed; nothing for a ready one."""
    persons: int = 0
    """How many persons it shows, the name that is searched for left aside."""


@dataclass(frozen=True, slots=True)
class PageLink:
    """A page of the list by its number; a gap has no number."""

    number: int = 0
    path: str = ""
    here: bool = False


_READY: tuple[tuple[str, dict[str, str]], ...] = (
    (n_("All"), {}),
    (n_("New"), {"stage": "new"}),
    (n_("New, high certainty"), {"stage": "new", "certainty": "high"}),
    (n_("Mine"), {"whose": "mine"}),
    (n_("Unassigned"), {"whose": "nobody"}),
    (n_("Known, changed level"), {"known": "changed_level"}),
    (n_("Overdue"), {"overdue": "true"}),
    (n_("Of lists"), {"kind": "list"}),
    (n_("Of queries"), {"kind": "query"}),
    (n_("In follow-up"), {"stage": "follow_up"}),
    (n_("Decided, not followed up"), {"stage": "decided"}),
)
_KEYS = {Decision.SAME: "s", Decision.OTHER: "n", Decision.UNSURE: "a"}
"""The key of each decision, while a row has the focus."""


@router.get("/hits")
def get_hits(visit: Visited) -> Response:
    """Show the hits that a filter leaves. Its address can be kept as a bookmark: it holds no word of a record."""
    asked, client = requested_list(visit), visit.hits()
    page = client.search(asked.wanted)
    if page.persons and page.offset >= page.persons:  # the last persons of the last page were decided
        asked = asked.at((page.persons - 1) // PAGE * PAGE)
        page = client.search(asked.wanted)
    views, wanted = _views(visit, asked, client), asked.wanted
    newest = visit.node().rounds(limit=_ROUNDS)
    rounds = [*newest.rounds, *_chosen_round(visit, newest.rounds, wanted.round_id)]
    usual, listed = rows_of(page.hits, visit.language)
    return visit.show(
        "hits.html",
        asked=asked,
        wanted=wanted,
        page=page,
        rows=listed,
        usual=usual,
        chosen=visit.request.state.sent.texts("hit") if visit.faults else (),
        every=bool(visit.faults) and visit.request.state.sent.ticked("every"),
        left_out=left_out(visit),
        views=views,
        everybody=views[0].persons,
        own=next((view for view in views if view.here and view.view_id), None),
        kept=[] if any(view.here for view in views) else list(asked.restricting.items()),
        pages=_pages(asked, page),
        colleagues=colleague_choices(visit),
        decisions=[(decision.value, key) for decision, key in _KEYS.items()],
        decision_choices=[(decision.value, visit.say(labels.DECISIONS[decision.value])) for decision in _KEYS],
        channels=[(code, visit.say(word)) for code, word in labels.CHANNELS.items()],
        urgencies=[(code, visit.say(word)) for code, word in labels.URGENCIES.items()],
        outcome_choices=[(outcome.value, visit.say(labels.OUTCOMES[outcome.value])) for outcome in HitOutcome],
        rounds_left_out=newest.total - len(rounds),
        indicator_choices=[("", visit.say("any")), *visit.indicators().items()],
        **_choices(visit, rounds, wanted.counterpart),
    )


@router.post("/hits/find")
def post_find(visit: Visited, sent: Sent) -> Response:
    """Search the list for a name, which comes in a form, so that no address holds it; without one the search ends."""
    visit.need("hits.see")
    name = sent.text("name")
    key = visit.site.searches.keep(visit.session, name) if name else ""
    return visit.go(list_of_form(visit, sent).replaced(search=key, offset="").path)


@router.post("/hits/decide")
def post_decide(visit: Visited, sent: Sent) -> Response:
    """Decide on the hits of a row, and go on to the next row."""
    asked, rows = list_of_form(visit, sent), sent.texts("row")
    word, _, number = sent.text("decide").partition(".")
    place = whole_number(number)
    if place is None or place >= len(rows):
        raise InputError("form_thing_unknown")
    decision = _decision(word)
    visit.hits().decide_many(hits=hit_keys(_keys(rows[place])), decision=decision)
    following = rows[place + 1] if place + 1 < len(rows) else ""
    return visit.go(path_after(asked, "", at=following))


@router.post("/hits/decide-many")
def post_decide_many(visit: Visited, sent: Sent) -> Response:
    """Decide on the rows that are chosen, or on all hits that the filter leaves, with one reason."""
    asked, decision = list_of_form(visit, sent), sent.choice("decision", Decision)
    done = visit.hits().decide_many(**meant(asked, sent), decision=decision, remark=sent.text("remark"))
    return visit.go(path_after(asked, "", left_out=done.left_out))


@router.post("/hits/close-many")
def post_close_many(visit: Visited, sent: Sent) -> Response:
    """Close the rows that are chosen, or all hits that the filter leaves, with one outcome and reason."""
    visit.need("hits.decide")
    asked, outcome = list_of_form(visit, sent), sent.choice("outcome", HitOutcome)
    done = visit.hits().close_many(**meant(asked, sent), outcome=outcome, remark=sent.text("remark"))
    return visit.go(path_after(asked, "closed-many" if done.hits else "", left_out=done.left_out))


@router.post("/hits/undo")
def post_undo(visit: Visited, sent: Sent) -> Response:
    """Undo the visitor's last decision, and go to its first hit."""
    undone = visit.hits().undo(sent.number("number")).first
    return visit.go(path_after(list_of_form(visit, sent), "undone", at=f"{undone.round_id}.{undone.hit_id}"))


@router.post("/hits/acknowledge")
def post_acknowledge_many(visit: Visited, sent: Sent) -> Response:
    asked, client = list_of_form(visit, sent), visit.hits()
    for place in chosen_keys(sent):
        client.acknowledge(*place)
    return visit.go(path_after(asked, "taken-up"))


@router.post("/hits/assign")
def post_assign(visit: Visited, sent: Sent) -> Response:
    """Let a colleague look after the hits that were chosen, or nobody."""
    asked, person = list_of_form(visit, sent), sent.text("colleague")
    visit.hits().assign(hit_keys(chosen_keys(sent)), None if person == NOBODY else person, sent.text("remark"))
    return visit.go(path_after(asked, "assigned"))


@router.post("/hits/views")
def post_view(visit: Visited, sent: Sent) -> Response:
    """Keep the filter that is shown under a name of the visitor's own, and show it again."""
    asked = list_of_form(visit, sent)
    visit.hits().save_view(sent.text("view"), hit_views.SavedFilter.model_validate(asked.restricting))
    return visit.go(path_after(asked, "view-kept"))


@router.post("/hits/views/{view_id}/remove")
def post_remove_view(visit: Visited, sent: Sent, view_id: str) -> Response:
    visit.hits().remove_view(identifier(view_id))
    return visit.go(path_after(list_of_form(visit, sent), "view-removed"))


def _decision(word: str) -> Decision:
    try:
        return Decision(word)
    except ValueError:
        raise InputError("form_thing_unknown") from None


def _keys(row: str) -> list[tuple[str, str]]:
    """Return the hits that a form names for a row."""
    named = [text.partition(".") for text in row.split()]
    return [(identifier(round_id), identifier(hit_id)) for round_id, _, hit_id in named]


def meant(asked: RequestedList, sent: SubmittedForm) -> dict[str, object]:
    """Return the hits that were chosen, or the filter that leaves them with the number of hits that the person saw."""
    if sent.ticked("every"):
        return {"every": asked.wanted, "total": sent.number("total")}
    return {"hits": hit_keys(chosen_keys(sent))}


def chosen_keys(sent: SubmittedForm, *more: str) -> list[tuple[str, str]]:
    """Return the rows that are chosen, and those that more fields name, each once; raises InputError if none is."""
    named = [key for name in ("hit", *more) for text in sent.texts(name) for key in _keys(text)]
    chosen = list(dict.fromkeys(named))
    if not chosen:
        raise InputError("no_row_chosen")
    return chosen


def left_out(visit: Visit) -> int:
    """Return the number of hits that the last decision left out, as the address has it."""
    number = whole_number(visit.request.query_params.get("left_out", "")) or 0
    return number if number <= _MOST_SHOWN_LEFT else 0


def path_after(asked: RequestedList, done: str, at: str = "", left_out: int = 0) -> str:
    """Return the address of a list after a form.

    Args:
        asked: The list in which the form was.
        done: The confirmation, or nothing.
        at: The row that gets the focus, as a form names its hits; else it is the first one.
        left_out: How many hits were left out.
    """
    row = f"h-{_keys(at)[0][1]}" if at else "rows"
    left = str(min(left_out, _MOST_SHOWN_LEFT)) if left_out else ""
    query = RequestedList(dict(asked.fields) | {n: v for n, v in (("done", done), ("left_out", left)) if v})
    return f"{query.path}#{row}"


def _pages(asked: RequestedList, page: hit_views.HitPage) -> list[PageLink]:
    """Return links to the first, the last and the near pages, with gaps between them; none where all is on one page."""
    last, here = max(0, page.persons - 1) // PAGE, page.offset // PAGE
    near = {0, last, *range(max(0, here - _NEAR), min(last, here + _NEAR) + 1)}
    links, before = [], -1
    for number in sorted(near):
        if number > before + 1:
            links.append(PageLink())
        links.append(PageLink(number + 1, asked.at(number * PAGE).path, number == here))
        before = number
    return links if last else []


def _views(visit: Visit, asked: RequestedList, client: HitsClient) -> list[View]:
    """Return the ready views and then the visitor's own; each keeps the order and the name that is searched for."""
    kept = client.views()
    shown = asked.restricting
    ready = [(wanted, visit.say(name), "") for name, wanted in _READY]
    own = [(_asked_by(one.shows), one.name, one.view_id) for one in kept.views]
    rest = {name: text for name, text in asked.fields.items() if name in {"sort", "search"}}
    filters = [hit_views.SavedFilter.model_validate(wanted) for wanted, *_ in ready + own]
    counted = client.count(filters=tuple(filters)).persons
    return [
        View(RequestedList(wanted | rest).path, name, wanted == shown, view_id, persons)
        for (wanted, name, view_id), persons in zip(ready + own, counted, strict=True)
    ]


def _asked_by(shows: hit_views.SavedFilter) -> dict[str, str]:
    """Return a kept filter as an address asks for it."""
    given = shows.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


def _chosen_round(visit: Visit, newest: Iterable[RoundSummary], round_id: str | None) -> Iterator[RoundSummary]:
    if round_id and all(one.round_id != round_id for one in newest):
        with contextlib.suppress(NotFoundError):
            yield visit.node().round(round_id).entry


def _choices(visit: Visit, listed: Sequence[RoundSummary], counterpart: str | None) -> dict[str, Any]:
    any_one = ("", visit.say("any"))
    parties = sorted({party for one in listed for party in one.participants} | set(filter(None, [counterpart])))
    return {
        "round_choices": [any_one, *((one.round_id, one.title) for one in listed)],
        "party_choices": [any_one, *((code, code) for code in parties)],
        "level_choices": [any_one, *((level.value, visit.say(level.value)) for level in sorted(Level, reverse=True))],
        "stage_choices": [any_one, *((stage.value, visit.say(labels.STAGES[stage.value][0])) for stage in Stage)],
        "known_choices": [
            any_one,
            *((one.value, visit.say(labels.KNOWN_PAIRS[one.value])) for one in hit_views.KnownPair),
        ],
        "whose_choices": [
            any_one,
            *((whose.value, visit.say(labels.WHOSE[whose.value])) for whose in hit_views.AssigneeFilter),
        ],
        "kind_choices": [any_one, *((kind.value, visit.say(labels.HIT_KINDS[kind.value])) for kind in Kind)],
        "sort_choices": [(sort.value, visit.say(labels.SORTS[sort.value])) for sort in hit_views.HitSort],
    }
