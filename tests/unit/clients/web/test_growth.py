"""Pages of lists that grow: after many rounds of all parties no page is large, and nothing is cut without a word."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from aquila.audit.roles import Service
from aquila.interface.hits import UnitPicture
from aquila.interface.records import IndicatorTableView
from aquila.interface.rounds import NodeRoundView, RoundPage, RoundsOverview
from aquila.interface.statistics import RegionalPicture, Statistics
from aquila.protocol.encoding import canonical
from aquila.records.indicators import load_indicators
from clients.sdk import Access, Connection
from clients.web.app.site import Site
from clients.web.application import pages_of
from clients.web.wiring import InProcessTransport, PagesDispatcher
from tests.support.staged_round import StagedRound

MANY = 120
MOST_BYTES = 100_000
PARTIES = ("AL", "AT", "BA", "BG", "HR", "HU", "MD", "ME", "MK", "RO", "RS", "SI")
PAIRS = [(left, right) for place, left in enumerate(PARTIES) for right in PARTIES[place + 1 :]]
TITLE = "2026-04 foreign terrorist fighters, and who gives them money or a passport"
AREA = "counter-terrorism and serious crime in the region"


class Answering(httpx.BaseTransport):
    def __init__(self, app: Any, answers: dict[str, bytes]) -> None:
        self._inside = InProcessTransport(app)
        self._answers = answers

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        ready = self._answers.get(request.url.path)
        if ready is None:
            return self._inside.handle_request(request)
        form = _IN_PARTS.get(request.url.path.rpartition("/")[2])
        return httpx.Response(200, content=_part(form, ready, request.url.params) if form else ready)


_Parted = RoundPage | RoundsOverview | Statistics
_IN_PARTS: dict[str, type[_Parted]] = {"rounds": RoundPage, "overview": RoundsOverview, "statistics": Statistics}


def _part(form: type[_Parted], content: bytes, asked: httpx.QueryParams) -> bytes:
    page = form.model_validate_json(content)
    first = int(asked.get("offset", 0))
    rounds = page.rounds[first : first + int(asked.get("limit", page.total))]
    return canonical(page.model_copy(update={"rounds": rounds, "offset": first}).model_dump(mode="json"))


def round_id(number: int) -> str:
    return f"{number:032x}"


def rounds(phase: str = "closed") -> bytes:
    entries = [
        {
            "round_id": round_id(number),
            "title": TITLE,
            "phase": phase,
            "area": AREA,
            "category": "suspects",
            "participants": PARTIES,
        }
        for number in range(MANY)
    ]
    return canonical(RoundPage.model_validate({"rounds": entries, "total": MANY}).model_dump(mode="json"))


def overview(phase: str = "closed") -> bytes:
    """Return the secretariat's table; of a round that goes on, consents and lists are due in the next 30 days.

    What is due first is the consent to the oldest round.
    """
    now, day = int(time.time()), 86_400
    moments = (now + 5 * day, now + 20 * day, now + 40 * day, now + 60 * day)
    window = dict(zip(("consent_by", "submit_by", "evaluate_by", "closes_at"), moments, strict=True))
    going = phase == "proposed"
    more = {
        "proposed_at": now,
        "window": window,
        "due": "consent" if going else None,
        "due_at": moments[0] if going else None,
        "awaited": [{"party": party, "step": "consent"} for party in PARTIES if going],
        "pairs": {"list": len(PAIRS)} if going else {},
    }
    entries = [one | more for one in json.loads(rounds(phase))["rounds"]]
    entries[-1]["window"] = window | {"consent_by": now + day}
    found = {"rounds": entries, "offset": 0, "total": MANY}
    return canonical(RoundsOverview.model_validate(found, strict=False).model_dump(mode="json"))


def oldest_round(stage: StagedRound) -> bytes:
    shown = {
        "entry": json.loads(rounds())["rounds"][-1],
        "manifest": stage.manifest.model_dump(mode="json"),
        "manifest_digest": "0" * 64,
        "binding": None,
        "participants": PARTIES,
        "consented": True,
        "parties": [],
        "submissions": [],
        "evaluated_for_others": {"done": 0, "of": 0},
        "hits": 0,
        "keys_present": False,
        "wishes": [],
        "problems": [],
    }
    return canonical(NodeRoundView.model_validate(shown).model_dump(mode="json"))


def statistics() -> bytes:
    found = {
        "base": 5,
        "categories": ["suspects"],
        "rounds": [figures(number) for number in range(MANY)],
        "latest": [round_id(0)],
        "total": MANY,
    }
    return canonical(Statistics.model_validate(found).model_dump(mode="json"))


def picture() -> bytes:
    one = figures(0)
    others = [
        {
            "round_id": round_id(number),
            "title": TITLE,
            "matched_at": 1_800_000_000,
            "lists": 12,
            "hits": one["hits"][0]["hits"],
            "confirmed": 900,
        }
        for number in range(12)
    ]
    found = {
        "base": 5,
        "categories": ["suspects"],
        "round": one,
        "rounds": others,
        "precision": [
            {"certainty": level, "percent": percent, "decided": 452, "least": percent - 5, "most": percent + 1}
            for level, percent in (("high", 99), ("low", 51))
        ],
        "queries": [
            {"party": party, "month": f"2026-{month:02}", "queries": 9} for party in PARTIES for month in (4, 5)
        ],
    }
    return canonical(RegionalPicture.model_validate(found).model_dump(mode="json"))


def figures(number: int) -> dict[str, Any]:
    sent = [{"party": party, "kind": "list", "records": 60_000, "matched_at": 1_800_000_000} for party in PARTIES]
    asked = [sent[number % 12] | {"kind": "query"} for number in range(100)]
    levels = {"high": 11_110, "medium": 11_115, "low": 11_120, "high_and_medium": 22_225, "all": 33_345}
    table = {
        "hits": levels,
        "pairs": [{"left": left, "right": right, "hits": levels} for left, right in PAIRS],
        "parties": [{"party": party, "hits": levels} for party in PARTIES],
    }
    return {
        "round_id": round_id(number),
        "phase": "closed",
        "title": TITLE,
        "area": AREA,
        "category": "suspects",
        "created_at": 1_800_000_000,
        "matched_at": 1_800_000_000,
        "published": True,
        "lists": sent + asked,
        "hits": [table | {"kind": "list"}, table | {"kind": "query"}],
        "known": [
            {"certainty": level, "parties": number, "persons": persons + 5 * number}
            for level, persons in (("low", 33_300), ("medium", 22_200), ("high", 11_100))
            for number in range(2, 13)
        ],
        "outcomes": [
            {
                "certainty": level,
                "confirmed": 900,
                "refuted": "<5",
                "unresolved": 90,
                "withdrawn": 5,
                "open": 10,
                "precision": percent,
            }
            for level, percent in (("low", 51), ("medium", 91), ("high", 99))
        ],
        "pair_outcomes": [],
    }


@asynccontextmanager
async def visiting(place: Any, service: Service, role: str, answers: dict[str, bytes]) -> AsyncIterator[Any]:
    """Lend the browser of somebody who sees a service with ready answers, in the language of the longest words."""
    app, fixed = place.app._service, place.app
    site = Site(
        service,
        "Test",
        Connection(Access(service.value, "http://127.0.0.1", ""), Answering(app, answers)),
        secure=False,
    )
    place.app = PagesDispatcher(app, pages_of(site), site)
    try:
        browser = await place.visitor("ana", role)
        await browser.open("/account")
        await browser.send("/language", tag="sr-Cyrl", back="/account")
        yield browser
    finally:
        place.app.end()
        place.app = fixed


async def english(browser: Any, path: str) -> str:
    await browser.send("/language", tag="en", back="/account")
    text: str = await browser.open(path)
    return text


def is_small(browser: Any) -> bool:
    """Say whether the page that is open is one, and small enough."""
    assert browser.answer.status_code == 200, browser.page
    return len(browser.page.encode()) < MOST_BYTES


async def turn_pages(browser: Any) -> None:
    seen, path = [], "/rounds"
    while path:
        await browser.open(path)
        assert is_small(browser)
        seen += [one for one in map(round_id, range(MANY)) if f'"/rounds/{one}"' in browser.page]
        older = browser.page.split('rel="next" href="/rounds?offset=')
        path = f"/rounds?offset={older[1].split(chr(34))[0]}" if len(older) > 1 else ""
    assert seen == [round_id(number) for number in range(MANY)]
    for wrong in (f"offset={MANY}", "offset=-1", "offset=x", "offset=9999999999"):
        assert round_id(0) in await browser.open(f"/rounds?{wrong}")


async def test_rounds_at_a_node(node: Any) -> None:
    answers = {"/v1/rounds": rounds()}
    async with visiting(node, Service.NODE, "officer", answers) as browser:
        await turn_pages(browser)


async def test_rounds_at_the_matcher(matcher: Any) -> None:
    answers = {"/v1/operator/overview": overview()}
    async with visiting(matcher, Service.MATCHER, "secretariat", answers) as browser:
        await turn_pages(browser)


async def test_first_page_of_the_matcher(matcher: Any) -> None:
    """The newest rounds that go on are there, and the first deadlines of all; how many more there are is said."""
    answers = {"/v1/operator/overview": overview("proposed")}
    async with visiting(matcher, Service.MATCHER, "secretariat", answers) as browser:
        page = await english(browser, "/")
        assert is_small(browser)
        cards, _, calendar = page.partition('id="calendar"')
        assert cards.count(TITLE) == cards.count("The round waits for consents. AL, AT, BA") == 20
        assert f'"/rounds/{round_id(MANY - 1)}"' in browser.page.partition("<tbody>")[2].partition("</tr>")[0]
        assert calendar.count(TITLE) == 40
        assert calendar.count(": its consent") == len(PARTIES) * 40
        assert f"Not shown here: {MANY - 20}." in cards
        assert f"Not shown here: {2 * MANY - 40}." in calendar


async def test_statistics(matcher: Any) -> None:
    """Rounds in numbers come a few on a page; how many lists are left out is said."""
    async with visiting(matcher, Service.MATCHER, "secretariat", {"/v1/operator/statistics": statistics()}) as browser:
        await browser.open("/statistics")
        assert is_small(browser)
        assert 'rel="next" href="/statistics?offset=5"' in browser.page
        assert "and 92 more, which are in the CSV file" in await english(browser, f"/statistics?offset={MANY - 5}")
        assert browser.page.count("A hit counts at both of its parties.") == 5
        assert 'rel="next"' not in browser.page
        assert f'rel="prev" href="/statistics?offset={MANY - 10}"' in browser.page


async def test_filter_of_hits(node: Any, stage: StagedRound) -> None:
    """The filter lists the newest rounds and the one that is chosen, and says how many it leaves out."""
    answers = {"/v1/rounds": rounds(), f"/v1/rounds/{round_id(MANY - 1)}": oldest_round(stage)}
    async with visiting(node, Service.NODE, "analyst", answers) as browser:
        await browser.open("/hits")
        assert is_small(browser)
        assert f'value="{round_id(49)}"' in browser.page
        assert f'value="{round_id(50)}"' not in browser.page
        page = await english(browser, f"/hits?round_id={round_id(MANY - 1)}")
        assert f'value="{round_id(MANY - 1)}" selected' in browser.page
        assert f"{MANY - 51} older rounds are not listed." in page
        # One that the node does not know is not listed.
        page = await english(browser, f"/hits?round_id={round_id(MANY)}")
        assert f'value="{round_id(MANY)}"' not in page
        assert f"{MANY - 50} older rounds are not listed." in page


async def test_picture_by_certainty(matcher: Any) -> None:
    """The picture's hits and persons are those of the level that is chosen and above, in tables, drawings and PDF."""
    answers = {"/v1/operator/picture": picture()}
    async with visiting(matcher, Service.MATCHER, "secretariat", answers) as browser:
        await english(browser, "/picture")
        assert is_small(browser)
        assert browser.page.count("&amp;round_id=") == 12
        assert "99 %" in browser.page
        assert "A hit counts at both of its parties." in browser.page
        for certainty, hits, persons in (
            ("", "33,345", "33,320"),
            ("low", "33,345", "33,320"),
            ("medium", "22,225", "22,220"),
            ("high", "11,110", "11,120"),
        ):
            page = await browser.open(f"/picture?certainty={certainty}&since=2026-11-01")
            assert is_small(browser)
            assert hits in page
            assert persons in page
            assert "in the newest round with such figures" in page
            assert f'value="{certainty or "low"}" selected' in browser.page
            assert (
                persons
                in page.split("<title>Persons by number of parties that know them</title>")[1].split("</svg>")[0]
            )
        assert "33,345" not in page
        assert f'round_id={round_id(0)}" aria-current="true"' in page
        assert (
            f'href="/picture?category=suspects&amp;certainty=high&amp;since=2026-11-01&amp;until=&amp;round_id={round_id(7)}"'
            in browser.page
        )
        await browser.send("/picture.pdf", category="", certainty="high", since="", until="")
        assert browser.answer.content.startswith(b"%PDF")
        await browser.open("/picture?certainty=none")
        assert browser.answer.status_code == 422
        assert "there is no such level of certainty" in browser.page


