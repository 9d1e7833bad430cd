"""The cost of every page of the matcher and of a node, on homes with many rounds and hits.

The services run in this process, without their drivers and without sockets: seconds of processor are those of the page
and of the calls that it makes. Each page is opened once, and then as often as `_LOOKS`, of which the cheapest counts:
other work on the machine makes it only dearer.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
from fastapi.routing import iter_route_contexts

from aquila.audit.roles import Service
from clients.web.wiring import front_of
from services.kit.settings import load
from services.matcher import main as matcher_main
from services.matcher.settings import MatcherSettings
from services.node import main as node_main
from services.node.settings import NodeSettings
from tests.support.people import patient, two_persons
from tests.support.web_world import ORIGIN, Browser, endpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

LIMIT = 150
"""Milliseconds of processor that a page may cost."""

_LOOKS = 7
_UPLOADED = 10_000
_STREAMS = re.compile(r"/live$")
_OTHERWISE = {"/sign-in/provider"}  # needs a provider
_NO_PARAMETER = re.compile(r"\{[a-z_]+\}")


class PageCost(NamedTuple):
    """The cost of a page; in milliseconds."""

    service: str
    page: str
    first: float
    processor: float
    seconds: float
    size: int


@dataclass
class _Place:
    """A service with its pages, a person who has every role, and addresses for the parameters of paths.

    Attributes:
        name: Of the service.
        pages: The service with its pages.
        token: Of the person's session.
        examples: By the path of a page, addresses of it; a page without parameters needs none.
    """

    name: str
    pages: Any
    token: str
    examples: dict[str, list[str]] = field(default_factory=dict)

    def client(self, **headers: str) -> httpx.AsyncClient:
        """Return calls of the person."""
        transport = httpx.ASGITransport(app=self.pages)
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)

    async def get(self, path: str, **query: str) -> Any:
        """Return the answer of the service to a call of the person."""
        async with self.client(authorization=f"Bearer {self.token}") as client:
            answer = await client.get(f"/v1{path}", params=query)
            assert answer.status_code == httpx.codes.OK, f"{path}: {answer.text}"
            return answer.json()

    def browser(self) -> Browser:
        """Return the browser of the person."""
        client = self.client()
        client.cookies.set("aquila-session-8701", self.token)
        return Browser(client)


async def page_costs(folder: Path) -> list[PageCost]:
    """Return what each page costs, at the matcher and at the node of Albania.

    Args:
        folder: With the homes that `python -m tests.years make` made.
    """
    found = list[PageCost]()
    for place in (_matcher(folder / "matcher"), _node(folder / "AL")):
        browser = place.browser()
        await (_matcher_examples if place.name == "matcher" else _node_examples)(place, browser)
        for page in sorted(_pages(place)):
            for address in place.examples.get(page, [] if _NO_PARAMETER.search(page) else [page]):
                found.append(await _cost(place.name, browser, page, address))
        place.pages.end()
    return found


def table_of(costs: Iterable[PageCost]) -> Iterator[str]:
    """Yield the lines of a Markdown table, the dearest page of each service first."""
    yield "| service | page | ms of processor | until the answer, ms | for the first time, ms | kB |"
    yield "|---|---|---:|---:|---:|---:|"
    for one in sorted(costs, key=lambda one: (one.service, -one.processor)):
        figures = f"{one.processor:.0f} | {one.seconds:.0f} | {one.first:.0f} | {one.size / 1_000:.0f}"
        yield f"| {one.service} | `{one.page}` | {figures} |"


def _matcher(home: Path) -> _Place:
    settings = patient(load(home / "matcher.toml", MatcherSettings)).model_copy(update={"workers": 1})
    matcher_main.prepare(settings)
    app = matcher_main.build(settings)
    pages = front_of(Service.MATCHER, "Secretariat")(app, endpoint())
    return _Place("matcher", pages, two_persons(app.state.context.people)[0])


def _node(home: Path) -> _Place:
    settings = patient(load(home / "node.toml", NodeSettings)).model_copy(update={"workers": 1})
    node = node_main.assemble(settings)
    pages = front_of(Service.NODE, "Albania")(node_main.build(settings, node), endpoint())
    return _Place("node", pages, two_persons(node.people)[0])


def _pages(place: _Place) -> Iterator[str]:
    """Yield the paths of all pages."""
    for route in iter_route_contexts(place.pages._pages.routes):
        if "GET" in (route.methods or ()) and not _STREAMS.search(route.path) and route.path not in _OTHERWISE:
            yield route.path


async def _matcher_examples(place: _Place, browser: Browser) -> None:
    """Find addresses at the matcher: the newest and the oldest round, and what waits."""
    rounds = (await place.get("/operator/rounds"))["rounds"]
    approvals = (await place.get("/approvals"))["approvals"]
    suggestions = (await place.get("/operator/suggestions"))["suggestions"]
    at = f"round_id={rounds[-1]['round_id']}"
    drawings = ("pairs", "known", "right")
    place.examples |= {
        "/rounds": ["/rounds", f"/rounds?offset={len(rounds) // 40 * 40}"],
        "/rounds/{round_id}": [f"/rounds/{one['round_id']}" for one in (rounds[0], rounds[-1])],
        "/rounds/suggestions/{suggestion_id}": [
            f"/rounds/suggestions/{one['suggestion_id']}" for one in suggestions[:1]
        ],
        "/approvals/{approval_id}": [f"/approvals/{one['approval_id']}" for one in approvals[:1]],
        "/statistics": ["/statistics", f"/statistics?offset={len(rounds) // 5 * 5}"],
        "/picture": ["/picture", f"/picture?{at}"],
        "/picture/{name}.svg": [f"/picture/{name}.svg" for name in drawings],
        "/static/{version}/{name}": [await _style_sheet(browser)],
    }


async def _node_examples(place: _Place, browser: Browser) -> None:
    """Find addresses at the node: a hit of each order of the list, the largest list, and what waits."""
    rounds = (await place.get("/rounds"))["rounds"]
    hits = await place.get("/hits", limit="1")
    imports = sorted((await place.get("/imports"))["imports"], key=lambda one: -one["records"])
    queries = (await place.get("/queries"))["queries"]
    standing = (await place.get("/standing-queries"))["queries"]
    approvals = (await place.get("/approvals"))["approvals"]
    orders = [f"/hits?sort={name}" for name in ("newest", "certainty", "due", "name", "party")]
    filters = [f"/hits?{text}" for text in ("stage=new&certainty=high", "kind=query", "overdue=true")]
    last, largest = (hits["total"] - 1) // 50 * 50, imports[0]["import_id"]
    hit, query = hits["hits"][0], f"/queries/{queries[0]['submission_id']}"
    place.examples |= {
        "/hits": ["/hits", *orders, *filters, f"/hits?offset={last}", f"/hits?round_id={rounds[-1]['round_id']}"],
        "/hits/{round_id}/{hit_id}": [f"/hits/{hit['round_id']}/{hit['hit_id']}"],
        "/rounds": ["/rounds", f"/rounds?offset={len(rounds) // 40 * 40}"],
        "/rounds/{round_id}": [
            f"/rounds/{one}" for one in (rounds[0]["round_id"], hit["round_id"], rounds[-1]["round_id"])
        ],
        "/queries/{submission_id}": [query],
        "/queries/{submission_id}/sheet": [f"{query}/sheet"],
        "/queries/standing/{standing_id}": [f"/queries/standing/{one['standing_id']}" for one in standing[:1]],
        "/approvals/{approval_id}": [f"/approvals/{one['approval_id']}" for one in approvals[:1]],
        "/records/{import_id}": [f"/records/{largest}"],
        "/records/{import_id}/all": [f"/records/{largest}/all", f"/records/{largest}/all?offset=9950"],
        "/records/{import_id}/duplicates": [f"/records/{largest}/duplicates"],
        "/records/{import_id}/findings.csv": [f"/records/{largest}/findings.csv"],
        "/records/template.{form}": ["/records/template.csv", "/records/template.xlsx"],
        "/records/waiting/{upload_id}": [await _uploaded(browser)],
        "/search/{import_id}/{position}": [f"/search/{largest}/1"],
        "/search/{import_id}/{position}/correct": [f"/search/{largest}/1/correct"],
        "/static/{version}/{name}": [await _style_sheet(browser)],
    }


async def _style_sheet(browser: Browser) -> str:
    """Return the address of the style sheet."""
    found = re.search(r'href="(/static/[^"]+\.css)"', await browser.open("/account"))
    assert found
    return found[1]


async def _uploaded(browser: Browser) -> str:
    """Let a list of 10,000 rows be looked through, and return the address of its preview."""
    rows = "".join(f"u-{n},Ana,Novak,19{n % 90 + 10}-07-{n % 28 + 1:02}\n" for n in range(_UPLOADED))
    content = ("record_id,given_names,family_names,date_of_birth\n" + rows).encode()
    await browser.open("/records")
    page = await browser.send("/records/preview", name="", files={"file": ("list.csv", content, "text/csv")})
    found = re.search(r'(?:/records/waiting/|name="upload_id" value=")([0-9a-f]{32})', page)
    assert found, page[:2_000]
    return f"/records/waiting/{found[1]}"


async def _cost(service: str, browser: Browser, page: str, address: str) -> PageCost:
    """Open a page several times, and return what it cost at the least."""
    looks = list[tuple[float, float]]()
    for _ in range(1 + _LOOKS):
        processor, began = time.process_time(), time.perf_counter()
        answer = await browser.client.get(address)
        looks.append((1_000 * (time.process_time() - processor), 1_000 * (time.perf_counter() - began)))
        assert answer.status_code < httpx.codes.BAD_REQUEST, f"{address}: {answer.status_code} {answer.text[:2_000]}"
    processor, seconds = min(looks[1:])
    shown = page if address == page else re.sub(r"[0-9a-f]{32}", "...", address)
    return PageCost(service, shown, looks[0][0], processor, seconds, len(answer.content))
