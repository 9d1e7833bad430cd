"""One hit, and what an analyst does with it until it is closed or withdrawn."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from fastapi import APIRouter, Response
from markupsafe import Markup
from starlette.exceptions import HTTPException

from aquila.errors import PolicyError
from aquila.followup.lifecycle import Channel, Decision, Ground, HitOutcome, Urgency
from aquila.interface.hits import HitKey, HitNeighbours, HitView, WeightView
from aquila.matching.certainty import Level
from aquila.matching.weights import WeightKind
from aquila.records.rules import CENTIBITS
from clients.sdk import HitsClient
from clients.sdk.services import hit_keys
from clients.web.app.forms import SubmittedForm
from clients.web.app.navigation import identifier
from clients.web.app.visit import PageRoute, Sent, Visit, Visited
from clients.web.i18n.languages import n_
from clients.web.pages.hits.filters import NOBODY, PAGE, RequestedList, colleague_choices, list_of_address
from clients.web.pages.hits.rows import UNDECIDED
from clients.web.render import charts
from clients.web.text import labels

router = APIRouter(route_class=PageRoute)
Place = tuple[str, str]
"""The round and the id of a hit."""

_THOUSANDTHS = 1_000
_LEAST = 0.1
_EXACT_BELOW = 10  # hits, of which a tenth says something


@router.post("/hits/erase")
def post_erase(visit: Visited, sent: Sent) -> Response:
    """Erase an own record everywhere at this node, or ask for it where the record has hits.

    Its number comes in the form, so that no address holds it.
    """
    visit.need("records.erase")
    sent.need_tick("sure")
    client, record_id = visit.hits(), sent.text("record_id")
    try:
        report = client.erase_record(record_id)
    except PolicyError as error:
        if error.sentence.code != "record_has_hits":
            raise
        client.ask_erasure(record_id, sent.text("erasure_reason"))
        return visit.go("/erasures", "asked")
    return visit.show("erased.html", report=report)


@router.get("/hits/{round_id}/{hit_id}")
def get_hit(visit: Visited, round_id: str, hit_id: str) -> Response:
    client, asked = visit.hits(), list_of_address(visit)
    hit = client.show(identifier(round_id), identifier(hit_id))
    near = _neighbours(client, asked, (round_id, hit_id))
    return visit.show(
        "hit.html",
        hit=hit,
        near=near,
        back=asked,
        place=f"{asked.at((near.place - 1) // PAGE * PAGE).path}#h-{hit_id}" if near.place else f"{asked.path}#rows",
        undecided=[one for one in (hit.entry, *hit.others) if one.stage in UNDECIDED],
        colleagues=colleague_choices(visit),
        possible={step.value for step in hit.possible},
        chance=_chance(visit, hit),
        weights=_steps(visit, hit),
        factors=[_factor(visit, one) for one in hit.weights],
        differing=list(_differing(visit, hit)),
        strangers=_strangers(visit, hit),
        total=_total(visit, hit),
        borders=[(level, visit.language.number(round(bits, 1))) for level, bits in _borders(visit)],
        picture=_picture(visit, hit),
        decisions=_choices(visit, labels.DECISIONS),
        channels=_choices(visit, labels.CHANNELS),
        urgencies=_choices(visit, labels.URGENCIES),
        outcomes=_choices(visit, labels.OUTCOMES),
        grounds=_choices(visit, labels.GROUNDS, without={Ground.ERASED.value}),
    )


def _neighbours(client: HitsClient, asked: RequestedList, place: Place) -> HitNeighbours:
    return client.neighbours(hit=HitKey(round_id=place[0], hit_id=place[1]), within=asked.wanted)


@router.post("/hits/{round_id}/{hit_id}/decide")
def post_decide(visit: Visited, sent: Sent, round_id: str, hit_id: str) -> Response:
    """Decide on a person's hits, and go on to the next person of the list without a decision, or back to the list."""
    client, asked, place = visit.hits(), list_of_address(visit), (identifier(round_id), identifier(hit_id))
    decision = sent.choice("decision", Decision)
    following = _neighbours(client, asked, place).undecided
    keys = [text.partition(".") for text in sent.texts("hit")] or [(round_id, ".", hit_id)]
    meant = [(identifier(one), identifier(other)) for one, _, other in keys]
    client.decide_many(hits=hit_keys(meant), decision=decision, remark=sent.text("remark"))
    if following is None:
        return visit.go(f"{asked.path}#rows")
    return visit.go(f"/hits/{following.round_id}/{following.hit_id}{asked.tail}")


