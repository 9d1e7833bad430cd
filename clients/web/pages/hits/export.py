"""The hits that a filter leaves, with what was decided, as CSV for a spreadsheet and as PDF for a file on paper."""

import io

from fastapi import APIRouter, Response

from aquila.csv_files import CsvWriter
from aquila.errors import PolicyError
from aquila.interface.hits import ExportedHit, HitExport, HitQuery
from clients.web.app.visit import PageRoute, Sent, Visit, Visited
from clients.web.i18n.languages import n_
from clients.web.pages.hits.filters import list_of_form
from clients.web.render import pdf
from clients.web.text import labels

router = APIRouter(route_class=PageRoute)
MOST_ON_PAPER = 1_000
"""Hits that a PDF may have."""

_BEYOND = 1_000_000
_BOM = "\ufeff"  # by which spreadsheets recognise UTF-8

_COLUMNS = (
    n_("Record number"),
    n_("Own record"),
    n_("Other party"),
    n_("Certainty"),
    n_("Reason"),
    n_("Arrived"),
    n_("State"),
    n_("Decision"),
    n_("Decided at"),
    n_("Decided by"),
    n_("Reason"),
    n_("Channel"),
    n_("Number in this channel"),
    n_("Outcome"),
    n_("Known to"),
    n_("Round"),
    n_("Hit"),
    n_("From"),
    n_("Case reference of the query"),
)
_PAPER = (1, 2, 3, 4, 17, 18, 6, 7, 8, 10)


@router.post("/hits/export.csv")
def post_csv(visit: Visited, sent: Sent) -> Response:
    found = visit.hits().export(list_of_form(visit, sent).wanted)
    stream = io.StringIO(newline="")
    stream.write(_BOM)
    writer = CsvWriter(stream)
    writer.write([visit.say(name) for name in _COLUMNS])
    writer.write_all([*_rows(visit, found), *([problem] for problem in _problems(visit, found))])
    return visit.give("hits.csv", visit.marked(stream.getvalue().encode()))


@router.post("/hits/export.pdf")
def post_pdf(visit: Visited, sent: Sent) -> Response:
    """Return the hits as PDF; that they were exported is logged.

    Raises:
        PolicyError: There are more than one paper may have.
    """
    visit.need("hits.export")
    wanted = list_of_form(visit, sent).wanted
    nothing = {"offset": _BEYOND, "limit": 1}  # of these hits only their number is looked at
    if visit.hits().search(wanted.model_copy(update=nothing)).total > MOST_ON_PAPER:
        raise PolicyError("paper_hits_too_many", most=MOST_ON_PAPER)
    language, found = visit.language, visit.hits().export(wanted)
    content = {
        "title": visit.say("Hits and decisions"),
        "language": language.tag.split("-", maxsplit=1)[0],
        "subtitle": f"{visit.site.name}, {language.moment(found.exported_at)}",
        "warning": " ".join(
            [visit.say("A hit is a pointer to ask the other party. It identifies nobody."), *_problems(visit, found)]
        ),
        "columns": [visit.say(_COLUMNS[place]) for place in _PAPER],
        "rows": [[str(row[place]) for place in _PAPER] for row in _rows(visit, found)],
    }
    return visit.give("hits.pdf", pdf.compiled("hits.typ", content, visit.mark))


def _rows(visit: Visit, found: HitExport) -> list[list[str]]:
    return [_row(visit, one) for one in found.hits]


def _problems(visit: Visit, found: HitExport) -> list[str]:
    """Return in sentences which hits are not in an export, because somebody changed the database."""
    return [visit.language.compose(problem.sentence) for problem in found.problems]


def _row(visit: Visit, one: ExportedHit) -> list[str]:
    entry, say, moment = one.entry, visit.say, visit.language.moment
    return [
        entry.record_id,
        labels.person(entry.record),
        entry.counterpart,
        say(entry.certainty.value),
        "; ".join(say(reason) for reason in entry.reasons),
        moment(entry.arrived_at),
        say(labels.STAGES[entry.stage.value][0]),
        say(labels.DECISIONS[entry.decision.value]) if entry.decision else "",
        moment(one.decided_at) if one.decided_at else "",
        one.decided_by,
        one.remark,
        say(labels.CHANNELS[one.channel.value]) if one.channel else "",
        one.reference,
        say(labels.OUTCOMES[entry.outcome.value]) if entry.outcome else "",
        ", ".join(entry.known_to or (entry.counterpart,)),
        entry.round_id,
        entry.hit_id,
        *_origin(visit, entry.query),
    ]


def _origin(visit: Visit, query: HitQuery | None) -> tuple[str, str]:
    """Return whether a hit is between lists or of whose query, and that query's case as its asker signed it."""
    if query is None:
        return visit.say("lists"), ""
    whose = visit.say("own query") if query.own else visit.say("query of %(party)s", party=query.asker)
    return whose, query.reason.case_reference if query.reason else ""
