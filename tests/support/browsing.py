"""A person at a browser: Debian's Chromium, driven by Playwright, that fails on whatever a page must not do.

A page must not break its own policy, write an error, be wider than its window, or violate WCAG 2.2 AA as axe sees it.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import pyotp
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Frame, Locator, Page, Request, Response, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

CHROMIUM = "/usr/bin/chromium-headless-shell"
"""Without windows of its own, whose tabs and buttons are pages too, and cost more than those of Aquila."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "rules": {"target-size": {"enabled": True}},  # of WCAG 2.2; axe leaves it out unless it is named
    "resultTypes": ["violations"],  # nothing is written about what passes
}
PASSWORD = "four words are long enough"
LARGEST_PAGE = 100_000
RELOADS = 4  # more at one look are a page that never rests
PHONE = 640  # pixels; in wider windows parts of a page stand side by side
OUT_OF_ORDER = """() => {
    const parts = document.querySelectorAll("main h1, main h2, main h3, main .card, main tbody tr");
    let last = -Infinity;
    // What a closed part folds away has a box too, and is not seen.
    for (const one of [...parts].filter((one) => one.checkVisibility())) {
        const top = one.getBoundingClientRect().top;
        if (top < last - 1) return one.outerHTML.slice(0, 200);
        last = top;
    }
    return "";
}"""
ON_PAPER = """() => {
    const shown = (which) => [...document.querySelectorAll(which)].filter((one) => one.getClientRects().length);
    const wrong = shown("nav, form, button, input, select, .button, .foot, .skip, .no-print");
    const style = (one) => getComputedStyle(one);
    wrong.push(...shown("tbody tr").filter((one) => style(one).breakInside !== "avoid"));
    wrong.push(...shown(".card:has(tbody)").filter((one) => style(one).breakInside === "avoid"));
    wrong.push(...shown("h1, h2, h3, caption").filter((one) => style(one).breakAfter !== "avoid"));
    wrong.push(...shown("thead:not(.stack thead)").filter((one) => style(one).display !== "table-header-group"));
    if (style(document.body).backgroundColor !== "rgb(255, 255, 255)") wrong.push(document.body);
    return wrong.map((one) => one.outerHTML.slice(0, 200));
}"""

Seen = TypeVar("Seen")


