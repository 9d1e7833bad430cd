"""Hits: the inbox, one hit, and what an analyst does with it until it is closed or withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from aquila.errors import OrderError
from aquila.followup.lifecycle import Channel, Decision, Ground, HitOutcome, Stage, Urgency
from aquila.interface.hits import HitFilter
from aquila.interface.saved_filters import SavedFilter
from aquila.matching.certainty import CENTIBITS, Level
from clients.web.app.paths import identifier
from clients.web.app.visit import Sent, Visited, threaded
from clients.web.render import pdf
from clients.web.text import labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aquila.interface.hits import HitPage, HitView, LetterView
    from aquila.interface.saved_filters import SavedFilters
    from clients.sdk import HitsClient
    from clients.web.app.visit import Visit

router = APIRouter()
_PAGE = 50
_MOST_AT_ONCE = 200
_ROUNDS = 50
_THOUSANDTHS = 1_000
_LEAST = 0.1


def _n(message: str) -> str:
    """Mark a message for the catalogue; it is translated where it is shown."""
    return message


@dataclass(frozen=True, slots=True)
class View:
    """A view of the inbox: one of the ready ones, or one that the visitor keeps.

    Attributes:
        path: Its address.
        name: What it is called.
        here: Whether it is the one that is shown.
        view_id: By which the visitor's own one is removed; nothing for a ready one.
    """

    path: str
    name: str
    here: bool
    view_id: str = ""


_READY: tuple[tuple[str, dict[str, str]], ...] = (
    (_n("All"), {}),
    (_n("New"), {"stage": "new"}),
    (_n("New, high certainty"), {"stage": "new", "certainty": "high"}),
    (_n("Overdue"), {"overdue": "true"}),
    (_n("In follow-up"), {"stage": "follow_up"}),
    (_n("Decided, not followed up"), {"stage": "decided"}),
)


@router.get("/hits")
@threaded
def get_hits(visit: Visited) -> Response:
    """Show the hits that a filter leaves. Its address can be kept as a bookmark: it holds no word of a record."""
    asked = {name: text for name, text in visit.request.query_params.items() if text and name in HitFilter.model_fields}
    wanted = HitFilter.model_validate(asked | {"limit": _PAGE})
    client = visit.hits()
    page, views = client.page(wanted), _views(visit, asked, client.views())
    rounds = visit.node().rounds().rounds
    listed = [one for place, one in enumerate(rounds) if place < _ROUNDS or one.round_id == wanted.round_id]
    any_word = visit.say("any")
    return visit.show(
        "hits.html",
        wanted=wanted,
        page=page,
        filtered=bool(_restricting(asked)),
        views=views,
        own=next((view for view in views if view.here and view.view_id), None),
        kept=[] if any(view.here for view in views) else list(_restricting(asked).items()),
        earlier=_path(asked | {"offset": str(max(0, page.offset - _PAGE))}) if page.offset else "",
        later=_later(asked, page),
        round_choices=[("", any_word), *((one.round_id, f"{one.round_id[:8]} {one.area}") for one in listed)],
        rounds_left_out=len(rounds) - len(listed),
        party_choices=[("", any_word), *((code, code) for code in sorted({p for r in rounds for p in r.participants}))],
        level_choices=[
            ("", any_word),
            *((level.value, visit.say(level.value)) for level in sorted(Level, reverse=True)),
        ],
        stage_choices=[("", any_word), *((stage.value, visit.say(labels.STAGES[stage.value][0])) for stage in Stage)],
    )


@router.post("/hits/acknowledge")
@threaded
def post_acknowledge_many(visit: Visited, sent: Sent) -> Response:
    """Take up the hits that were chosen."""
    client = visit.hits()
    for chosen in sent.texts("hit")[:_MOST_AT_ONCE]:
        round_id, _, hit_id = chosen.partition(".")
        client.acknowledge(identifier(round_id), identifier(hit_id))
    return visit.go("/hits", "taken-up")


@router.post("/hits/views")
@threaded
def post_view(visit: Visited, sent: Sent) -> Response:
    """Keep the filter that is shown under a name of the visitor's own, and show it again."""
    asked = {name: text for name in SavedFilter.model_fields if (text := sent.text(name))}
    visit.hits().save_view(sent.text("name"), SavedFilter.model_validate(asked))
    return visit.go(_path(asked | {"done": "view-kept"}))


@router.post("/hits/views/{view_id}/remove")
@threaded
def post_remove_view(visit: Visited, sent: Sent, view_id: str) -> Response:  # noqa: ARG001 - the form is checked
    """Remove a view that the visitor keeps."""
    visit.hits().remove_view(identifier(view_id))
    return visit.go("/hits", "view-removed")


@router.post("/hits/erase")
@threaded
def post_erase(visit: Visited, sent: Sent) -> Response:
    """Erase an own record everywhere at this node; its number comes in the form, so that no address holds it."""
    report = visit.hits().erase_record(sent.text("record_id"))
    return visit.show("erased.html", report=report)


@router.get("/hits/{round_id}/{hit_id}")
@threaded
def get_hit(visit: Visited, round_id: str, hit_id: str) -> Response:
    """Show one hit with the own record."""
    hit = visit.hits().show(identifier(round_id), identifier(hit_id))
    return visit.show(
        "hit.html",
        hit=hit,
        possible={step.value for step in hit.possible},
        chance=_chance(visit, hit),
        drift=_drift(visit, hit),
        decisions=_choices(visit, labels.DECISIONS),
        channels=_choices(visit, labels.CHANNELS),
        urgencies=_choices(visit, labels.URGENCIES),
        outcomes=_choices(visit, labels.OUTCOMES),
        grounds=_choices(visit, labels.GROUNDS, without={Ground.ERASED.value}),
    )


