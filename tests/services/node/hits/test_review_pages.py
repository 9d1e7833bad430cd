"""The pages of the list of hits at a node: rows are decided one by one or together, and the filter survives it all."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from aquila.audit.roles import Role, Service
from clients.web.wiring import front_of
from tests.support.node_world import World
from tests.support.people import signed_in
from tests.support.stored_hits import StoredHit, store_hits
from tests.support.web_world import ORIGIN, Browser, endpoint

MANY = 120


@pytest.fixture
async def ana(world: World) -> AsyncIterator[Browser]:
    """The browser of an analyst of Albania, whose node has many hits: persons known to one or to two others."""
    party_node, round_id = world.nodes["AL"], await world.propose()
    hits = [
        StoredHit(number * 2 // 3, ("RS", "SI")[number % 2], ("low", "medium", "high")[number % 3])
        for number in range(MANY)
    ]
    store_hits(party_node.node.store, round_id, hits, world.clock.time)
    front = front_of(Service.NODE, "Albania")(party_node.app, endpoint())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=front), base_url=ORIGIN) as client:
        client.cookies.set(front._site.cookie("session"), signed_in(party_node.node.people, "eva", Role.ANALYST))
        yield Browser(client)
    front.end()


def rows(browser: Browser) -> list[str]:
    return re.findall(r'name="row" value="([^"]+)"', browser.page)


def carried(browser: Browser) -> str:
    found = set(re.findall(r'name="list" value="([^"]*)"', browser.page))
    assert len(found) == 1
    return found.pop().replace("&amp;", "&")


async def decide(browser: Browser, number: int, decision: str) -> str:
    fields: dict[str, Any] = {"list": carried(browser), "row": rows(browser), "decide": f"{decision}.{number}"}
    await browser.send("/hits/decide", follow=False, **fields)
    assert browser.answer.status_code == 303, browser.page
    return str(browser.answer.headers["location"])


async def test_rows_are_decided_one_after_the_other(ana: Browser) -> None:
    """Each decision is one action: it leads to the next row of the same list, and undoing it to the hit itself."""
    await ana.open("/hits?stage=new&sort=name")
    before = rows(ana)
    assert len(before) == 50
    location = await decide(ana, 0, "same")
    assert location == f"/hits?stage=new&sort=name&done=decided#h-{before[1].split('.')[1]}"
    page = await ana.open(location)
    assert "Your last decision: the same person, 1 hit." in page
    assert rows(ana)[0] == before[1]
    assert f'id="h-{before[1].split(".")[1]}"' in ana.page
    number = re.findall(r'name="number" value="(\d+)"', ana.page)[0]
    await ana.send("/hits/undo", follow=False, list=carried(ana), number=number)
    assert ana.answer.headers["location"].endswith(f"#h-{before[0].split('.')[1]}")
    assert "The decision is undone." in await ana.open(ana.answer.headers["location"])
    assert rows(ana) == before
    # The row after the last one is on the page that comes.
    assert (await decide(ana, 49, "cannot_tell")).endswith("done=decided#rows")
    for wrong in ("same.50", "same.x", "asleep.1"):
        await ana.send("/hits/decide", list="", row=before, decide=wrong)
        assert ana.answer.status_code == 422
        await ana.open("/hits")


async def test_a_name_is_in_no_address_and_survives(ana: Browser) -> None:
    await ana.open("/hits?stage=new")
    await ana.send("/hits/find", follow=False, list=carried(ana), name="Hoxha Arben")
    location = ana.answer.headers["location"]
    assert re.fullmatch(r"/hits\?stage=new&search=[0-9a-f]{32}", location)
    page = await ana.open(location)
    assert 'value="Hoxha Arben"' in ana.page
    assert page.count("Arben Hoxha") == len(rows(ana)) == 10
    fields: dict[str, Any] = {"list": carried(ana), "hit": rows(ana), "decision": "not_the_same"}
    await ana.send("/hits/decide-many", **fields, remark="")
    assert "needs a reason" in ana.page
    await ana.open(location)
    await ana.send("/hits/decide-many", **fields, remark="known to us", follow=False)
    assert ana.answer.headers["location"] == f"{location}&done=decided#rows"
    page = await ana.open(ana.answer.headers["location"])
    assert "Your last decision: not the same person, 10 hits." in page
    assert "No hit here" in page
    # A key that is not kept any more is said, and no form goes on without it.
    page = await ana.open("/hits?search=" + "0" * 32)
    assert "has expired, so this list is not filtered" in page
    await ana.send("/hits/decide-many", list="search=" + "0" * 32, decision="same", every="yes", total=MANY, remark="x")
    assert ana.answer.status_code == 409
    # One hit leads back to its list.
    await ana.open(location.replace("stage=new&", ""))
    link = re.findall(r'id="h-[0-9a-f]+" href="([^"]+)"', ana.page)[0].replace("&amp;", "&")
    page = await ana.open(link)
    assert f'href="{location.replace("stage=new&", "")}"' in ana.page


async def test_all_of_a_filter_and_page_numbers(ana: Browser) -> None:
    """All of a filter are decided at once; pages have numbers, are small in long words too, and one always exists."""
    await ana.open("/account")
    await ana.send("/language", tag="sr-Cyrl", back="/account")
    await ana.open("/hits?offset=50&sort=party")
    assert len(ana.page.encode()) < 100_000
    await ana.send("/language", tag="en", back="/account")
    page = await ana.open("/hits?offset=50&sort=party")
    assert "51 - 100 / 120" in page
    assert 'href="/hits?offset=100&amp;sort=party"' in ana.page
    assert 'aria-current="page" aria-label="Page 2"' in ana.page
    await ana.open("/hits?certainty=high&counterpart=RS")
    every = {"list": carried(ana), "every": "yes", "total": 20, "decision": "same", "remark": "clear"}
    page = await ana.send("/hits/decide-many", **every)
    assert "Your last decision: the same person, 20 hits." in page
    page = await ana.send("/hits/decide-many", **every)
    assert "20 hits were left out" in page
    assert "51 - 100 / 100" in await ana.open("/hits?stage=new&offset=100")
