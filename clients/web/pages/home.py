"""The first page: items that need the visitor's attention, each with its sentence and link, the most pressing first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Response

from aquila.audit.roles import Action
from aquila.interface.approval import ApprovalState
from aquila.interface.attention import ACTIONS, AttentionKind, AttentionList, RoundAttention
from aquila.interface.hits import UnitFigures, Work
from aquila.interface.rounds import DeadlineKind, RoundOverview
from aquila.interface.service.health import ATTENDED, Grade, ServiceHealth
from aquila.matching.certainty import Level
from aquila.protocol.messages import Kind
from aquila.protocol.rounds.round_state import Phase
from clients.sdk import ApprovalClient
from clients.web.app.visit import PageRoute, Visit, Visited
from clients.web.i18n.languages import n_
from clients.web.text.labels import APPROVALS
from clients.web.text.request_letter import FAILURES

node = APIRouter(route_class=PageRoute)
matcher = APIRouter(route_class=PageRoute)
_MOST_WATCHED = 20
_MOST_DESCRIBED = 20
"""Requests whose content is read for the page."""
_PLANNED_DAYS = 30
_MOST_DUE = 40
"""Deadlines on the calendar, the first ones."""
_DAY = 86_400


@node.get("/")
def get_node_home(visit: Visited) -> Response:
    """Show items for an officer, approver, analyst, auditor or administrator of a party."""
    client = visit.node()
    found = list(of_rounds(visit, client.needs())) if visit.may("rounds.see") else []
    asked, health = list(_of_approvals(visit)), client.health()
    needs = [*_pressing(asked), *_of_outages(visit, health), *of_logs(visit), *of_service(visit, health)]
    needs += [*_pressing(found), *_pressing(asked, later=True)]
    needs += [*_of_urgent_queries(visit), *_of_standing_queries(visit), *_of_deliveries(visit)]
    figures = visit.hits().figures() if visit.may("statistics.see") else None
    if visit.may("hits.see"):
        needs += [*of_letters(visit, figures), *_of_hits(visit)]
    needs += [*_pressing(found, later=True), *_of_own_requests(visit)]
    needs += [*_of_erasures(visit), *of_notifications(visit), *_of_registry(visit)]
    return visit.show(
        "home.html", needs=needs, status=client.status(), outages=health.outages, figures=figures, calendar=()
    )


@matcher.get("/")
def get_matcher_home(visit: Visited) -> Response:
    visit.need("status.see")
    client, sees = visit.matcher(), visit.may("rounds.see")
    found = list(of_rounds(visit, client.needs())) if sees else []
    health = client.health()
    needs = [*_of_outages(visit, health), *of_logs(visit), *of_service(visit, health), *_pressing(found)]
    needs += [*_of_approvals(visit), *_pressing(found, later=True)]
    ongoing = client.overview(ongoing=True).rounds if sees else ()
    needs += [*of_notifications(visit), *_watched(visit, ongoing)]
    calendar = calendar_of(ongoing, health.at)
    return visit.show(
        "home.html",
        needs=needs,
        status=None,
        outages=health.outages,
        figures=None,
        calendar=calendar[:_MOST_DUE],
        not_shown=len(calendar[_MOST_DUE:]),
    )


@dataclass(frozen=True, slots=True)
class DueDeadline:
    """A deadline on the calendar."""

    at: int
    kind: DeadlineKind
    round: RoundOverview

    @property
    def awaited(self) -> bool:
        """Whether it is the deadline that counts now, for which the parties of the round are awaited."""
        return self.kind is self.round.due


def calendar_of(rounds: Sequence[RoundOverview], now: int) -> list[DueDeadline]:
    """Return the deadlines of rounds in the next `_PLANNED_DAYS`, the first one first; none that is behind a round."""
    order = list(DeadlineKind)
    found = [
        DueDeadline(at, kind, one)
        for one in rounds
        for kind, at in zip(order, one.window.model_dump().values(), strict=True)
        if one.due is not None and order.index(kind) >= order.index(one.due) and now <= at <= now + _PLANNED_DAYS * _DAY
    ]
    return sorted(found, key=lambda one: (one.at, one.round.title, one.round.round_id))


_WATCHED = {
    Phase.PROPOSED.value: n_("The round waits for consents."),
    Phase.OPEN.value: n_("The round waits for the parties' lists."),
    Phase.MATCHING.value: n_("The round is being matched."),
    Phase.REPORTING.value: n_("The results are out. The round can be closed when every party has its hits."),
}


def _of_approvals(visit: Visit) -> Iterator[AttentionItem]:
    """Yield the requests of others that wait for the visitor's decision, urgent ones first."""
    if not visit.may("approvals.decide"):
        return
    client = ApprovalClient(visit.connection())
    found = client.approvals(waiting=True).approvals
    waiting = [one for one in found if one.state is ApprovalState.WAITING and not one.own]
    waiting.sort(key=lambda one: not one.urgent)
    for number, one in enumerate(waiting):
        content = client.show(one.approval_id).content if number < _MOST_DESCRIBED else {}
        since, until = visit.language.moment(one.asked_at), visit.language.moment(one.expires_at)
        text = visit.say(
            "%(person)s asks for it since %(since)s. It is valid until %(until)s.",
            person=one.author_name or one.author,
            since=since,
            until=until,
        )
        path, link = f"/approvals/{one.approval_id}", visit.say("Read it and decide")
        word, mark = (visit.say("urgent"), "stop") if one.urgent else (visit.say("approval"), "told")
        is_query = content.get("submission_kind") == Kind.QUERY.value
        title = visit.say("Query") if is_query else visit.say(APPROVALS[one.kind.value])
        yield AttentionItem(title, f"{_asked(visit, content)} {text}".strip(), path, link, word, mark)


