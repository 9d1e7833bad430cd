"""Addresses of all pages and calls of the matcher and of a node, on homes with many rounds and hits.

A page or a call whose path has parameters needs an example, and lists that come in parts are read by their first and
their last one. What has none is told: so a new page cannot be forgotten.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
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

_UPLOADED = 10_000
_PAGE = 50
_STATISTICS = 5  # rounds in numbers that come together, as the page has them: one has as much as a page of others
_STREAMS = re.compile(r"/live$")
_LEFT_OUT = {
    "/sign-in/provider",  # needs a provider
    "/v1/records/progress/{key}",  # is there while a list is read
    "/v1/rounds/{round_id}/hits/{hit_id}/letter",  # belongs to a follow-up that is open
}
_PARAMETER = re.compile(r"\{[a-z_]+\}")
_JSON = "application/json"


@dataclass
class Visited:
    """A service of this process with its pages, and a person who has every role."""

    name: str
    app: FastAPI
    pages: Any
    token: str
    page_examples: dict[str, list[str]] = field(default_factory=dict)
    call_examples: dict[str, list[str]] = field(default_factory=dict)

    def caller(self) -> httpx.AsyncClient:
        return self._client(authorization=f"Bearer {self.token}")

    def browser(self) -> Browser:
        client = self._client()
        client.cookies.set("aquila-session-8701", self.token)
        return Browser(client)

    def page_addresses(self) -> Iterator[tuple[str, str]]:
        """Yield the path of each page with each address of it, or with nothing where there is no example."""
        for route in iter_route_contexts(self.pages._pages.routes):
            if "GET" in (route.methods or ()) and not _STREAMS.search(route.path) and route.path not in _LEFT_OUT:
                yield from _addresses(route.path, self.page_examples)

    def call_addresses(self) -> Iterator[tuple[str, str]]:
        """Yield the same for the calls by which people read, and which answer in JSON."""
        for path, operations in self.app.openapi()["paths"].items():
            found = None if path in _LEFT_OUT else operations.get("get")
            if found and {"Person": []} in found.get("security", []) and _JSON in found["responses"]["200"]["content"]:
                yield from _addresses(path, self.call_examples)

    async def get(self, path: str, **query: str) -> Any:
        """Return the answer of the service to a call of the person."""
        async with self.caller() as caller:
            answer = await caller.get(f"/v1{path}", params=query)
            assert answer.status_code == httpx.codes.OK, f"{path}: {answer.text}"
            return answer.json()

    def _client(self, **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.pages)
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)


async def visit_matcher(home: Path) -> Visited:
    """Open the matcher of a home, and find addresses: the newest and the oldest round, and what waits."""
    settings = patient(load(home / "matcher.toml", MatcherSettings)).model_copy(update={"workers": 1})
    matcher_main.prepare(settings)
    app = matcher_main.build(settings)
    pages = front_of(Service.MATCHER, "Secretariat")(app, endpoint())
    visited = Visited("matcher", app, pages, two_persons(app.state.context.people)[0])
    rounds = (await visited.get("/operator/rounds"))["rounds"]
    approvals = (await visited.get("/approvals"))["approvals"]
    ends = [one["round_id"] for one in (rounds[0], rounds[-1])]
    at = f"round_id={ends[-1]}"
    entries, today = (await visited.get("/operator/log"))["size"], datetime.now(UTC).date()
    known = {"approval_id": [one["approval_id"] for one in approvals[:1]], "round_id": ends, "index": ["0"]}
    visited.page_examples |= _filled(
        known, "/approvals/{approval_id}", "/log/entries/{index}", "/rounds/{round_id}", "/rounds/{round_id}/story"
    ) | {
        "/rounds": ["/rounds", f"/rounds?offset={len(rounds) // 40 * 40}"],
        "/statistics": ["/statistics", f"/statistics?offset={len(rounds) // 5 * 5}"],
        "/picture": ["/picture", f"/picture?{at}"],
        "/static/{version}/{name}": [await _style_sheet(visited.browser())],
    }
    log = "/v1/operator/log/entries/{index}"
    visited.call_examples |= _filled(
        known, "/v1/approvals/{approval_id}", "/v1/operator/log/rounds/{round_id}", "/v1/operator/rounds/{round_id}",
    ) | {
        "/v1/operator/rounds": _parts("/v1/operator/rounds", len(rounds)),
        "/v1/operator/statistics": _parts("/v1/operator/statistics", len(rounds), _STATISTICS),
        "/v1/operator/report": [f"/v1/operator/report?since={today - timedelta(days=364)}&until={today}"],
        "/v1/operator/picture": ["/v1/operator/picture", f"/v1/operator/picture?{at}"],
        log: [log.format(index=index) for index in (0, entries // 2)],
    }  # fmt: skip
    return visited


async def visit_node(home: Path) -> Visited:
    """Open the node of a home, and find addresses: a hit of each order of the list, the largest list, what waits."""
    settings = patient(load(home / "node.toml", NodeSettings)).model_copy(update={"workers": 1})
    node = node_main.assemble(settings)
    app = node_main.build(settings, node)
    visited = Visited("node", app, front_of(Service.NODE, "Albania")(app, endpoint()), two_persons(node.people)[0])
    rounds = (await visited.get("/rounds"))["rounds"]
    hits = await visited.get("/hits", limit="1")
    imports = sorted((await visited.get("/imports"))["imports"], key=lambda one: -one["records"])
    queries = (await visited.get("/queries"))["queries"]
    standing = (await visited.get("/standing-queries"))["queries"]
    approvals = (await visited.get("/approvals"))["approvals"]
    hit, largest = hits["hits"][0], imports[0]["import_id"]
    known = {
        "approval_id": [one["approval_id"] for one in approvals[:1]],
        "hit_id": [hit["hit_id"]],
        "import_id": [largest],
        "index": ["0"],
        "position": ["1"],
        "round_id": [rounds[0]["round_id"], hit["round_id"], rounds[-1]["round_id"]],
        "standing_id": [one["standing_id"] for one in standing[:1]],
        "submission_id": [one["submission_id"] for one in queries[:1]],
    }
    of_hit = known | {"round_id": [hit["round_id"]]}
    visited.page_examples |= _filled(
        known, "/approvals/{approval_id}", "/queries/{submission_id}", "/queries/{submission_id}/sheet",
        "/records/{import_id}", "/records/{import_id}/duplicates", "/records/{import_id}/findings.csv",
        "/log/entries/{index}", "/rounds/{round_id}", "/rounds/{round_id}/story",
        "/search/{import_id}/{position}", "/search/{import_id}/{position}/correct",
    ) | _filled(of_hit, "/hits/{round_id}/{hit_id}") | {
        "/hits": _hit_pages("/hits", hits["persons"], rounds[-1]["round_id"]),
        "/queries/standing/{standing_id}": [f"/queries/standing/{one}" for one in known["standing_id"]],
        "/rounds": ["/rounds", f"/rounds?offset={len(rounds) // 40 * 40}"],
        "/records/{import_id}/all": [f"/records/{largest}/all", f"/records/{largest}/all?offset=9950"],
        "/records/template.{form}": ["/records/template.csv", "/records/template.xlsx"],
        "/records/waiting/{upload_id}": [await _uploaded(visited.browser())],
        "/static/{version}/{name}": [await _style_sheet(visited.browser())],
    }  # fmt: skip
    log = "/v1/log/entries/{index}"
    entries = (await visited.get("/log"))["size"]
    listed = f"/v1/imports/{largest}"
    visited.call_examples |= _filled(
        known, "/v1/approvals/{approval_id}", "/v1/imports/{import_id}/difference", "/v1/imports/{import_id}/findings",
        "/v1/imports/{import_id}/records/{position}", "/v1/log/rounds/{round_id}", "/v1/queries/{submission_id}",
        "/v1/queries/{submission_id}/progress", "/v1/rounds/{round_id}", "/v1/rounds/{round_id}/safeguards",
        "/v1/rounds/{round_id}/hits", "/v1/standing-queries/{standing_id}",
    ) | _filled(of_hit, "/v1/rounds/{round_id}/hits/{hit_id}") | {
        "/v1/hits": _hit_pages(f"/v1/hits?limit={_PAGE}", hits["persons"], rounds[-1]["round_id"]),
        "/v1/imports/{import_id}/duplicates": _parts(f"{listed}/duplicates", 10 * _PAGE),
        "/v1/imports/{import_id}/records": [f"{listed}/records", f"{listed}/records?offset=9950"],
        "/v1/queries": _parts("/v1/queries", len(queries)),
        "/v1/rounds": _parts("/v1/rounds", len(rounds)),
        log: [log.format(index=index) for index in (0, entries // 2)],
    }  # fmt: skip
    return visited


def _addresses(path: str, examples: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    for address in examples.get(path) or ([""] if _PARAMETER.search(path) else [path]):
        yield path, address


def _filled(known: Mapping[str, list[str]], *paths: str) -> dict[str, list[str]]:
    """Return addresses of paths, of which one parameter at most has several values."""
    found = dict[str, list[str]]()
    for path in paths:
        counts = [len(known[name[1:-1]]) for name in _PARAMETER.findall(path)]
        most = max(counts) if all(counts) else 0
        found[path] = [
            _PARAMETER.sub(lambda name, n=n: known[name[0][1:-1]][n % len(known[name[0][1:-1]])], path)
            for n in range(most)
        ]
    return found


def _parts(address: str, total: int, size: int = _PAGE) -> list[str]:
    last = max(total - 1, 0) // size * size
    return [f"{address}?limit={size}", f"{address}?limit={size}&offset={last}"]


def _hit_pages(address: str, total: int, round_id: str) -> list[str]:
    """Return the addresses of a list of hits: its orders, filters, its last part, and that of a round."""
    more = "&" if "?" in address else "?"
    orders = [f"sort={name}" for name in ("newest", "certainty", "due", "name", "party")]
    filters = ["stage=new&certainty=high", "kind=query", "overdue=true", f"round_id={round_id}"]
    last = f"offset={(total - 1) // _PAGE * _PAGE}"
    return [address, *(f"{address}{more}{text}" for text in [*orders, *filters, last])]


async def _style_sheet(browser: Browser) -> str:
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
