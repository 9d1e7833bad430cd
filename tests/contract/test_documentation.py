"""The documents name only what exists: tests, files, commands, terms and releases."""

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from clients.sdk.operations import operations
from deploy.bundle.manual import DOCUMENTS, anchor
from tests.support import manual
from tests.support.commands import loaded_command

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "deploy/*.md", "schemas/**/*.md", "tests/migrations/**/*.md")
    for path in ROOT.glob(pattern)
)
CHANGES = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
"""The sections of a version in the changelog, in their order (Keep a Changelog 1.1.0)."""

CITED = re.compile(
    r"`((?:attacks|audit|unit|property|scenarios|vectors|contract|e2e|migrations|quality|services|transcripts)/[\w/.]*)`"
)


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.name)
def test_files_that_documents_name_exist(page: Path) -> None:
    """Every path that a document sets as code is there, below the project or its tests, and so is a test in it."""
    text = page.read_text("utf-8")
    rooms = "aquila|services|clients|deploy|docs|schemas|tests"
    named = {*re.findall(rf"`((?:{rooms})/[\w./-]*(?:\.\w+|/))`", text), *CITED.findall(text)}
    assert [one for one in named if not ((ROOT / one).exists() or (ROOT / "tests" / one).exists())] == []
    within = re.findall(r"`(test_\w+)`\s+in\s+`([\w./-]+)`", text)
    assert [one for one, path in within if f"def {one}(" not in (ROOT / path).read_text("utf-8")] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a document leads to a file or folder of the project."""
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "README.md", "RELEASING.md"])
def test_commands_and_folders_exist(document: str) -> None:
    """Every target of make that a document names is there, and so is every file and folder."""
    text = (ROOT / document).read_text("utf-8")
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`| {4})make ([a-z][a-z0-9-]*)", text))
    assert named
    assert named <= targets
    paths = [one for one in re.findall(r"`([\w.-]+/[\w./-]*)`", text) if not one.startswith(("dist/", ".venv"))]
    assert [one for one in paths if not (ROOT / one).exists()] == []


@pytest.mark.parametrize(
    "document", ["README.md", "docs/PRACTICE.md", *(f"deploy/{name}" for name in manual.PAGES if name != "DASK.md")]
)
def test_commands_of_aquila_exist(document: str) -> None:
    """Every command that a document names is one, and has every option that is named with it."""
    text = (ROOT / document).read_text("utf-8")
    blocks = "\n".join(re.findall(r"^ {4}(aquila .*)", re.sub(r" *\\\n *", " ", text), re.MULTILINE))
    spans = [" ".join(one.split()) for one in re.findall(r"`(aquila [^`]+)`", text)]
    assert spans or blocks
    root = loaded_command()
    wrong = [one for one in (*spans, *blocks.splitlines()) if not _is_command(root, one.split()[1:])]
    assert wrong == []
    assert not _is_command(root, ["node", "restore", "FILE", "--nothing"])
    assert not _is_command(root, ["node", "nothing"])
    assert not _is_command(root, ["call", "get_nothing"])


def _is_command(command: Any, words: list[str]) -> bool:
    """Return whether words name a command and options of it, values aside."""
    while words and (children := getattr(command, "commands", None)) is not None:
        word, *words = words
        if word.startswith("--"):
            if not _has(command, word):
                return False
            words = words[1:] if words and words[0].isupper() else words
            if words and words[0] == "local":  # a login
                words = words[1:]
        elif word == "call" and words and words[0][0].islower():
            command = children[word] if words[0] in operations("node") | operations("matcher") else None
        elif word in children:
            command = children[word]
        else:
            return word in {"…", "..."}
    return command is not None and all(_has(command, word) for word in words if word.startswith("--"))


def _has(command: Any, option: str) -> bool:
    return option == "--help" or any(option.rstrip("….,") in one.opts for one in command.params)


@pytest.mark.parametrize("name", manual.PAGES)
def test_sections_of_the_manual_that_are_named_are_there(name: str) -> None:
    """Sections are named in italics. Each is a heading of the same page, or a link leads to its heading on another."""
    headings = {page: set(re.findall(r"^#{1,3} (.+)$", _prose(page), re.MULTILINE)) for page in manual.PAGES}
    links = re.findall(r"\[\*([^*]+)\*\]\((\w+\.md)(?:#([^)]+))?\)", _prose(name))
    assert [
        link for link, page, _ in links if " ".join(link.split()).lower() not in map(str.lower, headings[page])
    ] == []
    assert [place for link, _, place in links if place and place != anchor(" ".join(link.split()))] == []
    own = re.sub(r"\[\*[^*]+\*\]\(", "", _prose(name))
    named = {" ".join(one.split()) for one in re.findall(r"(?<![*\w\[])\*([A-Z][^*]+)\*(?!\*)", own)}
    labels = {"Accounts", "Registry", "Restart"}  # pages, and a word that a table explains
    assert named - headings[name] <= labels


def _prose(name: str) -> str:
    return re.sub(r"```.*?```", "", manual.PAGES[name], flags=re.DOTALL)


def test_every_page_of_the_manual_is_in_its_pdf_and_table() -> None:
    """OPERATIONS.md lists the files next to it, and no heading is in two of them."""
    assert sorted(name for name in DOCUMENTS if name.startswith("deploy/")) == [
        f"deploy/{name}" for name in manual.PAGES
    ]
    listed = re.findall(r"^\| \[(\w+\.md)\]\(\1\) \|", manual.PAGES["OPERATIONS.md"], re.MULTILINE)
    assert sorted([*listed, "OPERATIONS.md"]) == list(manual.PAGES)
    headings = [one for name in manual.PAGES for one in re.findall(r"^#{1,3} (.+)$", _prose(name), re.MULTILINE)]
    assert len(headings) == len(set(headings))


def test_the_changelog_has_sections_and_releases() -> None:
    """Unreleased changes come first, then releases from the newest on, each dated; sections have the usual names."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    first, *releases = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert first == "[Unreleased]"
    found = [re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d)", one) for one in releases]
    assert all(found)
    versions = [tuple(int(number) for number in one.groups()[:3]) for one in found if one]
    dates = [date.fromisoformat(one[4]) for one in found if one]
    assert (versions, dates) == (sorted(set(versions), reverse=True), sorted(dates, reverse=True))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    # The newest release, or what comes after it: two programs must not bear one number.
    number, _, development = project["version"].partition(".dev")
    newest = max(versions, default=(0, 0, 0))
    assert (tuple(map(int, number.split("."))) > newest) is bool(development)
    assert development or number == ".".join(map(str, newest))
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        sections = re.findall(r"^### (.+)$", part, re.MULTILINE)
        assert sections == [one for one in CHANGES if one in sections]


