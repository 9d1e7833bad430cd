"""A hundred persons with 128 hits decided in a browser, with keys and with buttons, and requested from two countries.

`python -m pytest -s` shows the seconds that it took.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlalchemy import URL

from services.kit.people.keys import row_key_of
from services.kit.storage.store import Store
from tests.support.browsing import Visitor, Window, chromium
from tests.support.loaded_program import LOADED
from tests.support.process_world import World
from tests.support.stored_hits import StoredHit, store_hits

pytestmark = [pytest.mark.e2e, pytest.mark.soak]

PERSONS, HITS = 100, 128
MOST_ACTIONS = 220


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from chromium()


@pytest.fixture
def reviewed_world(tmp_path: Path) -> Iterator[World]:
    """A matcher and two nodes, of which Albania's has hits with two parties in a round that was proposed."""
    made = World(tmp_path, program=LOADED)
    try:
        made.make(["AL", "RS"])
        round_id, node = made.propose(), made.services["AL"]
        made.until(lambda: round_id in str(node.ask("GET", "/v1/rounds")))
        store = Store(URL.create("sqlite", database=str(node.home / "node.db")))
        parties = ["RS"] * PERSONS + ["SI"] * (HITS - PERSONS)
        store.row_key = row_key_of(node.home)
        hits = [
            StoredHit(number % PERSONS, party, ("high", "medium", "low")[number % 3])
            for number, party in enumerate(parties)
        ]
        store_hits(store, round_id, hits, int(time.time()))
        store.close()
        yield made
    finally:
        made.stop()


class Hands:
    def __init__(self, visitor: Visitor) -> None:
        self.page, self.actions = visitor.page, 0

    def press_key(self, key: str) -> None:
        self.actions += 1
        with self.page.expect_navigation():
            self.page.keyboard.press(key)

    def click(self, words: str) -> None:
        self.actions += 1
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=words, exact=True).first.click()


@pytest.mark.parametrize("scripts", [True, False], ids=["keys", "buttons"])
def test_a_hundred_persons_take_an_action_each(browser: Browser, reviewed_world: World, *, scripts: bool) -> None:
    node = reviewed_world.services["AL"]
    token = (node.home / "operator.token").read_text().strip()
    code = node.call(token, "POST", "/v1/people/accounts", json={"login": "eva", "roles": ["analyst"]})["code"]
    visitor = Visitor.at(browser, node.url, Window(1280, scripts=scripts))
    visitor.enrol("eva", code)
    visitor.open("/hits?stage=new&sort=certainty")
    hands, started = Hands(visitor), time.monotonic()
    if scripts:
        hands.actions += 1
        visitor.page.locator("tbody th a").first.focus()
    for number in range(PERSONS):
        decision = number % 3
        if scripts:
            hands.press_key("sna"[decision])
        else:
            hands.click(("Same person", "Not the same", "Cannot tell")[decision])
    visitor.check()
    assert visitor.shows("All decided")
    # All that is decided is asked for with a letter to each country; those on other persons are left out.
    visitor.open("/hits?stage=decided")
    hands.actions += 4
    visitor.page.locator("#every").check()
    visitor.page.get_by_text("Ask, close, assign").click()
    visitor.page.locator("#channel").select_option("siena")
    hands.click("Ask the other parties")
    visitor.check()
    assert visitor.shows("2 requests")
    print(f"{HITS} hits, {hands.actions} actions, {time.monotonic() - started:.1f} s")
    assert hands.actions <= MOST_ACTIONS
    for path in ("/hits/requests", "/"):
        visitor.open(path)
        visitor.check()
    if scripts:  # the last decision is taken back by a key as well, where the list has a row
        visitor.open("/hits?stage=decided")
        row = visitor.page.locator("tbody tr").first
        row.locator("th a").focus()
        hands.press_key("n")
        visitor.page.locator("tbody th a").first.focus()
        hands.press_key("u")
        assert visitor.shows("The decision is undone.")
    visitor.close()