def _of_own_requests(visit: Visit) -> Iterator[AttentionItem]:
    """Yield the visitor's own requests that wait for another person; those for erasures are an item of their own."""
    if not visit.may("approvals.see"):
        return
    client = ApprovalClient(visit.connection())
    own = [one for one in client.approvals(waiting=True).approvals if one.own and one.state is ApprovalState.WAITING]
    for number, one in enumerate(own):
        content = client.show(one.approval_id).content if number < _MOST_DESCRIBED else {}
        since, until = visit.language.moment(one.asked_at), visit.language.moment(one.expires_at)
        text = visit.say(
            "Another person has to approve it: asked on %(since)s, valid until %(until)s.", since=since, until=until
        )
        path, link = f"/approvals/{one.approval_id}", visit.say("See it, or take it back")
        title = visit.say("Your request: %(kind)s", kind=visit.say(APPROVALS[one.kind.value]))
        yield AttentionItem(title, f"{_asked(visit, content)} {text}".strip(), path, link)


def _asked(visit: Visit, content: Mapping[str, Any]) -> str:
    """Return in a sentence of what size and for which case a list or a query is asked for; nothing of another request.

    It names no person.
    """
    if "import" not in content:
        return ""
    records = content["import"]["records"]
    if content.get("submission_kind") == Kind.LIST.value:
        day = visit.language.date(content["import"]["imported_at"])
        persons = visit.language.counted("%(num)s person", "%(num)s persons", records)
        return visit.say("List of %(day)s, %(persons)s.", day=day, persons=persons)
    persons = visit.language.counted("%(num)s person", "%(num)s persons", records)
    return visit.say("Case %(case)s, %(persons)s.", case=content["justification"]["case_reference"], persons=persons)


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


_LETTERS: Mapping[Work, tuple[str, str]] = {
    Work.ASKED: (
        n_("The other party has not replied in time"),
        n_("Hits in your requests without a reply: %(count)s. The first reply was due on %(since)s: send a reminder."),
    ),
    Work.RECEIVED: (
        n_("Requests of other parties wait for your answer"),
        n_("Hits that they ask about: %(count)s. The first answer was due on %(since)s."),
    ),
}


def of_letters(visit: Visit, figures: UnitFigures | None) -> Iterator[AttentionItem]:
    """Yield the requests of both sides whose clocks have run out, from the unit's figures."""
    for one in figures.backlog if figures else ():
        if one.work in _LETTERS and one.overdue and one.first_due_at is not None:
            title, text = _LETTERS[one.work]
            since, count = visit.language.moment(one.first_due_at), visit.language.number(one.overdue)
            link, word = visit.say("See the requests"), visit.say("overdue")
            said = visit.say(text, count=count, since=since)
            yield AttentionItem(visit.say(title), said, "/hits/requests", link, word, "stop")


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


def _of_outages(visit: Visit, health: ServiceHealth) -> Iterator[AttentionItem]:
    """Yield the services that are not heard of for more than a minute."""
    for one in health.outages:
        if one.ended_at is not None:
            continue
        since, lasted = visit.language.moment(one.began_at), visit.language.span(health.at - one.began_at)
        if visit.site.is_node:
            title = visit.say("The matcher cannot be reached")
            text = visit.say(
                "Since %(since)s, for %(lasted)s. Until it can, nothing is sent and no answer comes; your node tries "
                "again by itself.",
                since=since,
                lasted=lasted,
            )
        else:
            title = visit.say("%(party)s is not heard of", party=one.peer)
            text = visit.say("Since %(since)s, for %(lasted)s. Its rounds wait for it.", since=since, lasted=lasted)
        yield AttentionItem(title, text, "", "", visit.say("outage"), "stop")