def test_the_glossary_has_each_term_once() -> None:
    """Terms stand in the order of the alphabet, each with meaning and source, and with what it is not called."""
    text = (ROOT / "docs" / "GLOSSARY.md").read_text("utf-8")
    terms: list[str] = []
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        rows = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in re.findall(r"^\|.+\|$", part, re.MULTILINE)
        ]
        if not rows:
            continue
        assert rows[0] == ["term", "meaning", "source", "not called"]
        assert [row for row in rows[2:] if len(row) != 4 or not all(row)] == []
        names = [row[0].casefold() for row in rows[2:]]
        assert names == sorted(names)
        terms += names
    assert len(terms) == len(set(terms)) > 80


def test_the_sections_of_the_glossary_exist() -> None:
    """Each section of the protocol that the glossary names as a source is one."""
    cited = re.findall(r"PROTOCOL\.md (\d[\d.]*\d|\d)", (ROOT / "docs" / "GLOSSARY.md").read_text("utf-8"))
    protocol = (ROOT / "schemas" / "PROTOCOL.md").read_text("utf-8")
    known = set(re.findall(r"^(?:#+ )?(\d+(?:\.\d+)*)\.? ", protocol, re.MULTILINE))
    assert len(set(cited)) > 20
    assert set(cited) <= known


DECISIONS = ROOT / "docs" / "adr"


def _included() -> dict[str, list[int]]:
    """Return the numbers that the status line of each record includes."""
    found: dict[str, list[int]] = {}
    for path in DECISIONS.glob("[0-9]*.md"):
        status = re.fullmatch(
            r"Status: accepted(?:; includes ADR ((?:\d+(?:, | and |))+))?", path.read_text("utf-8").splitlines()[2]
        )
        assert status, path.name
        found[path.name] = [int(number) for number in re.findall(r"\d+", status[1] or "")]
    return found


def _small() -> list[int]:
    """Return the numbers of decisions that are one line of the index."""
    index = (DECISIONS / "README.md").read_text("utf-8")
    return [int(number) for number in re.findall(r"^\| (\d+) \| (?!\[).+ \|$", index, re.MULTILINE)]


def test_the_index_of_decisions_is_the_folder() -> None:
    """Every record has a row and its parts; every other number but the withdrawn one has a line or is included once."""
    index = (DECISIONS / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| \[.+?\]\((\S+)\) \| .+? \|$", index, re.MULTILINE)
    included = _included()
    assert sorted(name for _, name in rows) == sorted(included)
    withdrawn = re.findall(r"Number (\d+) was withdrawn", index)
    parts = [number for record in included.values() for number in record]
    numbers = [*(int(number) for number, _ in rows), *map(int, withdrawn), *parts, *_small()]
    assert sorted(numbers) == list(range(1, max(numbers) + 1))
    for number, name in rows:
        assert name.startswith(f"{int(number):04}-")
        text = (DECISIONS / name).read_text("utf-8")
        assert text.startswith(f"# {number}. "), name
        assert {"Context", "Decision", "Consequences"} <= set(re.findall(r"^## (.+)$", text, re.MULTILINE)), name


def test_decisions_that_are_named_are_there() -> None:
    """Every number of a decision that code or a document names is a record, part of one, or a line of the index."""
    included = _included()
    known = {int(name[:4]) for name in included}.union(_small(), *included.values())
    named: dict[int, set[str]] = {}
    files = [path for part in ("aquila", "services", "clients", "tests") for path in (ROOT / part).rglob("*.[pch]*")]
    for path in (*PAGES, *(path for path in files if path.suffix in {".py", ".c", ".h"})):
        for number in re.findall(r"\b(?:ADR |docs/adr/0)(\d+)", path.read_text("utf-8")):
            named.setdefault(int(number), set()).add(path.name)
    assert len(named) > 20
    assert {number: pages for number, pages in named.items() if number not in known} == {}
