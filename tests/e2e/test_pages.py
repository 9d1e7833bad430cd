"""Each role's story at a browser, from the first administrator to a closed hit, on real services.

One party and the secretariat have wide windows with JavaScript, the other party a telephone's without; `make soak` adds
other windows for all, in dark colours too. Every page on the way is looked at: its policy holds, it is not wider than
the window, it is small, and axe finds no violation of WCAG 2.2 AA.
"""

import csv
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browsing import PASSWORD, PHONE, Visitor, Window, chromium
from tests.support.loaded_program import LOADED
from tests.support.process_world import WAIT_SECONDS, Service, World, secrets_of

pytestmark = pytest.mark.e2e

LONG = 10_000  # rows of a long list


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from chromium()


@pytest.fixture
def delivered(tmp_path: Path) -> Path:
    """The folder into which a national system of Serbia puts its lists."""
    made = tmp_path / "delivered"
    made.mkdir()
    return made


@pytest.fixture
def quiet_world(tmp_path: Path, delivered: Path) -> Iterator[World]:
    """A matcher and two nodes, of whose people nobody has an account yet."""
    (tmp_path / "world").mkdir()
    settings = {"RS": f'deliveries = "{delivered}"\n'}
    made = World(tmp_path / "world", program=LOADED, persons=(), more_settings=settings, frugal=True)
    try:
        made.make(["AL", "RS"])
        yield made
    finally:
        made.stop()


class SignedInPeople:
    def __init__(self, browser: Browser, windows: Mapping[str, Window], matcher: str) -> None:
        self._browser, self._windows, self.matcher = browser, windows, matcher
        self.visitors: list[Visitor] = []

    def visitor(self, service: Service) -> Visitor:
        made = Visitor.at(self._browser, service.url, self._windows[service.name])
        self.visitors.append(made)
        return made

    def set_up(self, service: Service, *people: tuple[str, str]) -> list[Visitor]:
        """Let the first administrator in by the home's key, who makes the others' accounts; let these enrol."""
        administrator = self.visitor(service)
        administrator.open("/set-up")
        administrator.write(key=(service.home / "operator.token").read_text().strip(), login="chief")
        administrator.press("Make the account")
        administrator.choose_password()
        administrator.open("/registry")
        administrator.open("/service")
        made = []
        for login, role in people:
            administrator.open("/people")
            administrator.write(login=login)
            administrator.page.locator(f"#role-{role}").check()
            administrator.press("Make the account")
            code = administrator.page.locator(".note code").nth(1).inner_text()
            visitor = self.visitor(service)
            visitor.enrol(login, code)
            made.append(visitor)
        return made


def approve(second: Visitor) -> None:
    """Let a second person find what waits on the first page, read it, and approve."""
    second.open("/")
    second.follow("Read it and decide")
    second.page.locator("#read").check()
    second.press("Approve")
    assert second.shows("It is approved and takes effect.")