def _watched(visit: Visit, ongoing: Sequence[RoundOverview]) -> Iterator[AttentionItem]:
    for entry in (one for one in ongoing[:_MOST_WATCHED] if one.phase in _WATCHED):
        path, link = f"/rounds/{entry.round_id}", visit.say("See the round")
        text = f"{visit.say(_WATCHED[entry.phase])} {', '.join(entry.participants)}."
        yield AttentionItem(entry.title, text, path, link)
    if more := len(ongoing[_MOST_WATCHED:]):
        text = visit.say("Not shown here: %(count)s.", count=visit.language.number(more))
        yield AttentionItem(visit.say("More rounds that are not over"), text, "/rounds", visit.say("See the rounds"))


def _pressing(needs: list[AttentionItem], *, later: bool = False) -> list[AttentionItem]:
    """Return the items listed before the pending requests, or the others."""
    return [need for need in needs if (need.mark != "stop") is later]


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """Something that waits for the visitor."""

    title: str
    text: str
    """What is to be done, in a sentence."""
    path: str
    """Where it is done or explained; nothing where the visitor has no page for it."""
    link: str
    word: str = ""
    """In one word why it is pressing, or nothing."""
    mark: str = ""
    """The word's mark."""


@dataclass(frozen=True, slots=True)
class _Words:
    """Wording of an item of a round."""

    title: str
    """What it is; nothing where the round's title stands there."""
    text: str
    """With the placeholders round, parties, count and until."""
    link: str
    word: str
    mark: str = "stop"
    place: str = ""
    """The part of the round's page that explains it."""


_NODE: Mapping[AttentionKind, _Words] = {
    AttentionKind.LEFT_OUT: _Words(
        n_("Hits may have been left out"),
        n_(
            "In the round %(round)s, the report of your hits with %(parties)s may be incomplete. "
            "Do not rely on a no-hit with them before this is explained."
        ),
        n_("See what was checked"),
        n_("alarm"),
        place="#safeguards",
    ),
    AttentionKind.HELD_BACK: _Words(
        n_("A report is withheld"),
        n_(
            "In the round %(round)s, a query of %(parties)s hits far more of your records than the lists explain. "
            "It gets no report until an approver of your party releases it."
        ),
        n_("See the alarm"),
        n_("alarm"),
        place="#safeguards",
    ),
    AttentionKind.REFUSED: _Words(
        n_("Your node takes no further part in a round"),
        n_(
            "It has refused the round %(round)s for good. The round's page shows the reason; "
            "an officer can leave the round."
        ),
        n_("See why"),
        n_("refused"),
    ),
    AttentionKind.FAILED: _Words(
        n_("A submission was refused"),
        n_("In the round %(round)s, your party's submission was not sent. The round's page shows the reason."),
        n_("See why"),
        n_("refused"),
    ),
    AttentionKind.PROBLEM: _Words("", n_("There is an obstacle to this round."), n_("See what it is"), n_("problem")),
    AttentionKind.WITHHELD: _Words(
        n_("An answer to your query is withheld"),
        n_(
            "In the round %(round)s, %(parties)s puts its answer on hold or refuses it. Contact it by the channel that "
            "your law provides; the round's page says what follows."
        ),
        n_("See the answers"),
        n_("withheld"),
        "care",
    ),
    AttentionKind.CONSENT: _Words(
        "",
        n_("The secretariat proposes a round. Consent is possible until %(until)s."),
        n_("Read the proposal"),
        n_("consent"),
        "told",
    ),
    AttentionKind.LIST: _Words(
        "", n_("Your party takes part. Its list is due by %(until)s."), n_("Submit your list"), n_("list"), "told"
    ),
}
_MATCHER: Mapping[AttentionKind, _Words] = {
    AttentionKind.LEFT_OUT: _Words(
        n_("Two parties disagree on whether hits were left out"),
        n_("In the round %(round)s: %(parties)s. One of them was told less, or claims so."),
        n_("See the round"),
        n_("alarm"),
    ),
    AttentionKind.HELD_BACK: _Words(
        n_("A party withholds a report"),
        n_("In the round %(round)s, %(parties)s found far more hits of a query than the lists explain."),
        n_("See the round"),
        n_("alarm"),
    ),
    AttentionKind.EVIDENCE: _Words(
        n_("Contradicting statements were signed"),
        n_("In the round %(round)s. Pairs that are kept as evidence: %(count)s."),
        n_("See the round"),
        n_("evidence"),
    ),
    AttentionKind.PROBLEM: _Words("", n_("There is an obstacle to this round."), n_("See what it is"), n_("problem")),
    AttentionKind.FLAGS: _Words(
        n_("Tokens that look like guesses"),
        n_("In the round %(round)s. Findings to look into: %(count)s. Nothing was refused because of them."),
        n_("See the findings"),
        n_("to check"),
        "care",
        place="#flags",
    ),
}
_MAY_RELEASE = n_("Read it and decide")


