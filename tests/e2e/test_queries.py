"""Queries at a browser, among real services: a standing query over two rounds, and an answer that is withheld.

An officer types whom to ask for, a second person approves; the answer is looked at while it waits, while a party has
it on hold, and after it was refused. Every page on the way is looked at as in `test_pages`: those of who asks in a wide
window with JavaScript, those of who approves and decides in a telephone's without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.support.browsing import Visitor, Window, chromium
from tests.support.loaded_program import LOADED
from tests.support.node_steps import PEOPLE
from tests.support.node_world import HEADER
from tests.support.process_world import Service, World

pytestmark = pytest.mark.e2e

NAMES = ("given_names", "family_names", "date_of_birth")
WATCHED = ("Stojan", "Petrovski", "1971-05-30")  # on the list of MK
LATER = ("Goran", "Ilievski", "1969-02-03")  # on its list of the second round
LISTS = {"AL": PEOPLE, "MK": [f"{','.join(WATCHED)},\n"], "RS": ["Mira,Marić,1970-01-02,\n"]}
STANDING_SECONDS = (
    300  # a node looks for rounds of its standing queries every half minute; a loaded machine takes longer
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    yield from chromium()


@pytest.fixture
def asking_world(tmp_path: Path) -> Iterator[World]:
    """A matcher and three nodes, whose lists have nobody in common: then few hits are far too many."""
    made = World(tmp_path, program=LOADED, frugal=True)
    try:
        made.make(["AL", "MK", "RS"])
        yield made
    finally:
        made.stop()


@dataclass(frozen=True)
class People:
    """People of the party that asks, and the approver of the party whose list is fished."""

    officer: Visitor
    approver: Visitor
    analyst: Visitor
    owner: Visitor


def visitor(browser: Browser, window: Window, service: Service, role: str) -> Visitor:
    """Return the browser of a new person with a role, who is signed in."""
    token = (service.home / "operator.token").read_text().strip()
    login = f"the-{role}"
    made = service.call(token, "POST", "/v1/people/accounts", json={"login": login, "roles": [role]})
    found = Visitor.at(browser, service.url, window)
    found.enrol(login, made["code"])
    return found


def take_part(world: World, lists: Mapping[str, list[str]]) -> str:
    """Open a round that takes queries, to which some parties have submitted their lists; return its id."""
    round_id = world.propose(mode="lists_and_queries")
    world.consent(round_id)
    for code, lines in lists.items():
        submit_list(world, round_id, code, lines)
    return round_id


def submit_list(world: World, round_id: str, code: str, lines: list[str]) -> None:
    """Submit a party's list to a round."""
    node, path = world.services[code], world.root / f"{code}.csv"
    path.write_text(HEADER + "".join(f"{code}-{n},{line}" for n, line in enumerate(lines)), encoding="utf-8")
    world.submit(node, round_id, world.import_list(node, path))


def approve(approver: Visitor) -> None:
    """Let a second person read and approve what waits."""
    approver.open("/approvals")
    approver.go_by(approver.page.locator("tbody th a").first)
    approver.page.locator("#read").check()
    approver.press("Approve")
    assert approver.shows("It is approved and takes effect.")


def ask(officer: Visitor, approver: Visitor, round_id: str, until: str) -> None:
    """Type persons into the form, with a mistake that is shown at its field and corrected, and have them approved."""
    officer.open("/queries")
    officer.page.locator("#round_id").select_option(round_id)
    for number, person in enumerate((WATCHED, LATER), start=1):
        for name, text in zip(NAMES, person, strict=True):
            officer.page.locator(f"#{name}-{number}").fill(text)
    officer.write(case_reference="2026/11", until=until)
    officer.page.locator("#date_of_birth-1").fill("30.2.x")
    officer.press_in_vain("Ask")
    assert officer.shows("It was not sent")
    wrong = officer.page.locator("#date_of_birth-1")
    assert wrong.get_attribute("aria-invalid") == "true"
    fault = officer.page.locator(f"#{(wrong.get_attribute('aria-describedby') or '').split()[0]}").inner_text()
    assert "has an unknown form" in fault
    wrong.fill(WATCHED[2])
    officer.press("Ask")
    assert officer.shows("Waiting for approval.")
    approve(approver)


def comes(world: World, watcher: Visitor, state: str) -> None:
    """Wait until the page that is open shows a state: by itself where there are scripts, else by looking again."""
    address = watcher.page.url
    world.until(lambda: f">{state}</span>" in watcher.page.request.get(address).text(), STANDING_SECONDS)
    if not watcher.scripts:
        watcher.open(address.removeprefix(watcher.url))
    watcher.page.locator(".tag").get_by_text(state, exact=True).first.wait_for()
    watcher.check()


def has(parts: Locator, count: int) -> None:
    """Check how often something is on the page, which may just be loading itself anew because of further news."""
    expect(parts).to_have_count(count, timeout=1_000 * STANDING_SECONDS)


