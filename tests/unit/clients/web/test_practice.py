"""Pages of a practice: each has the mark, in each language; no other pages have it, nor the page of the practice."""

import re
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import pytest

from aquila.errors import KeyMaterialError
from clients.web.app.practice import Practice
from clients.web.i18n.languages import languages
from clients.web.pages import routers_of
from clients.web.text.labels import PRACTICE
from tests.support.web_world import ServedPages

OPEN = ("/sign-in", "/enrol", "/set-up", "/none")
PAGES = (
    "/",
    "/records",
    "/search",
    "/rounds",
    "/queries",
    "/hits",
    "/approvals",
    "/log",
    "/people",
    "/account",
    "/glossary",
    "/none",
    f"/rounds/{32 * '0'}",
)
ROLES = ("officer", "approver", "analyst", "auditor", "administrator")


def paths_of(node: ServedPages) -> set[str]:
    return {getattr(route, "path", "") for router in routers_of(node.app._site) for route in router.routes}


async def test_every_page_is_marked_in_its_language(node: ServedPages, homes: Path) -> None:
    """Every page in English, and the first of them in another language."""
    visitor = await node.visitor("ana", *ROLES)
    stranger = node.browser()
    node.app._site.practice = Practice(homes / "SI")
    for number, tag in enumerate(("en", "bg")):
        language = languages()[tag]
        for browser, paths in ((stranger, OPEN), (visitor, PAGES)):
            browser.client.cookies.set("aquila-language", tag)
            for path in paths[:1] if number else paths:
                page = await browser.open(path)
                assert language.say(PRACTICE) in page, path
                assert f"<title>{language.say('Practice')}: " in page, path


async def test_pages_of_a_node_are_not_marked(node: ServedPages) -> None:
    """Without the setting there is no strip, and no page on which one becomes somebody without a password."""
    visitor = await node.visitor("ana", *ROLES)
    for path in PAGES:
        assert PRACTICE not in await visitor.open(path), path
        assert "<title>Practice: " not in visitor.page
    assert paths_of(node).isdisjoint({"/practice/enter", "/practice/list.csv"})
    await visitor.open("/practice/list.csv")
    assert visitor.answer.status_code == 404


async def test_without_throw_away_accounts_nobody_enters(node: ServedPages, homes: Path) -> None:
    """A home with the setting and without secrets next to it opens to nobody."""
    node.app._site.practice = practice = Practice(homes / "SI")
    assert {"/practice", "/practice/enter", "/practice/list.csv"} <= paths_of(node)
    for enter in (lambda: practice.enter(node.app._site.connection, "officer"), practice.list_file):
        with pytest.raises(KeyMaterialError):
            enter()
    assert practice.material() == {}


async def test_saved_files_are_named_for_practice(node: ServedPages, homes: Path) -> None:
    """Files and tables that a page gives carry the mark in their names, and findings and hits in their first line."""
    visitor = await node.visitor("ana", *ROLES)
    node.app._site.practice = Practice(homes / "SI")
    await visitor.open("/hits")
    content = await visitor.send("/hits/export.csv")
    assert visitor.answer.headers["content-disposition"] == 'attachment; filename="PRACTICE-hits.csv"'
    assert content.removeprefix("\ufeff").startswith(f'"{PRACTICE}"')
    await visitor.open("/log")
    await visitor.send("/log/export")
    assert 'filename="PRACTICE-aquila-log.tar"' in visitor.answer.headers["content-disposition"]


def templates() -> Iterable[tuple[str, str]]:
    for one in resources.files("clients.web").joinpath("templates").iterdir():
        yield one.name, one.read_text("utf-8")


def test_every_page_has_the_common_frame() -> None:
    """A template with a title is inside the frame with the mark, and the frame shows it in strip, title and print."""
    found = dict(templates())
    pages = {name: text for name, text in found.items() if "{% block title %}" in text and name != "base.html"}
    assert len(pages) > 30
    assert [name for name, text in pages.items() if not text.startswith('{% extends "base.html" %}')] == []
    assert [name for name, text in found.items() if "<html" in text] == ["base.html"]
    assert len(re.findall(r"visit\.mark", found["base.html"])) >= 4


async def test_real_pages_say_how_to_practise(node: ServedPages) -> None:
    browser = await node.visitor("ana", "analyst")
    assert 'href="/practice"' in await browser.open("/")
    assert "aquila node train" in await browser.open("/practice")
    assert 'class="practice"' not in browser.page
