"""The first page: items that need the visitor's attention, the most pressing first."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Response

from aquila.interface.approval import ApprovalState
from aquila.interface.rounds import RoundPage
from aquila.matching.certainty import Level
from aquila.protocol.rounds.round_state import Phase
from clients.sdk import ApprovalClient
from clients.web.app.visit import Visit, Visited, threaded
from clients.web.i18n.languages import n_
from clients.web.pages.attention import AttentionItem, of_logs, of_notifications, of_rounds, of_service
from clients.web.text.labels import APPROVALS

node = APIRouter()
matcher = APIRouter()
_MOST_WATCHED = 20
_SHORT = 8
"""Digits by which a round is named, as the filter `short` shows it."""


@node.get("/")
@threaded
def get_node_home(visit: Visited) -> Response:
    """Show items for an officer, approver, analyst, auditor or administrator of a party."""
    client = visit.node()
    found = list(of_rounds(visit, client.needs())) if visit.may("rounds.see") else []
    needs = [*of_logs(visit), *of_service(visit, client), *_pressing(found), *_of_approvals(visit)]
    needs += [*_of_urgent_queries(visit), *_of_standing_queries(visit), *_of_deliveries(visit)]
    needs += [*(_of_hits(visit) if visit.may("hits.see") else ()), *_pressing(found, later=True)]
    needs += [*_of_erasures(visit), *of_notifications(visit), *_of_registry(visit)]
    return visit.show("home.html", needs=needs, status=client.status())


@matcher.get("/")
@threaded
def get_matcher_home(visit: Visited) -> Response:
    """Show items for the secretariat."""
    visit.need("status.see")
    client, sees = visit.matcher(), visit.may("rounds.see")
    found = list(of_rounds(visit, client.needs())) if sees else []
    needs = [*of_logs(visit), *of_service(visit, client), *_pressing(found), *_of_approvals(visit)]
    needs += _pressing(found, later=True)
    needs += [
        *of_notifications(visit),
        *(_watched(visit, client.rounds(limit=_MOST_WATCHED, ongoing=True)) if sees else ()),
    ]
    return visit.show("home.html", needs=needs, status=None)


_WATCHED = {
    Phase.PROPOSED.value: n_("The round waits for consents."),
    Phase.OPEN.value: n_("The round waits for the parties' lists."),
    Phase.MATCHING.value: n_("The round is being matched."),
    Phase.REPORTING.value: n_("The results are out. The round can be closed when every party has its hits."),
}


def _of_approvals(visit: Visit) -> Iterator[AttentionItem]:
    """Yield the requests that the visitor may decide on as a second person."""
    if not visit.may("approvals.decide"):
        return
    for one in ApprovalClient(visit.connection()).approvals(waiting=True).approvals:
        if one.state is ApprovalState.WAITING and not one.own:
            until = visit.language.moment(one.expires_at)
            text = visit.say("Another person requests this. It is valid until %(until)s.", until=until)
            path, link = f"/approvals/{one.approval_id}", visit.say("Read it and decide")
            yield AttentionItem(visit.say(APPROVALS[one.kind.value]), text, path, link, visit.say("approval"), "told")


def _of_erasures(visit: Visit) -> Iterator[AttentionItem]:
    """Yield the visitor's own requests for erasures that wait, as one item."""
    if not visit.may("records.erase"):
        return
    found = visit.hits().erasure_requests().requests
    if waiting := [one for one in found if one.entry.state is ApprovalState.WAITING]:
        text = visit.say("Another person has to approve: %(count)s.", count=visit.language.number(len(waiting)))
        title, link = visit.say("Your requests for erasures"), visit.say("See them, or take them back")
        yield AttentionItem(title, text, "/erasures", link)


def _of_registry(visit: Visit) -> Iterator[AttentionItem]:
    """Yield a newer registry that waits for the administrator, or one that cannot be accepted."""
    view = visit.node().registry() if visit.may("registry.manage") else None
    if view is None or view.waiting is None:
        return
    title, path = visit.say("A newer registry waits"), "/registry"
    text = visit.say(
        "Number %(number)s: compare its words with another party, then accept it.", number=view.waiting.number
    )
    if view.asked is not None:
        text = visit.say("Waiting for approval.")
    if view.obstacle is not None:
        text = visit.language.compose(view.obstacle.sentence)
    tag = (visit.say("alarm"), "stop") if view.obstacle is not None else (visit.say("to do"), "told")
    yield AttentionItem(title, text, path, visit.say("See the registry"), *tag)


