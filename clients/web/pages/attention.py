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


def _n(message: str) -> str:
    """Mark a message for the catalogue; it is translated where it is shown."""
    return message


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
        _n("Hits may have been left out"),
        _n(
            "In the round %(round)s, the report of your hits with %(parties)s is not shown to be all there is. "
            "Do not rely on a no-hit with them before this is explained."
        ),
        _n("See what was checked"),
        _n("alarm"),
        place="#safeguards",
    ),
    AttentionKind.HELD_BACK: _Words(
        _n("A report is withheld"),
        _n(
            "In the round %(round)s, a query of %(parties)s hits far more of your records than the lists explain. "
            "It gets no report until an approver of your party releases it."
        ),
        _n("See the alarm"),
        _n("alarm"),
        place="#safeguards",
    ),
    AttentionKind.REFUSED: _Words(
        _n("Your node takes no further part in a round"),
        _n(
            "It has refused the round %(round)s for good. The round's page shows the reason; "
            "an officer can leave the round."
        ),
        _n("See why"),
        _n("refused"),
    ),
    AttentionKind.FAILED: _Words(
        _n("A submission was refused"),
        _n("In the round %(round)s, your party's submission was not sent. The round's page shows the reason."),
        _n("See why"),
        _n("refused"),
    ),
    AttentionKind.PROBLEM: _Words("", _n("There is an obstacle to this round."), _n("See what it is"), _n("problem")),
    AttentionKind.WITHHELD: _Words(
        _n("An answer to your query is withheld"),
        _n(
            "In the round %(round)s, %(parties)s puts its answer on hold or refuses it. Contact it by the channel that "
            "your law provides; the round's page says what follows."
        ),
        _n("See the answers"),
        _n("withheld"),
        "care",
    ),
    AttentionKind.CONSENT: _Words(
        "",
        _n("The secretariat proposes a round. Consent is possible until %(until)s."),
        _n("Read the proposal"),
        _n("consent"),
        "told",
    ),
    AttentionKind.LIST: _Words(
        "", _n("Your party takes part. Its list is due by %(until)s."), _n("Submit a list"), _n("list"), "told"
    ),
}
_MATCHER: Mapping[AttentionKind, _Words] = {
    AttentionKind.LEFT_OUT: _Words(
        _n("Two parties do not both find that nothing was left out"),
        _n("In the round %(round)s: %(parties)s. One of them was told less, or claims so."),
        _n("Look at the round"),
        _n("alarm"),
    ),
    AttentionKind.HELD_BACK: _Words(
        _n("A party withholds a report"),
        _n("In the round %(round)s, %(parties)s found far more hits of a query than the lists explain."),
        _n("Look at the round"),
        _n("alarm"),
    ),
    AttentionKind.EVIDENCE: _Words(
        _n("Contradicting statements were signed"),
        _n("In the round %(round)s. Pairs that are kept as evidence: %(count)s."),
        _n("Look at the round"),
        _n("evidence"),
    ),
    AttentionKind.PROBLEM: _Words("", _n("There is an obstacle to this round."), _n("See what it is"), _n("problem")),
    AttentionKind.LATE: _Words(
        _n("Parties are late"),
        _n("In the round %(round)s: %(parties)s. The others can leave them out, or you can abort the round."),
        _n("Look at the round"),
        _n("late"),
        "care",
    ),
    AttentionKind.FLAGS: _Words(
        _n("Tokens that look like guesses"),
        _n("In the round %(round)s. Findings to look into: %(count)s. Nothing was refused because of them."),
        _n("See the findings"),
        _n("to look into"),
        "care",
        place="#flags",
    ),
}
_MAY_RELEASE = _n("Read it and decide")


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
