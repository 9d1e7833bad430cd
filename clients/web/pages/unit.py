"""The unit's own picture at its node: how far hits came, open work by age, and how complete the newest list is."""

from collections.abc import Iterator

from fastapi import APIRouter, Response

from aquila.errors import InputError
from aquila.interface.hits import AGES, FIGURE_DAYS, FunnelStage, ListCompleteness, UnitPicture
from aquila.records.field_table import field_table
from clients.web.app.visit import PageRoute, Visit, Visited
from clients.web.i18n.languages import n_
from clients.web.render import charts
from clients.web.render.charts import Amount
from clients.web.render.figures import Figure
from clients.web.text.labels import WORK

router = APIRouter(route_class=PageRoute)
_STAGES = {
    FunnelStage.ARRIVED: n_("arrived"),
    FunnelStage.LOOKED_AT: n_("looked at"),
    FunnelStage.DECIDED: n_("decided"),
    FunnelStage.ASKED: n_("other party asked"),
    FunnelStage.REPLIED: n_("reply received"),
    FunnelStage.CLOSED: n_("closed with an outcome"),
}
_DAY = 86_400


@router.get("/unit")
def get_unit(visit: Visited, days: str = "") -> Response:
    """Show the unit's own picture; the numbers are exact, and for its people alone."""
    choices = tuple(map(str, FIGURE_DAYS))
    if days and days not in choices:
        raise InputError("form_thing_unknown")
    chosen = days or choices[-1]
    found = visit.hits().picture(days=int(chosen))
    return visit.show(
        "unit.html",
        figures=list(_figures(visit, found)),
        newest=found.newest_list,
        chosen=chosen,
        choices=[(one, visit.language.counted("in %(num)s day", "in %(num)s days", int(one))) for one in choices],
    )


def _figures(visit: Visit, found: UnitPicture) -> Iterator[Figure]:
    if found.funnel[0].hits:
        yield _funnel(visit, found)
    if any(sum(of.hits) for of in found.ages):
        yield _ages(visit, found)
    if found.indicators:
        yield _indicators(visit, found)
    if found.newest_list is not None and found.newest_list.records:
        yield _completeness(visit, found.newest_list)


def _funnel(visit: Visit, found: UnitPicture) -> Figure:
    title, number = visit.say("How far the hits came"), visit.language.number
    steps = [(visit.say(_STAGES[step.stage]), step) for step in found.funnel]
    rows = [
        [words, number(step.hits), _share(visit, step.hits, found.funnel[0].hits), _span(visit, step.median_seconds)]
        for words, step in steps
    ]
    if found.received:
        rows += [
            [visit.say("asked about by others"), number(found.received), "", ""],
            [visit.say("answered to others"), number(found.answered), "", _span(visit, found.median_answer_seconds)],
        ]
    return Figure(
        title,
        charts.bars(title, [(words, Amount(number(step.hits), step.hits)) for words, step in steps]),
        [visit.say("Hits"), visit.say("Number"), visit.say("Share"), visit.say("Half of them within")],
        rows,
        visit.say(
            "Times run from the arrival of a hit; of a request from the decision, of a reply or an answer from the "
            "request. A hit on another person is closed without a request. Known pairs are left out: they carry an "
            "earlier decision."
        ),
    )


def _ages(visit: Visit, found: UnitPicture) -> Figure:
    title, language = visit.say("Open work by age"), visit.language
    days = [at // _DAY for at in AGES]
    names = [language.counted("up to %(num)s day", "up to %(num)s days", day) for day in days]
    names.append(language.counted("over %(num)s day", "over %(num)s days", days[-1]))
    rows = [
        (visit.say(WORK[of.work.value]), [Amount(language.number(n), n) for n in of.hits[::-1]]) for of in found.ages
    ]
    rows = [row for row in rows if any(amount.size for amount in row[1])]
    return Figure(
        title,
        charts.stacked(title, [(words, parts, None) for words, parts in rows], names[::-1]),
        [visit.say("Waiting for"), *names[::-1]],
        [[words, *(amount.text for amount in parts)] for words, parts in rows],
        visit.say("Since the arrival of a hit. Requests of other parties have their clocks on the page of requests."),
    )


def _indicators(visit: Visit, found: UnitPicture) -> Figure:
    title, number = visit.say("Indicators"), visit.language.number
    categories = sorted({one.category for one in found.indicators})
    names = list(map(visit.category, categories))
    counts = {(one.indicator, one.category): one.hits for one in found.indicators}
    rows = [
        (visit.indicator(code), [Amount(number(n), n) for n in (counts.get((code, one), 0) for one in categories)])
        for code in sorted({one.indicator for one in found.indicators})
    ]
    return Figure(
        title,
        charts.stacked(title, [(words, parts, None) for words, parts in rows], names),
        [title, *names],
        [[words, *(amount.text for amount in parts)] for words, parts in rows],
        visit.say("Hits by the indicators of your own record; one with several counts for each."),
    )


def _completeness(visit: Visit, newest: ListCompleteness) -> Figure:
    title, labels = visit.say("What the records of the newest list have"), field_table()
    counts = {of.field: of.records for of in newest.fields}
    rows = [(visit.say(labels[name].label), count) for name, count in counts.items()]
    rows.insert(1, (visit.say("Date of birth, with its day"), newest.whole_birth_dates))
    shown = [(words, count, _share(visit, count, newest.records)) for words, count in rows]
    return Figure(
        title,
        charts.bars(title, [(words, Amount(share, count)) for words, count, share in shown], newest.records),
        [visit.say("Field"), visit.say("Records"), visit.say("Share")],
        [[words, visit.language.number(count), share] for words, count, share in shown],
        visit.say("A rule can only compare what both sides have: a hit rests on names, dates, places and numbers."),
    )


def _share(visit: Visit, part: int, whole: int) -> str:
    return visit.language.percent(part / whole)


def _span(visit: Visit, seconds: int | None) -> str:
    return "" if seconds is None else visit.language.span(seconds)