def make_hostile(path: Path) -> None:
    """Put markup into a list, in a field that the counterpart's note carries too."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0], "category"])
        writer.writeheader()
        writer.writerows(row | {"category": "<b>fighter</b>"} for row in rows)


def import_list(officer: Visitor, path: Path) -> None:
    officer.open("/records")
    officer.page.locator("#file").set_input_files(path)
    officer.press("Look through")
    assert officer.shows("Nothing is stored yet.")
    officer.press(re.compile("^Store "))
    assert officer.shows("The list is stored.")


def import_delivered(officer: Visitor, folder: Path, path: Path) -> None:
    """Find a list on the first page that a national system delivered an hour ago, look it through and store it."""
    file = folder / "nightly.csv"
    shutil.copy(path, file)
    os.utime(file, (time.time() - 3_600,) * 2)
    officer.open("/")
    officer.follow("Look through them")
    officer.press("Look through nightly.csv")
    assert officer.shows("Nothing is stored yet.")
    assert file.exists()
    officer.press(re.compile("^Store "))
    assert officer.shows("The list is stored.")
    assert not file.exists()


def look_through_long_list(officer: Visitor) -> None:
    rows = "".join(f"n-{n},{name},19{n % 90 + 10}-0{n % 9 + 1}-1{n % 10}\n" for n, name in enumerate(_names(LONG)))
    content = f"record_id,given_names,family_names,date_of_birth\n{rows}".encode()
    officer.open("/records")
    officer.page.locator("#file").set_input_files({"name": "long.csv", "mimeType": "text/csv", "buffer": content})
    officer.press("Look through")
    officer.page.get_by_text("Nothing is stored yet.").wait_for(timeout=1_000 * WAIT_SECONDS)
    officer.check()
    assert officer.shows(f"{LONG:,}\nrecords can be used")
    assert any("/records/waiting/" in address for address in officer.addresses)
    officer.follow("Not now")
    assert officer.shows("waiting for you to decide whether to store it.")


def _names(many: int) -> list[str]:
    letters = "abdefgiklmnoprstuvz"
    return [f"Ana{letters[n % 19]}a,Nov{letters[n // 19 % 19]}{letters[n // 361 % 19]}ak" for n in range(many)]


def reach_the_list_by_keys(analyst: Visitor) -> None:
    """The first two stops of the tabulator lead past the head of a page: to its content, and to its list."""
    analyst.open("/hits?stage=new&sort=name")
    here = analyst.page.locator(":focus")
    for words in ("Skip to the content", "Skip to the list"):
        analyst.page.keyboard.press("Tab")
        expect(here).to_have_text(words)
        expect(here).to_be_in_viewport()
        expect(here).to_have_css("outline-style", "solid")
    analyst.page.keyboard.press("Enter")
    expect(analyst.page.locator("#rows:focus")).to_have_count(1)
    analyst.page.keyboard.press("Tab")
    expect(analyst.page.locator("#rows :focus")).to_have_count(1)


def see_history(analyst: Visitor, path: Path) -> None:
    """Go from a hit to the history of its own record and back; find the first person of the list by name as well."""
    place = analyst.page.url.removeprefix(analyst.url)
    analyst.press("Its history in all rounds")
    look_at_first(analyst)
    assert analyst.shows("Its hits")
    with path.open(encoding="utf-8", newline="") as stream:
        row = next(csv.DictReader(stream))
    analyst.open("/search")
    analyst.write(text=f"{row['given_names']} {row['family_names']}".upper())
    analyst.press("Search")
    look_at_first(analyst)
    assert analyst.shows(row["record_id"])
    analyst.open(place)


def look_at_first(analyst: Visitor) -> None:
    analyst.go_by(analyst.page.locator("tbody th a").first)
    assert analyst.shows("Readings of its names")


def take_part(world: World, officer: Visitor, approver: Visitor, round_id: str) -> None:
    node = next(service for service in world.nodes if service.url == officer.url)
    address = f"{officer.url}/rounds/{round_id}"
    world.until(lambda: officer.page.request.get(address).status == 200)
    officer.open("/")
    officer.follow("Read the proposal")
    officer.page.locator("#read").check()
    officer.press("Consent")
    assert officer.shows("Waiting for approval.")
    approve(approver)
    # The approval takes effect at once, the consent is signed by the node's next step.
    world.until(lambda: "case_reference" in officer.page.request.get(address).text())
    officer.open(f"/rounds/{round_id}")
    if officer.page.locator("select#import_id").count():
        officer.page.locator("select#import_id").select_option(index=1)
    officer.write(case_reference="2026/1")
    officer.press("Submit")
    assert officer.shows("Waiting for approval.")
    approve(approver)
    assert node.name


def follow_a_hit(analyst: Visitor, path: Path) -> None:
    analyst.open("/hits?counterpart=AL&stage=new")
    analyst.page.get_by_text("Filter and order").click()
    analyst.write(view="New with AL")
    analyst.press("Keep the view")
    assert analyst.shows("The view is kept.")
    analyst.open("/")
    analyst.follow("See the hits")
    analyst.go_by(analyst.page.locator("tbody th a").first)
    assert analyst.shows("Limits of a hit")
    assert analyst.shows("chance alone would give")
    see_history(analyst, path)
    place = analyst.page.url.removeprefix(analyst.url)
    analyst.press("Same person")
    assert analyst.shows("Your last decision: the same person")
    analyst.open(place)
    analyst.page.locator("#channel").select_option("siena")
    analyst.press("Open the follow-up")
    analyst.press("Show the letter")
    assert "references only" in analyst.page.inner_text("main")
    paper = analyst.on_paper()
    assert "references only" in paper
    assert "As a message" not in paper
    analyst.open(analyst.page.locator("main a").first.get_attribute("href") or "")
    with analyst.page.expect_download() as paper:
        analyst.page.get_by_role("button", name="Letter as PDF").click()
    assert paper.value.path().read_bytes().startswith(b"%PDF")
    analyst.page.locator("#outcome").select_option("confirmed")
    analyst.press("Close it")
    assert analyst.shows("closed")


def decide_the_rest(analyst: Visitor) -> None:
    reach_the_list_by_keys(analyst)
    paper = analyst.on_paper()
    assert "Own record" in paper or analyst.page.viewport_size["width"] < PHONE  # type: ignore[index] # there is one
    assert "Several at once" not in paper
    analyst.open("/hits?stage=new&sort=name")
    boxes = analyst.page.get_by_role("checkbox", name=re.compile(r"^Choose \S+ [A-Z ]+$"))
    new = boxes.count()
    row = analyst.page.locator("tbody tr").nth(1)
    if analyst.scripts:
        analyst.page.locator("tbody th a").first.focus()
        analyst.page.keyboard.press("j")
        with analyst.page.expect_navigation():
            analyst.page.keyboard.press("s")
        analyst.check()
    else:
        analyst.go_by(row.get_by_role("button", name="Same person"))
    assert analyst.shows("Your last decision: the same person, ")
    assert boxes.count() == new - 1
    analyst.press("Undo it")
    assert boxes.count() == new
    for number in (0, 1):
        boxes.nth(number).check()
    analyst.page.locator("#decision").select_option("not_the_same")
    analyst.write(remark="another year of birth")
    analyst.press("Decide")
    assert analyst.shows("Your last decision: not the same person, ")
    assert boxes.count() == new - 2
    with analyst.page.expect_download() as paper:
        analyst.page.get_by_role("button", name="All of this filter as PDF").click()
    assert paper.value.path().read_bytes().startswith(b"%PDF")


def answer_a_person(desk: Visitor, path: Path) -> None:
    """Search the node for the first person of the list, who asks what is held, and record the answer."""
    with path.open(encoding="utf-8", newline="") as stream:
        row = next(csv.DictReader(stream))
    desk.open("/subjects")
    desk.write(file_number="DP 2026/17", given_names=row["given_names"], family_names=row["family_names"])
    desk.press("Search")
    assert desk.shows(row["record_id"])
    desk.page.locator("#answer-given").check()
    desk.write(received=time.strftime("%Y-%m-%d"))
    desk.press("Record the answer")
    assert desk.shows("information given")


def propose(officer: Visitor, first: Visitor, second: Visitor) -> None:
    """Let the secretariat propose a round, and a second officer of it approve, while a party's officer looks around."""
    for page in ("/queries", "/queries/standing", "/rounds"):
        officer.open(page)
    first.open("/rounds")
    first.follow("Propose a round")
    for party in ("AL", "RS"):
        first.page.locator(f"#party-{party}").check()
    first.write(area="counter-terrorism", legal_basis="PCC SEE", purpose="find common persons", category="fighters")
    first.press("Choose pairs and caps for each party")
    first.press("Propose")
    approve(second)


