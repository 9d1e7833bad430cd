"""A practice in a browser, from a list to an alarm: pages and papers are marked, and no real home is touched."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from services.node.storage.home import create
from tests.support.browsing import Visitor, Window, chromium

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
LOOKS = 2_000  # at what the others do; more are a practice that stands still
MARK = "Practice. Invented persons. Nothing here is real."
WATCH = """
import os, sys
_fd = os.open(os.environ["WATCHED_TO"], os.O_APPEND | os.O_CREAT | os.O_WRONLY)
_PLACES = os.environ["WATCHED"].split(os.pathsep)
_FILES = {"open", "sqlite3.connect", "os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.rename"}
def _hook(event, args):
    if event in _FILES and any(str(args[0]).startswith(place) for place in _PLACES):
        os.write(_fd, f"file {args[0]}\\n".encode())
    if event == "socket.connect":
        os.write(_fd, f"call {args[1]}\\n".encode())
sys.addaudithook(_hook)
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from chromium()


class Practice:
    def __init__(self, folder: Path) -> None:
        self.real, self.seen = folder / "real", folder / "seen"
        self.temporary = Path(tempfile.mkdtemp())  # a short path: processes have sockets in it
        create(self.real, "SI", "Slovenia", "http://127.0.0.1:9")
        self.before = self.contents()
        (folder / "watch").mkdir()
        (folder / "watch" / "sitecustomize.py").write_text(WATCH)
        places = os.pathsep.join((str(self.real), str(self.temporary)))
        environment = os.environ | {
            "PYTHONPATH": str(folder / "watch"),
            "WATCHED": places,
            "WATCHED_TO": str(self.seen),
            "TMPDIR": str(self.temporary),
            "AQUILA_HOME": str(self.real),
            "AQUILA_URL": "http://127.0.0.1:9",
        }
        command = [sys.executable, "-m", "clients.cli.main", "node", "train"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.process.stdout is not None
        self.url = ""
        for line in self.process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+(?=/practice)", line):
                self.url = found[0]
                break
        assert self.url, "it did not start"
        self.output = threading.Thread(target=self.process.stdout.read)  # a full pipe would stop it
        self.output.start()

    def contents(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(self.real.rglob("*")) if path.is_file()}

    def end(self) -> None:
        """End it as a supervisor does; a terminal's Ctrl-C comes to the same."""
        self.process.send_signal(signal.SIGTERM)
        ended = self.process.wait()
        self.output.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        assert ended == 0


class Trainee:
    def __init__(self, browser: Browser, url: str) -> None:
        self.visitor = Visitor.at(browser, url, Window(1280))
        self.page = self.visitor.page

    def next_step(self, title: str) -> None:
        page = self.page
        self.visitor.open("/practice")
        for _ in range(LOOKS):
            if page.locator("h2", has_text=f"Now: {title}").count() and page.locator("button.first").count():
                break
            page.wait_for_timeout(300)  # what is waited for is the others
            page.goto(self.visitor.url + "/practice")
        self.visitor.check()
        self.visitor.go_by(page.locator("button.first"))

    def approve(self) -> None:
        self.visitor.go_by(self.page.locator("main a[href^='/approvals/']").first)
        self.page.locator("#read").check()
        self.visitor.press("Approve")

    def saved(self, button: str) -> tuple[str, bytes]:
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name=button, exact=True).first.click()
        return download.value.suggested_filename, download.value.path().read_bytes()

    def import_list(self) -> None:
        self.visitor.open("/practice")
        with self.page.expect_download() as download:
            self.page.get_by_role("link", name="Save the practice list").click()
        assert download.value.suggested_filename == "PRACTICE-list.csv"
        content = download.value.path().read_bytes()
        self.next_step("Import a list")
        self.page.locator("#file").set_input_files({"name": "list.csv", "mimeType": "text/csv", "buffer": content})
        self.visitor.press("Look through")
        name, findings = self.saved("Save all as CSV")
        assert name == "PRACTICE-findings.csv"
        assert MARK in findings.decode("utf-8-sig").splitlines()[0]
        self.page.locator("#accept").check()
        self.visitor.press(re.compile("^Store "))

    def follow_up(self) -> None:
        """Decide on hits, ask the other party about one that no handling code blocks, and look at its papers."""
        for place in range(3):
            self.visitor.go_by(self.page.locator("[data-key=s]").nth(place))
        self.next_step("Ask the other party")
        hits = [one.get_attribute("href") for one in self.page.locator("tbody th a").all()]
        for hit in hits:
            self.visitor.open(str(hit))
            if not self.page.locator("#channel").count():
                self.visitor.press("Same person")
                self.visitor.open(str(hit))
            self.page.locator("#channel").select_option("siena")
            self.visitor.press("Open the follow-up")
            if self.page.get_by_role("button", name="Show the letter").count():
                break
        self.look_at_letter(str(hit))

    def look_at_letter(self, hit: str) -> None:
        self.visitor.press("Show the letter")
        assert self.visitor.shows("Practice, not real: Request after a hit")
        assert self.visitor.shows("all persons are invented, nothing here is real")
        assert self.page.locator("#message-1").input_value().startswith("Subject: Practice, not real: ")
        name, message = self.saved("Message as JSON")
        assert name.startswith("PRACTICE-request-")
        assert json.loads(message)["subject"].startswith("Practice, not real: ")
        name, paper = self.saved("Letter as PDF")
        assert name.startswith("PRACTICE-request-")
        assert paper.startswith(b"%PDF")
        self.visitor.open(hit)

    def close_hit(self) -> None:
        self.visitor.open("/practice")
        number = re.search(r"PRACTICE [A-Z]{2} \d{4}-[0-9a-f]{6}", self.page.inner_text("main"))
        assert number
        self.next_step("Record the reply and the outcome")
        self.visitor.open("/practice")
        self.visitor.follow("To the hit")
        self.page.get_by_text("Record the reply").first.click()
        self.visitor.write(replied_on=datetime.now(UTC).date().isoformat(), reply=number[0])
        self.visitor.press("Record the reply")
        self.page.locator("#outcome").select_option("confirmed")
        self.visitor.press("Close it")

    def ask(self) -> None:
        self.visitor.open("/practice")
        persons = self.page.locator("section", has_text="Persons to ask for").locator("ul").first.inner_text()
        self.next_step("Ask for three persons")
        self.page.get_by_text("Or paste lines, or take a list").click()
        lines = [";".join(re.split(r"\s+", line.strip())) for line in persons.splitlines()]
        self.visitor.write(pasted="\n".join(lines), case_reference="PRACTICE 3")
        self.visitor.press("Read the persons back")
        self.visitor.press("Ask")


