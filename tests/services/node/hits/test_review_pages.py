"""The pages of the list of hits at a node: persons are decided one by one or together, and the filter survives it."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from aquila.audit.roles import Role, Service
from aquila.followup.lifecycle import HOUR
from clients.web.wiring import front_of
from tests.support.node_world import World
from tests.support.people import signed_in
from tests.support.stored_hits import StoredHit, store_hits
from tests.support.web_world import ORIGIN, Browser, endpoint

MANY, HIGH = 120, 40  # hits, on 80 persons; those of high certainty


@pytest.fixture
async def ana(world: World) -> AsyncIterator[Browser]:
    """The browser of an analyst of Albania, whose node has many hits: persons known to one or to two others."""
    party_node, round_id = world.nodes["AL"], await world.propose()
    hits = [
        StoredHit(
            number * 2 // 3,
            ("RS", "SI")[number % 2],
            ("low", "medium", "high")[number % 3],
            handling=(None, "H0", "H1", "H3")[number % 4],
        )
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


def words(page: str) -> str:
    """Return the text of a page in one line."""
    return " ".join(re.sub("<[^>]+>", " ", page).split())


def first(row: str) -> str:
    """Return the id of the first hit of a row."""
    return row.split(maxsplit=1)[0].split(".")[1]


def carried(browser: Browser) -> str:
    found = set(re.findall(r'name="list" value="([^"]*)"', browser.page))
    assert len(found) == 1
    return found.pop().replace("&amp;", "&")


async def decide(browser: Browser, number: int, decision: str) -> str:
    fields: dict[str, Any] = {"list": carried(browser), "row": rows(browser), "decide": f"{decision}.{number}"}
    await browser.send("/hits/decide", follow=False, **fields)
    assert browser.answer.status_code == 303, browser.page
    return str(browser.answer.headers["location"])


async def decide_high(browser: Browser) -> None:
    """Say of all hits of high certainty, of which each country has half, that they are of the same person."""
    fields = {"list": "certainty=high", "every": "yes", "total": HIGH, "decision": "same", "remark": "clear"}
    await browser.open("/hits")
    await browser.send("/hits/decide-many", **fields)


async def test_rows_are_decided_one_after_the_other(ana: Browser) -> None:
    """Each decision is one action: it leads to the next row of the same list, and undoing it to the hit itself."""
    await ana.open("/hits?stage=new&sort=name")
    before = rows(ana)
    assert len(before) == 50
    location = await decide(ana, 0, "same")
    assert location == f"/hits?stage=new&sort=name#h-{first(before[1])}"
    page = await ana.open(location)
    hits = len(before[0].split())
    assert f"Your last decision: the same person, {hits} hit{'s' * (hits > 1)}." in page
    assert rows(ana)[0] == before[1]
    assert f'id="h-{first(before[1])}"' in ana.page
    number = re.findall(r'name="number" value="(\d+)"', ana.page)[0]
    await ana.send("/hits/undo", follow=False, list=carried(ana), number=number)
    location = str(ana.answer.headers["location"])
    assert location.partition("#h-")[2] in before[0]
    assert "The decision is undone." in await ana.open(location)
    assert f'id="{location.partition("#")[2]}"' in ana.page
    assert rows(ana) == before
    # The row after the last one is on the page that comes.
    assert (await decide(ana, 49, "cannot_tell")).endswith("sort=name#rows")
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
    assert page.count("Arben Hoxha") == len(rows(ana))
    hits = sum(len(row.split()) for row in rows(ana))
    fields: dict[str, Any] = {"list": carried(ana), "hit": rows(ana), "decision": "not_the_same"}
    # Without a reason the list comes back: the fault is at the field, and the boxes are as they were.
    await ana.send("/hits/decide-many", **fields, remark="", headers={"referer": ORIGIN + location})
    assert ana.answer.status_code == 422
    field = ana.page.split('<label for="remark">')[1].split("<input")[0]
    assert "needs a reason" in field
    assert ana.page.count(' checked aria-label="Choose r-') == len(rows(ana))
    await ana.send("/hits/decide-many", list=carried(ana), decision="same", headers={"referer": ORIGIN + location})
    assert "no row is chosen" in ana.page.split('class="bulk')[1]
    await ana.open(location)
    await ana.send("/hits/decide-many", **fields, remark="known to us", follow=False)
    assert ana.answer.headers["location"] == f"{location}#rows"
    page = await ana.open(ana.answer.headers["location"])
    assert f"Your last decision: not the same person, {hits} hits." in page
    assert "Nothing found" in page
    assert "clears nobody" not in page
    # A key that is not kept any more is said, and no form goes on without it.
    page = await ana.open("/hits?search=" + "0" * 32)
    assert "has expired, so this list is not filtered" in page
    await ana.send("/hits/decide-many", list="search=" + "0" * 32, decision="same", every="yes", total=MANY, remark="x")
    assert ana.answer.status_code == 409
    # One hit leads back to its list.
    await ana.open(location.replace("stage=new&", ""))
    link = re.findall(r'id="h-[0-9a-f]+" href="([^"]+)"', ana.page)[0].replace("&amp;", "&")
    await ana.open(link)
    assert f'href="{location.replace("stage=new&", "")}#h-{link.split("/")[3].split("?")[0]}"' in ana.page


async def test_all_of_a_filter_and_page_numbers(ana: Browser) -> None:
    """All of a filter are decided at once; pages have numbers, are small in long words too, and one always exists."""
    await ana.open("/account")
    await ana.send("/language", tag="sr-Cyrl", back="/account")
    await ana.open("/hits?offset=50&sort=name")
    assert len(ana.page.encode()) < 100_000
    await ana.send("/language", tag="en", back="/account")
    page = await ana.open("/hits?offset=50&sort=name")
    assert "51 - 80 / 80" in page
    assert 'href="/hits?sort=name"' in ana.page
    assert 'aria-current="page" aria-label="Page 2"' in ana.page
    await ana.open("/hits?certainty=high&counterpart=RS")
    every = {"list": carried(ana), "every": "yes", "total": 20, "decision": "same", "remark": "clear"}
    page = await ana.send("/hits/decide-many", **every)
    assert "Your last decision: the same person, 20 hits." in page
    page = await ana.send("/hits/decide-many", **every)
    assert "20 hits were left out" in page
    # A page after the last one is the last one; when nothing waits any more, the page says so.
    assert "51 - " in await ana.open("/hits?stage=new&offset=1000")
    every |= {"list": "stage=new", "total": MANY - 20, "decision": "not_the_same"}
    page = await ana.send("/hits/decide-many", **every)
    assert "All decided" in page
    assert "no-hit" not in page


async def test_the_detail_goes_through_the_list_by_itself(ana: Browser) -> None:
    """A decision on a person is one for all of the hits, and leads to the next; back leads to the place in the list."""
    await ana.open("/hits?stage=new&sort=name")
    before = rows(ana)
    place = next(number for number, row in enumerate(before) if number and len(row.split()) > 1)
    tail = "?list=stage%3Dnew%26sort%3Dname"

    def path(row: str) -> str:
        return f"/hits/{row.split(maxsplit=1)[0].replace('.', '/')}"

    await ana.open(path(before[place]) + tail)
    assert f"{place + 1} / 80" in ana.page
    for rel, other in (("prev", before[place - 1]), ("next", before[place + 1])):
        assert f'rel="{rel}" href="{path(other)}{tail}"' in ana.page
    assert f'href="/hits?stage=new&amp;sort=name#h-{first(before[place])}"' in ana.page
    offered = re.findall(r'name="hit" id="[^"]+" value="([^"]+)" checked', ana.page)
    assert sorted(offered) == sorted(before[place].split())
    await ana.send(f"{path(before[place])}/decide{tail}", hit=offered, decision="same", follow=False)
    assert ana.answer.headers["location"] == path(before[place + 1]) + tail
    page = await ana.open(ana.answer.headers["location"])
    assert f"Your last decision: the same person, {len(offered)} hits." in page
    # After the last one of the list, those before it that wait.
    await ana.open("/hits?stage=new&sort=name&offset=50")
    last = rows(ana)[-1]
    await ana.open(path(last) + tail)
    assert 'rel="next"' not in ana.page
    await ana.send(f"{path(last)}/decide{tail}", decision="cannot_tell", follow=False)
    assert ana.answer.headers["location"] == path(before[0]) + tail
    # One that is decided is not in the list any more, and has neither place nor neighbours.
    page = await ana.open(path(last) + tail)
    assert 'rel="prev"' not in ana.page
    assert 'href="/hits?stage=new&amp;sort=name#rows"' in ana.page


async def test_one_request_to_each_country(ana: Browser) -> None:
    """All that is decided is asked about at once: a letter, a message to be copied and a file for each country.

    Their hits have several handling codes: the letter has the strictest, and each hit its own.
    """
    await decide_high(ana)
    await ana.open("/hits?stage=decided")
    wanted = {"list": carried(ana), "every": "yes", "total": HIGH, "channel": "siena", "urgency": "normal"}
    page = await ana.send("/hits/ask", **wanted)
    assert "2 requests" in page
    assert [page.count(f"({code}): 20 hits") for code in ("RS", "SI")] == [1, 1]
    assert page.count('data-copy="message-') == 2
    coded = re.findall(r"^- handling code \d+: (.+)$", page, re.MULTILINE)
    assert [coded.count(code) for code in ("-", "H0", "H1", "H3")] == [10] * 4
    assert re.findall(r"^Handling code: (.+)$", page, re.MULTILINE) == ["H1", "H3"]
    assert page.count("Subject: Request after a hit (20 hits): AL to ") == 2
    named = re.findall(r'name="hit" value="([^"]+)"', ana.page)
    assert [len(one.split()) for one in named] == [20] * 4
    await ana.send("/hits/requests.pdf", hit=named[0])
    assert ana.answer.content.startswith(b"%PDF")
    await ana.send("/hits/requests.json", hit=named[0])
    assert len([name for name, _ in ana.answer.json()["references"] if name.startswith("hit ")]) == 20
    # What is not decided is in no request.
    await ana.open("/hits?stage=closed")
    await ana.send("/hits/ask", **wanted | {"list": "stage=closed", "total": 0}, follow=False)
    assert ana.answer.status_code == 303


async def test_a_request_is_followed_until_it_is_answered(ana: Browser, world: World) -> None:
    """Its clock runs on the page of requests, a reminder is the next letter, and a reply is recorded once for all."""
    await decide_high(ana)
    wanted = {"list": "stage=decided", "every": "yes", "total": HIGH, "channel": "siena", "urgency": "urgent"}
    await ana.send("/hits/ask", **wanted)
    page = words(await ana.open("/hits/requests"))
    assert "Your requests (2) Requests of others (0)" in page
    assert page.count("8 hours left") == 2
    world.clock.time += 10 * HOUR
    page = words(await ana.open("/hits/requests"))
    assert page.count("overdue for 2 hours") == 2
    assert page.count("0 of 20 hits") == 2
    section = next(part for part in ana.page.split("<section") if "(RS): 20 hits" in part)
    hits = re.findall(r'name="hit" value="([^"]+)"', section)[0]
    references = re.findall(r"<textarea[^>]* readonly[^>]*>([^<]*)", section)[0].split()
    assert references[2::3] == [key.split(".")[1] for key in hits.split()]
    assert "First reminder of a request after a hit" in words(await ana.send("/hits/remind", hit=hits))
    page = words(await ana.send("/hits/remind", hit=hits))
    assert "Subject: Second reminder of a request after a hit (20 hits): AL to RS" in page
    assert "Reminds of a request of" in page
    assert "Reminders 2, the last on" in words(await ana.open("/hits/requests"))
    # The channel's number and the reply are recorded for all of its hits at once, and each leads to them.
    letter = {"hit": hits, "place": "s1", "date-s1": "2026-11-20", "number-s1": "SIENA 12"}
    await ana.send("/hits/correspondence", **letter, step="referenced")
    page = words(await ana.send("/hits/correspondence", **letter | {"number-s1": "RS 77"}, step="replied"))
    assert "Number in this channel SIENA 12" in page
    assert "20 of 20 hits, last on 20 Nov 2026 (RS 77)" in page
    assert "20 hits were left out" in words(await ana.send("/hits/remind", hit=hits))
    for number, kind in (("siena 12", "in its channel of a follow-up"), ("RS 77", "the number of a reply of Serbia")):
        assert kind in words(await ana.send("/search", text=number))
    page = words(await ana.open("/"))
    assert "a reply of the other party 20 20 0 15 Jan 2027, 16:00" in page
    assert "the outcome, after a reply 20 0 0" in page
    assert "decided: the same person 40 40" in page
    assert "reply received 20 20" in page
    # A closed hit leaves the bundle, which still says how many there were.
    await ana.send("/hits/close-many", list="", hit=hits.split()[:1], outcome="confirmed", remark="")
    page = words(await ana.open("/hits/requests"))
    assert "19 of 19 hits" in page
    assert "1 more is closed" in page
    assert "closed: the same person, confirmed by the other party 1 1" in words(await ana.open("/"))
    world.clock.time += 40 * 24 * HOUR
    page = words(await ana.open("/"))
    assert "The other party has not replied in time overdue" in page
    assert "Hits in your requests without a reply: 20. The first reply was due on 15 Jan 2027, 16:00" in page
    assert "a reply of the other party 20 20 20" in page
    assert "closed: the same person, confirmed by the other party 0 1" in page


async def test_a_request_of_another_party_has_a_clock(ana: Browser, world: World) -> None:
    """Its hits are found by the references that its letter names; the answer ends the clock, and stays for a month."""
    await ana.open("/hits?counterpart=RS")
    ids = [first(row) for row in rows(ana)[:3]]
    today = datetime.fromtimestamp(world.clock.time, UTC).date().isoformat()
    letter = {"received_on": today, "received_number": "RS 5", "urgency": "urgent"}
    await ana.open("/hits/requests")
    text = f"Dear colleagues,\nround {'e' * 32}\n" + "; ".join(ids)
    page = words(await ana.send("/hits/received", letter="nothing of ours", **letter))
    assert "names no hit of this node" in page
    page = words(await ana.send("/hits/received", letter=text, **letter))
    assert "Requests of others (1)" in page
    assert "(RS): 3 hits 8 hours left Letter of" in page
    # Its reminder is no second request, and a hit with an unanswered request is overdue whatever its stage.
    await ana.send("/hits/received", letter=text, **letter | {"received_number": "RS 6"})
    world.clock.time += 11 * HOUR
    page = words(await ana.open("/hits/requests"))
    assert "overdue for 3 hours" in page
    assert "Reminders 1" in page
    page = words(await ana.open("/"))
    assert "your answer to the other party 3 3 0" in page
    assert "Requests of other parties wait for your answer overdue Hits that they ask about: 3." in page
    assert "has not replied" not in page
    assert "3 overdue" in words(await ana.open("/hits?overdue=true"))
    assert "the number of a request of Serbia" in words(await ana.send("/search", text="RS 5"))
    await ana.open("/hits/requests")
    hits = re.findall(r'name="hit" value="([^"]+)"', ana.page)[0]
    assert "Request of the other party" in words(await ana.open(f"/hits/{hits.split()[0].replace('.', '/')}"))
    answer = {"hit": hits, "place": "r1", "date-r1": today, "number-r1": "AL 9", "step": "answered"}
    assert "3 of 3 hits, last on" in words(await ana.send("/hits/correspondence", **answer))
    assert "3 hits were left out" in words(await ana.send("/hits/correspondence", **answer))
    assert "Nothing in this view" in words(await ana.open("/hits?overdue=true&counterpart=SI"))
    world.clock.time += 31 * 24 * HOUR
    assert "Requests of others (0)" in words(await ana.open("/hits/requests"))