def _follow_up(client: HitsClient, place: Place, sent: SubmittedForm) -> None:
    channel, urgency = sent.choice("channel", Channel), sent.choice("urgency", Urgency)
    client.follow_up(*place, channel=channel, urgency=urgency, reference=sent.text("reference"))


def _assign(client: HitsClient, place: Place, sent: SubmittedForm) -> None:
    person = sent.text("colleague")
    client.assign(hit_keys([place]), None if person == NOBODY else person, sent.text("handing_over"))


def _reply(client: HitsClient, place: Place, sent: SubmittedForm) -> None:
    client.record_reply(*place, sent.date("replied_on"), sent.text("reply"))


_STEPS: Mapping[str, Callable[[HitsClient, Place, SubmittedForm], None]] = {
    "acknowledge": lambda client, place, _sent: client.acknowledge(*place),
    "assign": _assign,
    "remark": lambda client, place, sent: client.remark(*place, sent.text("new_remark")),
    "follow-up": _follow_up,
    "reference": lambda client, place, sent: client.reference(*place, sent.text("number")),
    "reply": _reply,
    "permission": lambda client, place, sent: client.permit(*place, sent.text("permission")),
    "close": lambda client, place, sent: client.close(
        *place, sent.choice("outcome", HitOutcome), sent.text("closing_remark")
    ),
    "reopen": lambda client, place, sent: client.reopen(*place, sent.text("reopening")),
    "withdraw": lambda client, place, sent: client.withdraw(*place, sent.choice("ground", Ground), sent.text("reason")),
}
"""The steps that a form takes, by the last part of its address."""


@router.post("/hits/{round_id}/{hit_id}/{step}")
def post_step(visit: Visited, sent: Sent, round_id: str, hit_id: str, step: str) -> Response:
    take = _STEPS.get(step)
    if take is None:
        raise HTTPException(404)
    take(visit.hits(), (identifier(round_id), identifier(hit_id)), sent)
    return visit.go(f"/hits/{round_id}/{hit_id}{list_of_address(visit).tail}", "noted")


_WEIGHTS = {
    WeightKind.PRIOR: n_("before any comparison, by the sizes of both lists"),
    WeightKind.MISSING: n_("nothing agrees: %(family)s"),
    WeightKind.LIFT: n_("most other records of both lists have a certain partner"),
}


def _steps(visit: Visit, hit: HitView) -> list[charts.WaterfallStep]:
    return [_step(visit, _weight_words(visit, one), one.centibits) for one in hit.weights]


_MANY_ROUNDS = 1_000_000


def _factor(visit: Visit, one: WeightView) -> str:
    """Return a weight in words: how much more often the case is met with one person than with two, or the reverse."""
    times = visit.language.number(_about(2 ** (abs(one.centibits) / CENTIBITS)))
    if one.kind is WeightKind.PRIOR:
        return visit.say("about 1 of %(number)s pairs of records is one person", number=times)
    if one.kind is WeightKind.LIFT:
        return visit.say("%(times)s times the odds", times=times)
    if one.centibits > 0:
        return visit.say("%(times)s times as often in the records of one person as in those of two", times=times)
    return visit.say("%(times)s times as often in the records of two persons as in those of one", times=times)


def _differing(visit: Visit, hit: HitView) -> Iterator[str]:
    for one in hit.weights:
        if one.kind is WeightKind.MISSING:
            yield _weight_words(visit, one)
        elif one.differs:
            yield visit.say(one.differs)