@router.post("/hits/{round_id}/{hit_id}/letter.pdf")
@threaded
def post_letter_pdf(visit: Visited, sent: Sent, round_id: str, hit_id: str) -> Response:  # noqa: ARG001 - the form is checked
    """Return the letter as a PDF; that it was exported is logged, once it is made."""
    client, place = visit.hits(), (identifier(round_id), identifier(hit_id))
    draft = client.letter_draft(*place)
    content = pdf.pdf(draft)
    _export(client, place, draft)
    headers = {"content-disposition": f'attachment; filename="request-{hit_id[:8]}.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


@router.post("/hits/{round_id}/{hit_id}/letter")
@threaded
def post_letter(visit: Visited, sent: Sent, round_id: str, hit_id: str) -> Response:  # noqa: ARG001 - the form is checked
    """Show the letter for printing; that it was exported is logged, once the page is made."""
    client, place = visit.hits(), (identifier(round_id), identifier(hit_id))
    draft = client.letter_draft(*place)
    paragraphs = pdf.paragraphs(draft)
    page = visit.show("letter.html", letter=draft, paragraphs=paragraphs, round_id=round_id, hit_id=hit_id)
    _export(client, place, draft)
    return page


def _export(client: HitsClient, place: tuple[str, str], made: LetterView) -> None:
    """Have it logged that a letter is exported, which was made already.

    Raises:
        OrderError: It would have other references by now.
    """
    if client.letter(*place) != made:
        raise OrderError("the letter changed while it was made", hint="ask for it again")


@router.post("/hits/{round_id}/{hit_id}/{step}")
@threaded
def post_step(visit: Visited, sent: Sent, round_id: str, hit_id: str, step: str) -> Response:
    """Take a hit one step further."""
    client, place = visit.hits(), (identifier(round_id), identifier(hit_id))
    if step == "acknowledge":
        client.acknowledge(*place)
    elif step == "decide":
        client.decide(*place, sent.choice("decision", Decision), sent.text("remark"))
    elif step == "follow-up":
        channel, urgency = sent.choice("channel", Channel), sent.choice("urgency", Urgency)
        client.follow_up(*place, channel, urgency, reference=sent.text("reference"))
    elif step == "reference":
        client.reference(*place, sent.text("number"))
    elif step == "permission":
        client.permit(*place, sent.text("permission"))
    elif step == "close":
        client.close(*place, sent.choice("outcome", HitOutcome), sent.text("closing_remark"))
    elif step == "withdraw":
        client.withdraw(*place, sent.choice("ground", Ground), sent.text("reason"))
    else:
        raise HTTPException(404)
    return visit.go(f"/hits/{round_id}/{hit_id}", "noted")


def _chance(visit: Visit, hit: HitView) -> str:
    """Return in a sentence how many hits like this one chance alone would give, or nothing."""
    if hit.chance is None:
        return ""
    expected, language, party = hit.chance.expected / _THOUSANDTHS, visit.language, hit.entry.counterpart
    if expected < _LEAST:
        so_many = visit.say("fewer than %(number)s", number=language.number(_LEAST))
    else:
        so_many = visit.say("about %(number)s", number=language.number(round(expected, 1 if expected < 10 else None)))  # noqa: PLR2004 - below ten a tenth of a hit says something
    return language.counted(
        "Of %(num)s hit of this level with %(party)s, chance alone would give %(expected)s.",
        "Of %(num)s hits of this level with %(party)s, chance alone would give %(expected)s.",
        hit.chance.hits,
        party=f"{visit.say(labels.PARTIES[party])} ({party})" if party in labels.PARTIES else party,
        expected=so_many,
    )


def _drift(visit: Visit, hit: HitView) -> str:
    """Return in a sentence how far planted hits can move this one between two rounds of the same lists, or nothing."""
    if hit.chance is None or not hit.chance.drift_centibits:
        return ""
    return visit.say(
        "Canaries can move its odds by a factor of %(factor)s from one round of the same lists to the next: "
        "close to the border of its level it can then have another level, or be missing.",
        factor=visit.language.number(round(2 ** (hit.chance.drift_centibits / CENTIBITS), 2)),
    )


def _choices(visit: Visit, table: Mapping[str, str], without: Iterable[str] = ()) -> list[tuple[str, str]]:
    return [(code, visit.say(word)) for code, word in table.items() if code not in without]


def _views(visit: Visit, asked: dict[str, str], kept: SavedFilters) -> list[View]:
    """Return the ready views and then the visitor's own."""
    shown = _restricting(asked)
    ready = [View(_path(wanted), visit.say(name), wanted == shown) for name, wanted in _READY]
    own = [(one, _asked_by(one.shows)) for one in kept.views]
    return ready + [View(_path(wanted), one.name, wanted == shown, one.view_id) for one, wanted in own]


def _asked_by(shows: SavedFilter) -> dict[str, str]:
    """Return a kept filter as an address asks for it."""
    given = shows.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


def _restricting(asked: dict[str, str]) -> dict[str, str]:
    """Return the parts of an address that a saved view keeps: not at which hit a page begins, nor one hit's number."""
    return {name: text for name, text in asked.items() if name in SavedFilter.model_fields}


def _later(asked: dict[str, str], page: HitPage) -> str:
    """Return the address of the next page, or nothing."""
    after = page.offset + len(page.hits)
    return _path(asked | {"offset": str(after)}) if after < page.total else ""


def _path(asked: dict[str, str]) -> str:
    return f"/hits?{urlencode(asked)}" if asked else "/hits"
