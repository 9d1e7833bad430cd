"""The annual report: the published figures of some days as one PDF, with its signature beside it in one archive."""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Response

from aquila.errors import InputError
from aquila.interface.statistics import AnnualReport, PublishedCount, RegionalPicture, ReportToSign, RoundStatistics
from aquila.matching.certainty import Level
from aquila.protocol.messages import Kind
from clients.web.app.visit import PageRoute, Sent, Visit, Visited
from clients.web.i18n.languages import n_
from clients.web.pages.statistics import RULE, Picture, figures_of, of_round
from clients.web.render import pdf
from clients.web.text.labels import LEVELS

router = APIRouter(route_class=PageRoute)
_FILE, _SIGNATURE = "annual-report.pdf", "annual-report.pdf.signature.json"
_COMMAND = f"aquila audit report {_FILE} --signature {_SIGNATURE} --registry registry.toml"
_MANY = 3  # parties that know a person
_LEVELS = {
    Level.HIGH: n_("%(level)s: at least 99 of 100 such hits are one person on both sides."),
    Level.MEDIUM: n_("%(level)s: at least 90 of 100."),
    Level.LOW: n_("%(level)s: at least 50 of 100."),
}


@router.post("/report.zip")
def post_report(visit: Visited, sent: Sent) -> Response:
    """Return the report of some days in the visitor's language, and its signature; that it was signed is logged."""
    visit.need("report.sign")
    since, until = (sent.date(name) for name in ("since", "until"))
    if since > until:
        raise InputError("report_days_reversed")
    client = visit.matcher()
    found = client.report(since=since.isoformat(), until=until.isoformat())
    content = _content(visit, found)
    paper = pdf.compiled("report.typ", content, visit.mark)
    wanted = ReportToSign(
        digest=hashlib.sha256(paper).hexdigest(),
        size=len(paper),
        title=f"{content['title']}, {content['period']}",
        since=found.since,
        until=found.until,
        log_size=found.log_size,
    )
    signature = client.sign_report(wanted).envelope.encode()
    return visit.give("annual-report.zip", _archive({_FILE: paper, _SIGNATURE: signature}))


