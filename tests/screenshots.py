"""`python -m tests.screenshots FOLDER`: pictures of the six main pages for the README, made from a demo of its own.

It plays the demo in a temporary folder, signs in as its people and photographs their pages with Debian's Chromium.
"""

import sys
import tempfile
import time
from pathlib import Path

import pyotp
from playwright.sync_api import Browser, Page

from clients.cli.demo.population import populate
from clients.cli.demo.scenario import DemoScenario
from clients.cli.output.screen import Screen
from clients.local_services.accounts import PASSWORD, secret_file
from clients.local_services.processes import Process, staged
from tests.support.browsing import chromium

_WIDTH, _HEIGHT = 1280, 860


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="aquila-") as scratch, staged(Path(scratch) / "demo") as stage:
        story = DemoScenario(Screen(), stage, populate(1_000, 1), keep=True)
        cast = story.play_all()
        services = {process.name: process for process in stage.processes}
        for browser in chromium():
            approver = _signed_in(browser, services["SI"], "approver")
            _shoot(approver, "/", folder / "home.png")
            officer = _signed_in(browser, services["SI"], "officer")
            officer.goto(services["SI"].url + "/records")
            officer.locator("#file").set_input_files(cast.list_file("SI"))
            officer.get_by_role("button", name="Look through").click()
            officer.get_by_role("heading", name="Store this list?").wait_for()
            officer.screenshot(path=folder / "records.png")
            _shoot(officer, f"/rounds/{story.round_id}", folder / "round.png")
            analyst = _signed_in(browser, services["SI"], "analyst")
            _shoot(analyst, "/hits", folder / "hits.png")
            _goto(analyst, "/hits?kind=list")
            analyst.locator("tbody th a").first.click()
            analyst.wait_for_load_state()
            # What a hit rests on is below the fold: the picture begins with the own record.
            analyst.get_by_role("heading", name="Your own record").evaluate("heading => heading.scrollIntoView()")
            analyst.screenshot(path=folder / "hit.png")
            secretariat = _signed_in(browser, services["matcher"], "secretariat-1")
            _goto(secretariat, "/picture")
            secretariat.get_by_role("heading", name="The region").evaluate("heading => heading.scrollIntoView()")
            secretariat.screenshot(path=folder / "region.png")


def _signed_in(browser: Browser, process: Process, login: str) -> Page:
    """Sign in with the code after the one by which the person enrolled; each counts once."""
    page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT})
    page.goto(process.url + "/sign-in")
    page.locator("#login").fill(login)
    page.locator("#password").fill(PASSWORD)
    code = pyotp.TOTP(secret_file(process, login).read_text().strip()).at(int(time.time()) + 30)
    page.locator("#code").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_load_state()
    return page


def _shoot(page: Page, path: str, file: Path) -> None:
    _goto(page, path)
    page.screenshot(path=file)


def _goto(page: Page, path: str) -> None:
    page.goto("/".join(page.url.split("/", 3)[:3]) + path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