def unit_picture(hits: int) -> bytes:
    found = {
        "at": 1_800_000_000,
        "days": 365,
        "funnel": [
            {"stage": stage, "hits": hits * share // 100, "median_seconds": seconds if hits else None}
            for stage, share, seconds in (
                ("arrived", 100, None),
                ("looked_at", 92, 3_600),
                ("decided", 90, 7_200),
                ("asked", 61, 90_000),
                ("replied", 40, 200_000),
                ("closed", 68, 500_000),
            )
        ],
        "received": hits // 3,
        "answered": hits // 4,
        "median_answer_seconds": 90_000 if hits else None,
        "ages": [
            {"work": work, "hits": [hits // 20, hits // 30, hits // 40, hits // 50]}
            for work in ("undecided", "decided", "asked", "replied")
        ],
        "indicators": [
            {"indicator": code, "category": category, "hits": hits // of}
            for code, category, of in (
                ("F1", "smugglers", 9),
                ("T2", "smugglers", 40),
                ("T2", "fighters", 7),
                ("Z9", "fighters", 3),
            )
            if hits
        ],
        "newest_list": {
            "name": "List of November",
            "imported_at": 1_800_000_000,
            "records": 60_000,
            "whole_birth_dates": 50_000,
            "fields": [
                {"field": field, "records": records}
                for field, records in (("date_of_birth", 58_000), ("place_of_birth", 20_000), ("sex", 0))
            ],
        },
    }
    return canonical(UnitPicture.model_validate(found).model_dump(mode="json"))


CATEGORIES = b'{"categories":[{"code":"fighters","words":"foreign fighters","wordings":{"sq":"luftare"}}]}'


def indicator_table() -> bytes:
    return canonical(IndicatorTableView.of_fields(load_indicators()).model_dump(mode="json"))


async def test_picture_of_a_unit(node: Any) -> None:
    """Numbers, shares and times of ten thousand hits stand in words beside the drawings."""
    answers = {"/v1/picture": unit_picture(10_000), "/v1/indicators": indicator_table(), "/v1/categories": CATEGORIES}
    async with visiting(node, Service.NODE, "approver", answers) as browser:
        page = await english(browser, "/unit?days=30")
        assert is_small(browser)
        assert 'value="30" selected' in browser.page
        for words in (
            "10,000",
            "61%",
            "2 hours",
            "over 30 days",
            "List of November",
            "97%",
            "T2 return from a conflict area",
            "Z9",
            "1,428",
            "foreign fighters",
            "smugglers",
        ):
            assert words in page
        assert browser.page.count("<svg") == 4
        await browser.open("/unit?days=7")
        assert browser.answer.status_code == 422


async def test_picture_of_a_unit_without_hits(node: Any) -> None:
    async with visiting(node, Service.NODE, "approver", {"/v1/picture": unit_picture(0)}) as browser:
        await english(browser, "/unit")
        assert browser.page.count("<svg") == 1
