"""Items that need a visitor's attention: each kind of alarm and duty has its sentence, and a link to its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aquila.audit.roles import Action
from aquila.interface.attention import ACTIONS, AttentionKind, AttentionList, RoundAttention
from aquila.interface.service.health import ATTENDED, Grade
from aquila.sentences import Sentence
from clients.sdk import MatcherClient, NodeClient
from clients.web.app.visit import Visit
from clients.web.i18n.languages import n_
from clients.web.text.notifications import FAILURES


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """Something that waits for the visitor.

    Attributes:
        title: What it is.
        text: What is to be done, in a sentence.
        path: Where it is done or explained; nothing where the visitor has no page for it.
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


@dataclass(frozen=True, slots=True)
class _Words:
    """Wording of an item of a round.

    Attributes:
        title: What it is; nothing where the round's area and category stand there.
        text: With the placeholders round, parties, count and until.
        link: The link's words.
        word: In one word.
        mark: The word's mark.
        place: The part of the round's page that explains it.
    """

    title: str
    text: str
    link: str
    word: str
    mark: str = "stop"
    place: str = ""


_NODE: Mapping[AttentionKind, _Words] = {
    AttentionKind.LEFT_OUT: _Words(
        n_("Hits may have been left out"),
        n_(
            "In the round %(round)s, the report of your hits with %(parties)s is not shown to be all there is. "
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
        "", n_("Your party takes part. Its list is due by %(until)s."), n_("Submit a list"), n_("list"), "told"
    ),
}
_MATCHER: Mapping[AttentionKind, _Words] = {
    AttentionKind.LEFT_OUT: _Words(
        n_("Two parties do not both find that nothing was left out"),
        n_("In the round %(round)s: %(parties)s. One of them was told less, or claims so."),
        n_("Look at the round"),
        n_("alarm"),
    ),
    AttentionKind.HELD_BACK: _Words(
        n_("A party withholds a report"),
        n_("In the round %(round)s, %(parties)s found far more hits of a query than the lists explain."),
        n_("Look at the round"),
        n_("alarm"),
    ),
    AttentionKind.EVIDENCE: _Words(
        n_("Contradicting statements were signed"),
        n_("In the round %(round)s. Pairs that are kept as evidence: %(count)s."),
        n_("Look at the round"),
        n_("evidence"),
    ),
    AttentionKind.PROBLEM: _Words("", n_("There is an obstacle to this round."), n_("See what it is"), n_("problem")),
    AttentionKind.LATE: _Words(
        n_("Parties are late"),
        n_("In the round %(round)s: %(parties)s. The others can leave them out, or you can abort the round."),
        n_("Look at the round"),
        n_("late"),
        "care",
    ),
    AttentionKind.FLAGS: _Words(
        n_("Tokens that look like guesses"),
        n_("In the round %(round)s. Findings to look into: %(count)s. Nothing was refused because of them."),
        n_("See the findings"),
        n_("to look into"),
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
        text = visit.say("More needs of rounds than this page shows: %(count)s.", count=found.left_out)
        yield AttentionItem(visit.say("More rounds"), text, "/rounds", visit.say("See the rounds"))


def of_logs(visit: Visit) -> Iterator[AttentionItem]:
    """Yield the logs that were found rewritten and not yet explained; visitors without that page are informed too."""
    for alarm in visit.log().view().alarms:
        if alarm.acknowledged_at is not None:
            continue
        holder = alarm.origin.split("/")[1]
        text = visit.say(
            "The log of %(holder)s has forked, or became shorter. Nothing more is signed or sent to it until an "
            "administrator has had it explained.",
            holder=visit.say("the matcher") if holder == "matcher" else holder,
        )
        seen = visit.may("log.see") or visit.may("log.acknowledge")
        path, link = ("/log", visit.say("See the log")) if seen else ("", "")
        yield AttentionItem(visit.say("A log was rewritten"), text, path, link, visit.say("alarm"), "stop")


def of_service(visit: Visit, client: NodeClient | MatcherClient) -> Iterator[AttentionItem]:
    """Yield an item where the service itself has a fault, for administrators: a certificate that ends, a full disk."""
    if not visit.may("people.manage"):
        return
    checks = [one for one in client.health().checks if one.sentences and one.subject not in ATTENDED]
    if not checks:
        return
    faults = "; ".join(_with_hint(visit, view.sentence) for one in checks for view in one.sentences)
    text = visit.say(
        "%(faults)s. See `aquila %(command)s status`.",
        faults=faults,
        command="node" if visit.site.is_node else "matcher",
    )
    pressing = any(one.grade is Grade.CRITICAL for one in checks)
    title, word = visit.say("The service needs its administrator"), visit.say("problem")
    yield AttentionItem(title, text, "", "", word, "stop" if pressing else "care")


def _with_hint(visit: Visit, fault: Sentence) -> str:
    text, hint = visit.language.compose(fault), visit.language.hint(fault)
    return visit.say("%(fault)s (what to do: %(hint)s)", fault=text, hint=hint)


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
    round_ = f"{one.area}: {one.category}"
    values = {
        "round": round_,
        "parties": ", ".join(one.parties),
        "count": visit.language.number(one.count),
        "until": "" if one.until is None else visit.language.moment(one.until),
    }
    decides = one.kind is AttentionKind.HELD_BACK and visit.may("alarms.release")
    return AttentionItem(
        visit.say(told.title) if told.title else round_,
        visit.say(told.text, **values),
        f"/rounds/{one.round_id}{told.place}",
        visit.say(_MAY_RELEASE if decides else told.link),
        visit.say(told.word),
        told.mark,
    )