def chromium() -> Iterator[Browser]:
    """Start the browser, and end it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Window:
    """How a browser looks at pages."""

    width: int
    scripts: bool = True
    dark: bool = False


_REFUSED = "status of 422"
_LOADS_ITSELF = (
    "ERR_ABORTED",
    "Execution context was destroyed",
    "page is navigating",
    "interrupted by another navigation",
)


def _loads_itself(error: PlaywrightError) -> bool:
    """Return whether a look or a click failed because the page loaded itself again just then."""
    return any(sign in str(error) for sign in _LOADS_ITSELF)


@dataclass
class Visitor:
    """Somebody at a browser of their own."""

    page: Page
    url: str
    scripts: bool
    complaints: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    secret: str = ""
    pages: list[str] = field(default_factory=list)
    last_step: int = 0
    loads: int = 0
    may_refuse: bool = False

    @classmethod
    def at(cls, browser: Browser, url: str, window: Window) -> "Visitor":
        """Open a browser of one's own, with nothing in it."""
        context = browser.new_context(
            viewport={"width": window.width, "height": 900},
            java_script_enabled=window.scripts,
            color_scheme="dark" if window.dark else "light",
            accept_downloads=True,
        )
        made = cls(context.new_page(), url, window.scripts)
        made.page.on("console", lambda said: made._written(said.type, said.text))
        made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
        made.page.on("request", lambda asked: made.addresses.append(asked.url))
        made.page.on("requestfailed", lambda asked: made._failed(asked.url, str(asked.failure)))
        made.page.on("response", made._came)
        made.page.on("framenavigated", made._loaded)
        return made

    def _loaded(self, frame: Frame) -> None:
        if frame == self.page.main_frame:
            self.loads += 1

    def _written(self, kind: str, text: str) -> None:
        if kind == "error" and not (self.may_refuse and _REFUSED in text):
            self.complaints.append(text)

    def _failed(self, url: str, why: str) -> None:
        # A stream of events that ends with its page is no failure, nor is a download.
        if not url.endswith("/live") and "ERR_ABORTED" not in why:
            self.complaints.append(f"{url}: {why}")

    def _came(self, answer: Response) -> None:
        if "/static/" not in answer.url and answer.headers.get("cache-control") != "no-store":
            self.complaints.append(f"{answer.url} may be cached")

    def open(self, path: str) -> None:
        self._hold_still()
        answer = self.page.goto(self.url + path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status} {self.page.content()[:2_000]}"
        assert len(answer.body()) < LARGEST_PAGE, path
        self.check()

    def _hold_still(self) -> None:
        """Stop a live page from loading itself anew while it is left: Playwright may wait for either page for ever."""
        if self.scripts:
            self.look(lambda: self.page.evaluate("window.stop()"))

    def press(self, name: str | re.Pattern[str]) -> None:
        """Press a button by its words, and look at the page that comes."""
        self.go_by(self.page.get_by_role("button", name=name, exact=True).first)

    def follow(self, name: str) -> None:
        """Follow a link by its words, and look at the page that comes."""
        self.go_by(self.page.get_by_role("link", name=name).first)

    def go_by(self, place: Locator) -> None:
        """Click what leads to another page, and look at the page that comes."""
        here = self.page.url

        def leads_on(asked: Request) -> bool:
            # A live page that loads itself anew meanwhile is no answer to the click.
            return asked.is_navigation_request() and (asked.method == "POST" or asked.url != here)

        try:
            with self.page.expect_request(leads_on), self.page.expect_navigation():
                place.click()
        except PlaywrightError as error:
            if not _loads_itself(error):
                raise
            # It had begun to load itself anew just before, and that goes first: what the click leads to is on its way.
            self.page.wait_for_event("load")
        self.check()

    def write(self, **fields: str) -> None:
        for name, text in fields.items():
            self.page.locator(f"[name={name}]").fill(text)

    def shows(self, text: str) -> bool:
        return text in self.look(lambda: self.page.inner_text("body"))

    def look(self, at: Callable[[], Seen]) -> Seen:
        """Look at the page; a live page that loads itself anew under this look is looked at again."""
        for _ in range(RELOADS):
            self.page.wait_for_load_state()
            loads = self.loads
            try:
                return at()
            except PlaywrightError as error:
                if not _loads_itself(error):
                    raise
            except AssertionError:
                # What was seen may be half of a page that had only begun to come.
                self.page.wait_for_load_state()
                if self.loads == loads:
                    raise
        return at()

    def check(self) -> None:
        """Look whether the page is as it must be."""
        self.look(self._check)

    def _check(self) -> None:
        page = self.page
        assert self.complaints == [], self.complaints
        try:
            expect(page.locator("h1")).to_have_count(1)  # waits: a live page may load itself anew
        except AssertionError:
            raise AssertionError(f"{page.url}: {page.content()[:2_000]}") from None
        self.pages.append(page.content())
        if not self.scripts:
            return
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{page.url} is {wide} pixels wider than its window"
        if page.evaluate("window.innerWidth") < PHONE:
            assert page.evaluate(OUT_OF_ORDER) == "", f"{page.url} is read in another order than it is seen"
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"

    def on_paper(self) -> str:
        """Return the text of the page as it is printed, and look whether nothing is on it that is for screens alone.

        Rows are not parted between two sheets, a heading is followed by something, a table has its head on each, and a
        card with a table begins on the sheet that it comes to.
        """
        self.page.emulate_media(media="print")
        try:
            wrong = self.look(lambda: self.page.evaluate(ON_PAPER))
            assert wrong == [], f"{self.page.url} on paper: {wrong}"
            return self.look(lambda: self.page.inner_text("body"))
        finally:
            self.page.emulate_media(media="screen")

    def code(self) -> str:
        """Return the authenticator's next code; each counts once, so this waits where two are due in half a minute."""
        step = max(int(time.time()) // 30, self.last_step + 1)
        while step > int(time.time()) // 30 + 1:
            time.sleep(0.2)  # the clock is what is waited for
        self.last_step = step
        return pyotp.TOTP(self.secret).generate_otp(step)

    def enrol(self, login: str, code: str) -> None:
        """Set password and authenticator with an enrolment code, which signs in."""
        self.open("/enrol")
        self.write(login=login, enrolment=code)
        self.press("Continue")
        self.choose_password()

    def choose_password(self) -> None:
        """Read the authenticator's secret from the page and set a password."""
        letters = self.page.locator(".qr + p code").inner_text()
        self.secret = re.sub(r"\s", "", letters)
        self.write(password=PASSWORD, again=PASSWORD, code=self.code())
        self.press("Enrol")
        assert self.shows("Sign out")

    def sign_in(self, login: str) -> None:
        self.open("/sign-in")
        self.write(login=login, password=PASSWORD, code=self.code())
        self.press("Sign in")
        assert self.shows("Sign out")

    def stored(self) -> str:
        """Return everything that the page keeps in the browser and scripts can read."""
        if not self.scripts:
            return ""
        everything = """async () => JSON.stringify([
            Object.entries(localStorage), Object.entries(sessionStorage), document.cookie, await caches.keys(),
            await indexedDB.databases(),
        ])"""
        kept: str = self.look(lambda: self.page.evaluate(everything))
        return kept

    def close(self) -> None:
        self.page.context.close()