@pytest.mark.parametrize(
    ("window", "abroad"),
    [
        pytest.param(Window(1920), Window(360, scripts=False), id="wide-and-narrow-without-scripts"),
        pytest.param(Window(360, scripts=False), Window(1920), id="narrow-without-scripts", marks=pytest.mark.soak),
        pytest.param(Window(360, dark=True), Window(360, dark=True), id="narrow", marks=pytest.mark.soak),
        pytest.param(*[Window(1920, scripts=False)] * 2, id="wide-without-scripts", marks=pytest.mark.soak),
    ],
)
def test_the_story(
    browser: Browser, quiet_world: World, delivered: Path, files: dict[str, Path], window: Window, abroad: Window
) -> None:
    world, windows = quiet_world, {"matcher": window, "RS": window, "AL": abroad}
    cast = SignedInPeople(browser, windows, world.matcher.url)
    for path in files.values():
        make_hostile(path)
    roles = [("ofi", "officer"), ("app", "approver"), ("ana", "analyst"), ("aud", "auditor")]
    roles.append(("dpo", "data_protection_officer"))
    here = cast.set_up(world.services["RS"], *roles)
    there = cast.set_up(world.services["AL"], *roles[:2])
    first, second, watcher = cast.set_up(
        world.matcher, ("sec-1", "secretariat"), ("sec-2", "secretariat"), ("aud", "auditor")
    )
    officer, approver, analyst, auditor, desk = here
    import_delivered(officer, delivered, files["RS"])
    import_list(there[0], files["AL"])
    if window.scripts:
        look_through_long_list(officer)
    propose(officer, first, second)
    first.open("/rounds")
    round_id = first.page.locator("tbody a").first.get_attribute("href").split("/")[-1]  # type: ignore[union-attr] # it is there
    watcher.open(f"/rounds/{round_id}")
    for one, other in ((officer, approver), (there[0], there[1])):
        take_part(world, one, other, round_id)
    if window.scripts:  # what the parties did comes to a page that nobody touches
        for party in ("AL", "RS"):
            watcher.page.locator(f"[data-value={party}-listed]", has_text="yes").wait_for()
        watcher.check()
    first.open(f"/rounds/{round_id}")
    world.until(lambda: analyst.page.request.get(f"{analyst.url}/hits").text().count("/hits/" + round_id) > 0)
    analyst.press("Sign out")
    analyst.sign_in("ana")
    follow_a_hit(analyst, files["RS"])
    decide_the_rest(analyst)
    answer_a_person(desk, files["RS"])
    # The auditor finds it in the log, the matcher's auditor finds the round; the secretariat closes it.
    auditor.open("/log")
    assert auditor.shows(" closed a hit.")
    watcher.open("/log")
    assert watcher.shows(" compared Albania (AL) with ")
    first.open("/parties")
    first.open("/statistics")
    first.open("/picture")
    first.open(f"/rounds/{round_id}")
    first.page.get_by_text("Close the round", exact=True).locator("visible=true").last.click()
    first.press("Close the round for all parties")
    numbers = "Hits between parties, of their lists"
    world.until(lambda: numbers in first.page.request.get(f"{first.url}/picture").text())
    first.open("/picture?certainty=medium")
    first.open("/statistics")
    first.open(f"/rounds/{round_id}")
    assert first.shows("exact and not for publication")
    _leaks(cast, files)


def _leaks(cast: SignedInPeople, files: dict[str, Path]) -> None:
    """No address and nothing that a browser keeps holds a word of a record; the matcher's pages hold none at all.

    Markup from a file is on no page, and nothing of a page may be cached.
    """
    needles = {needle.decode() for needle in secrets_of(files)}
    seen = [page for visitor in cast.visitors if visitor.url != cast.matcher for page in visitor.pages]
    assert any(needle in page for page in seen for needle in needles)  # the nodes' own pages do show persons
    assert any("&lt;b&gt;fighter" in page for page in seen)
    for visitor in cast.visitors:
        assert not [page for page in visitor.pages if "<b>fighter" in page]
        if visitor.url == cast.matcher:
            assert not [needle for needle in needles for page in visitor.pages if needle in page]
        for address in visitor.addresses:
            assert not [needle for needle in needles if needle in address]
        kept = visitor.stored()
        assert not [needle for needle in needles if needle in kept]
        assert PASSWORD not in " ".join(visitor.addresses)
        cookies = visitor.page.context.cookies()
        assert all(cookie["httpOnly"] and cookie["sameSite"] == "Strict" for cookie in cookies)
        visitor.close()