def of_rounds(visit: Visit, found: AttentionList) -> Iterator[AttentionItem]:
    """Yield the items of rounds for this visitor, and a note if there are more than a page takes."""
    words = _NODE if visit.site.is_node else _MATCHER
    for one in found.needs:
        told = words.get(one.kind)
        if told is not None and visit.may(ACTIONS.get(one.kind, Action.SEE_ROUNDS)):
            yield _told(visit, one, told)
    if found.left_out:
        text = visit.say("More rounds need attention than this page shows: %(count)s.", count=found.left_out)
        yield AttentionItem(visit.say("More rounds"), text, "/rounds", visit.say("See the rounds"))


def of_logs(visit: Visit) -> Iterator[AttentionItem]:
    """Yield the logs that were found rewritten and not yet explained; visitors without that page are informed too."""
    for alarm in visit.log().view().alarms:
        if alarm.acknowledged_at is not None:
            continue
        holder = alarm.origin.split("/")[1]
        text = visit.say(
            "The log of %(holder)s has forked or shrunk. Nothing more is signed or sent to it until an "
            "administrator has had it explained.",
            holder=visit.say("the matcher") if holder == "matcher" else holder,
        )
        seen = visit.may("log.see") or visit.may("log.acknowledge")
        path, link = ("/log", visit.say("See the log")) if seen else ("", "")
        yield AttentionItem(visit.say("A log was rewritten"), text, path, link, visit.say("alarm"), "stop")


def of_service(visit: Visit, health: ServiceHealth) -> Iterator[AttentionItem]:
    """Yield an item where the service itself has a fault, for administrators: a certificate that ends, a full disk."""
    if not visit.may("people.manage"):
        return
    checks = [one for one in health.checks if one.sentences and one.subject not in ATTENDED]
    if not checks:
        return
    # Faults of machines are in English.
    faults = "; ".join(
        visit.say("%(fault)s (what to do: %(hint)s)", fault=one.text, hint=one.hint)
        for check in checks
        for one in check.sentences
    )
    text = visit.say(
        "%(faults)s. See `aquila %(command)s status`.",
        faults=faults,
        command="node" if visit.site.is_node else "matcher",
    )
    pressing = any(one.grade is Grade.CRITICAL for one in checks)
    title, word = visit.say("The service needs its administrator"), visit.say("problem")
    yield AttentionItem(title, text, "/service", visit.say("See the service"), word, "stop" if pressing else "care")


def of_notifications(visit: Visit) -> Iterator[AttentionItem]:
    """Yield an item where notifications are not handed over, for the person concerned and for administrators."""
    if visit.waiting is None or visit.waiting.undelivered_since is None or visit.waiting.failure is None:
        return
    since = visit.language.moment(visit.waiting.undelivered_since)
    text = visit.say("Since %(since)s, notifications are not handed over.", since=since)
    why = visit.say(FAILURES[visit.waiting.failure])
    title, link = visit.say("Notifications are not sent"), visit.say("See your notifications")
    yield AttentionItem(title, f"{text} {why}", "/account#notifications", link, visit.say("problem"), "care")


def _told(visit: Visit, one: RoundAttention, told: _Words) -> AttentionItem:
    values = {
        "round": one.round_title,
        "parties": ", ".join(one.parties),
        "count": visit.language.number(one.count),
        "until": "" if one.until is None else visit.language.moment(one.until),
    }
    decides = one.kind is AttentionKind.HELD_BACK and visit.may("alarms.release")
    return AttentionItem(
        visit.say(told.title) if told.title else one.round_title,
        visit.say(told.text, **values),
        f"/rounds/{one.round_id}{told.place}",
        visit.say(_MAY_RELEASE if decides else told.link),
        visit.say(told.word),
        told.mark,
    )
