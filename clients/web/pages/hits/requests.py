"""Requests about hits: a letter to each party with all of its references, reminders, and the outbox and the inbox."""

from collections.abc import Sequence

from fastapi import APIRouter, Response

from aquila.errors import OrderError
from aquila.followup.lifecycle import Channel, Urgency
from aquila.interface.hits import Correspondence, CorrespondenceResult, HitKey, Letters
from clients.sdk import HitsClient
from clients.web.app.forms import SubmittedForm
from clients.web.app.visit import PageRoute, Sent, Visit, Visited
from clients.web.pages.hits.filters import RequestedList, list_of_form
from clients.web.pages.hits.review import chosen_keys, left_out, meant, path_after
from clients.web.render import pdf
from clients.web.text import labels, request_letter

_MOST_LISTED = 200
"""References of one request that the page of requests lists; its letter has them all."""

router = APIRouter(route_class=PageRoute)


@router.get("/hits/requests")
def get_requests(visit: Visited) -> Response:
    """Show own requests in follow-up and received ones, with their clocks."""
    client = visit.hits()
    return visit.show(
        "correspondence.html",
        found=client.follow_ups(),
        left_out=left_out(visit),
        most_listed=_MOST_LISTED,
        urgencies=[(code, visit.say(word)) for code, word in labels.URGENCIES.items()],
    )


@router.post("/hits/remind")
def post_remind(visit: Visited, sent: Sent) -> Response:
    """Record a reminder of a request, and show its letter."""
    visit.need("hits.export")
    visit.need("hits.decide")
    keys = _keys(sent)
    done = visit.hits().correspond(step=Correspondence.REMINDED, hits=keys)
    return _page(visit, done.hits, list_of_form(visit, sent), done.left_out) if done.hits else _back(visit, done)


@router.post("/hits/correspondence")
def post_correspondence(visit: Visited, sent: Sent) -> Response:
    """Record a reply to a request or its number, or the answer to a received one."""
    visit.need("hits.decide")
    step, place = sent.choice("step", Correspondence), sent.text("place")
    day = sent.date(f"date-{place}") if step is not Correspondence.REFERENCED else None
    number = sent.text(f"number-{place}")
    return _back(visit, visit.hits().correspond(step=step, hits=_keys(sent), on=day, number=number))


@router.post("/hits/received")
def post_received(visit: Visited, sent: Sent) -> Response:
    """Record a request of another party at the hits that its text names; the text is not kept."""
    visit.need("hits.decide")
    done = visit.hits().correspond(
        step=Correspondence.RECEIVED,
        letter="".join(sent.texts("letter")),
        on=sent.date("received_on"),
        number=sent.text("received_number"),
        urgency=sent.choice("urgency", Urgency),
    )
    return _back(visit, done)


def _back(visit: Visit, done: CorrespondenceResult) -> Response:
    path = f"/hits/requests?left_out={done.left_out}" if done.left_out else "/hits/requests"
    return visit.go(path, "noted" if done.hits else "")


@router.post("/hits/ask")
def post_ask(visit: Visited, sent: Sent) -> Response:
    """Open follow-ups of the rows that are chosen, or of the filter, and show a request to each party."""
    visit.need("hits.export")
    asked, client = list_of_form(visit, sent), visit.hits()
    channel, urgency = sent.choice("channel", Channel), sent.choice("urgency", Urgency)
    done = client.follow_up_many(**meant(asked, sent), channel=channel, urgency=urgency)
    if not done.hits:
        return visit.go(path_after(asked, "", left_out=done.left_out))
    return _page(visit, done.hits, asked, done.left_out)


@router.post("/hits/requests")
def post_requests(visit: Visited, sent: Sent) -> Response:
    """Show the requests about some hits in follow-up; that they were exported is logged, once the page is made."""
    return _page(visit, _keys(sent, "answered"), list_of_form(visit, sent))


@router.post("/hits/requests.pdf")
def post_pdf(visit: Visited, sent: Sent) -> Response:
    """Return one request as a PDF; that it was exported is logged, once it is made."""
    client, keys = visit.hits(), _keys(sent)
    made = _drafts(client, keys)
    content = pdf.pdf(made.letters[0].letter, visit.language)
    _export(client, keys, made)
    return visit.give(f"request-{keys[0].hit_id[:8]}.pdf", content)


@router.post("/hits/requests.json")
def post_json(visit: Visited, sent: Sent) -> Response:
    """Return one request as a message for a channel such as SIENA; that it was exported is logged."""
    client, keys = visit.hits(), _keys(sent)
    made = _drafts(client, keys)
    content = made.letters[0].letter.message.model_dump_json(indent=2)
    _export(client, keys, made)
    return visit.give(f"request-{keys[0].hit_id[:8]}.json", content.encode())


def _page(visit: Visit, keys: Sequence[HitKey], asked: RequestedList, left_out: int = 0) -> Response:
    """Show the requests that can be made about some hits, which may be none.

    Args:
        asked: The list to go back to.
        left_out: How many hits are left out already.
    """
    client = visit.hits()
    made = client.letters(hits=keys)
    page = visit.show(
        "requests.html",
        requests=[
            (one, request_letter.versions(one.letter, visit.language), request_letter.as_text(one.letter.message))
            for one in made.letters
        ],
        left_out=made.left_out + left_out,
        back=asked.path,
        only=keys[0] if len(keys) == len(made.letters) == 1 else None,
    )
    if made.letters:
        _export(client, keys, made)
    return page


def _drafts(client: HitsClient, keys: Sequence[HitKey]) -> Letters:
    """Return the letters as they would be exported now; raises OrderError if there is none."""
    made = client.letters(hits=keys)
    if not made.letters:
        raise OrderError("follow_up_not_open")
    return made


def _export(client: HitsClient, keys: Sequence[HitKey], made: Letters) -> None:
    """Have it logged that letters are exported, which were made already.

    Raises:
        OrderError: They would have other references by now.
    """
    if client.letters(hits=keys, export=True) != made:
        raise OrderError("letter_changed_meanwhile")


def _keys(sent: SubmittedForm, *more: str) -> tuple[HitKey, ...]:
    """Return the hits that a form names, and those in more fields of it."""
    return tuple(HitKey(round_id=round_id, hit_id=hit_id) for round_id, hit_id in chosen_keys(sent, *more))
