"""The first page: what needs whoever looks, the most pressing first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from aquila.followup.life import Stage
from aquila.matching.certainty import Level
from aquila.protocol.messages.approval_views import ApprovalState
from aquila.protocol.messages.followup_views import HitFilter
from aquila.protocol.state import Phase
from clients.sdk import ApprovalClient
from clients.web.marks import APPROVALS
from clients.web.visit import Visited, threaded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila.protocol.messages.views import RoundEntry
    from clients.web.visit import Visit

node = APIRouter()
matcher = APIRouter()
_BEYOND = 1_000_000  # a page beyond the last hit: the counts without a hit


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for the visitor.

    Attributes:
        title: What it is.
        text: What is to be done, in a sentence.
        path: Where it is done.
        link: The link's words.
        word: In one word why it is pressing, or nothing.
        mark: The word's mark.
    """

    title: str
    text: str
    path: str
    link: str
    word: str = ""
    mark: str = ""


@node.get("/")
@threaded
def get_node_home(visit: Visited) -> Response:
    """Show what needs an officer, approver, analyst, auditor or administrator of a party."""
    client = visit.node()
    needs = [*_of_approvals(visit), *(_of_hits(visit) if visit.may("hits.see") else ())]
    needs += _of_rounds(visit, client.rounds().rounds) if visit.may("rounds.see") else ()
    return visit.show("home.html", needs=needs, status=client.status())


@matcher.get("/")
@threaded
def get_matcher_home(visit: Visited) -> Response:
    """Show what needs the secretariat."""
    visit.need("status.see")
    entries = visit.matcher().rounds().rounds if visit.may("rounds.see") else ()
    needs = list(_of_approvals(visit)) + [
        Need(
            f"{entry.area}: {entry.category}",
            visit.say(_WATCHED[entry.phase]),
            f"/rounds/{entry.round_id}",
            visit.say("Look at the round"),
        )
        for entry in entries
        if entry.phase in _WATCHED
    ]
    return visit.show("home.html", needs=needs, status=None)


def _n(message: str) -> str:
    """Mark a message for the catalogue; it is translated where it is shown."""
    return message


_WATCHED = {
    Phase.PROPOSED.value: _n("The round waits for consents."),
    Phase.OPEN.value: _n("The round waits for the parties' lists."),
    Phase.MATCHING.value: _n("The round is being matched."),
    Phase.REPORTING.value: _n("The results are out. The round can be closed when every party has its hits."),
}


def _of_approvals(visit: Visit) -> Iterator[Need]:
    """Yield what waits for the visitor as a second person."""
    if not visit.may("approvals.decide"):
        return
    for one in ApprovalClient(visit.connection()).approvals().approvals:
        if one.state is ApprovalState.WAITING and not one.own:
            until = visit.language.moment(one.expires_at)
            text = visit.say("Another person asks for this. It counts until %(until)s.", until=until)
            path, link = f"/approvals/{one.approval_id}", visit.say("Read it and decide")
            yield Need(visit.say(APPROVALS[one.kind.value]), text, path, link, visit.say("approval"), "told")


def _of_hits(visit: Visit) -> Iterator[Need]:
    """Yield what hits want of an analyst: counts by certainty, and no hit itself, so that nobody consulted any."""
    client, number = visit.hits(), visit.language.number
    overdue = client.page(HitFilter(overdue=True, offset=_BEYOND, limit=1)).total
    if overdue:
        text = visit.say("The next step of so many hits should have been taken: %(count)s.", count=number(overdue))
        path, word = "/hits?overdue=true", visit.say("overdue")
        yield Need(visit.say("Overdue"), text, path, visit.say("See the hits"), word, "stop")
    fresh = {
        level: client.page(HitFilter(stage=Stage.NEW, certainty=level, offset=_BEYOND, limit=1)).total
        for level in sorted(Level, reverse=True)
    }
    if sum(fresh.values()):
        words = (f"{visit.say(level.value)}: {number(count)}" for level, count in fresh.items() if count)
        title, text = visit.say("New hits"), visit.say("By certainty: %(counts)s.", counts=", ".join(words))
        yield Need(title, text, "/hits?stage=new", visit.say("See the hits"), visit.say("new"), "told")


def _of_rounds(visit: Visit, entries: tuple[RoundEntry, ...]) -> Iterator[Need]:
    """Yield what rounds want of the visitor; rounds that are over want nothing."""
    client = visit.node()
    for entry in entries:
        if entry.phase in {Phase.CLOSED, Phase.ABORTED}:
            continue
        view = client.round(entry.round_id)
        title, path = f"{entry.area}: {entry.category}", f"/rounds/{entry.round_id}"
        if view.problems:
            text = visit.say("Something stands in the way of this round.")
            yield Need(title, text, path, visit.say("See what it is"), visit.say("problem"), "stop")
        if entry.phase == Phase.PROPOSED and not view.consented and not view.wishes and visit.may("consent.ask"):
            until = visit.language.moment(view.manifest.window.consent_by)
            text = visit.say("The secretariat proposes a round. Consent is possible until %(until)s.", until=until)
            yield Need(title, text, path, visit.say("Read the proposal"), visit.say("consent"), "told")
        if view.consented and not view.submissions and visit.may("submission.ask"):
            until = visit.language.moment(view.manifest.window.submit_by)
            text = visit.say("Your party takes part. Its list is due by %(until)s.", until=until)
            yield Need(title, text, path, visit.say("Submit a list"), visit.say("list"), "told")