def see_standing_query(world: World, people: People) -> str:
    """Set up a standing query, see its answer wait and come, and what is new in the next round; return that round."""
    officer, analyst = people.officer, people.analyst
    first = take_part(world, {code: LISTS[code] for code in ("AL", "RS")})
    day = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    ask(officer, people.approver, first, day)
    officer.open("/queries")
    officer.follow("Standing queries")
    assert officer.shows("asked in each round")
    standing = officer.page.locator("tbody th a").first.get_attribute("href") or ""
    world.until(lambda: found_in(officer, standing, first) == ["-", "-", "-"], STANDING_SECONDS)
    officer.open(standing)
    assert officer.shows("Stojan Petrovski")
    officer.go_by(officer.page.locator("tbody tr", has_text=first[:8]).locator("th a"))
    # The answer waits for the list of MK, and comes while one looks at it.
    assert officer.shows("its list is not in the round yet")
    submit_list(world, first, "MK", LISTS["MK"])
    comes(world, officer, "answered")
    has(officer.page.locator("tbody strong"), 1)
    officer.follow("Report sheet")
    assert officer.shows("It clears nobody.")
    paper = officer.on_paper()
    assert "It clears nobody." in paper
    assert "Print this page" not in paper
    officer.open(standing)
    assert officer.shows("1 hit is on a person and a party that no earlier round had.")
    # In the next round another person is on the list: only that hit is new.
    second = take_part(world, LISTS | {"MK": [*LISTS["MK"], f"{','.join(LATER)},\n"]})
    world.until(lambda: found_in(officer, standing, second) == ["2", "1", "1"], STANDING_SECONDS)
    officer.open("/")
    assert officer.shows("New hits of standing queries")
    analyst.open(standing)
    assert not analyst.shows("Withdraw it")
    analyst.follow("See the hits")
    assert analyst.shows("your query: 2026/11")
    officer.open(standing)
    officer.write(reason="the case is closed")
    officer.press("Withdraw it")
    assert officer.shows("The standing query is withdrawn.")
    officer.open(standing)
    assert officer.shows("the case is closed")
    return second


def found_in(officer: Visitor, standing: str, round_id: str) -> list[str]:
    """Return what a standing query found in a round: hits, those that no earlier round had, those that are new."""
    page = officer.page.request.get(f"{officer.url}{standing}").text()
    row = next((row for row in page.split("<tr>") if f'href="/rounds/{round_id}"' in row and "/queries/" in row), "")
    return re.findall(r'<td class="number"[^>]*>([^<]*)</td>', row)


def see_answer_withheld(world: World, people: People, round_id: str) -> None:
    """Ask for so many of a list that its owner puts the answer on hold, and refuses it: the asker reads so at once."""
    officer, owner = people.officer, people.owner
    officer.open("/queries")
    officer.page.locator("#round_id").select_option(round_id)
    officer.page.get_by_text("Or paste lines, or take a list").click()
    lines = [line.replace(",", ";") for line in [*PEOPLE, *LISTS["MK"]]]
    officer.write(case_reference="2026/12", pasted="".join(lines))
    officer.press("Ask")
    assert officer.shows("Waiting for approval.")
    approve(people.approver)
    officer.open("/queries")
    officer.go_by(officer.page.locator("tbody th a", has_text="2026/12").first)
    comes(world, officer, "on hold")
    assert officer.shows("withholds its answer until one of its people decides, and with it the whole report.")
    query = officer.page.url.removeprefix(officer.url)
    owner.open("/")
    owner.follow("Read it and decide")
    assert owner.shows("A query that hits far too often")
    assert owner.shows("2026/12")
    owner.page.get_by_text("Refuse this answer", exact=True).first.click()
    owner.write(**{f"reason-{query.split('/')[-1][:8]}": "no person of a case was named"})
    owner.press("Refuse this answer")
    assert owner.shows("Your party refused its answer.")
    comes(world, officer, "refused")
    comes(world, officer, "answered")  # by the others
    assert officer.shows("refuses its answer to this query.")
    has(officer.page.locator("tbody .tag").get_by_text("refused", exact=True), len(PEOPLE) + 1)
    has(officer.page.locator("tbody tr", has_text=WATCHED[1]).locator("strong"), 1)
    officer.follow("Report sheet")
    assert officer.shows("Where an answer is missing, a person without a hit is not a no-hit.")


@pytest.mark.parametrize(
    ("asking", "deciding"),
    [
        pytest.param(Window(1920), Window(360, scripts=False), id="wide-and-narrow-without-scripts"),
        pytest.param(Window(360, scripts=False), Window(1920), id="narrow-without-scripts", marks=pytest.mark.soak),
        pytest.param(Window(360), Window(360), id="narrow", marks=pytest.mark.soak),
        pytest.param(*[Window(1920, scripts=False)] * 2, id="wide-without-scripts", marks=pytest.mark.soak),
    ],
)
def test_queries_from_the_form_to_their_answers(
    browser: Browser, asking_world: World, asking: Window, deciding: Window
) -> None:
    """Made, waited for, seen in the next round and withdrawn; then on hold and refused, on both sides."""
    here, there = asking_world.services["RS"], asking_world.services["AL"]
    people = People(
        officer=visitor(browser, asking, here, "officer"),
        approver=visitor(browser, deciding, here, "approver"),
        analyst=visitor(browser, asking, here, "analyst"),
        owner=visitor(browser, deciding, there, "approver"),
    )
    see_answer_withheld(asking_world, people, see_standing_query(asking_world, people))
    for one in (people.officer, people.approver, people.analyst, people.owner):
        assert not [address for address in one.addresses if WATCHED[1] in address or LATER[1] in address]
        one.close()