@pytest.mark.soak  # the pages of a practice are tested one by one without a browser
def test_a_practice_from_the_list_to_an_alarm(browser: Browser, tmp_path: Path) -> None:
    practice = Practice(tmp_path)
    try:
        trainee = Trainee(browser, practice.url)
        visitor = trainee.visitor
        trainee.import_list()
        trainee.next_step("Ask for the consent to a round")
        trainee.page.locator("#read").check()
        visitor.press("Consent")
        trainee.next_step("Approve the consent")
        trainee.approve()
        trainee.next_step("Submit your list")
        trainee.page.locator("#import_id").select_option(index=1)
        visitor.write(case_reference="PRACTICE 1")
        visitor.press("Submit")
        trainee.next_step("Approve the submission")
        trainee.approve()
        trainee.next_step("Decide on hits")
        for form in ("CSV", "PDF"):
            name, content = trainee.saved(f"All of this filter as {form}")
            assert name == f"PRACTICE-hits.{form.lower()}"
            assert form == "PDF" or MARK in content.decode("utf-8-sig").splitlines()[0]
        trainee.follow_up()
        trainee.close_hit()
        trainee.ask()
        trainee.next_step("Approve the query")
        trainee.approve()
        trainee.next_step("Read the answer")
        visitor.go_by(trainee.page.locator("tbody th a").first)
        visitor.follow("Report sheet")
        assert visitor.on_paper().count(MARK) >= 2  # in a frame at the top, and across each sheet
        trainee.next_step("Decide on an alarm")
        visitor.press("Release the report")
        visitor.open("/practice")
        assert visitor.shows("You have practised everything")
        for page in visitor.pages:
            assert MARK in page
            assert "<title>Practice: " in page
    finally:
        practice.end()
    seen = practice.seen.read_text().splitlines()
    files = [line.removeprefix("file ") for line in seen if line.startswith("file ")]
    assert any(name.startswith(str(practice.temporary)) for name in files)
    assert [name for name in files if name.startswith(str(practice.real))] == []
    calls = [line.removeprefix("call ") for line in seen if line.startswith("call ")]
    assert calls
    assert [call for call in calls if not call.startswith(("('127.0.0.1', ", str(practice.temporary)))] == []
    practice.temporary.rmdir()  # which works on an empty folder alone
    assert practice.contents() == practice.before