def _strangers(visit: Visit, hit: HitView) -> str:
    """Return in a sentence how often two persons agree like this pair by chance, or nothing where it is not known."""
    if hit.strangers_centibits is None:
        return ""
    pairs = 2 ** (hit.strangers_centibits / CENTIBITS)
    if pairs >= 1:
        return visit.say(
            "In two lists of these sizes, at most about %(number)s pairs of two persons agree in just this way.",
            number=visit.language.number(_about(pairs)),
        )
    if 1 / pairs > _MANY_ROUNDS:
        return visit.say("Two persons agree in just this way less than once in a million rounds of such lists.")
    return visit.say(
        "Two persons agree in just this way at most about once in %(number)s rounds of such lists.",
        number=visit.language.number(_about(1 / pairs)),
    )


def _about(number: float) -> float:
    """Return a number to two digits, as exactly as it is known."""
    return float(f"{number:.2g}")


def _step(visit: Visit, words: str, centibits: int) -> charts.WaterfallStep:
    bits = round(centibits / CENTIBITS, 1)
    sign = "+" if bits > 0 else "\u2212" if bits < 0 else ""
    return charts.WaterfallStep(words, centibits / CENTIBITS, f"{sign}{visit.language.number(abs(bits))}")


def _total(visit: Visit, hit: HitView) -> charts.WaterfallStep:
    return _step(visit, visit.say("together"), sum(one.centibits for one in hit.weights))


def _borders(visit: Visit) -> list[tuple[str, float]]:
    """Return each level in words with the least sum of its weights, in bits."""
    return [(visit.say(level.value), level.centibits / CENTIBITS) for level in sorted(Level)]


def _weight_words(visit: Visit, one: WeightView) -> str:
    if one.kind is WeightKind.AGREES:
        return visit.say(one.sentence)
    return visit.say(_WEIGHTS[one.kind], family=visit.say(one.sentence))


def _picture(visit: Visit, hit: HitView) -> Markup | None:
    """Return the weights of a hit as a drawing, with the borders of the levels; None where they are not known."""
    if not hit.weights:
        return None
    title = visit.say("Weights of this hit, and the borders of the levels")
    drawn = charts.waterfall(title, _steps(visit, hit), _total(visit, hit), _borders(visit))
    return Markup(drawn)  # noqa: S704 - every text in it is escaped


def _chance(visit: Visit, hit: HitView) -> str:
    """Return in a sentence how many hits like this one chance alone would give, or nothing."""
    if hit.chance is None:
        return ""
    expected, language, party = hit.chance.expected / _THOUSANDTHS, visit.language, hit.entry.counterpart
    if expected < _LEAST:
        so_many = visit.say("fewer than %(number)s", number=language.number(_LEAST))
    else:
        so_many = visit.say(
            "about %(number)s", number=language.number(round(expected, 1 if expected < _EXACT_BELOW else None))
        )
    return language.counted(
        "Of %(num)s hit of this level with %(party)s, chance alone would give %(expected)s.",
        "Of %(num)s hits of this level with %(party)s, chance alone would give %(expected)s.",
        hit.chance.hits,
        party=f"{visit.say(labels.PARTIES[party])} ({party})" if party in labels.PARTIES else party,
        expected=so_many,
    )


def _choices(visit: Visit, table: Mapping[str, str], without: Iterable[str] = ()) -> list[tuple[str, str]]:
    return [(code, visit.say(word)) for code, word in table.items() if code not in without]


@router.get("/erasures")
def get_erasures(visit: Visited) -> Response:
    return visit.show("erasures.html", requests=visit.hits().erasure_requests().requests)


@router.post("/erasures/{approval_id}/withdraw")
def post_withdraw(visit: Visited, _sent: Sent, approval_id: str) -> Response:
    visit.hits().withdraw_erasure(identifier(approval_id))
    return visit.go("/erasures", "taken-back")