def _of_hits(visit: Visit) -> Iterator[AttentionItem]:
    """Yield hits that need an analyst, from the counts of the page's bar: nobody consulted any hit."""
    waiting, number = visit.waiting or visit.people().waiting(), visit.language.number
    if waiting.counts.overdue_hits:
        text = visit.say("Hits whose next step is overdue: %(count)s.", count=number(waiting.counts.overdue_hits))
        path, word = "/hits?overdue=true", visit.say("overdue")
        yield AttentionItem(visit.say("Overdue"), text, path, visit.say("See the hits"), word, "stop")
    fresh = [(level, waiting.new_by_certainty.get(level, 0)) for level in sorted(Level, reverse=True)]
    if words := [f"{visit.say(level.value)}: {number(count)}" for level, count in fresh if count]:
        title, text = visit.say("New hits"), visit.say("By certainty: %(counts)s.", counts=", ".join(words))
        yield AttentionItem(title, text, "/hits?stage=new", visit.say("See the hits"), visit.say("new"), "told")


def _of_urgent_queries(visit: Visit) -> Iterator[AttentionItem]:
    """Yield new hits of urgent queries, from the counts of the bar."""
    count = (visit.waiting or visit.people().waiting()).counts.urgent_hits
    if count:
        text = visit.say(
            "Hits of queries whose asker needs an answer today: %(count)s.", count=visit.language.number(count)
        )
        hits = visit.may("hits.see")
        path = "/hits?kind=query&stage=new" if hits else "/queries"
        link = visit.say("See the hits") if hits else visit.say("See the answers")
        yield AttentionItem(visit.say("New hits of urgent queries"), text, path, link, visit.say("urgent"), "stop")


def _of_deliveries(visit: Visit) -> Iterator[AttentionItem]:
    """Yield the list files that wait in the watched folder, from the counts of the bar."""
    count = (visit.waiting or visit.people().waiting()).counts.deliveries
    if count:
        text = visit.say("Delivered list files that wait: %(count)s.", count=visit.language.number(count))
        title, link = visit.say("Delivered lists"), visit.say("Look through them")
        yield AttentionItem(title, text, "/records", link, visit.say("list"), "told")


def _of_standing_queries(visit: Visit) -> Iterator[AttentionItem]:
    """Yield new hits of standing queries, and standing queries that need an officer, from the counts of the bar."""
    counts, number = (visit.waiting or visit.people().waiting()).counts, visit.language.number
    path, link = "/queries/standing", visit.say("See the standing queries")
    if counts.standing_hits:
        text = visit.say(
            "Persons of standing queries have hits that no earlier round had: %(count)s. An analyst takes them up.",
            count=number(counts.standing_hits),
        )
        yield AttentionItem(visit.say("New hits of standing queries"), text, path, link, visit.say("new"), "care")
    if counts.standing_queries:
        text = visit.say(
            "Standing queries that end soon, or that a round takes only with another approval: %(count)s.",
            count=number(counts.standing_queries),
        )
        yield AttentionItem(visit.say("Standing queries"), text, path, link, visit.say("to do"), "told")


def _watched(visit: Visit, found: RoundPage) -> Iterator[AttentionItem]:
    """Yield the newest rounds that are not over, and how many more there are."""
    for entry in (one for one in found.rounds if one.phase in _WATCHED):
        path, link = f"/rounds/{entry.round_id}", visit.say("Look at the round")
        which = f"{visit.say('Round')} {entry.round_id[:_SHORT]}, {', '.join(entry.participants)}"
        text = f"{visit.say(_WATCHED[entry.phase])} {which}."
        yield AttentionItem(f"{entry.area}: {entry.category}", text, path, link)
    if more := found.total - len(found.rounds):
        text = visit.say("Not shown here: %(count)s.", count=visit.language.number(more))
        yield AttentionItem(visit.say("More rounds that are not over"), text, "/rounds", visit.say("See all rounds"))


def _pressing(needs: list[AttentionItem], *, later: bool = False) -> list[AttentionItem]:
    """Return the items listed before the pending requests, or the others."""
    return [need for need in needs if (need.mark != "stop") is later]