def _archive(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _content(visit: Visit, found: AnnualReport) -> dict[str, Any]:
    """Return all texts of the paper, in the visitor's language."""
    say, language = visit.say, visit.language
    bases = sorted({one.legal_basis for one in found.rounds})
    parties = sorted({party for one in found.rounds for party in one.parties})
    return {
        "language": language.tag.split("-")[0],
        "title": say("Annual report"),
        "issuer": visit.site.name,
        "period": say("%(since)s to %(until)s", since=language.day(found.since), until=language.day(found.until)),
        "cover": [
            [say("Issued on"), language.date(found.issued_at)],
            [say("Legal basis"), "; ".join(bases) or "-"],
            [say("Parties"), ", ".join(parties) or "-"],
            [say("Signing key"), found.matcher_fingerprint],
        ],
        "about": say(
            "Numbers of hits between police records of the parties. No number belongs to a person, and a hit is a "
            "pointer to ask the other party: it proves nothing of anybody."
        ),
        "contents": say("Contents"),
        "findings_title": say("Findings"),
        "findings": [sentence for picture in found.pictures for sentence in _findings(visit, picture)],
        "nothing": say("No round of these days has ended with published numbers."),
        "parts": [_part(visit, picture) for picture in found.pictures],
        "rounds_title": say("Rounds, and their entries in the log"),
        "rounds_note": say(
            "Each number above is of one of these rounds. An auditor finds the proposal, the exact results of each "
            "pair and the ending of a round under these numbers of the matcher's log, and recomputes them."
        ),
        "rounds": _rounds(visit, found),
        "levels_title": say("What the levels of certainty mean"),
        "levels": [say(words, level=say(LEVELS[level][0])) for level, words in _LEVELS.items()],
        "rule_title": say("How the numbers are rounded"),
        "rule": _rule(visit, found),
        "log_title": say("The head of the log"),
        "log_note": say(
            "The matcher's log cannot be changed without being noticed: its head stands for all of its entries, and "
            "each party cosigns it after having checked that the log only grew."
        ),
        "log": [
            [say("Log"), found.log_origin],
            [say("Entries"), language.number(found.log_size)],
            [say("Head"), found.log_root],
        ],
        "witnesses": {
            "columns": [say("Party"), say("cosigned entries"), say("Time")],
            "rows": [[one.witness, language.number(one.size), language.moment(one.at)] for one in found.witnesses],
        },
        "no_witness": say("No witness has cosigned the log yet."),
        "signature_title": say("How to check this report"),
        "signature": [
            say(
                "The secretariat's key signs the SHA-256 of this file and the head of the log above; the signature is "
                "the file %(file)s beside it. Whoever has Aquila and the parties' registry checks both with one "
                "command:",
                file=_SIGNATURE,
            )
        ],
        "command": _COMMAND,
    }


def _part(visit: Visit, found: RegionalPicture) -> dict[str, Any]:
    """Return the figures of a category: those of its latest round."""
    one = found.round
    assert one is not None, "a category without a round is not in a report"
    figures = figures_of(visit, Picture(one.category, Level.LOW, found))
    return {
        "title": visit.category(one.category),
        "round": of_round(visit, one),
        "pictures": [asdict(figure) for figure in figures],
    }


def _findings(visit: Visit, found: RegionalPicture) -> Iterator[str]:
    """Yield what the numbers of a category say, in sentences."""
    one, say = found.round, visit.say
    table = one.table(Kind.LIST) if one else None
    if one is None or table is None:
        return
    one = one.model_copy(update={"category": visit.category(one.category)})
    parties = visit.language.counted(
        "%(num)s party", "%(num)s parties", len({sent.party for sent in one.lists if sent.kind is Kind.LIST})
    )
    yield say(
        "%(category)s: in the lists of %(parties)s there are %(hits)s, %(high)s of them of high certainty.",
        category=one.category,
        parties=parties,
        hits=_hits(visit, table.hits.all),
        high=_number(visit, table.hits.high),
    )
    sizes = {(of.left, of.right): of.hits.all for of in table.pairs if isinstance(of.hits.all, int) and of.hits.all}
    if sizes:
        left, right = max(sorted(sizes), key=lambda pair: sizes[pair])
        yield say(
            "%(category)s: most of them, %(hits)s, are between %(left)s and %(right)s.",
            category=one.category,
            hits=_number(visit, sizes[left, right]),
            left=left,
            right=right,
        )
    many, whole = _sum(of.persons for of in one.known if of.certainty is Level.LOW and of.parties >= _MANY)
    if many:
        persons = visit.language.counted("%(num)s person", "%(num)s persons", many)
        words = n_("%(category)s: about %(persons)s are known to three or more.")
        if not whole:
            words = n_("%(category)s: about %(persons)s or a few more are known to three or more.")
        yield say(words, category=one.category, persons=persons)
    yield from _outcomes(visit, one)
    if asked := sum(of.queries for of in found.queries):
        queries = visit.language.counted("%(num)s query", "%(num)s queries", asked)
        yield say("%(category)s: the parties asked %(queries)s.", category=one.category, queries=queries)


def _outcomes(visit: Visit, one: RoundStatistics) -> Iterator[str]:
    """Yield what parties said; nothing where a level is published as less than 5, which no sum has."""
    sums = [_sum(getattr(of, name) for of in one.outcomes) for name in ("confirmed", "refuted")]
    right, wrong = (visit.language.number(known) for known, _ in sums)
    if all(whole for _, whole in sums) and sums[0][0]:
        yield visit.say(
            "%(category)s: parties said %(right)s times that a hit is right, and %(wrong)s times that it is wrong.",
            category=one.category,
            right=right,
            wrong=wrong,
        )


def _sum(figures: Iterable[PublishedCount]) -> tuple[int, bool]:
    """Add up those figures that are numbers, and say whether all are."""
    found = list(figures)
    numbers = [figure for figure in found if isinstance(figure, int)]
    return sum(numbers), len(numbers) == len(found)


def _hits(visit: Visit, published: PublishedCount) -> str:
    if isinstance(published, int):
        return visit.language.counted("%(num)s hit", "%(num)s hits", published)
    return visit.say("%(number)s hits", number=published)


def _number(visit: Visit, published: PublishedCount) -> str:
    return visit.language.number(published) if isinstance(published, int) else published


def _rounds(visit: Visit, found: AnnualReport) -> dict[str, Any]:
    def place(first: int | None, last: int | None = None) -> str:
        numbers = dict.fromkeys(number for number in (first, last) if number is not None)
        return " - ".join(str(number) for number in numbers) or "-"

    return {
        "columns": [
            visit.say(name)
            for name in (n_("Round"), n_("Lists compared on"), n_("Proposal"), n_("Entries of hits"), n_("Ending"))
        ],
        "rows": [
            [
                f"{one.title} ({one.round_id[:8]})",
                visit.language.date(one.matched_at),
                place(one.proposal_entry),
                place(one.first_match_entry, one.last_match_entry),
                place(one.ending_entry),
            ]
            for one in found.rounds
        ],
    }


def _rule(visit: Visit, found: AnnualReport) -> list[str]:
    base = found.pictures[0].base if found.pictures else 5
    return [
        visit.say(RULE, base=base),
        visit.say(
            "So no small number, which might be one person, follows from all that is published, also over years. "
            "Persons and outcomes have noise as well: they are off by more than 5 in at most 3 of 100 cases. Precision "
            "is calculated from published numbers."
        ),
        visit.say("Rounds repeat lists, so that no number of one round is added to that of another."),
    ]
