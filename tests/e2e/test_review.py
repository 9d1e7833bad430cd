"""A hundred hits decided in a browser as a person would, with keys and with buttons; each hit takes one action.

`python -m pytest -s` shows the seconds that it took.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlalchemy import URL

from services.kit.storage.store import Store
from tests.support.browsing import Visitor, Window, chromium
from tests.support.loaded_program import LOADED
from tests.support.process_world import World
from tests.support.stored_hits import StoredHit, store_hits

pytestmark = [pytest.mark.e2e, pytest.mark.soak]

HITS = 100
MOST_ACTIONS = 2 * HITS


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from chromium()


@pytest.fixture
def reviewed_world(tmp_path: Path) -> Iterator[World]:
    """A matcher and two nodes, of which Albania's has a hundred hits in a round that was proposed."""
    made = World(tmp_path, program=LOADED)
    try:
        made.make(["AL", "RS"])
        round_id, node = made.propose(), made.services["AL"]
        made.until(lambda: round_id in str(node.ask("GET", "/v1/rounds")))
        store = Store(URL.create("sqlite", database=str(node.home / "node.db")))
        hits = [StoredHit(number, "RS", ("high", "medium", "low")[number % 3]) for number in range(HITS)]
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
def test_a_hundred_hits_take_an_action_each(browser: Browser, reviewed_world: World, *, scripts: bool) -> None:
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
    for number in range(HITS):
        decision = number % 3
        if scripts:
            hands.press_key("sna"[decision])
        else:
            hands.click(("Same person", "Not the same", "Cannot tell")[decision])
    print(f"{HITS} hits, {hands.actions} actions, {time.monotonic() - started:.1f} s")
    visitor.check()
    assert visitor.shows("All decided")
    assert hands.actions <= MOST_ACTIONS
    if scripts:  # the last decision is taken back by a key as well, where the list has a row
        visitor.open("/hits")
        visitor.page.locator("tbody th a").first.focus()
        hands.press_key("u")
        visitor.open("/hits?stage=new")
        assert visitor.shows("1 hit")
    visitor.close()
